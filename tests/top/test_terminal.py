"""`logwatch top` as a process: on a terminal, into a pipe, and its end."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command import logwatch
from conftest import FIXTURES
from top import served
from top.served import Served
from top.terminal import Terminal

SCAN = FIXTURES / "scan" / "lines.log"
SCANNER = "203.0.113.7"
ANSWER = served.summary(
    sources=[served.source(SCANNER, 2000, phase="enforce", rule="\x1b[31mred")],
    blacklist=[served.ban(f"{SCANNER}/32", reason="\x1b]0;owned\x07")],
)

COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")
"""Any but the terminal's own foreground and background."""


@pytest.mark.parametrize("key", ["q", "\x03", "SIGTERM", "SIGINT", "SIGHUP"])
def test_it_ends_and_leaves_the_terminal_as_it_was(key: str) -> None:
    with Served(ANSWER) as server, Terminal("--url", server.url, environment={}) as seen:
        seen.until_shown(SCANNER, "Blacklist")
        assert not seen.is_as_before()
        if key.startswith("SIG"):
            seen.process.send_signal(signal.Signals[key])
        else:
            seen.press(key)
        assert 0 == seen.ended()
        assert seen.is_as_before()


def test_it_ends_at_once_while_a_server_hangs() -> None:
    """A listener that never answers: the question is left to itself."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        with Terminal("--url", url, environment={}) as seen:
            seen.until_shown("asking")
            seen.press("q")
            assert 0 == seen.ended()
            assert seen.is_as_before()


def test_a_terminal_that_is_resized_is_filled() -> None:
    with Served(ANSWER) as server, Terminal("--url", server.url, environment={}) as seen:
        seen.until_shown(SCANNER)
        seen.resize(150, 40)
        seen.until(lambda: "q quit" in seen.lines()[39])
        seen.until(lambda: "Near a rule" in next(x for x in seen.lines() if "Ports" in x))
        seen.resize(60, 20)
        seen.until(lambda: "q quit" in seen.lines()[19])
        seen.until_shown(SCANNER, "Blacklist")


def test_no_color_means_none() -> None:
    for environment, has_colours in (({}, True), ({"NO_COLOR": "1"}, False)):
        with (
            Served(ANSWER) as server,
            Terminal("--url", server.url, environment=environment) as seen,
        ):
            seen.until_shown(SCANNER, "enforced")
            assert has_colours == bool(COLOUR.search(seen.sent))


def test_no_escape_of_a_log_reaches_the_terminal() -> None:
    with Served(ANSWER) as server, Terminal("--url", server.url, environment={}) as seen:
        seen.until_shown(r"\x1b[31mred")
        assert b"owned\x07" not in seen.sent
        assert b"\x1b]0;owned" not in seen.sent


def test_a_pipe_gets_it_once_without_escapes() -> None:
    with Served(ANSWER) as server:
        done = logwatch("top", "--url", server.url)
    assert (0, b"") == (done.returncode, done.stderr)
    assert {b"Sources", b"Ports", b"Blacklist"} <= set(done.stdout.split())
    assert SCANNER.encode() in done.stdout
    assert b"\x1b" not in done.stdout
    assert 1 == len(server.asked)


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Served(ANSWER) as server:
        assert 0 == logwatch("top", "--url", server.url).returncode


def test_once_is_possible_on_a_terminal_too() -> None:
    with Served(ANSWER) as server, Terminal("--url", server.url, "--once", environment={}) as seen:
        assert 0 == seen.ended()
        assert any(SCANNER in line for line in seen.lines())
        assert b"\x1b[?1049h" not in seen.sent


def test_a_pipe_is_told_when_nobody_answers() -> None:
    with Served(ANSWER) as server:
        url = server.url
    done = logwatch("top", "--url", url)
    assert (1, b"") == (done.returncode, done.stdout)
    assert f"logwatch: {url} does not answer: connection refused\n" == done.stderr.decode()


def test_a_token_is_sent_and_read_anew(tmp_path: Path) -> None:
    """Without a right one it is said what is missing."""
    token = tmp_path / "token"
    token.write_text("first\n")
    with Served(ANSWER) as server:
        server.token = "first"
        assert 0 == logwatch("top", "--url", server.url, "--token-file", str(token)).returncode
        refused = logwatch("top", "--url", server.url)
        assert (1, True) == (refused.returncode, b"--token-file" in refused.stderr)
        arguments = ("--url", server.url, "--token-file", str(token), "--interval", "0.5")
        with Terminal(*arguments, environment={}) as seen:
            seen.until_shown(SCANNER)
            server.token = "second"
            seen.until_shown("answers 401")
            token.write_text("second\n")
            seen.until_shown("reads /var/log/syslog")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--url", "worker-1:9137"], ["worker-1:9137", "http://"]),
        (["--url", "ftp://worker-1/"], ["ftp://worker-1/", "http://"]),
        (["--url", "http://worker-1:99999"], ["99999", "http://"]),
        (["--ca", "/nowhere.pem"], ["--ca", "https"]),
        (["--url", "https://worker-1", "--ca", "/nowhere.pem"], ["/nowhere.pem"]),
        (["--key", "key.pem"], ["--key", "--certificate"]),
        (["--url", "https://worker-1", "--certificate", "/nowhere.pem"], ["/nowhere.pem"]),
        (["--token-file", "/nowhere/token"], ["/nowhere/token"]),
        (["--interval", "0"], ["--interval", "0.5"]),
        (["--interval", "soon"], ["soon", "seconds"]),
        (["/var/log/syslog", "--url", "http://worker-1"], ["PATH", "--url"]),
        (["--rules", "my.rules"], ["--rules", "PATH"]),
        (["a", "b"], ["b"]),
    ],
)
def test_wrong_usage_is_one_clear_message(arguments: list[str], words: list[str]) -> None:
    done = logwatch("top", *arguments)
    text = done.stderr.decode()
    assert (2, b"", 1) == (done.returncode, done.stdout, text.count("\n"))
    assert [] == [word for word in words if word not in text]


def test_a_log_into_a_pipe_is_read_to_its_end() -> None:
    done = logwatch("top", str(SCAN))
    assert (0, b"") == (done.returncode, done.stderr)
    assert b"144 denied" in done.stdout
    [row] = [line for line in done.stdout.decode().splitlines() if "203.0.113.66 " in line]
    assert ["203.0.113.66", "120"] == row.split()[:2]


def test_other_commands_do_not_pay_for_the_screen() -> None:
    """What it draws with is imported for a terminal alone; for a pipe it is not either."""
    show = "import sys; from logwatch.cli import main; main(); print(*sys.modules, file=sys.stderr)"
    for arguments in (["report", SCAN, "--format", "json"], ["top", SCAN]):
        done = subprocess.run(
            [sys.executable, "-c", show, *arguments],
            capture_output=True,
            timeout=60,
            check=True,
            env=os.environ,
        )
        imported = set(done.stderr.decode().split())
        assert "textual" not in imported
        assert arguments[0] == "top" or "logwatch.top" not in imported


def test_who_asks_a_server_imports_none() -> None:
    """It was a third of what the screen takes to import."""
    show = "import sys; import logwatch.cli.top, logwatch.top.screen; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", show], capture_output=True, timeout=60, check=True, env=os.environ
    )
    imported = set(done.stdout.decode().split())
    assert "logwatch.top.screen" in imported
    assert set() == imported & {"uvicorn", "starlette", "prometheus_client", "logwatch.export"}
