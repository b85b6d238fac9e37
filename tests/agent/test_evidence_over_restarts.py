"""A slow scan that an agent's end comes in the middle of, by the real agent."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from lab.agent import RunningAgent

RULES = """\
rule slow-scan
    when distinct ports >= 30 within 1d
    ban 1d, doubling up to 7d
"""


class Scan:
    """A scanner, and an agent that follows it."""

    def __init__(self, directory: Path, start_agent: Callable[..., RunningAgent]) -> None:
        self.log = directory / "syslog"
        self.log.touch()
        rules = directory / "slow.rules"
        rules.write_text(RULES)
        self.policy = directory / "blacklist.yaml"
        options = ("--mode", "enforce", "--policy-file", str(self.policy))
        self.agent = start_agent("--rules", str(rules), *options)
        self.state = directory / "agent" / "state"
        self.file = self.state / "logwatch.evidence"

    def goes_on(self, ports: Iterable[int]) -> None:
        """Try ports; return when they are counted."""
        before = self.agent.total("logwatch_denied_packets_total")
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = [
            f"{stamp} worker-1 kernel: calico-packet: IN=eth1 OUT= MAC=00 SRC=203.0.113.66"
            " DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=4000"
            f" DPT={port} WINDOW=1 RES=0x00 SYN URGP=0 \n"
            for port in ports
        ]
        with self.log.open("ab", buffering=0) as file:
            file.write("".join(lines).encode())
        self.agent.wait_for(
            lambda: self.agent.total("logwatch_denied_packets_total") == before + len(lines),
            "packets",
        )

    def is_kept(self) -> bool:
        """Whether the file came, which is written within a second of the first packets."""
        return self.file.exists()

    def bans(self) -> list[dict[str, object]]:
        """Lines of the audit log about bans."""
        lines = (self.state / "audit.jsonl").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == "banned"]

    def told(self, event: str) -> list[dict[str, object]]:
        return [each for each in self.agent.events if each["event"] == event]


@pytest.fixture
def scan(tmp_path: Path, start_agent: Callable[..., RunningAgent]) -> Scan:
    return Scan(tmp_path, start_agent)


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_slow_scan_goes_on_over_a_restart(scan: Scan, *, is_killed: bool) -> None:
    """Also over a second one, within the minute that nothing is written in."""
    scan.goes_on(range(20))
    scan.agent.wait_for(scan.is_kept, "evidence")
    for ports in (range(20, 25), range(25, 29)):
        if is_killed:
            scan.agent.kill()
        else:
            assert 0 == scan.agent.stop()
        scan.agent.start()
        (told,) = scan.told("evidence taken over")
        assert 1 == told["sources"]
        written = scan.file.stat().st_mtime_ns
        scan.goes_on(ports)
        scan.agent.wait_for(lambda at=written: at != scan.file.stat().st_mtime_ns, "evidence")
        assert [] == scan.bans()
    scan.goes_on([29])
    assert "203.0.113.66/32" in scan.policy.read_text()
    (ban,) = scan.bans()
    assert "30 distinct ports within 1d (rule slow-scan: 30)" == ban["reason"]


def test_a_ban_is_decided_once_though_older_evidence_is_kept(scan: Scan) -> None:
    scan.goes_on(range(29))
    scan.agent.wait_for(scan.is_kept, "evidence")
    before = scan.file.read_bytes()
    scan.goes_on([29])
    assert 1 == len(scan.bans())
    for _ in range(2):
        scan.agent.kill()
        scan.file.write_bytes(before)
        scan.agent.start()
        scan.goes_on([29, 30])
    (ban,) = scan.bans()
    assert 1 == ban["offence"]


def test_an_undo_holds_though_older_evidence_is_kept(scan: Scan) -> None:
    scan.goes_on(range(29))
    scan.agent.wait_for(scan.is_kept, "evidence")
    scan.goes_on([29])
    command = [sys.executable, "-m", "logwatch", "blacklist", "remove", "203.0.113.66"]
    subprocess.run([*command, "--state", str(scan.state)], check=True, capture_output=True)
    scan.agent.kill()
    scan.agent.start()
    scan.goes_on([40])
    assert 1 == len(scan.bans())


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def replace_by_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "it is damaged: its digest is another one"),
        (replace_by_pipe, "it can't be read (not a file)"),
    ],
)
def test_a_file_that_can_t_be_used_is_told_and_evidence_begins_anew(
    scan: Scan, damage: Callable[[Path], None], why: str
) -> None:
    scan.goes_on(range(29))
    scan.agent.wait_for(scan.is_kept, "evidence")
    scan.agent.kill()
    damage(scan.file)
    scan.agent.start()
    (told,) = scan.told("evidence left out")
    assert (why, str(scan.file)) == (told["why"], told["file"])
    scan.goes_on([29])
    assert [] == scan.bans()
    scan.goes_on(range(30, 59))
    assert 1 == len(scan.bans())


def test_what_can_t_be_kept_is_told_and_kept_later(scan: Scan) -> None:
    scan.file.mkdir()
    (scan.file / "mine").touch()
    scan.goes_on(range(29))
    scan.agent.wait_for(lambda: "is not saved in" in scan.agent.get("/readyz"), "problem")
    shutil.rmtree(scan.file)
    scan.agent.wait_for(lambda: "ok" in scan.agent.get("/readyz"), "readiness")
    scan.agent.kill()
    scan.agent.start()
    scan.goes_on([29])
    assert 1 == len(scan.bans())


def test_a_log_that_is_read_again_does_not_count_twice(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    scan = Scan(tmp_path, lambda *options: start_agent(*options, "--from", "start"))
    scan.goes_on(range(20))
    scan.agent.wait_for(scan.is_kept, "evidence")
    assert 0 == scan.agent.stop()
    for file in scan.state.glob("logwatch.sqlite*"):
        file.unlink()
    scan.agent.start()
    (told,) = scan.told("evidence left out")
    assert "a log is read from its beginning, and would count twice" == told["why"]
