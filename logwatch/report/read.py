"""Reads inputs into one report, one after the other or several at once.

One scanner a file, since each has an unfinished last line of its own; what they counted is merged,
in the order in which the files were named. Threads suffice: neither reading nor scanning holds the
interpreter.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from logwatch.packets import Scanner, Summary
from logwatch.report.archive import Archive, ArchiveError, read_archive
from logwatch.report.report import InputEntry, Report

# A bar need not move more often than this many pieces (of 128 KiB).
PIECES_PER_STEP = 32


Part = tuple[Summary, InputEntry]


EXPORT = b"__CURSOR="
"""The field that systemd writes first in each entry of a journal's export."""

MEMORY = 256 * 1024 * 1024
"""Bytes for the tables of a file: 3,145,728 flows of IPv4 and 786,432 of IPv6 are told apart."""


INTERRUPTED = "interrupted"
"""How the problem of an input begins that was not read to its end since somebody said so."""


class Options(NamedTuple):
    """How files are read."""

    jobs: int = 1
    """Files that are read at the same time, at most; the result does not depend on it."""
    memory: int = MEMORY
    """Bytes for the tables of each file."""
    timeline: bool = False
    """Whether packets are counted over time as well."""
    since: int | None = None
    """Unix seconds from which on packets count; then those without a stamp do not."""
    until: int | None = None
    """Unix seconds before which packets count, likewise."""


class Counted(NamedTuple):
    """What was counted in files, and how their reading went."""

    summary: Summary
    inputs: tuple[InputEntry, ...]

    @property
    def interrupted(self) -> bool:
        """Whether some files were not read to their ends since somebody said so."""
        return any((entry.problem or "").startswith(INTERRUPTED) for entry in self.inputs)


class Progress:
    """Hears how far the reading is, maybe from several threads; this one does nothing."""

    def started(self, _path: str, _size: int | None) -> Callable[[int], None]:
        """Reading of a file begins; `size` in bytes as stored, None when unknown.

        Returns what is to be told how many bytes of it, as stored, have been read.
        """
        return lambda _read_bytes: None


def read(
    paths: Sequence[str],
    prefixes: Sequence[str],
    *,
    top: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Count files and report the `top` entries of each list, all for 0."""
    counted = count(paths, prefixes, Options(jobs=jobs), progress)
    return Report.of(counted.summary, prefixes, counted.inputs, top)


def count(
    paths: Sequence[str],
    prefixes: Sequence[str],
    options: Options,
    progress: Progress | None = None,
) -> Counted:
    """Count the packets in files (plain, .gz, .zst, "-").

    What can't be read is told in `inputs`; what was read before that counts. So it is with an
    interrupt from the keyboard.
    """
    heard = progress or Progress()

    def read_one(is_stopping: Callable[[], bool], number: int) -> Part:
        scanner = Scanner(
            list(prefixes),
            memory=options.memory,
            timeline=options.timeline,
            since=options.since,
            until=options.until,
        )
        return _read_one(paths[number], scanner, heard, is_stopping)

    whole: Summary | None = None
    inputs: list[InputEntry] = []
    try:
        for summary, entry in _each(read_one, paths, min(options.jobs, len(paths))):
            inputs.append(entry)
            if whole is None:
                whole = summary
            else:
                whole.merge(summary)
            if (entry.problem or "").startswith(INTERRUPTED) and options.jobs <= 1:
                break
    except KeyboardInterrupt:
        pass
    known = {entry.path for entry in inputs}
    inputs += (
        InputEntry(path, 0, f"{INTERRUPTED} before {path} was read.")
        for path in map(printable, paths)
        if path not in known
    )
    if whole is None:
        whole = Scanner(list(prefixes), timeline=options.timeline).drain()
    return Counted(whole, tuple(inputs))


def _each(
    read_one: Callable[[Callable[[], bool], int], Part], paths: Sequence[str], jobs: int
) -> Iterable[Part]:
    # A pipe that is named twice is read to its end by whom it is named first.
    if jobs <= 1 or len(set(paths)) < len(paths):
        return (read_one(_never, number) for number in range(len(paths)))
    from logwatch.report.jobs import in_order

    return in_order(read_one, len(paths), jobs)


def _never() -> bool:
    return False


def _read_one(
    path: str, scanner: Scanner, progress: Progress, is_stopping: Callable[[], bool]
) -> Part:
    archive: Archive | None = None
    problem = None
    try:
        with read_archive(path) as archive:
            advanced = progress.started(path, archive.size)
            for number, piece in enumerate(syslog_lines(iter(archive), archive.name)):
                scanner.feed(piece)
                if number % PIECES_PER_STEP == 0:
                    advanced(archive.read_bytes)
                    if is_stopping():
                        problem = _interrupted(archive)
                        break
            advanced(archive.read_bytes)
    except ArchiveError as error:
        problem = str(error)
    except KeyboardInterrupt:
        problem = _interrupted(archive) if archive else f"{INTERRUPTED} before {path} was read."
    if (problem or "").startswith(INTERRUPTED):
        scanner.abandon()  # the rest of a line that goes on
    scanner.finish()
    log_bytes = archive.log_bytes if archive else 0
    return scanner.drain(), InputEntry(printable(path), log_bytes, problem)


def _interrupted(archive: Archive) -> str:
    of_size = f" of {archive.size:,}" if archive.size is not None else ""
    return f"{INTERRUPTED} after {archive.read_bytes:,}{of_size} bytes of {archive.name}."


def syslog_lines(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield lines for the entries of a journal's export, told by its start, else the pieces."""
    start = b""
    try:
        while len(start) < len(EXPORT) and (piece := next(pieces, b"")):
            start += piece
    except ArchiveError:
        yield start
        raise
    whole: Iterator[bytes] = chain([start], pieces)
    if start.startswith(EXPORT):
        from logwatch.report.journal import export_lines

        whole = export_lines(whole, name)
    yield from whole


def printable(text: str) -> str:
    """A path, or what names one: bytes that are not UTF-8 are escaped."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")
