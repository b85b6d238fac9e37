"""A log that `logwatch top` follows by itself: counted exactly, judged by rules."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FIXTURES
from top.watching import Watching, watch

from logwatch.config import Prefix
from logwatch.offenders import read_rules
from logwatch.report import read
from logwatch.top import UnknownError
from logwatch.top.log import Log
from logwatch.top.summary import Summary

SCAN = (FIXTURES / "scan" / "lines.log").read_bytes()
"""120 packets of 203.0.113.66 to as many ports, and eight each of three visitors."""

BODY = (
    "IN=eth1 OUT= MAC= SRC={source} DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
    "PROTO=TCP SPT=40000 DPT={port} WINDOW=29200 RES=0x00 SYN URGP=0"
)
BODY_6 = (
    "IN=eth1 OUT= MAC= SRC={source} DST=2001:0db8:0000:0000:0000:0000:0000:0009 LEN=80 TC=0 "
    "HOPLIMIT=64 FLOWLBL=0 PROTO=TCP SPT=40000 DPT={port} WINDOW=64800 RES=0x00 SYN URGP=0"
)


def line(source: str, port: int, ago: float = 0.0) -> str:
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(time.time() - ago))
    form = BODY_6 if ":" in source else BODY
    body = form.format(source=source, port=port)
    return f"{stamp} worker-1 kernel: [1.000000] calico-packet: {body}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syslog"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    made = Log(path, (Prefix(),), tuple(read_rules(None).rules))
    yield made
    made.close()


def look(log: Log, **changes: object) -> Summary:
    asked = {"top": 100, "order": "packets", "query": ""}
    return log.summary(**{**asked, **changes})  # type: ignore[arg-type]


def test_a_log_is_counted_as_a_report_counts_it(path: Path, log: Log) -> None:
    path.write_bytes(SCAN)
    log.catch_up()
    seen = look(log)
    report = read([str(path)], ["calico-packet"], top=0)
    assert report.totals.packets == seen.totals.packets
    assert [(each.source, each.packets) for each in report.sources] == [
        (each.source, each.packets) for each in seen.sources
    ]
    assert [(each.port, each.protocol, each.packets) for each in report.ports][:100] == [
        (each.port, each.protocol, each.packets) for each in seen.ports
    ]


def test_what_comes_is_counted_now_and_over_a_rotation(path: Path, log: Log) -> None:
    path.write_text(line("192.0.2.1", 22, ago=1800.0))
    look(log)
    with path.open("a") as file:
        file.write(line("192.0.2.1", 22))
    path.rename(path.with_name("syslog.1"))
    path.write_text(line("192.0.2.2", 80))
    seen = look(log)
    assert {"192.0.2.1": 2, "192.0.2.2": 1} == {each.source: each.packets for each in seen.sources}
    [policy] = seen.history.series
    assert 3 == sum(filter(None, policy.packets))
    assert 2 == sum(filter(None, policy.packets[-3:]))
    assert 1 == policy.packets[-181] + policy.packets[-180]
    assert None is policy.packets[0]


def test_rules_are_applied_and_shown_as_in_mode_observe(path: Path, log: Log) -> None:
    path.write_text("".join(line("192.0.2.1", port) for port in range(20)))
    with path.open("a") as file:
        file.write("".join(line("192.0.2.2", port) for port in range(10)))
    seen = look(log)
    assert [("192.0.2.1/32", "observe", "many-ports")] == [
        (each.cidr, each.phase, each.rule) for each in seen.blacklist
    ]
    assert (1, 0) == (seen.networks.decided, seen.networks.enforced)
    near = seen.offenders[0]
    assert ("192.0.2.2", 10, 15) == (near.source, near.has, near.needs)
    assert "observe" == seen.sources[0].phase


def test_sources_are_sorted_and_filtered(path: Path, log: Log) -> None:
    old = [line("192.0.2.1", 22, ago=1200.0)] * 3 + [line("192.0.2.2", 23, ago=600.0)] * 2
    path.write_text("".join([*old, line("192.0.2.3", 443)]))
    by = {order: look(log, order=order).sources for order in ("packets", "recent", "last")}
    first = {order: sources[0].source for order, sources in by.items()}
    assert {"packets": "192.0.2.1", "recent": "192.0.2.3", "last": "192.0.2.3"} == first
    assert ["192.0.2.2"] == [each.source for each in look(log, query="2.2").sources]
    assert [443] == [each.port for each in look(log, query="443").ports]
    cut = look(log, top=1)
    assert (1, 3) == (len(cut.sources), cut.other_sources.packets)


def test_all_of_a_source_is_told(path: Path, log: Log) -> None:
    """Of IPv6 also by its /64, which is what rules judge."""
    path.write_text(
        line("192.0.2.1", 22) * 2
        + line("192.0.2.1", 23)
        + line("2001:0db8:0000:0000:0000:0000:0000:0001", 24)
    )
    look(log)
    told = log.details("192.0.2.1")
    assert [(22, 2), (23, 1)] == [(each.port, each.packets) for each in told.ports]
    assert (3, 3) == (told.packets, sum(filter(None, told.timeline.packets)))
    assert [2] == [each.has for each in told.rules if each.rule == "many-ports"]
    assert 1 == log.details("2001:db8::/64").packets
    with pytest.raises(UnknownError, match=r"192\.0\.2\.9"):
        log.details("192.0.2.9")


def test_a_log_that_is_not_there_is_a_problem_until_it_is(path: Path, log: Log) -> None:
    missing = look(log)
    assert "problem" == missing.health.level
    assert str(path) in missing.health.findings[0].what
    path.write_text(line("192.0.2.1", 22))
    assert ("ok", 1) == (look(log).health.level, look(log).totals.packets)


def test_the_screen_shows_a_log_as_it_grows(path: Path, log: Log) -> None:
    path.write_text(line("192.0.2.1", 22))

    async def see(seen: Watching) -> None:
        await seen.until_shown("192.0.2.1", f"reads {path}")
        with path.open("a") as file:
            file.write(line("203.0.113.9", 3389) * 5)
        await seen.until_shown("203.0.113.9", "6 denied")

    watch(log, see, size=(120, 30))
