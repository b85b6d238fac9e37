"""What was lost is shown by the running agent, and is still known after `kill -9`."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FIXTURES
from lab.agent import RunningAgent
from lab.rsyslog import TEMPLATES, Rsyslog

LOSSES = (FIXTURES / "losses-by-hand" / "lines.log").read_bytes()


def losses(agent: RunningAgent) -> dict[str, dict[tuple[str, ...], float]]:
    families = ("lost_messages", "loss_reports", "destroyed_bytes", "overlong_lines")
    return {name: agent.metrics(f"logwatch_{name}_total") for name in families}


def test_losses_are_shown_and_survive_a_kill(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(LOSSES + b"x" * 70_000 + b"\n")
    agent = start_agent("--from", "start")
    agent.wait_for(lambda: agent.total("logwatch_overlong_lines_total"), "all lines")
    path = str(log)
    expected: dict[str, dict[tuple[str, ...], float]] = {
        "lost_messages": {("journald", path): 2_976, ("rsyslog", path): 24_872},
        "loss_reports": {("kernel", path): 2, ("journald", path): 12, ("rsyslog", path): 18},
        "destroyed_bytes": {},
        "overlong_lines": {(path,): 1},
    }
    assert expected == losses(agent)
    agent.kill()
    with log.open("ab") as file:
        file.write(LOSSES + b"cut away")
    agent.start()
    doubled = {key: 2 * value for key, value in expected["loss_reports"].items()}
    agent.wait_for(lambda: doubled == losses(agent)["loss_reports"], "the same once more")
    with log.open("wb"):
        pass
    agent.wait_for(lambda: losses(agent)["destroyed_bytes"], "the truncation")
    before = losses(agent)
    assert {(path,): len(b"cut away")} == before["destroyed_bytes"]
    agent.kill()
    agent.start()
    assert before == losses(agent)
    assert {} == agent.metrics("logwatch_behind_seconds")


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_the_real_rsyslogd_drops_is_known_to_the_last_line(
    template: str,
    start_rsyslog: Callable[..., Rsyslog],
    start_agent: Callable[..., RunningAgent],
) -> None:
    """5 lines of 12 are let through; how many were dropped is said with the next one later."""
    rsyslog = start_rsyslog(source="fifo", template=template, limit=(5, 1))
    agent = start_agent("--from", "start")
    packet = (FIXTURES / "scan" / "lines.log").read_bytes().splitlines()[0].split(b"kernel: ")[1]
    with rsyslog.fifo.open("wb", buffering=0) as kernel:
        kernel.write(b"<5>%b\n" % packet * 12)
        agent.wait_for(lambda: 5 == agent.total("logwatch_denied_packets_total"), "5 packets")
        agent.wait_for(lambda: 1 == agent.total("logwatch_loss_reports_total"), "the beginning")
        assert 0 == agent.total("logwatch_lost_messages_total")
        time.sleep(2.1)  # rsyslogd compares whole seconds, and waits for more than one
        kernel.write(b"<5>%b\n" % packet)
        agent.wait_for(lambda: agent.total("logwatch_lost_messages_total"), "the number")
    lost = agent.metrics("logwatch_lost_messages_total")
    assert [("rsyslog", 7.0)] == [(by, number) for (by, _), number in lost.items()]
    assert 2 == agent.total("logwatch_loss_reports_total")
