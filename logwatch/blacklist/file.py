"""The policy file: read, merged and replaced as a whole.

A reader sees the old file or the new one, never half of one. Between the last look at the file and
the rename lie some microseconds in which another writer's change would be lost. ACLs and extended
attributes of the old file are not copied.
"""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from logwatch.blacklist.document import DocumentError
from logwatch.blacklist.merge import Held, held, merge
from logwatch.blacklist.networks import (
    FLOOR,
    Cover,
    Network,
    collapse,
    is_too_wide,
    parse_network,
)
from logwatch.blacklist.policy import MAX_NETWORKS
from logwatch.errors import LogwatchError

MAX_SIZE = 4 << 20
"""Bytes. 2,048 networks make 150 KB; etcd takes no object above 1.5 MiB."""

_BOM = "\ufeff"
_NEW_FILE_MODE = 0o644


class PolicyError(LogwatchError):
    """The policy file can't be used; it stays as it is."""


class _ChangedMeanwhileError(Exception):
    """Somebody else changed the file between reading and replacing it."""


@dataclass(frozen=True, slots=True)
class Enforced:
    """What the policy file denies now, in canonical text."""

    own: tuple[str, ...] = ()
    """Networks that logwatch wrote."""
    other: tuple[str, ...] = ()
    """Networks that others wrote into the same policy."""
    _cover: Cover = field(default_factory=lambda: Cover(()), compare=False, repr=False)

    def holds(self, network: str) -> bool:
        """Whether every address of a network is denied, by whomever."""
        return self._cover.holds(parse_network(network))


