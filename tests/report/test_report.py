"""Reports of recorded lines say what was really sent."""

import csv
import gzip
import io
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import cases
from rich.console import Console

from logwatch.report import Progress, Report, read, render_csv, render_json
from logwatch.report.report import InputEntry, LostEntry
from logwatch.report.table import render_table

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def expected(case: Path) -> dict[str, Any]:
    return json.loads((case / "expected.json").read_text())


def prefixes(case: Path) -> list[str]:
    return json.loads((case / "case.json").read_text())["prefixes"]


def flow_key(flow: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(str(flow[key]) for key in ("source", "port", "protocol", "packets", "bytes"))


def report_of(case: Path, top: int = 0) -> Report:
    return read([str(case / "lines.log")], prefixes(case), top=top)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_report_of_recorded_lines_is_the_truth_of_what_was_sent(case: Path) -> None:
    truth = expected(case)
    report = json.loads(render_json(report_of(case)))
    totals = {"packets": truth["packets"], "bytes": truth["bytes"]}
    totals |= {kind: truth["lines"][kind] for kind in ("odd", "repeated", "forged")}
    totals |= {"lines": sum(truth["lines"].values())}
    assert totals == report["totals"]
    assert sorted(map(flow_key, truth["flows"])) == sorted(map(flow_key, report["flows"]))
    nothing = {by: {"messages": 0, "reports": 0} for by in ("kernel", "journald", "rsyslog")}
    assert nothing | truth.get("lost", {}) | {"overlong_lines": 0} == report["lost"]
    for entries in (report["flows"], report["sources"], report["ports"], report["policies"]):
        numbers = [entry["packets"] for entry in entries]
        assert sorted(numbers, reverse=True) == numbers
        assert truth["packets"] == sum(numbers)


def test_sources_and_ports_are_sums_of_the_flows() -> None:
    """Whatever is shown by source or by port can be added up from the flows."""
    report = report_of(next(case for case in cases() if case.name == "mixed-syslog"))
    for source in report.sources:
        flows = [flow for flow in report.flows if flow.source == source.source]
        assert sum(flow.packets for flow in flows) == source.packets
        assert sum(flow.bytes for flow in flows) == source.bytes
        assert len({flow.port for flow in flows} - {None}) == source.ports
        assert source.destinations >= 1
        assert min(str(flow.first) for flow in flows) == source.first
        assert max(str(flow.last) for flow in flows) == source.last
    for port in report.ports:
        flows = [
            flow
            for flow in report.flows
            if (flow.port, flow.protocol) == (port.port, port.protocol)
        ]
        assert (len(flows), sum(flow.packets for flow in flows)) == (port.sources, port.packets)


def test_several_inputs_of_any_packing_add_up(tmp_path: Path) -> None:
    """Plain, .gz and .zst of the same lines are three times the packets of one."""
    case = next(case for case in cases() if case.name == "scan")
    text = (case / "lines.log").read_bytes()
    (tmp_path / "a.gz").write_bytes(gzip.compress(text[:1000]) + gzip.compress(text[1000:]))
    (tmp_path / "b.zst").write_bytes(zstd.compress(text))
    paths = [str(case / "lines.log"), str(tmp_path / "a.gz"), str(tmp_path / "b.zst")]
    report = read(paths, prefixes(case))
    assert 3 * expected(case)["packets"] == report.totals.packets
    assert [len(text)] * 3 == [entry.bytes for entry in report.inputs]


def test_what_can_be_read_of_a_broken_archive_counts_and_the_rest_is_told(tmp_path: Path) -> None:
    case = next(case for case in cases() if case.name == "scan")
    whole = gzip.compress((case / "lines.log").read_bytes())
    broken = tmp_path / "syslog.2.gz"
    broken.write_bytes(whole[: len(whole) // 2])
    report = read([str(broken)], prefixes(case))
    assert 0 < report.totals.packets < expected(case)["packets"]
    assert str(broken) in str(report.inputs[0].problem)


def test_csv_has_a_row_for_each_flow() -> None:
    case = next(case for case in cases() if case.name == "iptables-icmp")
    report = report_of(case)
    rows = list(csv.DictReader(io.StringIO(render_csv(report))))
    assert len(report.flows) == len(rows)
    assert ("icmp", "") == (rows[0]["protocol"], rows[0]["port"])
    assert expected(case)["packets"] == sum(int(row["packets"]) for row in rows)


def test_the_table_shows_the_top_entries_and_the_totals() -> None:
    case = next(case for case in cases() if case.name == "scan")
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render_table(report_of(case, top=2), console.width))
    text = console.export_text()
    assert "144 denied packets" in text
    assert "203.0.113.66" in text
    assert "192.0.2.12" not in text


def test_the_top_holds_for_every_list() -> None:
    """Policies as well: a prefix with names in it makes as many as there are; ties are by name."""
    case = next(case for case in cases() if case.name == "prefixes")
    whole, top = report_of(case), report_of(case, top=1)
    for name in ("flows", "sources", "ports", "policies"):
        assert len(getattr(whole, name)) > 1
        assert getattr(whole, name)[:1] == getattr(top, name)
    nothing = read([], ["b", "c", "a"])
    assert ["a", "b", "c"] == [entry.policy for entry in nothing.policies]


def table_of(report: Report) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render_table(report, console.width))
    return console.export_text()


def test_the_table_tells_of_losses_only_where_there_are_some() -> None:
    by_name = {case.name: case for case in cases()}
    quiet = table_of(report_of(by_name["scan"]))
    assert "reports loss" not in quiet
    assert "too long" not in quiet
    lossy = report_of(by_name["losses-by-hand"])
    assert "kernel reports loss 2 times, without a number" in table_of(lossy)
    assert "journald reports loss 12 times: 2,976 messages" in table_of(lossy)
    assert "1 line was too long" in table_of(lossy._replace(overlong_lines=1))


def test_losses_of_several_files_add_up(tmp_path: Path) -> None:
    """Also those of lines that nobody can look into."""
    line = b"Nov 22 07:08:09 w systemd-journald[1]: Missed 5 kernel messages\n"
    for name in "ab":
        (tmp_path / name).write_bytes(line + b"x" * 65_537 + b"\n" + line)
    for jobs in (1, 2):
        report = read([str(tmp_path / name) for name in "ab"], ["calico-packet"], jobs=jobs)
        assert LostEntry("journald", 20, 4) in report.lost
        assert 2 == report.overlong_lines


def test_json_is_what_the_standard_library_writes() -> None:
    """Also where a text looks like the end of an entry, and where a list is empty."""
    hostile = 'a "b"\\ },\n      { \x01 \u2028 ü'
    whole = report_of(next(case for case in cases() if case.name == "mixed-syslog"))
    inputs = (InputEntry(hostile, 1, hostile), InputEntry("-", 0))
    for report in (
        whole,
        whole._replace(inputs=inputs, overlong_lines=3),
        whole._replace(flows=(), ports=()),
    ):
        document = report._asdict() | {"totals": report.totals._asdict()}
        for name in ("flows", "sources", "ports", "policies", "inputs"):
            document[name] = [entry._asdict() for entry in document[name]]
        document["lost"] = {lost.pop("by"): lost for lost in map(LostEntry._asdict, report.lost)}
        document["lost"]["overlong_lines"] = document.pop("overlong_lines")
        del document["prefixes"], document["of_a_part"]
        assert json.dumps(document, indent=2, ensure_ascii=False) + "\n" == render_json(report)


def test_a_file_that_is_named_twice_is_not_read_by_two_threads() -> None:
    """A pipe would give to each what the other one lacks."""
    readers: list[int] = []

    class Hears(Progress):
        def started(self, path: str, size: int | None) -> Callable[[int], None]:
            readers.append(threading.get_ident())
            return super().started(path, size)

    case = next(case for case in cases() if case.name == "scan")
    path = str(case / "lines.log")
    report = read([path, path], prefixes(case), jobs=2, progress=Hears())
    assert 2 * expected(case)["packets"] == report.totals.packets
    assert [threading.get_ident()] * 2 == readers
