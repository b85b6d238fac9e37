"""`logwatch top` on a terminal of its own, whose screen a test can read."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from typing import Self

import pyte

SECONDS = 30.0


class Terminal:
    """A program on a pseudo terminal; a context manager. `sent` is all that it wrote."""

    def __init__(
        self, *arguments: str, size: tuple[int, int] = (80, 24), environment: dict[str, str]
    ) -> None:
        self._command = [sys.executable, "-m", "logwatch", "top", *arguments]
        self._environment = {**os.environ, "TERM": "xterm-256color", **environment}
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self.sent = b""

    def __enter__(self) -> Self:
        self._terminal, self._end = pty.openpty()
        self._set_size(self._screen.columns, self._screen.lines)
        self.modes = termios.tcgetattr(self._end)
        self.process = subprocess.Popen(
            self._command,
            stdin=self._end,
            stdout=self._end,
            stderr=self._end,
            env=self._environment,
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)
        os.close(self._end)

    def lines(self) -> list[str]:
        """Read the screen."""
        self._read(0.0)
        return list(self._screen.display)

    def until_shown(self, *texts: str) -> None:
        self.until(lambda: all(text in "\n".join(self._screen.display) for text in texts))

    def until(self, what: Callable[[], object]) -> None:
        """Wait for what comes by itself."""
        end = time.monotonic() + SECONDS
        while not what():
            assert time.monotonic() < end, "\n".join(self._screen.display)
            self._read(0.05)

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        self._screen.resize(lines, columns)
        self._set_size(columns, lines)
        self.process.send_signal(signal.SIGWINCH)  # by the kernel, where the terminal controls it

    def ended(self) -> int:
        """Wait for its end, and give its exit code."""
        self.until(lambda: self.process.poll() is not None)
        self._read(0.0)
        return self.process.returncode

    def is_as_before(self) -> bool:
        """Whether keys are echoed as before, on the usual screen, with a cursor."""
        modes = termios.tcgetattr(self._end)
        left = self.sent.rfind(b"\x1b[?1049l") > self.sent.rfind(b"\x1b[?1049h")
        shown = self.sent.rfind(b"\x1b[?25h") > self.sent.rfind(b"\x1b[?25l")
        return modes == self.modes and left and shown

    def _read(self, seconds: float) -> None:
        while select.select([self._terminal], [], [], seconds)[0]:
            data = os.read(self._terminal, 65_536)
            self.sent += data
            self._stream.feed(data)
            seconds = 0.0

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
