"""How far each open file was read, as a value that survives as JSON.

A position is always just after an LF, so a restart reads whole lines only. It is the caller who
stores it in the same transaction as what was counted.
"""

import msgspec

from logwatch.errors import LogwatchError

VERSION = 1


class CheckpointError(LogwatchError):
    """The saved position can't be understood."""


class FileMark(msgspec.Struct, frozen=True):
    """One file, recognised by device and inode and by two samples of what was read of it.

    Neither is enough alone: inodes are used again, and equal content is found in copies.
    """

    device: int
    inode: int
    head_size: int
    """Bytes from `head_offset` on, at most 256, that `head_crc` is the CRC-32 of."""
    head_crc: int
    tail_size: int
    """Bytes directly before the position, at most 256, that `tail_crc` is the CRC-32 of."""
    tail_crc: int
    position: int
    """Offset after the last LF that was fed."""
    head_offset: int = 0
    """Of the first byte that is not NUL. Positions that were saved without it have their heads
    from 0 on."""


class Checkpoint(msgspec.Struct, frozen=True):
    """What a follower needs to go on exactly where it was."""

    files: tuple[FileMark, ...] = ()
    """The open files, oldest first."""
    finished: tuple[FileMark, ...] = ()
    """The last files that were read to their end and closed: never read again."""
    newest: int = 0
    """Latest modification of any file that was read, as of the last poll that found the path
    readable, in nanoseconds since 1970: a rotated file written after it came and went unseen."""
    settled: bool = True
    """False until the follower could decide where to begin; a restart then decides anew."""
    version: int = VERSION

    def to_json(self) -> bytes:
        """Encode; the same value always gives the same bytes."""
        return msgspec.json.encode(self)


def read_checkpoint(data: bytes) -> Checkpoint:
    """Decode what `to_json` gave; CheckpointError when it is anything else."""
    try:
        checkpoint = msgspec.json.decode(data, type=Checkpoint)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"The saved reading position is damaged ({error}); remove it to begin anew.",
        ) from error
    if checkpoint.version != VERSION:
        raise CheckpointError(
            f"The saved reading position has version {checkpoint.version}, this logwatch reads"
            f" version {VERSION}; use the logwatch that wrote it, or remove it to begin anew.",
        )
    return checkpoint
