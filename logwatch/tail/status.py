"""What an input can say about itself, as a frozen value."""

from dataclasses import dataclass
from typing import ClassVar, Literal

InputState = Literal["reading", "missing", "unreadable", "unsuitable"]


@dataclass(frozen=True, slots=True)
class InputStatus:
    """The state after the last poll; all counts are since the input was opened.

    - `reading`: it is open
    - `missing`: nothing is there
    - `unreadable`: something is there, or may be, and the system refused to show or read it
    - `unsuitable`: something else is there, which is not read
    """

    COUNTERS: ClassVar[tuple[str, ...]] = ("read_bytes",)
    """Names of the counts that mean something for this kind of input."""

    state: InputState
    reason: str = ""
    """For people, one sentence; empty while reading."""
    at_end: bool = False
    """The last poll read everything there was, and nothing was refused."""
    read_bytes: int = 0
    behind_bytes: int | None = None
    """Bytes that were there at the last poll and are not read yet; None where nobody can know."""
    lost_records: int = 0
    """Records that their writer dropped before they could be read, by its own numbers."""


@dataclass(frozen=True, slots=True)
class FollowerStatus(InputStatus):
    """Of a followed path: `state` speaks of it, not of renamed files that are read to their end.

    `unsuitable` is a directory, a FIFO, a socket or a device; it is never opened.
    """

    COUNTERS: ClassVar[tuple[str, ...]] = (
        "read_bytes",
        "rotations",
        "truncations",
        "destroyed_bytes",
        "lost_files",
    )

    behind_bytes: int = 0
    """Over all open files."""
    open_files: int = 0
    rotations: int = 0
    truncations: int = 0
    destroyed_bytes: int = 0
    """Unread bytes and unfinished lines known to have been cut away; what was written and cut
    between two polls is known to nobody."""
    lost_files: int = 0
    """Files of the checkpoint that were not found again: their rest, if any, was not read."""
    read_errors: int = 0
