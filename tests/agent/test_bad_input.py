"""A running agent never dies of what is in a file, or of a file that is not there."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import FIXTURES
from lab.agent import RunningAgent

LINE = (FIXTURES / "scan" / "lines.log").read_bytes().splitlines()[0]
FORGED = (
    b"Nov 24 11:48:17 worker-1 app[7]: calico-packet: IN=eth1 OUT= MAC= SRC=1.2.3.4 DST=5.6.7.8 "
)
ODD = b"Nov 24 11:48:17 worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=1.2.3"


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[Callable[..., RunningAgent]]:
    agents: list[RunningAgent] = []

    def start(*options: str) -> RunningAgent:
        agent = RunningAgent(tmp_path / "agent", *options, log=tmp_path / "syslog")
        agent.start()
        agents.append(agent)
        return agent

    yield start
    for agent in agents:
        agent.kill()


def test_hostile_lines_are_counted_by_kind(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    """1 MiB without a line feed, NUL holes, invalid UTF-8, CRLF, forged and cut lines."""
    agent = start_agent()
    log = tmp_path / "syslog"
    lines = [
        LINE,
        LINE + b"\r",
        b"\0" * 300_000 + LINE,
        LINE.replace(b"worker-1", b"w\xff\xfe\x80"),
        LINE.replace(b"IN=eth1", b'IN=\xff\x01"'),
        FORGED,
        ODD,
        LINE[:50],
        LINE + b"x" * (1 << 20),
        os.urandom(5_000).replace(b"\n", b""),
        b"",
        b"\xff" * 70_000,
    ]
    log.write_bytes(b"\n".join(lines) + b"\n")
    agent.wait_for(lambda: agent.total("logwatch_lines_total") >= len(lines), "all lines")
    assert {("packet",): 5, ("forged",): 1, ("odd",): 1, ("other",): 5} == agent.metrics(
        "logwatch_lines_total"
    )
    assert {("1", "tcp", "203.0.113.66"): 5} == agent.metrics(
        "logwatch_denied_packets_by_flow_total"
    )
    assert len(lines) == agent.total("logwatch_lines_total")


def test_a_missing_log_is_told_and_found_when_it_comes(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    agent = start_agent()
    log = tmp_path / "syslog"
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    degraded = agent.wait_for(
        lambda: [event for event in agent.events if event["event"] == "degraded"], "warning"
    )
    assert str(log) in str(degraded[0]["problem"])
    log.write_bytes(LINE + b"\n")
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total"), "the packet")
    assert "ok\n" == agent.get("/readyz")
    log.unlink()
    log.mkdir()
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    log.rmdir()
    log.write_bytes(2 * (LINE + b"\n"))
    agent.wait_for(lambda: 3 == agent.total("logwatch_denied_packets_total"), "the new file")
    assert 0 == agent.stop()


def test_a_policy_file_that_is_broken_meanwhile_is_told_and_left_alone(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    policy = tmp_path / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy))
    policy.write_text("not: [closed\n")
    (tmp_path / "syslog").write_bytes((FIXTURES / "scan" / "lines.log").read_bytes())
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    assert "not: [closed\n" == policy.read_text()
    assert {("enforced",): 0, ("decided",): 1} | agent.metrics("logwatch_blacklist_networks") == {
        ("enforced",): 0,
        ("decided",): 1,
    }
    policy.write_text("# ours\n")
    agent.wait_for(lambda: 1 == agent.total("logwatch_ready"), "readiness")
    assert "203.0.113.66/32" in policy.read_text()
    assert policy.read_text().startswith("# ours\n")


def test_a_state_that_can_not_be_written_does_not_stop_the_counting(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    """A full disk (a tmpfs of 256 KiB): the counts wait in memory until there is room."""
    state = tmp_path / "agent" / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(state)], check=True)
    try:
        log = tmp_path / "syslog"
        log.touch()
        agent = start_agent()
        agent.wait_for(lambda: 1 == agent.total("logwatch_ready"), "readiness")
        filler = state / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass  # full, as wanted
        many = (FIXTURES / "mixed-syslog" / "lines.log").read_bytes()
        with log.open("ab") as file:
            file.write(many)
        agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
        filler.unlink()
        agent.wait_for(lambda: 1 == agent.total("logwatch_ready"), "readiness")
        assert 568 == agent.total("logwatch_denied_packets_total")
        agent.kill()
        agent.start()
        assert 568 == agent.total("logwatch_denied_packets_total")
        agent.kill()
    finally:
        subprocess.run(["umount", str(state)], check=True)


def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    """Root without its override of permissions stands for any other user."""
    log = tmp_path / "syslog"
    log.write_bytes(LINE + b"\n")
    log.chmod(0)
    done = subprocess.run(
        [
            *("setpriv", "--bounding-set", "-dac_override,-dac_read_search"),
            *(sys.executable, "-m", "logwatch", "report", str(log)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 1 == done.returncode
    assert str(log) in done.stderr
    assert "permission denied" in done.stderr.lower()
    assert "adm" in done.stderr
