"""Read a log from end to end, once: a plain file, .gz, .zst, or what comes on standard input.

The compression is told by the first bytes, never by the name; a name that tells of a compression
which is not there is an ArchiveError. Of a broken archive everything
before the break is delivered (up to 4 KiB of compressed bytes less, where the data itself is
damaged); then ArchiveError says how far it went.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Literal, Protocol, Self

from logwatch.errors import LogwatchError

Compression = Literal["gzip", "zstd"]

PIECE = 128 * 1024
"""Bytes per read and, at most, per decompressed piece. From 64 to 256 KiB a plain file takes the
same time within 3 %; zstd, whose blocks have 128 KiB, takes 15 % longer with twice that."""

_SLICE = 4 * 1024
"""Compressed bytes per call: what a damaged archive may lose. A log's give some 25 KiB, and slices
of 64 KiB make it 4 % faster at the most."""

_AHEAD_LEAST = 4 * 1024 * 1024
"""Bytes of an archive from which on it is decompressed ahead: smaller ones take less time than the
import of what does it, 8 ms. Pipes are not: nobody can end a thread that waits for one."""

_SYSLOG = "/var/log/syslog"  # which Debian 12 and others no longer have

_MAGIC_SIZE = 10  # of the longest below
_GZIP = b"\x1f\x8b"  # RFC 1952
_ZSTD = (  # RFC 8878: a frame, or one of the sixteen skippable ones
    b"\x28\xb5\x2f\xfd",
    *(bytes((first, 0x2A, 0x4D, 0x18)) for first in range(0x50, 0x60)),
)
_FOREIGN = (
    ((b"\xfd7zXZ\0",), "xz", "xz -dc"),
    (tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)), "bzip2", "bzip2 -dc"),
    ((b"\x04\x22\x4d\x18",), "lz4", "lz4 -dc"),
    ((b"PK\x03\x04",), "zip", "unzip -p"),
)
_ENDINGS = ((".gz", "gzip"), (".zst", "zstd"))


class ArchiveError(LogwatchError):
    """An archive that can't be opened, or not read to its end."""


