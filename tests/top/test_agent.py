"""The screen shows of a running agent what was written to its log."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from lab.process import free_port
from lab.scanning import scan
from top.watching import Watching, watch

from logwatch.top import Server

SCANNER = "203.0.113.66"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    """Enforces, on a port of its own, so that it comes back where it was."""
    log = tmp_path / "syslog"
    log.touch()
    policy = ("--mode", "enforce", "--policy-file", str(tmp_path / "blacklist.yaml"))
    listen = ("--listen", f"127.0.0.1:{free_port()}")
    with RunningAgent(tmp_path / "agent", *policy, *listen, log=log) as running:
        yield running


def test_the_screen_shows_what_was_sent(agent: RunningAgent, tmp_path: Path) -> None:
    """With the ban that follows, all of a source, and again after a restart."""

    async def look(seen: Watching) -> None:
        await seen.until_shown("nobody was denied", "mode enforce")
        with (tmp_path / "syslog").open("a") as log:
            log.write(scan(66, range(1, 21)) + 2 * scan(7, range(22, 25)))
        await seen.until_shown("26 denied", f"{SCANNER}/32", "1 decided, 1 enforced")
        assert [SCANNER, "20", "20"] == seen.row(SCANNER)[:3]
        assert ["203.0.113.7", "6", "6"] == seen.row("203.0.113.7")[:3]
        assert "22/tcp ssh" in seen.text()
        assert "3/15 ports" in seen.text()
        await seen.press("enter")
        await seen.until_shown(f"logwatch blacklist remove {SCANNER}", "20 packets")
        await seen.press("escape")
        agent.send_signal(signal.SIGTERM)
        await seen.until_shown("does not answer")
        agent.stop()
        agent.launch()
        await seen.until_shown("● reads", "26 denied", f"{SCANNER}/32")

    watch(Server(agent.url), look, size=(160, 40))
