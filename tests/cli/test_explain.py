"""`logwatch explain` colours for a person only, and gives JSON to a program."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

LINE = (
    "Nov 24 11:48:17 worker-1 kernel: calico-packet: IN=eth1 OUT= SRC=203.0.113.66"
    " DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1 DPT=22"
)
RUN = "import sys; from logwatch.cli.explain import run; "


def python(
    code: str, *arguments: str, given: bytes = b"", environment: dict[str, str] | None = None
) -> bytes:
    """Run `code` with its output in a pipe."""
    clean = {key: value for key, value in os.environ.items() if not key.endswith("_COLOR")}
    done = subprocess.run(
        [sys.executable, "-c", RUN + code, *arguments],
        input=given,
        stdout=subprocess.PIPE,
        check=True,
        env=clean | (environment or {}),
    )
    return done.stdout


def on_a_terminal(width: int, environment: dict[str, str]) -> str:
    """Run the command with its output on a terminal of `width` columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    clean = {key: value for key, value in os.environ.items() if not key.endswith("_COLOR")}
    clean.pop("COLUMNS", None)
    with subprocess.Popen(
        [sys.executable, "-m", "logwatch", "explain", LINE],
        stdout=theirs,
        env=clean | {"TERM": "xterm-256color"} | environment,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # Linux: the other end was closed
            pass
        assert 0 == process.wait(30)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_gets_colours_within_its_width(width: int) -> None:
    text = on_a_terminal(width, {})
    assert "\x1b[32m" in text
    plain = on_a_terminal(width, {"NO_COLOR": "1"})
    assert "\x1b" not in plain
    assert width // 2 < max(map(len, plain.splitlines())) <= width
    assert "both readers agree" in plain


def test_a_pipe_gets_plain_text_and_loads_no_rich() -> None:
    text = python("run(sys.argv[1], None); assert 'rich' not in sys.modules", LINE)
    assert b"counted as 1 packet from 203.0.113.66" in text
    assert b"\x1b" not in text


def test_colour_can_be_forced_into_a_pipe() -> None:
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert b"\x1b[32m" in python("run(sys.argv[1], None)", LINE, environment=forced)


def test_json_is_one_object_for_each_line() -> None:
    given = LINE.encode() + b"\n\xff\x00\n"
    forced = {"FORCE_COLOR": "1"}
    text = python("run(None, None, 'json')", given=given, environment=forced)
    shown = [json.loads(each) for each in text.splitlines()]
    assert ["packet", "other"] == [each["kind"] for each in shown]
    assert [LINE, "\\xff\\x00"] == [each["line"] for each in shown]