class Archive:
    """Iterate for the bytes of the log, in pieces cut anywhere; once. A context manager.

    `read_bytes` of `size` bytes were read so far, both as they are on the disk; `size` is None
    when nobody knows it: standard input, a FIFO. `log_bytes` were made of them.
    """

    def __init__(self, descriptor: int, name: str, *, owned: bool, command: str = "report") -> None:
        self.name = name
        self._command = command
        self.read_bytes = 0
        self.log_bytes = 0
        self.size: int | None = None
        self._descriptor = descriptor
        self._owned = owned
        self._ahead: Generator[bytes] | None = None
        if owned and stat.S_ISREG((seen := os.fstat(descriptor)).st_mode):
            self.size = seen.st_size
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        self._start = self._read_start()
        self.compression = self._recognise()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces; ArchiveError when the rest can't be read."""
        if self.compression is None:
            return self._plain()
        pieces = self._decompressed(self.compression)
        if self.size is None or self.size < _AHEAD_LEAST:
            return pieces
        from logwatch.report.ahead import ahead

        self._ahead = ahead(pieces)
        return self._ahead

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._ahead is not None:
            self._ahead.close()
        if self._owned:
            os.close(self._descriptor)
            self._owned = False

    def _read_start(self) -> bytes:
        start = data = self._read()
        while data and len(start) < _MAGIC_SIZE:  # a pipe gives as little as it likes
            data = self._read()
            start += data
        return start

    def _recognise(self) -> Compression | None:
        if self._start.startswith(_GZIP):
            return "gzip"
        if self._start.startswith(_ZSTD):
            return "zstd"
        for magics, compression, command in _FOREIGN:
            if self._start.startswith(magics):
                raise ArchiveError(
                    f"{self.name} is compressed with {compression}, which is not read; pipe it"
                    f" in: {command} FILE | logwatch {self._command} -",
                )
        for ending, compression in _ENDINGS:
            if self.name.endswith(ending):
                raise ArchiveError(
                    f"{self.name} is not a {compression} file although its name says so: it is"
                    " probably damaged; get an intact copy, or rename it if it is plain text.",
                )
        return None

    def _read(self) -> bytes:
        try:
            data = os.read(self._descriptor, PIECE)
        except OSError as error:
            raise ArchiveError(
                f"{self.name} can't be read after {self.read_bytes} bytes: {_cause(error)};"
                " check where it is stored and try again.",
            ) from error
        self.read_bytes += len(data)
        return data

    def _pieces(self) -> Iterator[bytes]:
        data, self._start = self._start, b""
        while data:
            yield data
            data = self._read()

    def _plain(self) -> Iterator[bytes]:
        for piece in self._pieces():
            self.log_bytes += len(piece)
            yield piece

    def _decompressed(self, compression: Compression) -> Iterator[bytes]:
        """One member (gzip) or frame (zstd) after the other, until the input ends."""
        begin, failure = _codec(compression)
        member: _Member | None = None
        for piece in self._pieces():
            position = 0
            while position < len(piece):
                if member is None:
                    member = begin()
                data = piece[position : position + _SLICE]
                try:
                    decompressed = member.decompress(data, PIECE)
                    while True:
                        if decompressed:
                            self.log_bytes += len(decompressed)
                            yield decompressed
                        if member.needs_input or member.eof:
                            break
                        decompressed = member.decompress(b"", PIECE)
                except failure as error:
                    raise self._damaged(error, len(piece) - position) from error
                position += len(data)
                if member.eof:
                    position -= len(member.unused_data)
                    position += _padding(piece, position) if compression == "gzip" else 0
                    member = None
        if member is not None:
            raise ArchiveError(
                f"{self.name} is cut off: its {compression} data ends unfinished after"
                f" {self.read_bytes} bytes ({self.log_bytes} bytes of log came before); get a"
                " complete copy.",
            )

    def _damaged(self, error: Exception, unread: int) -> ArchiveError:
        # "Error -3 Invalid block type", "Unable to decompress Zstandard data: Unknown frame".
        cause = re.sub(r"^Error -\d+ |^Unable to decompress[^:]*: ", "", str(error)).lower()
        return ArchiveError(
            f"{self.name} is damaged: its {self.compression} data can't be read on after"
            f" {self.read_bytes - unread} bytes, {cause} ({self.log_bytes} bytes of log came"
            " before); get an intact copy.",
        )


class _Member(Protocol):
    """One gzip member or zstd frame; its output is bounded however well it was compressed."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


def _codec(compression: Compression) -> tuple[Callable[[], _Member], type[Exception]]:
    """What begins a member, and what it raises; imported where there is an archive."""
    if compression == "gzip":
        from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError

        # isal's stub declares its exception class as an instance of Exception.
        return partial(IgzipDecompressor, flag=DECOMP_GZIP), IsalError  # type: ignore[return-value]
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor, ZstdError
    else:
        from backports.zstd import ZstdDecompressor, ZstdError
    return ZstdDecompressor, ZstdError


def read_archive(path: str, command: str = "report") -> Archive:
    """Open a log for reading; "-" is standard input. ArchiveError when there is nothing to read.

    `command` is the one of logwatch that its remedies name.
    """
    if path == "-":
        return Archive(0, "standard input", owned=False, command=command)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError as error:
        remedy = "give the path of a log file, or - for standard input"
        if path == _SYSLOG:
            remedy = (
                "a host without it has its log in the journal: journalctl -k -o short-iso |"
                f" logwatch {command} - (or -o export)"
            )
        raise ArchiveError(f"{path} does not exist; {remedy}.") from error
    except PermissionError as error:
        raise ArchiveError(
            f"{path} can't be read: permission denied; run as a user who may read it (on Debian"
            " and Ubuntu one in the group adm).",
        ) from error
    except OSError as error:
        raise ArchiveError(
            f"{path} can't be opened: {_cause(error)}; give the path of a log file.",
        ) from error
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArchiveError(
            f"{path} is a directory; give the log files in it, such as {path.rstrip('/')}/*.",
        )
    try:
        return Archive(descriptor, path, owned=True, command=command)
    except BaseException:
        os.close(descriptor)
        raise


def _padding(piece: bytes, position: int) -> int:
    """Count the NULs that tapes and some writers put after a gzip member."""
    return len(rest := piece[position:]) - len(rest.lstrip(b"\0"))


def _cause(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
