"""One open file: what was fed of it, and whether it still is what was fed.

Reading is by offset, so nothing but this object knows a position. OSError is the caller's.
"""

import os
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from logwatch.tail.checkpoint import FileMark
from logwatch.tail.identity import SAMPLE, Sample, sample_before, sample_head
from logwatch.tail.sink import Sink

PIECE = 256 * 1024
"""Bytes per read: large enough that the call costs nothing, small enough for the second cache."""

_NOTHING = Sample(0, b"")


class Glance(NamedTuple):
    """How far a file went at one moment, and what its end was, so that a later cut is seen."""

    size: int
    modified: int
    end: Sample


class OpenFile:
    """A regular file that is read from `position`, which must be the beginning of a line.

    Its sink is made at the first use: a file that can't even be sampled leaves none behind.
    """

    def __init__(
        self,
        descriptor: int,
        open_sink: Callable[[], Sink],
        position: int = 0,
        head: Sample | None = None,
    ) -> None:
        seen = os.fstat(descriptor)
        self.descriptor = descriptor
        self.device = seen.st_dev
        self.inode = seen.st_ino
        self._open_sink = open_sink
        self._sink: Sink | None = None
        self.fed = position
        self.size = position  # as last looked at; the difference to `fed` is what waits
        self.modified = 0
        self.complete = 0  # `modified` as of the last time that everything was fed
        self.position = position  # after the last LF that was fed
        self.ends = 0  # looks in a row that found nothing new
        self.quiet_since = 0.0
        self.was_at_path = False  # at the last look
        self._ended = False  # the last read gave nothing, whatever the size says
        self.error = ""
        self._seen: tuple[int, int] | None = None
        self._head = head or sample_head(descriptor, position)
        # The bytes before `fed` and before `position`: kept, not read again for a checkpoint,
        # since the file may have been truncated and written anew in the meantime.
        self._recent = sample_before(descriptor, position)
        self._tail = self._recent
        self._end = _NOTHING  # the bytes before `size`, fed or not

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

    @property
    def has_text(self) -> bool:
        """Something else than NUL bytes was fed: what was fed tells this file from others."""
        return bool(self._head.data)

    @property
    def head_offset(self) -> int:
        """Of the first byte that is not NUL, as far as it was fed."""
        return self._head.offset

    def is_at(self, seen: os.stat_result) -> bool:
        """While a file is open its inode can't be used for another."""
        return (self.device, self.inode) == (seen.st_dev, seen.st_ino)

    def mark(self) -> FileMark:
        """Costs two CRCs of 256 bytes and no look at the file."""
        return FileMark(
            device=self.device,
            inode=self.inode,
            head_offset=self._head.offset,
            head_size=len(self._head.data),
            head_crc=crc32(self._head.data),
            tail_size=len(self._tail.data),
            tail_crc=crc32(self._tail.data),
            position=self.position,
        )

    def has_changed(self, seen: os.stat_result) -> bool:
        """Tell whether it was written or cut since the last look; True before the first."""
        return self._seen != (seen.st_size, seen.st_mtime_ns)

    def glance(self, seen: os.stat_result) -> Glance:
        """Take the file's end in front of its size."""
        end = sample_before(self.descriptor, seen.st_size)
        return Glance(seen.st_size, seen.st_mtime_ns, end)

    def look(self, seen: os.stat_result) -> bool:
        """Take in the file's size; False when it no longer is what was fed (truncated).

        A file that grew is compared at its beginning, before the position and at its former end:
        one that was truncated and has outgrown the position is as large as one that only grew.
        """
        if not self.has_changed(seen):
            return True
        glance = self.glance(seen)
        # Compared when the new end is known: a cut in between is seen either now or by that end.
        if not (self.is_continued_by(self.descriptor) and self._end.is_in(self.descriptor)):
            return False
        self._take(glance)
        return True

    def begins_like(self, descriptor: int, size: int) -> bool:
        """Whether what the other file begins with was fed of this one."""
        head = self._head.data[: max(0, size - self._head.offset)]
        return bool(head) and Sample(self._head.offset, head).is_in(descriptor)

    def is_continued_by(self, descriptor: int) -> bool:
        """Whether the open file holds what was fed at both sampled places."""
        return self._head.is_in(descriptor) and self._recent.is_in(descriptor)

    def is_kept_by(self, descriptor: int, size: int) -> bool:
        """Whether the other file, of that size, is a copy of this one with all that was fed.

        Where that was nothing or only NUL bytes, it is known by what was there to be read.
        """
        if self.has_text:
            return size >= self.fed and self.is_continued_by(descriptor)
        return bool(self._end.data.strip(b"\0")) and self._end.is_in(descriptor)

    def read(self, limit: int) -> int:
        """Feed at most `limit` of the bytes that were there at the last look; their number.

        Nothing is fed of a file that was cut since: what was read may be from after the cut.
        """
        end = min(self.size, self.fed + limit)
        begin = self.fed
        self._ended = False
        while self.fed < end:
            data = os.pread(self.descriptor, min(PIECE, end - self.fed), self.fed)
            if not self._end.is_in(self.descriptor):
                self._seen = None  # the next look is not the same, whatever the size
                break
            if not data:
                self._ended = True
                break
            self._feed(data)
        if self.fed >= self.size:
            self.complete = self.modified
        return self.fed - begin

    def start_over(self, glance: Glance, copied: int | None) -> int:
        """Read a truncated file from 0, as far as the glance went.

        `copied` is the size of a copy that went on with the sink of this one, if there is one.
        Returns the bytes known to be destroyed: unread ones, and the unfinished line unless its
        sink lives on with the copy.
        """
        if copied is None:
            # A hole that the unfinished line begins with was never written.
            unfinished = min(self.sink.abandon(), self.fed - self._head.offset)
            destroyed = self.size - self.fed + unfinished
        else:
            destroyed = self.size - max(self.fed, copied)
            self._sink = None
        self.fed = self.position = 0
        self._head = self._recent = self._tail = _NOTHING
        self._take(glance)
        return max(0, destroyed)

    def moved_to(self, descriptor: int) -> "OpenFile":
        """Go on in the copy of this file behind the descriptor, with this one's sink."""
        copy = OpenFile(descriptor, self._open_sink, self.fed, self._head)
        copy._sink = self.sink
        copy.position = self.position
        copy._tail = self._tail
        return copy

    def close(self) -> None:
        """Close the descriptor; the sink is left as it is."""
        os.close(self.descriptor)

    def _take(self, glance: Glance) -> None:
        self.size, self.modified, self._end = glance
        self._seen = self.size, self.modified

    def _feed(self, data: bytes) -> None:
        if len(self._head.data) < SAMPLE:
            self._feed_head(data)
        self.sink.feed(data)
        recent = (self._recent.data + data[-SAMPLE:])[-SAMPLE:]
        self.fed += len(data)
        pending = self.sink.pending
        if pending < len(data):
            self.position = self.fed - pending
            end = len(data) - pending
            lines = data[max(0, end - SAMPLE) : end]
            if end < SAMPLE:
                lines = (self._recent.data + lines)[-SAMPLE:]
            self._tail = Sample(self.position - len(lines), lines)
        self._recent = Sample(self.fed - len(recent), recent)

    def _feed_head(self, data: bytes) -> None:
        offset, head = self._head
        if not head:
            text = data.lstrip(b"\0")
            offset = self.fed + len(data) - len(text)
            data = text
        self._head = Sample(offset, head + data[: SAMPLE - len(head)])
