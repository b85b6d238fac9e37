"""A server of the lab as a child process: started, asked whether it is ready, stopped, killed.

The kernel kills it when the thread that started it ends (PR_SET_PDEATHSIG), so a killed test run
leaves nothing behind. Whoever starts one in a thread keeps that thread alive.
"""

import random
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from lab.namespace import LabError
from lab.rsyslog import eventually


class Server:
    """One command that runs until it is told otherwise, with its output in `log`."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Start it, and return when it is ready; LabError with the end of its log otherwise."""
        with self._log.open("ab") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._process = process
        up = eventually(lambda: ready() or process.poll() is not None, seconds)
        if not up or process.poll() is not None:
            self.kill()
            tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise LabError(f"{self._command[0]} is not ready after {seconds:g} s:\n{tail}")

    @property
    def process_id(self) -> int:
        """Its number, to measure it or to send it a signal."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Ask it to end, and wait for it; one that is not running stays so."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and no outgoing connection will take.

    Below the ephemeral range (net.ipv4.ip_local_port_range begins with 32768): a server that is
    started again finds its port still free.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise LabError("no free port of 127.0.0.1 between 20000 and 32000")
