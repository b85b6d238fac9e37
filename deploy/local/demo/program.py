"""A program of the demo: where it listens, how it begins and ends, and what it answers."""

import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

LOCAL = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1

ENDING_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""When we are killed the kernel ends what we started; the command is of Debian's util-linux."""


class DemoError(Exception):
    """It can't go on, in a sentence for people."""


class Address:
    """Where a program listens, by a variable of the environment."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        text = os.environ.get(name) or f"{LOCAL}:{port}"
        host, _, number = text.rpartition(":")
        if not host or not number.isdecimal():
            raise DemoError(f"{name}={text} is no ADDRESS:PORT, such as {LOCAL}:{port}")
        self.text = text
        self._address = (host.strip("[]"), int(number))

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{self.text}"

    def check(self, who: str) -> None:
        """Find out whether it is free. Raises DemoError."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(self._address)
            except OSError as error:
                raise DemoError(
                    f"{who} can't listen on {self.text}: {error.strerror}. End what listens there,"
                    f" or choose another port: {self.name}={LOCAL}:PORT make demo"
                ) from None


class Program:
    """One of the programs that run; its output is in a file."""

    def __init__(self, name: str, directory: Path, command: list[str]) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("wb") as output:
            # In a session of its own: Ctrl-C is for us, who end the others in order.
            self._process = subprocess.Popen(
                [*ENDING_WITH_US, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise DemoError when it has ended by itself."""
        if (code := self._process.poll()) is not None:
            last = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
            raise DemoError(f"{self.name} ended with {code}; {self.log} ends with\n{last}")

    def wait(self, url: str, with_text: bytes = b"") -> None:
        """Wait until it answers, with a text in it. Raises DemoError."""
        end = time.monotonic() + START_SECONDS
        while not answers(url, with_text):
            self.check()
            if time.monotonic() > end:
                raise DemoError(f"{self.name} does not answer at {url}; see {self.log}")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def answers(url: str, with_text: bytes = b"") -> bool:
    """Ask, and tell whether an answer with a text in it came."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return with_text in answer.read()
    except OSError:
        return False
