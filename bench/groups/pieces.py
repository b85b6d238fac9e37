"""The scanner alone, in this process: what reading costs, and what counting adds to it."""

import statistics
import sys
import time
from pathlib import Path

import tables
from corpora import MIXED, STORM, V6, Corpus, make
from peer import warm
from traffic import PREFIXES

from logwatch.packets import Scanner

PIECE = 128 * 1024
"""Bytes: small enough to stay in the second-level cache between reading and counting."""


def run(rounds: int) -> None:
    """Feed files to the scanner in pieces, and read them without it, in turn."""
    rows = []
    for corpus in (STORM, MIXED, V6):
        path = make(corpus)
        warm(path)
        read, scan = [], []
        for _ in range(rounds):
            read.append(_read(path) / corpus.lines * 1e9)
            scan.append(_scan(path, corpus) / corpus.lines * 1e9)
        middle = statistics.median(read), statistics.median(scan)
        rows.append(
            [
                corpus.name,
                *(f"{min(read):.1f}", f"{middle[0]:.1f}", f"{min(scan):.1f}", f"{middle[1]:.1f}"),
                f"{middle[1] / middle[0]:.2f}",
            ]
        )
    tables.print_table(
        f"pieces of 128 KiB, ns a line, in one process; {rounds} rounds in turn",
        ["file", "read (min)", "read (median)", "read and scan (min)", "(median)", "x read"],
        rows,
    )


def _read(path: Path) -> float:
    started = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(PIECE):
            pass
    return time.perf_counter() - started


def _scan(path: Path, corpus: Corpus) -> float:
    started = time.perf_counter()
    scanner = Scanner(list(PREFIXES))
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            scanner.feed(piece)
    scanner.finish()
    summary = scanner.drain()
    elapsed = time.perf_counter() - started
    if summary.packets != corpus.packets:
        sys.exit(f"{corpus.name}: {summary.packets} packets instead of {corpus.packets}")
    return elapsed
