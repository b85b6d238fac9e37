"""Whether a file is the one that was read before, and where reading goes on in it.

Device and inode tell a renamed file, samples of the content tell a reused inode and a copy.
Limits: a file that was replaced by another with the same 512 sampled bytes is not told apart.
NUL bytes at the beginning tell nothing: a writer that does not append leaves a hole after a cut.
"""

import os
from typing import NamedTuple
from zlib import crc32

from logwatch.tail.checkpoint import FileMark

SAMPLE = 256
"""Bytes per sample. A syslog line is longer than its stamp and uptime by far, so 256 bytes at the
beginning hold a moment that does not come again."""

_STEP = 256 * 1024


class Sample(NamedTuple):
    """Some bytes of a file, and where they are in it."""

    offset: int
    data: bytes

    def is_in(self, descriptor: int) -> bool:
        """Whether the open file has these bytes at the same place."""
        return read_at(descriptor, len(self.data), self.offset) == self.data


def sample_before(descriptor: int, end: int) -> Sample:
    """Take the last bytes before `end`; fewer than a sample where the file ends or begins."""
    offset = max(0, end - SAMPLE)
    return Sample(offset, read_at(descriptor, end - offset, offset))


def sample_head(descriptor: int, limit: int) -> Sample:
    """Take the first bytes before `limit` from the first one on that is not NUL."""
    offset = 0
    while offset < limit:
        data = read_at(descriptor, min(_STEP, limit - offset), offset)
        text = data.lstrip(b"\0")
        offset += len(data) - len(text)
        if text or not data:
            break
    return Sample(offset, read_at(descriptor, min(SAMPLE, max(0, limit - offset)), offset))


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """At most `size` bytes from `offset`; fewer only when the file ends there."""
    return os.pread(descriptor, size, offset)


def sample_crc(descriptor: int, size: int, offset: int) -> int | None:
    """Return the CRC-32 of these bytes, or None when the file has fewer."""
    data = read_at(descriptor, size, offset)
    return crc32(data) if len(data) == size else None


def line_start(descriptor: int, limit: int) -> int:
    """Find the last offset at or before `limit` where a line begins."""
    end = limit
    while end > 0:
        begin = max(0, end - _STEP)
        found = read_at(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def inode_of(seen: os.stat_result) -> tuple[int, int]:
    """Tell the place on the disk, which no two files have at the same time."""
    return seen.st_dev, seen.st_ino


def is_same_inode(mark: FileMark, seen: os.stat_result) -> bool:
    """Tell whether it is the same place on the disk, which may hold another file by now."""
    return (mark.device, mark.inode) == inode_of(seen)


def has_head(mark: FileMark, descriptor: int) -> bool:
    """Whether the file begins as the marked one did; nothing was known of an empty one."""
    return sample_crc(descriptor, mark.head_size, mark.head_offset) == mark.head_crc


def mark_of(descriptor: int, seen: os.stat_result, head_offset: int) -> FileMark:
    """Mark a file whose content is known, without reading all of it."""
    head = read_at(descriptor, SAMPLE, head_offset)
    return FileMark(
        device=seen.st_dev,
        inode=seen.st_ino,
        head_offset=head_offset,
        head_size=len(head),
        head_crc=crc32(head),
        tail_size=0,
        tail_crc=0,
        position=seen.st_size,
    )


def is_copy(mark: FileMark, descriptor: int) -> bool:
    """Tell whether the open file begins as the marked one did, by enough of it to be no chance."""
    return mark.head_size == SAMPLE and has_head(mark, descriptor)


def resume_position(mark: FileMark, descriptor: int, seen: os.stat_result) -> int | None:
    """Where the marked file goes on in the open one, or None when it is another file.

    - device, inode and both samples agree: at the position
    - another inode (a copy, another device number after a reboot): the same, unless nothing was
      read; a first line alone is enough, since its stamp and uptime do not come again
    - the inode and a full head agree, yet the file is shorter or its tail differs: a crash of the
      host rolled the file back; what was before the position was counted, so go on from there
    """
    same_inode = is_same_inode(mark, seen)
    if not (same_inode or mark.head_size) or not has_head(mark, descriptor):
        return None
    tail_crc = sample_crc(descriptor, mark.tail_size, mark.position - mark.tail_size)
    if tail_crc == mark.tail_crc:
        return mark.position
    if same_inode and mark.head_size == SAMPLE:
        return line_start(descriptor, min(mark.position, seen.st_size))
    return None
