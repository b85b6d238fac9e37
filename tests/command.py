"""The command as a person or a script runs it."""

import os
import pty
import subprocess
import sys


def logwatch(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "logwatch", *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )


def logwatch_on_a_terminal(*arguments: str, columns: int = 120) -> tuple[bytes, bytes]:
    """Its output, and what a terminal of so many columns shows of its errors."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "logwatch", *arguments],
        stdout=subprocess.PIPE,
        stderr=end,
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns)},
    ) as process:
        os.close(end)
        output, _ = process.communicate(timeout=60)
    shown = b""
    try:
        while data := os.read(terminal, 65_536):
            shown += data
    except OSError:
        pass  # how a terminal says that its other end is closed
    os.close(terminal)
    return output, shown
