"""What a ban costs until it stands in the policy file, by how many networks stand there already."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import tables

from logwatch.blacklist import PolicyFile, Shape

CASES: tuple[tuple[Shape, int], ...] = (
    ("policy", 10),
    ("policy", 256),
    ("policy", 2_000),
    ("sets", 5_000),
    ("sets", 50_000),
)
CHANGES = 40
"""In each round."""

BATCH = 10_000
"""Bans that arrive at once, and are one write."""

GOAL = 100
"""Milliseconds of a write."""


def run(rounds: int) -> None:
    """Ban one more and release one, in turn, through the file system and its fsync."""
    rows = []
    for shape, number in CASES:
        fresh, found, changes = [], [], []
        for _ in range(rounds):
            one = _round(shape, number)
            fresh.append(one[0])
            found.append(one[1])
            changes += one[2]
        slow = sorted(changes)[max(0, round(len(changes) * 0.99) - 1)]
        rows.append(
            [
                f"{shape}, {number:,}",
                f"{statistics.median(fresh):.1f}",
                f"{statistics.median(found):.1f}",
                f"{statistics.median(changes):.1f}",
                *tables.at_most(slow, GOAL),
            ]
        )
    tables.print_table(
        f"policy file: ms, {rounds} rounds of {CHANGES} changes",
        [
            *("shape, networks", "all at once (median)", "read anew (median)"),
            *("a change (median)", "a change (p99)", "goal"),
        ],
        rows,
    )
    batches = [_batch() for _ in range(rounds)]
    tables.print_table(
        f"policy file: {BATCH:,} bans in one write, beside 40,000 others in sets",
        ["ms (median)", "ms (longest)"],
        [[f"{statistics.median(batches):.0f}", f"{max(batches):.0f}"]],
    )


def _networks(number: int) -> list[str]:
    return [f"10.{each >> 8}.{each & 255}.1/32" for each in range(number)]


def _round(shape: Shape, number: int) -> tuple[float, float, list[float]]:
    networks = tuple(_networks(number))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "blacklist.yaml"
        file = PolicyFile(path, shape=shape)
        fresh = _timed(file, networks)
        file = PolicyFile(path, shape=shape)
        started = time.perf_counter()
        file.read()
        found = (time.perf_counter() - started) * 1e3
        file.write(networks)
        changes = []
        for each in range(CHANGES):
            new = f"11.0.{each}.1/32"
            middle = (each * 7919) % number
            wanted = (*networks[:middle], *networks[middle + 1 :], new)
            changes.append(_timed(file, wanted))
        if frozenset(PolicyFile(path, shape=shape).read().own) != frozenset(wanted):
            sys.exit(f"{shape}, {number}: not what was asked for")
        return fresh, found, changes


def _batch() -> float:
    networks = tuple(_networks(50_000))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "blacklist.yaml"
        file = PolicyFile(path, shape="sets")
        file.write(networks[:-BATCH])
        return _timed(file, networks)


def _timed(file: PolicyFile, networks: tuple[str, ...]) -> float:
    started = time.perf_counter()
    change = file.write(networks)
    elapsed = time.perf_counter() - started
    if not change.written:
        sys.exit("nothing was written")
    return elapsed * 1e3
