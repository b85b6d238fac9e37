"""What the audit log tells of bans, and that it tells less when it has no room."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from lab.agent import RunningAgent

from logwatch.agent.clock import Clock
from logwatch.agent.decisions import Decisions
from logwatch.audit.log import WAITING_MOST
from logwatch.config import Config
from logwatch.ledger import Ledger, SeriesLimits

RULES = """\
rule quick
    when distinct ports >= 3 within 1s
    ban 2s
"""


@pytest.fixture
def agent(tmp_path: Path, start_agent: Callable[..., RunningAgent]) -> RunningAgent:
    """Bans for two seconds."""
    (tmp_path / "syslog").touch()
    (tmp_path / "quick.rules").write_text(RULES)
    return start_agent("--rules", str(tmp_path / "quick.rules"))


def scan(tmp_path: Path) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    lines = [
        f"{stamp} worker-1 kernel: calico-packet: IN=eth1 OUT= MAC=00 SRC=203.0.113.66"
        " DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=4000"
        f" DPT={port} WINDOW=1 RES=0x00 SYN URGP=0 \n"
        for port in range(1, 4)
    ]
    with (tmp_path / "syslog").open("a") as file:
        file.write("".join(lines))


def told(tmp_path: Path) -> list[dict[str, object]]:
    path = tmp_path / "agent" / "state" / "audit.jsonl"
    if not path.exists():  # it comes with the first commit
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def events(tmp_path: Path) -> list[object]:
    return [line["event"] for line in told(tmp_path)]


def test_a_ban_that_goes_on_is_told_with_its_new_end(tmp_path: Path, agent: RunningAgent) -> None:
    scan(tmp_path)
    agent.wait_for(lambda: "shown" in events(tmp_path), "ban")

    def goes_on() -> bool:
        scan(tmp_path)
        return "extended" in events(tmp_path)

    agent.wait_for(goes_on, "extension")
    agent.wait_for(lambda: "ended" in events(tmp_path), "end")
    lines = [line for line in told(tmp_path) if line.get("network") == "203.0.113.66/32"]
    assert ["shown", *["extended"] * (len(lines) - 2), "ended"] == [line["event"] for line in lines]
    ends = [str(line["expires"]) for line in lines]
    assert sorted(ends) == ends  # the last may be later: both it and the end are then past at once
    assert ends[0] < ends[1]


def test_dropped_lines_are_counted_once(tmp_path: Path) -> None:
    """Also while the file can't be written: a directory stands in its place."""
    ledger = Ledger.open(tmp_path / "state", limits=SeriesLimits(), boot_id="boot")
    decisions = Decisions(Config(audit=str(tmp_path)), structlog.get_logger(), lambda _: 0)
    decisions.restore(ledger, Clock("boot"))
    for _ in range(WAITING_MOST + 7):
        decisions.audit.note(0.0, "started")
    for _ in range(2):
        decisions.commit({})
        assert "10000 lines wait" in (decisions.write_audit() or "")
        assert 7 == ledger.snapshot.counter("dropped_audit_lines")
    decisions.audit.note(0.0, "started")
    decisions.commit({})
    assert 8 == ledger.snapshot.counter("dropped_audit_lines")
    ledger.close()
