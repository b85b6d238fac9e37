"""The file that holds the evidence while no agent runs: read as a whole or not at all.

A mark with the version, a digest, then msgpack. Whoever damages it makes nobody an offender.
"""

import contextlib
import hashlib
import os
import stat
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from logwatch.errors import LogwatchError

FILE_NAME = "logwatch.evidence"

SIZE_MOST = 2 << 20
"""Bytes of evidence. 10,000 sources, as many as are kept by default, have 200 bytes each: a source
that came once takes 60, one that tried 14 ports 150. Written once a minute without an end these are
3 GB a day, 35 KB a second."""

READ_MOST = 2 * SIZE_MOST
"""Bytes that are read at the most: each part names anew what it counts, in up to 1.5 KiB."""

_MARK = b"logwatch evidence "
_HEAD = _MARK + b"1\n"
_DIGEST_BYTES = 16
_QUIETLY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class EvidenceFileError(LogwatchError):
    """The file can't be written, or holds nothing that can be used."""


class Kept(msgspec.Struct, frozen=True):
    """What the file holds."""

    written: Annotated[int, Meta(ge=0, lt=1 << 47)]
    """Unix milliseconds: nothing in it is later."""
    clock: bytes
    """The agent's clock of then, as `Clock.to_json` gives it."""
    parts: list[bytes]
    """Each as `logwatch._core.Evidence.to_bytes` gives it."""


_DECODER = msgspec.msgpack.Decoder(Kept)


class EvidenceFile:
    """One file in the state directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Kept | None:
        """Read it; None where there is none. Raises EvidenceFileError."""
        try:
            data = _bytes_of(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EvidenceFileError(f"it can't be read ({error.strerror})") from error
        if not data.startswith(_MARK):
            raise EvidenceFileError("it is no evidence of logwatch")
        if not data.startswith(_HEAD):
            raise EvidenceFileError("it was written by another version of logwatch")
        digest = data[len(_HEAD) :][:_DIGEST_BYTES]
        body = data[len(_HEAD) + _DIGEST_BYTES :]
        if digest != _digest(body):
            raise EvidenceFileError("it is damaged: its digest is another one")
        try:
            return _DECODER.decode(body)
        except msgspec.MsgspecError as error:
            raise EvidenceFileError(f"it is damaged: {error}") from error

    def write(self, kept: Kept) -> None:
        """Write it in the place of the earlier one, on the disk when this returns.

        Raises EvidenceFileError; then the earlier one is still there.
        """
        body = msgspec.msgpack.encode(kept)
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            _write(new, _HEAD + _digest(body) + body)
            new.replace(self.path)
            _sync(self.path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):  # the failure that is told is the first one
                new.unlink()
            raise EvidenceFileError(
                f"What sources did lately is not saved in {self.path} ({error.strerror}), so a"
                " restart would forget it: free space on its file system, and make it writable."
            ) from error


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _bytes_of(path: Path) -> bytes:
    """Read a file; anything else is refused, and a pipe keeps nobody waiting."""
    descriptor = os.open(path, os.O_RDONLY | _QUIETLY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a file")
        data = file.read(READ_MOST + 1)
    if len(data) > READ_MOST:
        raise OSError(0, f"more than {READ_MOST >> 20} MiB")
    return data


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads: the sources in it are nobody else's business."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | _QUIETLY
    with os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
