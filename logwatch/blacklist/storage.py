"""A text file as a whole: read with its form (line ends, mode, owner) and replaced atomically.

A reader sees the old file or the new one, never half of one. Between the last look at the file and
the rename lie some microseconds in which another writer's change would be lost. ACLs and extended
attributes of the old file are not copied.
"""

import contextlib
import errno
import os
import re
import stat
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from logwatch.errors import LogwatchError

MAX_SIZE = 4 << 20
"""Bytes. 2,048 networks make 150 KB; etcd takes no object above 1.5 MiB."""

_BOM = "\ufeff"
_NEW_FILE_MODE = 0o644

_STALE = 60
"""Seconds after which a temporary file has lost its writer: one lives for milliseconds."""


class PolicyError(LogwatchError):
    """The policy file can't be used; it stays as it is."""


class ChangedMeanwhileError(Exception):
    """Somebody else changed the file between reading and replacing it."""


@dataclass(frozen=True, slots=True)
class Version:
    """Tells one state of a file from another without reading it."""

    device: int
    inode: int
    modified: int
    changed: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Version":
        """Take it from what `stat` gave."""
        return cls(
            status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
        )

    def is_renamed(self, other: "Version") -> bool:
        """Whether this is the same file with the same content; a rename sets the change time."""
        return replace(self, changed=other.changed) == other


@dataclass(frozen=True, slots=True)
class Content:
    """The file as it was read. An absent file has empty text and neither version nor owner."""

    target: Path
    """The file itself, symbolic links resolved."""
    text: str = ""
    """Without byte order mark, and with LF as the end of lines."""
    version: Version | None = None
    mode: int = _NEW_FILE_MODE
    owner: tuple[int, int] | None = None
    mark: str = ""
    """The byte order mark, if there was one."""
    ending: str = "\n"

    def encode(self, text: str) -> bytes:
        """Bytes of another text in this file's form."""
        return (self.mark + text.replace("\n", self.ending)).encode()


class TextFile:
    """One UTF-8 file. It need not exist, its directory must."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def version(self) -> Version | None:
        """Tell the file's state by one `stat`; None when it is absent. Raises `OSError`."""
        try:
            return Version.of(self.path.stat())
        except FileNotFoundError:
            return None

    def load(self) -> Content:
        """Read the whole file. Raises `PolicyError` for what is no text file of a sane size."""
        target = Path(os.path.realpath(self.path))
        try:
            # Without O_NONBLOCK, opening a FIFO would wait for its writer.
            descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            if target.parent.is_dir():
                return Content(target)
            raise PolicyError(
                f"{self.path}: directory {target.parent} does not exist; create it"
            ) from None
        except OSError as error:
            raise self._failure("be read", error) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PolicyError(f"{self.path} is not a regular file; name a YAML file")
            data = _read(descriptor, MAX_SIZE + 1)
        except OSError as error:
            raise self._failure("be read", error) from error
        finally:
            os.close(descriptor)
        if len(data) > MAX_SIZE:
            raise PolicyError(
                f"{self.path} is larger than {MAX_SIZE >> 20} MiB; name a file of policies"
            )
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise PolicyError(
                f"{self.path}, line {line}: this is not UTF-8 text; name a YAML file"
            ) from error
        mark = _BOM if text.startswith(_BOM) else ""
        ending = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
        return Content(
            target=target,
            text=text.removeprefix(mark).replace(ending, "\n"),
            version=Version.of(status),
            mode=stat.S_IMODE(status.st_mode),
            owner=(status.st_uid, status.st_gid),
            mark=mark,
            ending=ending,
        )

    def replace(self, content: Content, data: bytes) -> Version | None:
        """Put new content in the place of what was read, if that is still there.

        Returns the new file's version; None when someone changed it at once. Raises `PolicyError`,
        and `ChangedMeanwhileError` when something else is there now.
        """
        target = content.target
        temporary = None
        try:
            descriptor, temporary = tempfile.mkstemp(
                prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
            )
            try:
                _remove_stale(target, os.fstat(descriptor).st_mtime)
                written = _fill(descriptor, data, content)
            finally:
                os.close(descriptor)
            if self.version() != content.version:
                raise ChangedMeanwhileError
            Path(temporary).rename(target)
            temporary = None
            _sync_directory(target.parent)
            version = self.version()
        except OSError as error:
            raise self._failure("be replaced", error) from error
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
        is_ours = version is not None and version.is_renamed(written)
        return version if is_ours else None

    def _failure(self, what: str, error: OSError) -> PolicyError:
        remedy = {
            errno.EACCES: "let this user read it and write to its directory",
            errno.EPERM: "make this user its owner, so that the owner can be kept",
            errno.EROFS: "name a file on a writable file system",
            errno.ENOSPC: "free some space",
            errno.EDQUOT: "free some space",
            errno.ENOTDIR: "name a file in a directory",
        }.get(error.errno or 0, "check the file and its directory")
        return PolicyError(f"{self.path} can't {what} ({error.strerror}); {remedy}")


def _read(descriptor: int, limit: int) -> bytes:
    chunks: list[bytes] = []
    while limit > 0 and (chunk := os.read(descriptor, min(limit, 1 << 20))):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def _remove_stale(target: Path, now: float) -> None:
    """Remove what a kill between `mkstemp` and the rename left; `now` by the file system's clock.

    Only names that `mkstemp` gives: eight of `[a-z0-9_]`.
    """
    ours = re.compile(rf"\.{re.escape(target.name)}\.[a-z0-9_]{{8}}\.tmp")
    for entry in os.scandir(target.parent):
        if ours.fullmatch(entry.name) is None or not entry.is_file(follow_symlinks=False):
            continue
        # Another's file in a sticky directory can't be removed: no reason not to write ours.
        with contextlib.suppress(OSError):
            if now - entry.stat(follow_symlinks=False).st_mtime > _STALE:
                Path(entry.path).unlink()


def _fill(descriptor: int, data: bytes, like: Content) -> Version:
    """Write a new file durably, with the mode and the owner of the file it is to replace."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    status = os.fstat(descriptor)
    if like.owner is not None and like.owner != (status.st_uid, status.st_gid):
        os.fchown(descriptor, *like.owner)
    os.fchmod(descriptor, like.mode)
    os.fsync(descriptor)
    return Version.of(os.fstat(descriptor))


def _sync_directory(directory: Path) -> None:
    """Make the rename survive a power cut. Some network file systems can't (EINVAL)."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)
