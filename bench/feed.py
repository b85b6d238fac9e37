"""Appends a corpus to a file at a steady rate, and tells on stdout when each block was written.

A program of its own, so that writing does not wait for whoever scrapes. Each line is given the time
of its writing as its stamp, as rsyslog does it.
"""

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

BLOCK_SECONDS = 0.002
STAMP = "%b %e %H:%M:%S"
STAMP_LENGTH = 15
NO_STAMP = b"\0" * STAMP_LENGTH


def main() -> None:
    """Write for a while; then print `nanoseconds of CLOCK_MONOTONIC, lines so far` per block."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--rate", type=int, required=True, help="lines a second")
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    lines_a_block = max(1, int(given.rate * BLOCK_SECONDS))
    blocks = int(given.seconds / BLOCK_SECONDS)
    with given.corpus.open("rb") as corpus:
        taken = [
            b"".join(_unstamped(itertools.islice(corpus, lines_a_block)))
            for _ in range(min(blocks, 20_000))
        ]
    descriptor = os.open(given.target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    told = []
    began = time.monotonic()
    for number, block in zip(range(blocks), itertools.cycle(taken), strict=False):
        # The clock sets the pace: a block that came late does not delay the next ones.
        wait = began + number * BLOCK_SECONDS - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        stamp = time.strftime(STAMP).encode()
        os.write(descriptor, block.replace(NO_STAMP, stamp))
        told.append(f"{time.monotonic_ns()} {(number + 1) * lines_a_block}\n")
    sys.stdout.writelines(told)


def _unstamped(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (NO_STAMP + line[STAMP_LENGTH:] for line in lines)


if __name__ == "__main__":
    main()
