"""One open file: what was fed of it, and whether it still is what was fed.

Reading is by offset, so nothing but this object knows a position. OSError is the caller's.
"""

import os
from collections.abc import Callable
from zlib import crc32

from logwatch.tail.checkpoint import FileMark
from logwatch.tail.identity import SAMPLE, read_at
from logwatch.tail.sink import Sink

PIECE = 256 * 1024
"""Bytes per read: large enough that the call costs nothing, small enough for the second cache."""


class OpenFile:
    """A regular file that is read from `position`, which must be the beginning of a line.

    Its sink is made at the first use: a file that can't even be sampled leaves none behind.
    """

    def __init__(self, descriptor: int, open_sink: Callable[[], Sink], position: int = 0) -> None:
        seen = os.fstat(descriptor)
        self.descriptor = descriptor
        self.device = seen.st_dev
        self.inode = seen.st_ino
        self._open_sink = open_sink
        self._sink: Sink | None = None
        self.fed = position
        self.size = position  # as last looked at; the difference to `fed` is what waits
        self.modified = 0
        self.position = position  # after the last LF that was fed
        self.ends = 0  # looks in a row that found nothing new
        self.quiet_since = 0.0
        self.was_at_path = False  # at the last look
        self._ended = False  # the last read gave nothing, whatever the size says
        self.error = ""
        self._seen: tuple[int, int] | None = None
        self._head = read_at(descriptor, min(SAMPLE, position), 0)
        # The bytes before `fed` and before `position`: kept, not read again for a checkpoint,
        # since the file may have been truncated and written anew in the meantime.
        self._recent = read_at(descriptor, min(SAMPLE, position), position - min(SAMPLE, position))
        self._tail = self._recent

    @property
    def sink(self) -> Sink:
        """Where the bytes go."""
        if self._sink is None:
            self._sink = self._open_sink()
        return self._sink

    @property
    def at_end(self) -> bool:
        """Everything that was there at the last look was fed.

        Some file systems (sysfs, some of FUSE) tell a size larger than what they give.
        """
        return self._ended or self.fed >= self.size

    def is_at(self, seen: os.stat_result) -> bool:
        """While a file is open its inode can't be used for another."""
        return (self.device, self.inode) == (seen.st_dev, seen.st_ino)

    def mark(self) -> FileMark:
        """Costs two CRCs of 256 bytes and no look at the file."""
        return FileMark(
            device=self.device,
            inode=self.inode,
            head_size=len(self._head),
            head_crc=crc32(self._head),
            tail_size=len(self._tail),
            tail_crc=crc32(self._tail),
            position=self.position,
        )

    def has_changed(self, seen: os.stat_result) -> bool:
        """Tell whether it was written or cut since the last look; False before the first."""
        return self._seen not in {None, (seen.st_size, seen.st_mtime_ns)}

    def look(self, seen: os.stat_result) -> bool:
        """Take in the file's size; False when it no longer is what was fed (truncated).

        A file that grew is compared at its beginning and before the position: one that was
        truncated and has outgrown the position is as large as one that only grew.
        """
        now = (seen.st_size, seen.st_mtime_ns)
        if now == self._seen:
            return True
        if not self.is_continued_by(self.descriptor):
            return False
        self._seen = now
        self.size, self.modified = now
        return True

    def begins_like(self, descriptor: int, size: int) -> bool:
        """Whether what the other file begins with was fed of this one."""
        head = self._head[:size]
        return bool(head) and read_at(descriptor, len(head), 0) == head

    def is_continued_by(self, descriptor: int) -> bool:
        """Whether the open file holds what was fed at both sampled places."""
        recent = self._recent
        return (
            read_at(descriptor, len(self._head), 0) == self._head
            and read_at(descriptor, len(recent), self.fed - len(recent)) == recent
        )

    def read(self, limit: int) -> int:
        """Feed at most `limit` of the bytes that were there at the last look; their number."""
        end = min(self.size, self.fed + limit)
        begin = self.fed
        self._ended = False
        while self.fed < end:
            data = os.pread(self.descriptor, min(PIECE, end - self.fed), self.fed)
            if not data:
                self._ended = True  # or cut just now: the next look sees it
                break
            self._feed(data)
        return self.fed - begin

    def start_over(self, *, copied: bool = False) -> int:
        """Read a truncated file from 0; into another sink when a copy went on with this one.

        Returns the bytes known to be destroyed: unread ones, and the unfinished line unless its
        sink lives on with a copy of the file.
        """
        destroyed = 0
        if copied:
            self._sink = None
        else:
            destroyed = max(0, self.size - self.fed) + self.sink.abandon()
        self.fed = self.size = self.position = 0
        self._head = self._recent = self._tail = b""
        self._seen = None
        return destroyed

    def moved_to(self, descriptor: int) -> "OpenFile":
        """Go on in the copy of this file behind the descriptor, with this one's sink."""
        copy = OpenFile(descriptor, self._open_sink, self.fed)
        copy._sink = self.sink
        copy.position = self.position
        copy._tail = self._tail
        return copy

    def close(self) -> None:
        """Close the descriptor; the sink is left as it is."""
        os.close(self.descriptor)

    def _feed(self, data: bytes) -> None:
        if len(self._head) < SAMPLE:
            self._head += data[: SAMPLE - len(self._head)]
        self.sink.feed(data)
        self.fed += len(data)
        pending = self.sink.pending
        if pending < len(data):
            self.position = self.fed - pending
            end = len(data) - pending
            self._tail = (
                data[end - SAMPLE : end] if end >= SAMPLE else (self._recent + data[:end])[-SAMPLE:]
            )
        self._recent = data[-SAMPLE:] if len(data) >= SAMPLE else (self._recent + data)[-SAMPLE:]
