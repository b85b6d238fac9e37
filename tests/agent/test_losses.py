"""What was lost is shown by the running agent, and is still known after `kill -9`."""

from collections.abc import Callable
from pathlib import Path

from conftest import FIXTURES
from lab.agent import RunningAgent

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
        "loss_reports": {("kernel", path): 2, ("journald", path): 12, ("rsyslog", path): 16},
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
