"""The files beside a log that rotation made of it: `syslog.1`, `syslog-20260124`.

Compressed ones are never followed: each is a second copy of what was read as plain text.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class RotatedFile(NamedTuple):
    """A regular file with a rotated name, as it was when looked at."""

    path: Path
    seen: os.stat_result


def rotated_files(*paths: Path) -> list[RotatedFile]:
    """List those of all these paths, longest unwritten first.

    A directory that can't be listed has none.
    """
    found = {file.path: file for path in set(paths) for file in _beside(path)}
    return sorted(found.values(), key=lambda file: (file.seen.st_mtime_ns, str(file.path)))


def _beside(path: Path) -> Iterator[RotatedFile]:
    name = re.compile(re.escape(path.name) + r"[.-][0-9][0-9.-]*")
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in entries if name.fullmatch(entry.name)]
    except OSError:
        return
    for each in names:
        try:
            seen = (path.parent / each).lstat()
        except OSError:
            continue  # renamed or removed since it was listed; the next rotation shows it again
        if stat.S_ISREG(seen.st_mode):
            yield RotatedFile(path.parent / each, seen)
