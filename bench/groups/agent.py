"""The agent at work: processor, memory, and how soon a line is in a scrape.

Processor and memory are taken while somebody scrapes once a second; how soon a line is seen, in
runs of their own with a scrape every 10 ms, each of which commits. Their state is on the disk, and
then in memory: what commits cost the reader is the difference. mtail is given the same lines.
"""

import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tables
from corpora import SOURCES, STORM, make
from peer import LOGWATCH, warm
from traffic import PREFIXES

NEEDS = ("mtail",)
RATE = 50_000
SECONDS_A_ROUND = 4.0
WAIT_SECONDS = 60.0
"""For a start, and for the last lines."""
CPU_GOAL, IDLE_GOAL, RSS_GOAL, DISK_GOAL, P99_GOAL = 5.0, 0.2, 60.0, 1024.0, 50.0
BENCH = Path(__file__).parents[1]
MEMORY = "/dev/shm"

Told = list[tuple[float, int]]
"""Moments on the monotonic clock, and how many lines so far."""


@dataclass(frozen=True)
class Figures:
    """What one run gave."""

    cpu: float
    """Percent of a core."""
    mib: float
    """Most memory since the start."""
    written_kib: float
    """To the disk, a second."""
    written: Told
    seen: Told


@dataclass(frozen=True)
class Tailer:
    """A program that follows `log` and serves metrics."""

    process: int
    log: Path
    port: int
    lines: re.Pattern[bytes]
    """Finds the number of lines in its metrics."""

    def watch(self, corpus: Path, seconds: float, rate: int, every: float) -> Figures:
        """Feed it `rate` lines a second, and scrape every so many seconds."""
        first, before, kib = self._scrape(), self._cpu_seconds(), self._written_kib()
        began = time.monotonic()
        command = [sys.executable, str(BENCH / "feed.py"), str(corpus), str(self.log)]
        command += ["--rate", str(rate), "--seconds", str(seconds)]
        feed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True) if rate else None
        seen: Told = []
        while (feed is None or feed.poll() is None) and time.monotonic() - began < 2 * seconds:
            if feed is None and time.monotonic() - began > seconds:
                break
            seen.append(self._look(first))
            time.sleep(every)  # the pace of the scrapes is what is measured
        used, elapsed = self._cpu_seconds() - before, time.monotonic() - began
        kib = (self._written_kib() - kib) / elapsed
        told = [line.split() for line in feed.communicate()[0].splitlines()] if feed else []
        written = [(int(moment) / 1e9, int(lines)) for moment, lines in told]
        end = time.monotonic() + WAIT_SECONDS
        while written and seen[-1][1] < written[-1][1]:
            if time.monotonic() > end:
                sys.exit(f"{self.log}: {seen[-1][1]:,} lines seen of {written[-1][1]:,}")
            seen.append(self._look(first))
        return Figures(used / elapsed * 100, self._peak_mib(), kib, written, seen)

    def _look(self, first: int) -> tuple[float, int]:
        lines = self._scrape() - first
        return time.monotonic(), lines

    def _scrape(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        connection.request("GET", "/metrics")
        found = self.lines.search(connection.getresponse().read())
        connection.close()
        return int(float(found[1])) if found else 0

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _written_kib(self) -> float:
        told = Path(f"/proc/{self.process}/io").read_text()
        return int(told.split("\nwrite_bytes:")[1].split()[0]) / 1024

    def _peak_mib(self) -> float:
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run(rounds: int) -> None:
    """Measure, for so many times four seconds each."""
    corpus, flood = make(STORM), make(SOURCES[1_000_000])
    seconds = rounds * SECONDS_A_ROUND
    warm(corpus, flood)
    with _agent() as agent:
        idle = agent.watch(corpus, seconds, rate=0, every=seconds / 2)
        busy = agent.watch(corpus, seconds, rate=RATE, every=1.0)
        spoofed = agent.watch(flood, seconds, rate=RATE, every=1.0)
        scraped = agent.watch(corpus, seconds, rate=RATE, every=0.01)
    with _agent(in_memory=True) as agent:
        unhindered = agent.watch(corpus, seconds, rate=RATE, every=0.01)
    with _mtail() as mtail:
        peer = mtail.watch(corpus, seconds, rate=RATE, every=1.0)
    tables.print_table(
        f"agent: the storm's lines, {seconds:.0f} s each, a scrape a second",
        ["command", "% of a core", "goal", "MiB (peak)", "goal", "KiB/s to disk", "goal"],
        [
            _row("`logwatch agent`, idle", idle, IDLE_GOAL),
            _row(f"`logwatch agent`, {RATE:,} lines/s", busy, CPU_GOAL),
            _row(f"the same, 1,000,000 spoofed sources, {RATE:,} lines/s", spoofed, CPU_GOAL),
            [f"mtail, {RATE:,} lines/s", f"{peer.cpu:,.2f}", "", f"{peer.mib:,.2f}", "", "", ""],
        ],
    )
    tables.print_table(
        f"agent: from a line's write to a scrape with it, {RATE:,} lines/s, a scrape every 10 ms",
        ["state", "ms (median)", "ms (longest)", "ms (p99)", "goal"],
        [_waits_row("on the disk", scraped), _waits_row("in memory", unhindered)],
    )


def _waits_row(state: str, figures: Figures) -> list[str]:
    waits = sorted(_waits(figures))
    p99 = waits[int(len(waits) * 0.99)]
    longest = f"{waits[-1]:.1f}"
    return [state, f"{statistics.median(waits):.1f}", longest, *tables.at_most(p99, P99_GOAL)]


def _row(name: str, figures: Figures, cpu_goal: float) -> list[str]:
    return [
        name,
        *tables.at_most(figures.cpu, cpu_goal),
        *tables.at_most(figures.mib, RSS_GOAL),
        *tables.at_most(figures.written_kib, DISK_GOAL),
    ]


def _waits(figures: Figures) -> Iterator[float]:
    """Milliseconds from the write of each block to the end of the first scrape that shows it."""
    scrapes = iter(figures.seen)
    moment, lines = next(scrapes)
    for written, needed in figures.written:
        while lines < needed:
            moment, lines = next(scrapes)
        yield max(0.0, moment - written) * 1e3


@contextmanager
def started(
    command: Sequence[str], directory: Path, port: int, lines: re.Pattern[bytes]
) -> Iterator[Tailer]:
    """Run a tailer that follows `syslog` in a directory, from when it listens on."""
    log = directory / "syslog"
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        end = time.monotonic() + WAIT_SECONDS
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{command[0]} did not start:\n{(directory / 'output').read_text()}")
            time.sleep(0.05)  # another process starts meanwhile: nothing tells when it listens
        yield Tailer(process.pid, log, port, lines)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def new_directory() -> Iterator[Path]:
    """A directory with an empty `syslog`."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "syslog").touch()
        yield Path(directory)


@contextmanager
def _agent(*, in_memory: bool = False) -> Iterator[Tailer]:
    with new_directory() as directory, tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        port = free_port()
        config = directory / "logwatch.yaml"
        config.write_text("prefixes:\n" + "".join(f"  - text: {text}\n" for text in PREFIXES))
        command = [LOGWATCH, "agent", "--config", str(config), "--log", str(directory / "syslog")]
        state = Path(memory) if in_memory else directory / "state"
        command += ["--state", str(state), "--listen", f"127.0.0.1:{port}"]
        lines = re.compile(rb'^logwatch_lines_total{kind="packet"} (\S+)$', re.MULTILINE)
        with started(command, directory, port, lines) as tailer:
            yield tailer


@contextmanager
def _mtail() -> Iterator[Tailer]:
    with new_directory() as directory:
        port = free_port()
        command = ["mtail", "--progs", str(BENCH / "peers" / "calico.mtail"), "--logtostderr"]
        command += ["--logs", str(directory / "syslog")]
        command += ["--address", "127.0.0.1", "--port", str(port)]
        lines = re.compile(rb"^mtail_lines_total (\S+)$", re.MULTILINE)
        with started(command, directory, port, lines) as tailer:
            yield tailer
