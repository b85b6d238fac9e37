"""One log on its way into batches, each of one second of the log's own time.

Time is the latest stamp so far. A packet whose stamp lies up to a minute before that counts as of
then: in a log of several hosts one clock is late, and the order of lines is the order of events. A
longer way back is a clock that was set back, and is followed.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from logwatch.packets import Scanner, Summary
from logwatch.report.archive import Archive, ArchiveError, read_archive
from logwatch.report.read import PIECES_PER_STEP, Progress, printable, syslog_lines
from logwatch.report.report import InputEntry

SLICE_SECONDS = 1
"""What stamps tell apart: most have no fraction."""

LATE_SECONDS = 60
"""Clocks that are kept by NTP differ by less than a second, others seldom by a minute. Without it a
log of two clocks would be a batch for each line."""

MEMORY = 16 * 1024 * 1024
"""Bytes for the flows of one batch: 196,608 of IPv4, 49,152 of IPv6, more than `BATCH` holds."""

BATCH = 8 * 1024 * 1024
"""Bytes of log in a batch at most, however much is stamped with one second."""

SAMPLES = 128 * 1024
"""Bytes of lines that a batch keeps, as an agent does: offenders show some of theirs."""

LOOK = 1024 * 1024
"""Bytes in which the first stamp is looked for, to order logs."""

COMPARED = 1024
"""Bytes at the start of logs by which two of the same lines are known."""


class Batch(NamedTuple):
    """What was counted of one log since the batch before."""

    summary: Summary
    at: int | None
    """Unix seconds; None where no packet had a time yet."""


class StepBack(NamedTuple):
    """The clock of a log was set back."""

    before: int
    after: int


class Start(NamedTuple):
    """How a log begins."""

    stamp: int | None = None
    """Unix seconds of its first line that has a stamp; None where nobody can look ahead."""
    lines: bytes = b""
    """Whole lines among its first bytes."""
    file: tuple[int, int] | None = None
    """Device and inode of a regular file."""


class Log:
    """A log to be read once. What it held is known when `batches` has ended."""

    def __init__(self, path: str, prefixes: Sequence[str], progress: Progress) -> None:
        self.name = "standard input" if path == "-" else printable(path)
        self.path = path
        self.lines: dict[str, int] = {}
        self.losses: dict[str, tuple[int, int]] = {}
        self.overlong_lines = 0
        self.packets = 0
        self.undated = 0
        """Packets before the first that had a time."""
        self.first: int | None = None
        """Time of the first packet that had one."""
        self.steps_back: list[StepBack] = []
        self._prefixes = list(prefixes)
        self._progress = progress
        self._archive: Archive | None = None
        self._problem: str | None = None
        self._at: int | None = None

    @property
    def entry(self) -> InputEntry:
        """What was read, and why not more."""
        size = self._archive.log_bytes if self._archive else 0
        return InputEntry(printable(self.path), size, self._problem)

    @property
    def last(self) -> int | None:
        """The time that the log has reached."""
        return self._at

    def start(self) -> Start:
        """Look at the start of a regular file; of anything else that can't be done twice."""
        try:
            seen = os.stat(self.path)  # noqa: PTH116 - pathlib is not imported without need
            if self.path == "-" or not stat.S_ISREG(seen.st_mode):
                return Start()
            file = (seen.st_dev, seen.st_ino)
            with read_archive(self.path) as archive:
                return self._start_of(syslog_lines(iter(archive), archive.name))._replace(file=file)
        except (OSError, ValueError, ArchiveError):
            return Start()  # told when it is read

    def _start_of(self, pieces: Iterator[bytes]) -> Start:
        scanner = Scanner(self._prefixes, memory=0)
        lines = b""
        size = 0
        for piece in pieces:
            if len(lines) < COMPARED:
                lines += piece[:COMPARED]
            size += len(piece)
            for line in piece.splitlines(keepends=True):
                scanner.feed(line)
                if scanner.last_stamp is not None:
                    break
            if scanner.last_stamp is not None or size >= LOOK:
                break
        return Start(scanner.last_stamp, lines[: lines.rfind(b"\n") + 1])

    def batches(self) -> Iterator[Batch]:
        """Read it all; what can't be read is told by `entry`, what came before that is there."""
        scanner = Scanner(
            self._prefixes,
            memory=MEMORY,
            slice_seconds=SLICE_SECONDS,
            late_seconds=LATE_SECONDS,
            samples=SAMPLES,
        )
        try:
            with read_archive(self.path, command="replay") as archive:
                self._archive = archive
                yield from self._scan(scanner, archive)
        except ArchiveError as error:
            self._problem = str(error)
        yield self._batch(scanner.drain())
        scanner.finish()
        yield self._batch(scanner.drain())

    def _scan(self, scanner: Scanner, archive: Archive) -> Iterator[Batch]:
        advanced = self._progress.started(self.path, archive.size)
        size = 0
        for number, piece in enumerate(syslog_lines(iter(archive), archive.name)):
            start = 0
            while (start := scanner.feed(piece, start)) < len(piece):
                yield self._batch(scanner.drain())
                size = 0
            size += len(piece)
            if size >= BATCH:
                yield self._batch(scanner.drain())
                size = 0
            if number % PIECES_PER_STEP == 0:
                advanced(archive.read_bytes)
        advanced(archive.read_bytes)

    def _batch(self, summary: Summary) -> Batch:
        for kind, lines in summary.lines.items():
            self.lines[kind] = self.lines.get(kind, 0) + lines
        self.overlong_lines += summary.overlong_lines
        for by, (messages, reports) in summary.losses.items():
            before = self.losses.get(by, (0, 0))
            self.losses[by] = (before[0] + messages, before[1] + reports)
        packets = summary.packets
        if packets:
            self.packets += packets
            self._reach(summary.last)
            if self._at is None:
                self.undated += packets
        return Batch(summary, self._at)

    def _reach(self, stamp: int) -> None:
        if stamp == 0:
            return  # before 1970: as of the packets before it
        if self._at is None:
            self.first = stamp
        elif stamp < self._at:
            if self._at - stamp <= LATE_SECONDS:
                return
            self.steps_back.append(StepBack(self._at, stamp))
        self._at = stamp