@dataclass(frozen=True, slots=True)
class Change:
    """What a write changed in what the file denies, in canonical text."""

    written: bool
    """False when the file was right already; it was not touched then."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Version:
    """Tells one state of a file from another without reading it."""

    device: int
    inode: int
    modified: int
    changed: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> "_Version":
        return cls(
            status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
        )

    def is_renamed(self, other: "_Version") -> bool:
        """Whether this is the same file with the same content; a rename sets the change time."""
        return replace(self, changed=other.changed) == other


@dataclass(frozen=True, slots=True)
class _Content:
    """The file as it was read. An absent file has empty text and neither version nor owner."""

    target: Path
    """The file itself, symbolic links resolved."""
    text: str = ""
    """Without byte order mark, and with LF as the end of lines."""
    version: _Version | None = None
    mode: int = _NEW_FILE_MODE
    owner: tuple[int, int] | None = None
    mark: str = ""
    """The byte order mark, if there was one."""
    ending: str = "\n"

    def encode(self, text: str) -> bytes:
        """Bytes of another text in this file's form."""
        return (self.mark + text.replace("\n", self.ending)).encode()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last look at the file gave."""

    target: Path
    version: _Version
    held: Held
    settled: tuple[Network, ...] | None = None
    """The networks for which this state of the file needs no change, if that is known."""


class PolicyFile:
    """A YAML file, its blacklist policy and the networks in it that are ours.

    One object may be used by one thread at a time. The file need not exist, its directory must.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Seen | None = None

    def read(self) -> Enforced:
        """Tell what the file denies now; costs one `stat` while the file stays as it was left.

        Raises `PolicyError` when the file can't be read or holds no policy to add to.
        """
        seen = self._unchanged()
        holding = self._held_in(self._load()) if seen is None else seen.held
        return Enforced(
            own=_texts(holding.own),
            other=_texts(holding.other),
            _cover=Cover((*holding.own, *holding.other)),
        )

    def write(self, networks: Iterable[str]) -> Change:
        """Make exactly `networks` the ones that are ours. Writes nothing when they are.

        Nested ones collapse. Raises `NetworkError` for a text that is no network, and `PolicyError`
        for one wider than the floor, for too many, and for a file that can't be read or replaced.
        """
        wanted = self._checked(networks)
        seen = self._unchanged()
        if seen is not None and seen.settled == wanted:
            return Change(written=False)
        try:
            return self._write(wanted)
        except _ChangedMeanwhileError:
            pass
        try:
            return self._write(wanted)
        except _ChangedMeanwhileError:
            raise PolicyError(
                f"{self._path} is being changed by someone else again and again; besides people, "
                "only one program may write it"
            ) from None

    def _write(self, wanted: tuple[Network, ...]) -> Change:
        content = self._load()
        before = self._held_in(content)
        try:
            text, after = merge(content.text, wanted)
        except DocumentError as error:
            raise self._refusal(error) from error
        version = content.version
        is_written = text != content.text
        if is_written:
            version = self._replace(content, content.encode(text))
        self._seen = None if version is None else _Seen(content.target, version, after, wanted)
        return Change(
            written=is_written,
            added=_texts(each for each in after.own if each not in before.own),
            removed=_texts(each for each in before.own if each not in after.own),
        )

    def _checked(self, networks: Iterable[str]) -> tuple[Network, ...]:
        wanted = collapse(parse_network(network) for network in networks)
        for network in wanted:
            if is_too_wide(network):
                raise PolicyError(
                    f"{self._path}: {network} is too wide to be denied; the widest is "
                    f"/{FLOOR[network.version]}"
                )
        if len(wanted) > MAX_NETWORKS:
            raise PolicyError(
                f"{self._path}: {len(wanted)} networks are too many for one policy; it takes "
                f"{MAX_NETWORKS}"
            )
        return wanted

    def _unchanged(self) -> _Seen | None:
        """Return what was seen last, if the file is still the same."""
        seen = self._seen
        if seen is not None and self._target() == seen.target:
            with contextlib.suppress(OSError):
                if _Version.of(seen.target.stat()) == seen.version:
                    return seen
        return None

    def _held_in(self, content: _Content) -> Held:
        seen = self._seen
        if seen is not None and seen.version == content.version:
            return seen.held
        try:
            holding = held(content.text)
        except DocumentError as error:
            raise self._refusal(error) from error
        self._seen = (
            None if content.version is None else _Seen(content.target, content.version, holding)
        )
        return holding

    def _refusal(self, error: DocumentError) -> PolicyError:
        where = f"{self._path}" if error.line is None else f"{self._path}, line {error.line}"
        return PolicyError(f"{where}: {error}")

    def _target(self) -> Path:
        return Path(os.path.realpath(self._path))

    def _load(self) -> _Content:
        target = self._target()
        try:
            # Without O_NONBLOCK, opening a FIFO would wait for its writer.
            descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            if target.parent.is_dir():
                return _Content(target)
            raise PolicyError(
                f"{self._path}: directory {target.parent} does not exist; create it"
            ) from None
        except OSError as error:
            raise self._failure("be read", error) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PolicyError(f"{self._path} is not a regular file; name a YAML file")
            data = _read(descriptor, MAX_SIZE + 1)
        except OSError as error:
            raise self._failure("be read", error) from error
        finally:
            os.close(descriptor)
        if len(data) > MAX_SIZE:
            raise PolicyError(
                f"{self._path} is larger than {MAX_SIZE >> 20} MiB; name a file of policies"
            )
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise PolicyError(
                f"{self._path}, line {line}: this is not UTF-8 text; name a YAML file"
            ) from error
        mark = _BOM if text.startswith(_BOM) else ""
        ending = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
        return _Content(
            target=target,
            text=text.removeprefix(mark).replace(ending, "\n"),
            version=_Version.of(status),
            mode=stat.S_IMODE(status.st_mode),
            owner=(status.st_uid, status.st_gid),
            mark=mark,
            ending=ending,
        )

    def _replace(self, content: _Content, data: bytes) -> _Version | None:
        """Put new content in the place of what was read, if that is still there.

        Returns the new file's version; None when someone changed it at once.
        """
        target = content.target
        temporary = None
        try:
            descriptor, temporary = tempfile.mkstemp(
                prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
            )
            try:
                written = _fill(descriptor, data, content)
            finally:
                os.close(descriptor)
            if self._version_now() != content.version:
                raise _ChangedMeanwhileError
            Path(temporary).rename(target)
            temporary = None
            _sync_directory(target.parent)
            version = self._version_now()
        except OSError as error:
            raise self._failure("be replaced", error) from error
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
        is_ours = version is not None and version.is_renamed(written)
        return version if is_ours else None

    def _version_now(self) -> _Version | None:
        try:
            return _Version.of(self._target().stat())
        except FileNotFoundError:
            return None

    def _failure(self, what: str, error: OSError) -> PolicyError:
        remedy = {
            errno.EACCES: "let this user read it and write to its directory",
            errno.EPERM: "make this user its owner, so that the owner can be kept",
            errno.EROFS: "name a file on a writable file system",
            errno.ENOSPC: "free some space",
            errno.EDQUOT: "free some space",
            errno.ENOTDIR: "name a file in a directory",
        }.get(error.errno or 0, "check the file and its directory")
        return PolicyError(f"{self._path} can't {what} ({error.strerror}); {remedy}")


def _texts(networks: Iterable[Network]) -> tuple[str, ...]:
    return tuple(str(network) for network in networks)


def _read(descriptor: int, limit: int) -> bytes:
    chunks: list[bytes] = []
    while limit > 0 and (chunk := os.read(descriptor, min(limit, 1 << 20))):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def _fill(descriptor: int, data: bytes, like: _Content) -> _Version:
    """Write a new file durably, with the mode and the owner of the file it is to replace."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    status = os.fstat(descriptor)
    if like.owner is not None and like.owner != (status.st_uid, status.st_gid):
        os.fchown(descriptor, *like.owner)
    os.fchmod(descriptor, like.mode)
    os.fsync(descriptor)
    return _Version.of(os.fstat(descriptor))


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
