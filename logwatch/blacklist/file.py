"""The policy file, or a proposal for it: what others wrote with our networks merged in.

Remembers what it saw and left, so that looking again costs a `stat` while nothing changes.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from logwatch.blacklist.arrange import MOST, Denied, Shape, arranged, contents_of, denied
from logwatch.blacklist.contents import Contents
from logwatch.blacklist.document import DocumentError
from logwatch.blacklist.networks import FLOOR, Cover, parse_network
from logwatch.blacklist.spans import Span, Spans, TooWideError, disjoint
from logwatch.blacklist.storage import (
    MAX_SIZE,
    ChangedMeanwhileError,
    Content,
    PolicyError,
    TextFile,
    Version,
)


@dataclass(frozen=True)
class Enforced:
    """What the policy file denies now, in canonical text."""

    own: tuple[str, ...] = ()
    """Networks that logwatch wrote."""
    other: tuple[str, ...] = ()
    """Networks that others wrote into the same policy, or into sets that it denies."""

    def holds(self, network: str) -> bool:
        """Whether every address of a network is denied, by whomever."""
        return self._cover.holds(parse_network(network))

    @cached_property
    def _cover(self) -> Cover:
        return Cover(parse_network(text) for text in (*self.own, *self.other))


@dataclass(frozen=True, slots=True)
class Change:
    """What a write changed in what the file denies, in canonical text."""

    written: bool
    """False when the file was right already; it was not touched then."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last look at the policy file gave."""

    version: Version | None
    contents: Contents
    denied: Denied
    enforced: Enforced | None = None
    """Once somebody asked for it."""


@dataclass(frozen=True, slots=True)
class _Settled:
    """The files as the last write left them, and what it was asked for."""

    asked: tuple[str, ...]
    wanted: tuple[Span, ...]
    versions: tuple[Version | None, Version | None]
    """Of the file that is read and of the one that is written; None of an absent one."""


