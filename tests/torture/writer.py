"""Writes numbered lines until SIGTERM, then prints how many; SIGHUP has it open the path anew.

As rsyslogd does, it goes on with its file until it is told, writes several lines at once, and now
and then a line in two pieces. A path that is a socket is sent one line per datagram.
"""

import argparse
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from torture.lines import packet_text, stamp

BATCH = 200
"""Most lines of one write; the least is one."""

TORN = 0.1
"""Share of the writes that end within a line."""


class Writer:
    """One file, and the signals that say what becomes of it."""

    def __init__(self, path: Path, mode: str) -> None:
        self._path = path
        self._mode = mode
        self._file = path.open(mode, buffering=0)
        self.is_over = False
        self._is_told = False
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "_is_told", True))
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "is_over", True))

    def write(self, lines: list[bytes], chance: random.Random) -> None:
        """Write whole lines, perhaps with a pause within the last one."""
        if self._is_told:
            self._is_told = False
            self._file.close()
            self._file = self._path.open(self._mode, buffering=0)
        data = b"".join(b"%b worker-1 kernel: %b\n" % (stamp(), line) for line in lines)
        if chance.random() < TORN:
            cut = len(data) - chance.randrange(1, len(lines[-1]))
            self._write_all(data[:cut])
            time.sleep(chance.uniform(0, 0.02))
            data = data[cut:]
        self._write_all(data)

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) :]


def sender(path: Path) -> Callable[[list[bytes], random.Random], None]:
    """Give a function that sends each line to a syslog socket, as the kernel's."""
    output = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    output.connect(str(path))

    def send(lines: list[bytes], _chance: random.Random) -> None:
        for line in lines:
            output.send(b"<4>%b kernel: %b" % (stamp(), line))

    return send


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rate", type=int, required=True, help="lines a second")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--mode", choices=["ab", "wb"], default="ab")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    writer = Writer(given.path if not given.path.is_socket() else Path("/dev/null"), given.mode)
    write = sender(given.path) if given.path.is_socket() else writer.write
    print("ready", flush=True)
    number = 0
    begun = time.monotonic()
    while not writer.is_over:
        count = chance.randint(1, BATCH)
        write([packet_text(each) for each in range(number, number + count)], chance)
        number += count
        ahead = number / given.rate - (time.monotonic() - begun)
        if ahead > 0:
            time.sleep(ahead)
    print(number)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
