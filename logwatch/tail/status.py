"""What a follower can say about itself, as a frozen value."""

from dataclasses import dataclass
from typing import Literal

FollowerState = Literal["reading", "missing", "unreadable", "unsuitable"]


@dataclass(frozen=True, slots=True)
class FollowerStatus:
    """The state after the last poll; all counts are since the follower was made.

    `state` speaks of the path, not of renamed files that are still read to their end:

    - `reading`: the file at the path is open
    - `missing`: nothing is there
    - `unreadable`: something is there, or may be, and the system refused to show or read it
    - `unsuitable`: a directory, a FIFO, a socket or a device is there; it is never opened
    """

    state: FollowerState
    reason: str = ""
    """For people, one sentence; empty while reading."""
    at_end: bool = False
    """The last poll read everything there was, and nothing was refused."""
    open_files: int = 0
    read_bytes: int = 0
    behind_bytes: int = 0
    """Bytes that were there at the last poll and are not read yet, over all files."""
    rotations: int = 0
    truncations: int = 0
    destroyed_bytes: int = 0
    """Unread bytes and unfinished lines known to have been cut away; what was written and cut
    between two polls is known to nobody."""
    lost_files: int = 0
    """Files of the checkpoint that were not found again: their rest, if any, was not read."""
    read_errors: int = 0
