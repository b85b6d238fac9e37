"""Several logs as one: rotated files one after the other, those of several hosts side by side."""

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from logwatch.report.replay.log import COMPARED, Batch, Log, Start


class SameLines(NamedTuple):
    """A log that holds the lines of another one."""

    log: Log
    other: Log


def in_time(starts: Sequence[tuple[Log, Start]]) -> Iterator[Batch]:
    """Yield the batches of all logs by their times; a log is opened when its first time has come.

    The times of one log are in its own order, also where its clock was set back.
    """
    waiting = deque(sorted(starts, key=lambda each: each[1].stamp or 0))
    running: list[tuple[int, int, Batch, Iterator[Batch]]] = []

    def go_on(number: int, batches: Iterator[Batch]) -> None:
        if (batch := next(batches, None)) is not None:
            heappush(running, (batch.at or 0, number, batch, batches))

    opened = 0
    while waiting or running:
        while waiting and (not running or (waiting[0][1].stamp or 0) <= running[0][0]):
            go_on(opened, waiting.popleft()[0].batches())
            opened += 1
        if running:
            _, number, batch, batches = heappop(running)
            yield batch
            go_on(number, batches)


def same_lines(starts: Sequence[tuple[Log, Start]]) -> SameLines | None:
    """Find a log that holds the same lines as one before it: its packets would count twice."""
    for index, (log, start) in enumerate(starts):
        for other, earlier in starts[:index]:
            is_same_file = start.file is not None and start.file == earlier.file
            shared = min(len(start.lines), len(earlier.lines), COMPARED)
            begins_alike = shared > 0 and start.lines[:shared] == earlier.lines[:shared]
            if is_same_file or begins_alike:
                return SameLines(log, other)
    return None
