"""The page of a report as text: what it allows itself, how large it is, what its chart shows."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from command import logwatch
from conftest import FIXTURES

from logwatch.packets import Scanner, Summary
from logwatch.report import Report
from logwatch.report.heat import Cell, heat
from logwatch.report.html import Chart, _between_labels, brief
from logwatch.report.timeline import (
    BARS_MOST,
    DAY,
    PLACES_LEAST,
    STEPS,
    duration,
    timeline,
)

PREFIXES = ["calico-packet", "cp %n"]
NOW = 1_795_521_600


def line(second: int, prefix: str = "calico-packet", source: str = "203.0.113.7") -> bytes:
    hours, minutes = divmod(second // 60, 60)
    return (
        f"2026-11-{20 + hours // 24:02}T{hours % 24:02}:{minutes:02}:{second % 60:02}Z w kernel:"
        f" {prefix}: IN=eth1 OUT= MAC= SRC={source} DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00"
        " TTL=64 ID=1 PROTO=TCP SPT=1 DPT=22 \n"
    ).encode()


def summary(*lines: bytes) -> Summary:
    scanner = Scanner(PREFIXES, timeline=True)
    scanner.feed(b"".join(lines))
    return scanner.drain()


def test_a_page_allows_itself_its_own_style_and_script_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    logwatch("report", str(FIXTURES / "scan/lines.log"), "--format", "html", "--output", str(path))
    page = path.read_text()
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert "'none'" == rules["default-src"]
    for rule, element in (("style-src", "style"), ("script-src", "script")):
        [text] = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", page, re.DOTALL)
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" == rules[rule]
    assert not re.search(r"""\b(src|href|action)=["'](?!data:,)""", page)
    assert " style=" not in page


def test_a_page_of_very_many_sources_is_small(tmp_path: Path) -> None:
    """Lists are bounded, whatever is in the log; they say of how many they are the top."""
    log, path = tmp_path / "log", tmp_path / "report.html"
    log.write_bytes(
        b"".join(
            line(number, source=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
            for number in range(100_000)
        )
    )
    logwatch("report", str(log), "--format", "html", "--output", str(path))
    assert path.stat().st_size < 500_000
    assert "The top 500 of 100,000" in path.read_text()


@pytest.mark.parametrize("seconds", [1, 100, 5_000, 200_000])
def test_a_chart_has_bars_that_can_be_seen_apart(seconds: int) -> None:
    step = max(1, seconds // 400)
    made = timeline(summary(*(line(second) for second in range(0, seconds, step))), PREFIXES)
    assert PLACES_LEAST <= made.places <= BARS_MOST
    assert len(range(0, seconds, step)) == sum(sum(bar.packets) for bar in made.bars)
    chart = Chart(made)
    for part in chart.rectangles():
        assert 0 <= part.x < part.x + part.width <= chart.width + 0.1
        assert -1 <= part.y < part.y + part.height <= chart.height + 0.1


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (range(7, 90, 3), ["00:00:30", "00:01:00"]),
        (range(0, 200_000, 600), ["00:00", "12:00", "00:00", "12:00"]),
        (range(3_000, 30_000, 60), ["02:00", "04:00", "06:00"]),
    ],
)
def test_a_chart_has_labels_at_round_times(seconds: range, labels: list[str]) -> None:
    """In its whole length, and none that would be cut off at its end."""
    made = Chart(timeline(summary(*map(line, seconds)), PREFIXES))
    assert labels == [text.split()[1] for _, text in made.labels()]
    assert all(0 <= x <= made.width - 180 for x, _ in made.labels())


@pytest.mark.parametrize("length", [1, 24, 100, 5_000, 200_000, 10**8])
@pytest.mark.parametrize("step", [*STEPS, 2 * DAY, 16 * DAY])
def test_labels_are_few_and_stand_where_bars_begin(step: int, length: int) -> None:
    every = _between_labels(step, length * step)
    assert 0 == every % step
    assert length * step <= 5 * every


def test_policies_beyond_the_first_share_a_band() -> None:
    lines = [line(0, f"cp p{number}") * (20 - number) for number in range(10)]
    made = timeline(summary(*lines), PREFIXES)
    assert ("p0", "p1", "p2", "p3", "p4", "p5", "all others") == made.names
    assert (20, 19, 18, 17, 16, 15, 14 + 13 + 12 + 11) == made.bars[0].packets


def test_a_heat_map_has_the_ports_behind_many_protocols_without_any() -> None:
    """Each cell is the flow's number of packets; the most has the strongest colour.

    Who tried none of the ports has no row.
    """
    tcp = b"PROTO=TCP SPT=1 DPT=22"
    others = [line(0).replace(tcp, b"PROTO=%d" % number) * 9 for number in range(200, 240)]
    without = line(0, source="203.0.113.9").replace(tcp, b"PROTO=ICMP TYPE=8 CODE=0")
    found = summary(*others, without * 9, line(0) * 5, line(0, source="203.0.113.8"))
    made = heat(Report.of(found, PREFIXES, (), 0), found)
    assert [22] == [port.port for port in made.ports]
    assert [("203.0.113.7", [Cell(5, 6)]), ("203.0.113.8", [Cell(1, 1)])] == [
        (source.source, cells) for source, cells in made.rows
    ]


def test_a_stamp_of_another_decade_does_not_hide_the_others() -> None:
    far = line(0).replace(b"2026", b"1995")
    made = timeline(summary(far, *(line(second) for second in range(100))), PREFIXES)
    assert (1, 0) == (made.far, made.undated)
    assert 1 == made.step
    undated = line(0).replace(b"2026", b"1960")
    assert (0, 1) == timeline(summary(undated, line(1)), PREFIXES)[-1:-3:-1]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (1_240, "1.2k"),
        (9_960, "10k"),
        (999_600, "1M"),
        (10**18, "1000P"),
    ],
)
def test_a_number_in_a_cell_is_short(number: int, text: str) -> None:
    assert text == brief(number)


def test_a_step_is_told_in_words() -> None:
    assert ["1 second", "30 minutes", "12 hours", "64 days"] == [
        duration(seconds) for seconds in (1, 1_800, 43_200, 64 * 86_400)
    ]
