"""Where the bytes of one file go.

Each open file has a sink of its own, so that an unfinished line of one never meets another's.
"""

from typing import Protocol


class Sink(Protocol):
    """Takes the bytes of one file, in order and without gaps.

    What the methods return is not looked at, except for the two that return a number of bytes.
    """

    @property
    def pending(self) -> int:
        """Bytes since the last LF that was fed, however few of them are really kept.

        The position of a checkpoint is the bytes fed less these.
        """

    def feed(self, data: bytes, /) -> object:
        """Take any number of bytes, and keep the unfinished last line."""

    def finish(self) -> object:
        """Count the unfinished line: the file is over."""

    def abandon(self) -> int:
        """Forget the unfinished line, since the file was truncated; the number of its bytes."""
