"""What the audit log tells of bans on a running agent."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.agent import RunningAgent

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
    text = (tmp_path / "agent" / "state" / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


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
    assert lines[-2]["expires"] == lines[-1]["expires"]
    assert str(lines[0]["expires"]) < str(lines[1]["expires"])
