"""Reads inputs, one after the other, into one report.

One scanner a file, since each has an unfinished last line of its own; what they counted is merged.
"""

import os
from collections.abc import Sequence

from logwatch.packets import Scanner, Summary
from logwatch.report.report import InputEntry, Report
from logwatch.tail import ArchiveError, read_archive

# A bar need not move more often than this many pieces (of 256 KiB).
PIECES_PER_STEP = 16


class Progress:
    """Hears how far the reading is; this one does nothing."""

    def started(self, path: str, size: int | None) -> None:
        """Reading of a file begins; `size` in bytes as stored, None when unknown."""

    def advanced(self, read_bytes: int) -> None:
        """So many bytes of it, as stored, have been read."""


def read(
    paths: Sequence[str],
    prefixes: Sequence[str],
    *,
    top: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Read files (plain, .gz, .zst, "-") and report.

    What can't be read is told in the report's `inputs`; what was read before that counts.
    """
    whole: Summary | None = None
    inputs = []
    for path in paths:
        summary, entry = _read_one(path, prefixes, progress or Progress())
        inputs.append(entry)
        if whole is None:
            whole = summary
        else:
            whole.merge(summary)
    if whole is None:
        whole = Scanner(list(prefixes)).drain()
    return Report.of(whole, prefixes, inputs, top)


def _read_one(path: str, prefixes: Sequence[str], progress: Progress) -> tuple[Summary, InputEntry]:
    scanner = Scanner(list(prefixes))
    problem = None
    read_bytes = 0
    try:
        with read_archive(path) as archive:
            progress.started(path, archive.size)
            for number, piece in enumerate(archive):
                scanner.feed(piece)
                read_bytes += len(piece)
                if number % PIECES_PER_STEP == 0:
                    progress.advanced(archive.read_bytes)
            progress.advanced(archive.read_bytes)
    except ArchiveError as error:
        problem = str(error)
    scanner.finish()
    return scanner.drain(), InputEntry(_printable(path), read_bytes, problem)


def _printable(path: str) -> str:
    """A path as text: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
