"""What it costs to judge packets, against what it costs to count them; in this process.

Batches are those of an agent: 2,500 lines are a twentieth of a second at 50,000 lines a second, and
200,000 are what a backlog gives in one piece. The rules are those that come with logwatch.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import tables
from corpora import SOURCES, STORM, make
from peer import warm
from traffic import PREFIXES

from logwatch._core import Evidence
from logwatch.agent.intake import MEMORY
from logwatch.config import Brakes, Config
from logwatch.offenders import Offenders, Protected, read_rules
from logwatch.offenders.plan import plan
from logwatch.packets import Scanner, Summary

RATE = 50_000
LINES = 1_200_000
"""Of a file: enough for each of a million sources."""
BATCHES = {2_500: "live", 200_000: "backlog"}
START = 1_800_000_000.0
BAN = 3_600.0
"""Seconds for which a banned source rests: nothing of it is counted."""
GOAL = 10.0
RULES = read_rules(None).rules


def run(rounds: int) -> None:
    """Count and judge the beginnings of two files, in turn."""
    rows = []
    for corpus in (STORM, SOURCES[1_000_000]):
        path = make(corpus)
        warm(path)
        for lines, kind in BATCHES.items():
            scan, evidence, offenders = [], [], []
            for _ in range(rounds):
                counted, judged = _evidence(path, lines)
                scan.append(counted / LINES * 1e9)
                evidence.append(judged / LINES * 1e9)
                offenders.append(_offenders(path, lines) / LINES * 1e9)
            middle = [statistics.median(each) for each in (scan, evidence, offenders)]
            rows.append(
                [
                    f"{corpus.name}, {kind}: {lines:,} lines a batch",
                    *(f"{each:.1f}" for each in middle),
                    *tables.at_most(middle[1] / middle[0] * 100, GOAL),
                ]
            )
    tables.print_table(
        f"detection: {LINES:,} lines each, ns a line (median), {rounds} rounds in turn",
        ["batches", "scan", "judge", "judge and ban", "judge, % of scan", "goal"],
        rows,
    )


def _batches(path: Path, lines: int) -> Iterator[tuple[float, bytes]]:
    """Give the time and the bytes of batches of so many lines."""
    with path.open("rb") as file:
        for number in range(LINES // lines):
            yield START + number * lines / RATE, b"".join(islice(file, lines))


def _scan(scanner: Scanner, data: bytes) -> Summary:
    scanner.feed(data)
    return scanner.drain()


def _evidence(path: Path, lines: int) -> tuple[float, float]:
    """Seconds for counting, and for taking into evidence."""
    scanner = Scanner(list(PREFIXES), memory=MEMORY)
    evidence = Evidence([plan(rule) for rule in RULES], Config().tracked_sources)
    counting = judging = 0.0
    packets = 0
    for at, data in _batches(path, lines):
        began = time.perf_counter()
        summary = _scan(scanner, data)
        counted = time.perf_counter()
        verdicts = [(PREFIXES[prefix], True) for prefix, *_ in summary.policies()]
        found = evidence.observe(summary, verdicts, at)
        judging += time.perf_counter() - counted
        counting += counted - began
        packets += summary.packets
        for source, *_ in found:
            evidence.rest(source, at + BAN)
    if packets != LINES:
        sys.exit(f"{path}: {packets:,} packets instead of {LINES:,}")
    return counting, judging


def _offenders(path: Path, lines: int) -> float:
    """Seconds for taking into evidence and deciding."""
    scanner = Scanner(list(PREFIXES), memory=MEMORY)
    offenders = Offenders(RULES, Protected((), list), mode="enforce", limits=Brakes())
    judging = 0.0
    for at, data in _batches(path, lines):
        summary = _scan(scanner, data)
        policies = [(PREFIXES[prefix], "denied") for prefix, *_ in summary.policies()]
        began = time.perf_counter()
        offenders.observe(summary, at, at, policies)
        judging += time.perf_counter() - began
    return judging
