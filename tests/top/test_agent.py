"""The screen shows of a running agent what was written to its log."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from command import logwatch
from export.serving import Files
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


def test_an_agent_that_asks_who_reads_is_read(tmp_path: Path) -> None:
    """By TLS, with a certificate and a token; what is missing is named."""
    authority = trustme.CA()
    files = Files(tmp_path / "tls", authority)
    files.issue()
    web = {
        "certificate_file": files.path("tls.crt"),
        "key_file": files.path("tls.key"),
        "client_ca_file": str(tmp_path / "ca.pem"),
        "token_file": str(tmp_path / "token"),
    }
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    reader = str(tmp_path / "reader.pem")
    authority.issue_cert("reader").private_key_and_cert_chain_pem.write_to_path(reader)
    (tmp_path / "token").write_text("a-secret-of-some-length")
    (tmp_path / "agent.yaml").write_text(json.dumps({"web": web}))
    log = tmp_path / "syslog"
    log.touch()
    given = ["--ca", str(tmp_path / "ca.pem")]
    told = []
    config = ("--config", str(tmp_path / "agent.yaml"))
    with RunningAgent(tmp_path / "agent", *config, log=log) as agent:
        for more in ([], ["--certificate", reader], ["--token-file", str(tmp_path / "token")]):
            given += more
            done = logwatch("top", "--url", agent.url, *given)
            told.append(done.stderr.decode())
        assert b"nobody was denied" in done.stdout
        first, second, third = told
        assert "it wants a certificate; name its file with --certificate" in first
        assert "it wants a token; name its file with --token-file" in second
        assert "" == third
        stranger = logwatch("top", "--url", agent.url)
    assert b"name its authority with --ca" in stranger.stderr
