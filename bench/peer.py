"""A command that is timed, and what it answered: no figure without the right answer."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from traffic import PREFIXES

LOGWATCH = str(Path(sys.executable).with_name("logwatch"))
"""The command as it is installed beside this Python."""


@dataclass
class Peer:
    """A command that reads a file, and how its answer is read."""

    name: str
    command: Sequence[str]
    answer: Callable[[bytes], object]
    expected: object
    lines: int
    """Lines of its file."""
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    """Most memory that a round held, in bytes; not below what this program held when it began one,
    since Linux lets a child begin with the peak of its parent."""

    def run(self) -> None:
        """Run it once; ends the program when it fails or its answer is wrong."""
        with tempfile.TemporaryFile() as complaints:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.command,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, "LC_ALL": "C"},
            )
            output = process.stdout.read() if process.stdout else b""
            _, status, usage = os.wait4(process.pid, 0)
            elapsed = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            complaints.seek(0)
            said = complaints.read().decode(errors="replace")
        if process.stdout:
            process.stdout.close()
        try:
            found = self.answer(output)
        except (ValueError, LookupError):
            found = output[:200]
        if found != self.expected or process.returncode:
            sys.exit(
                f"{self.name}: {found!r} instead of {self.expected!r}, "
                f"exit {process.returncode}\n{said[-2000:]}"
            )
        self.seconds.append(elapsed)
        self.peak = max(self.peak, usage.ru_maxrss * 1024)

    @property
    def best(self) -> float:
        """Seconds of the fastest round."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """Seconds of the round in the middle."""
        return statistics.median(self.seconds)

    def ratio(self, base: "Peer") -> float:
        """Return how many times as long a line takes as that of another (medians)."""
        return (self.median / self.lines) / (base.median / base.lines)


def in_turn(peers: Sequence[Peer], rounds: int) -> None:
    """Run all of them in each round, so that all see the same machine."""
    for _ in range(rounds):
        for peer in peers:
            peer.run()


def warm(*paths: Path) -> None:
    """Read files into the page cache."""
    piece = bytearray(1 << 20)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while file.readinto(piece):
                pass


def report(
    name: str,
    paths: Sequence[Path],
    lines: int,
    packets: int,
    options: Sequence[str] = (),
) -> Peer:
    """`logwatch report` of files that have so many lines and packets together."""
    command = [LOGWATCH, "report", *map(str, paths), "--format", "json", "--top", "20", *options]
    command += [word for prefix in PREFIXES for word in ("--prefix", prefix)]
    return Peer(name, command, reported_packets, packets, lines)


def reported_packets(output: bytes) -> object:
    """Packets of a report in JSON."""
    return json.loads(output)["totals"]["packets"]
