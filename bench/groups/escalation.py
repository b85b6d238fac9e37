"""The agent that enforces: how soon an offender is in the policy file, and 10,000 in a second.

Brakes are as loose as they may be, and bans are written into network sets, which hold all 10,000.
"""

import http.client
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tables
from corpora import SOURCES, make
from peer import LOGWATCH, warm
from traffic import PREFIXES

from groups.agent import BENCH, WAIT_SECONDS, free_port, new_directory, started

OFFENDERS_A_ROUND = 20
"""Five rounds are 100."""
RATE = 5_000
"""Lines a second of others, each of a source that is seen once."""
BURST = 10_000
CONFIG = """
brakes: {bans_per_minute: 10000, bans: 50000, share_percent: 100, freeze_factor: 100}
blacklist: {shape: sets}
tracked_sources: 20000
"""
PORTS = 20
P99_GOAL = 100.0
LINE = (
    "Nov 22 07:08:09 worker-1 kernel: [158271.044316] {prefix}: IN=eth1 OUT= MAC=08:00:27:00 "
    "SRC={source} DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=52866 DF PROTO=TCP "
    "SPT=42962 DPT={port} WINDOW=29200 RES=0x00 SYN URGP=0 \n"
)
_DECIDED = re.compile(rb"^logwatch_offences_total{[^}]*} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class _Agent:
    """An agent in mode enforce."""

    log: Path
    policy: Path
    port: int

    def scrape(self) -> tuple[float, int]:
        """Seconds that a scrape took, and the offences in it."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        connection.request("GET", "/metrics")
        page = connection.getresponse().read()
        connection.close()
        decided = sum(int(float(number)) for number in _DECIDED.findall(page))
        return time.perf_counter() - began, decided


def run(rounds: int) -> None:
    """Measure both."""
    flood = make(SOURCES[1_000_000])
    warm(flood)
    waits = sorted(_one_after_another(flood, rounds * OFFENDERS_A_ROUND))
    tables.print_table(
        f"escalation: from the write of the line that fulfils a rule to the policy file with the "
        f"network, {len(waits)} offenders one after another, {RATE:,} lines/s of others",
        ["ms (median)", "ms (longest)", "ms (p99)", "goal"],
        [
            [
                f"{statistics.median(waits):.1f}",
                f"{waits[-1]:.1f}",
                *tables.at_most(waits[math.ceil(len(waits) * 0.99) - 1], P99_GOAL),
            ]
        ],
    )
    idle, last, scrapes = _burst()
    tables.print_table(
        f"escalation: {BURST:,} sources that each try {PORTS} ports, all within a second",
        ["all decided, s after the last line", "scrapes, ms (median)", "(longest)", "idle, ms"],
        [
            [
                f"{last:.2f}",
                *(f"{each:.1f}" for each in (statistics.median(scrapes), max(scrapes), idle)),
            ]
        ],
    )


def _one_after_another(flood: Path, count: int) -> Iterator[float]:
    """Milliseconds from the line to the policy, for each offender."""
    chance = random.Random("escalation")
    with _enforcing() as agent:
        others = _feed(flood, agent.log, RATE, count * 0.3 + 2)
        descriptor = os.open(agent.log, os.O_WRONLY | os.O_APPEND)
        try:
            for number in range(count):
                source = f"11.{number}.7.1"
                time.sleep(0.05 + 0.1 * chance.random())  # not in step with the agent's own pace
                # The fifteenth port fulfils the rule, or the sixteenth where a flood has filled
                # the table of sources: then the first packet of a new one is not kept.
                lines = _scan(source, 16)
                os.write(descriptor, b"".join(lines[:14]))
                began = time.perf_counter()
                os.write(descriptor, b"".join(lines[14:]))
                _wait_for(agent.policy, f"{source}/32".encode(), began + WAIT_SECONDS)
                yield (time.perf_counter() - began) * 1e3
                if others.poll() is not None:
                    sys.exit("the other lines ended before the last offender")
        finally:
            os.close(descriptor)
            others.terminate()
            others.communicate()


def _wait_for(policy: Path, text: bytes, end: float) -> None:
    """Return when the file holds a text; it is replaced as a whole."""
    seen = None
    while time.perf_counter() < end:
        try:
            found = policy.stat()
        except FileNotFoundError:
            found = None
        if found is not None and (found.st_ino, found.st_mtime_ns) != seen:
            seen = found.st_ino, found.st_mtime_ns
            if text in policy.read_bytes():
                return
        time.sleep(0.0005)  # another process works meanwhile
    sys.exit(f"{policy} never held {text.decode()}")


def _burst() -> tuple[float, float, list[float]]:
    """An idle scrape in ms, seconds from the last line to the last decision, scrapes in ms."""
    with tempfile.NamedTemporaryFile() as lines, _enforcing() as agent:
        sources = (f"11.{number >> 8}.{number & 255}.1" for number in range(BURST))
        lines.writelines(line for source in sources for line in _scan(source, PORTS))
        lines.flush()
        idle = statistics.median(agent.scrape()[0] for _ in range(10)) * 1e3
        feed = _feed(Path(lines.name), agent.log, BURST * PORTS, 1.0)
        end = time.monotonic() + WAIT_SECONDS
        scrapes, decided = [], 0
        while decided < BURST:
            if time.monotonic() > end:
                sys.exit(f"{decided:,} decisions of {BURST:,}")
            seconds, decided = agent.scrape()
            scrapes.append(seconds * 1e3)
            seen = time.monotonic_ns()
            time.sleep(0.02)  # the pace of the scrapes is what is measured
        written = int(feed.communicate()[0].splitlines()[-1].split()[0])
    return idle, (seen - written) / 1e9, scrapes


def _scan(source: str, ports: int) -> list[bytes]:
    return [
        LINE.format(prefix=PREFIXES[0], source=source, port=port).encode()
        for port in range(1, ports + 1)
    ]


def _feed(corpus: Path, log: Path, rate: int, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, str(BENCH / "feed.py"), str(corpus), str(log)]
    command += ["--rate", str(rate), "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@contextmanager
def _enforcing() -> Iterator[_Agent]:
    with new_directory() as directory:
        port, policy, log = free_port(), directory / "blacklist.yaml", directory / "syslog"
        config = directory / "logwatch.yaml"
        prefixes = "".join(f"  - text: {text}\n" for text in PREFIXES)
        config.write_text(f"{CONFIG}prefixes:\n{prefixes}")
        command = [LOGWATCH, "agent", "--config", str(config), "--log", str(log)]
        command += ["--state", str(directory / "state"), "--listen", f"127.0.0.1:{port}"]
        command += ["--mode", "enforce", "--policy-file", str(policy)]
        with started(command, directory, port, _DECIDED):
            agent = _Agent(log, policy, port)
            agent.scrape()
            yield agent
