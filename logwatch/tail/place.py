"""What is at a path right now, said in a follower's words.

A FIFO or a device is never opened: a look must neither block nor rewind a tape.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from logwatch.tail.status import InputState

Opener = Callable[[Path, int], int]
"""As `os.open`: a path and flags to a descriptor, or OSError."""

OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""Non-blocking, since the file may be replaced by a FIFO between the look and the opening."""

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """`seen` is set for a regular file only, opened or not."""

    state: InputState
    reason: str = ""
    seen: os.stat_result | None = None


def look_at(path: Path) -> Place:
    """Follow symbolic links: a switch of the link is a rotation like any other."""
    try:
        seen = path.stat()
    except FileNotFoundError:
        link = " (a symbolic link whose target is missing)" if path.is_symlink() else ""
        return Place("missing", f"{path} does not exist{link}; it is read when it appears.")
    except OSError as error:
        return refused(path, error)
    return judge(path, seen)


def judge(path: Path, seen: os.stat_result) -> Place:
    """Tell by its kind whether this file is to be read."""
    if stat.S_ISREG(seen.st_mode):
        return Place("reading", seen=seen)
    kind = next((name for test, name in _KINDS if test(seen.st_mode)), "something else")
    return Place("unsuitable", f"{path} is {kind}; give the path of a regular file.")


def refused(path: Path, error: OSError, seen: os.stat_result | None = None) -> Place:
    """Say that the system said no; it is asked again at each poll."""
    remedy = (
        "give the user of logwatch the right to read it (on Debian and Ubuntu by the group adm)"
        if isinstance(error, PermissionError)
        else "it is tried again"
    )
    cause = (error.strerror or str(error)).lower()
    return Place("unreadable", f"{path} can't be read: {cause}; {remedy}.", seen)
