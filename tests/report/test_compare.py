"""A report beside an earlier period, and of a part of the time."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command import logwatch
from conftest import FIXTURES

SCAN = FIXTURES / "scan" / "lines.log"
MIXED = FIXTURES / "mixed-syslog" / "lines.log"


def report(*arguments: str) -> dict[str, Any]:
    done = logwatch("report", *arguments, "--format", "json")
    assert (0, b"") == (done.returncode, done.stderr)
    return json.loads(done.stdout)


def test_changes_are_the_difference_of_two_reports() -> None:
    now, before = report(str(SCAN)), report(str(MIXED))
    compared = report(str(SCAN), "--compare", str(MIXED))
    assert now == {name: compared[name] for name in now}
    found = compared["compare"]
    assert now["totals"] == found["now"]["totals"]
    assert before["totals"] == found["before"]["totals"]
    for kind, keys in (("sources", ["source"]), ("ports", ["port", "protocol"])):
        one, other = (
            {tuple(entry[key] for key in keys): entry["packets"] for entry in each[kind]}
            for each in (now, before)
        )
        assert (len(one), len(other)) == (found["now"][kind], found["before"][kind])
        expected = {
            key: (one.get(key, 0), other.get(key, 0))
            for key in one | other
            if one.get(key) != other.get(key)
        }
        changes = found[kind]["changes"]
        assert expected == {
            tuple(change[key] for key in keys): (change["packets"], change["before"])
            for change in changes
        }
        for name in ("new", "gone", "more", "less"):
            assert found[kind][name] == sum(change["change"] == name for change in changes)
    assert [{"policy": "calico-packet", "change": "less", "packets": 144, "before": 568}] == found[
        "policies"
    ]["changes"]


def test_the_top_is_also_that_of_the_changes() -> None:
    found = report(str(SCAN), "--compare", str(MIXED), "--top", "2")["compare"]["sources"]
    assert 2 == len(found["changes"])
    assert found["new"] + found["gone"] > 2


def test_the_same_period_has_no_changes() -> None:
    found = report(str(SCAN), "--compare", str(SCAN))["compare"]
    nothing = {"new": 0, "gone": 0, "more": 0, "less": 0, "changes": []}
    assert [nothing] * 3 == [found["sources"], found["ports"], found["policies"]]


def test_a_table_shows_both_periods_and_fits_80_columns() -> None:
    done = logwatch("report", str(SCAN), "--compare", str(MIXED), "--top", "3")
    text = done.stdout.decode()
    assert "Compared with an earlier period" in text
    assert re.search("^Sources: 1 new, .* less$", text, re.MULTILINE), "a title is one line"
    assert "203.0.113.66  new" in text


def test_a_problem_of_the_earlier_period_is_told(tmp_path: Path) -> None:
    done = logwatch("report", str(SCAN), "--compare", str(tmp_path / "gone"), "--format", "json")
    assert 1 == done.returncode
    assert b"gone does not exist" in done.stderr
    assert json.loads(done.stdout)["compare"]["inputs"][0]["problem"]


def test_a_csv_has_no_place_for_changes() -> None:
    done = logwatch("report", str(SCAN), "--compare", str(MIXED), "--format", "csv")
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"--format table, json or html" in done.stderr


def test_a_report_of_a_part_of_the_time(tmp_path: Path) -> None:
    """From the first time on and before the last, which may have zones."""
    path = tmp_path / "log"
    line = SCAN.read_bytes().splitlines()[0].partition(b" worker")[2]
    path.write_bytes(
        b"".join(b"2026-11-24T12:00:%02dZ worker%s\n" % (second, line) for second in range(60))
    )
    times = ("--since", "2026-11-24T12:00:10", "--until", "2026-11-24T13:00:30+01:00")
    found = report(str(path), *times)
    assert 20 == found["totals"]["packets"]
    assert ("2026-11-24T12:00:10Z", "2026-11-24T12:00:29Z") == (
        found["sources"][0]["first"],
        found["sources"][0]["last"],
    )
    assert 60 == report(str(path), "--until", "2026-11-25")["totals"]["packets"]


@pytest.mark.parametrize("time", ["yesterday", "1969-12-31", "2026-13-01", "9999-01-01"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    done = logwatch("report", str(SCAN), "--since", time)
    assert 2 == done.returncode
    assert b"is not a time such as 2026-11-24" in done.stderr