class PolicyFile:
    """A YAML file, its blacklist policy and the networks in it that are ours.

    With a `target` the file is only read, and what it should be is written to the target: whoever
    applies that keeps everything else that stands in the file. `shape` says where our networks
    stand; those that a file holds in the other shape are moved by the next write. One object may be
    used by one thread at a time. The files need not exist, their directories must.
    """

    def __init__(self, path: Path, target: Path | None = None, *, shape: Shape = "policy") -> None:
        self._path = path
        self._shape: Shape = shape
        self._source = TextFile(path)
        self._target = self._source if target is None else TextFile(target)
        self._spans = Spans()
        self._seen: _Seen | None = None
        self._settled: _Settled | None = None

    def read(self) -> Enforced:
        """Tell what the file (never the target) denies now; one `stat` while it stays as it was.

        Raises `PolicyError` when the file can't be read or holds no policy to add to.
        """
        seen = self._seen
        is_known = False
        with contextlib.suppress(OSError):  # `load` tells it in words
            is_known = seen is not None and self._source.version() == seen.version
        if seen is None or not is_known:
            seen = self._look(self._source.load())
        if seen.enforced is None:
            own, other = (self._sorted(each) for each in (seen.denied.own, seen.denied.other))
            seen = replace(seen, enforced=Enforced(own=own, other=other))
            if seen.version is not None:
                self._seen = seen
        return seen.enforced or Enforced()

    def write(self, networks: Iterable[str]) -> Change:
        """Make exactly `networks` the ones that are ours. Writes nothing when they are.

        Nested ones collapse. The same tuple again costs a `stat` (two with a target). A target is
        not made when the file needs no change; `Change` tells then what changed in the target, or
        for a new one what it would change in the file. Raises `NetworkError` for a text that is no
        network, and `PolicyError` for one wider than the floor, for too many, and for a file that
        can't be read or replaced.
        """
        asked = tuple(networks)
        settled = self._unchanged()
        if settled is not None and settled.asked == asked:
            return Change(written=False)
        wanted = self._checked(asked)
        if settled is not None and settled.wanted == wanted:
            self._settled = replace(settled, asked=asked)
            return Change(written=False)
        try:
            return self._write(asked, wanted)
        except ChangedMeanwhileError:
            pass
        try:
            return self._write(asked, wanted)
        except ChangedMeanwhileError:
            raise PolicyError(
                f"{self._target.path} is being changed by someone else again and again; besides "
                "people, only one program may write it"
            ) from None

    def _write(self, asked: tuple[str, ...], wanted: tuple[Span, ...]) -> Change:
        self._settled = None
        content = self._source.load()
        seen = self._look(content)
        contents, before = seen.contents, seen.denied
        try:
            after = arranged(contents, wanted, self._shape)
            holding = before if after is contents else denied(after, self._spans)
            text = content.text if after is contents else after.text
            data = content.encode(text)
        except DocumentError as error:
            raise self._refusal(error) from error
        except UnicodeEncodeError as error:  # an escape such as "\ud800", which ruamel.yaml reads
            raise PolicyError(
                f"{self._path}: a character that is not Unicode text; remove it"
            ) from error
        if len(data) > MAX_SIZE:
            raise PolicyError(
                f"{self._path} would be larger than {MAX_SIZE >> 20} MiB; move what others wrote "
                "into another file"
            )
        is_written = text != content.text
        old = content
        if self._target is not self._source:
            old = self._target.load()
            is_made = old.version is None
            if is_made:
                old = replace(old, mode=content.mode)
            else:
                before = _denied_by(old.text)
                is_written = data != old.encode(old.text)
        version = old.version
        if is_written:
            version = self._target.replace(old, data)
        is_known = version is not None or not is_written
        source = version if self._target is self._source else content.version
        if self._target is self._source:
            self._seen = None if version is None else _Seen(version, after, holding)
        if is_known and (source is not None or version is not None):
            self._settled = _Settled(asked, wanted, (source, version))
        return Change(
            written=is_written,
            added=self._sorted(holding.own - before.own),
            removed=self._sorted(before.own - holding.own),
        )

    def _checked(self, networks: tuple[str, ...]) -> tuple[Span, ...]:
        try:
            wanted = tuple(disjoint(self._spans.of(networks)))
        except TooWideError as error:
            raise PolicyError(
                f"{self._path}: {error} is too wide to be denied; the widest is "
                f"/{FLOOR[error.span.version]}"
            ) from error
        if len(wanted) > MOST[self._shape]:
            hint = "; blacklist.shape: sets takes more" if self._shape == "policy" else ""
            raise PolicyError(
                f"{self._path}: {len(wanted)} networks are too many; shape {self._shape} takes "
                f"{MOST[self._shape]}{hint}"
            )
        return wanted

    def _unchanged(self) -> _Settled | None:
        """Return what the last write left, if the files are still the same."""
        settled = self._settled
        if settled is None:
            return None
        with contextlib.suppress(OSError):  # `load` tells it in words
            source = self._source.version()
            target = source if self._target is self._source else self._target.version()
            if settled.versions == (source, target):
                return settled
        return None

    def _look(self, content: Content) -> _Seen:
        """Read what was loaded, if it is not what was seen last."""
        seen = self._seen
        if seen is not None and seen.version == content.version:
            return seen
        try:
            contents = contents_of(content.text, None if seen is None else seen.contents)
            holding = denied(contents, self._spans)
        except DocumentError as error:
            raise self._refusal(error) from error
        seen = _Seen(content.version, contents, holding)
        self._seen = None if content.version is None else seen
        return seen

    def _sorted(self, networks: Iterable[str]) -> tuple[str, ...]:
        """Sort networks, and leave out what lies in another one."""
        return tuple(span.text for span in disjoint(map(self._spans.read, networks)))

    def _refusal(self, error: DocumentError) -> PolicyError:
        where = f"{self._path}" if error.line is None else f"{self._path}, line {error.line}"
        return PolicyError(f"{where}: {error}")


def _denied_by(proposal: str) -> Denied:
    """What an earlier proposal denies; nothing if someone broke it, since it is replaced."""
    try:
        return denied(contents_of(proposal), Spans())
    except DocumentError:
        return Denied()
