"""What has been counted, and the position in the log up to which it was counted.

Counting happens in memory; `commit` makes counts, positions and documents durable together, and
only then shows them. What was counted after the last commit is counted again after a crash, from
the position that was committed with the rest.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeVar

from logwatch._core import count_summary
from logwatch.ledger.record import Record
from logwatch.ledger.series import Saved, Series
from logwatch.ledger.snapshot import Labels, Snapshot
from logwatch.ledger.store import COUNTS, EVERYTHING, CounterKey, DocumentKey, State, Store

if TYPE_CHECKING:
    from logwatch.packets import Summary

Key = TypeVar("Key")
Value = TypeVar("Value")
Verdict = Literal["denied", "logged"]


class _Part(Protocol):
    """What a commit writes: a record or a family of series."""

    @property
    def changed(self) -> bool: ...
    def settle(self) -> None: ...
    def touch_all(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """Places of each family. A place costs about 10 microseconds of each scrape."""

    policy: int = 256
    """For `denied` and for `logged` each."""
    port: int = 256
    source: int = 256
    flow: int = 512


class Ledger:
    """The counts of one state directory; one thread at a time, except for `snapshot`."""

    def __init__(
        self, directory: Path, limits: SeriesLimits, boot_id: str, clock: Callable[[], float]
    ) -> None:
        self._directory = directory
        self._boot_id = boot_id
        self._clock = clock
        self._closed = False
        self._store: Store | None = Store(directory, clock)
        self.set_aside: Path | None = self._store.set_aside
        """Where a damaged file was moved, at the opening or by a later commit."""
        state = self._store.state
        self._emptied: Sequence[str] = () if state.boot_id == boot_id else COUNTS
        if self._emptied:
            state = State(checkpoints=state.checkpoints, documents=state.documents)
        self._counters: Record[CounterKey, int] = Record(_present(state.counters))
        self._checkpoints: Record[str, bytes] = Record(_present(state.checkpoints))
        self._documents: Record[DocumentKey, bytes] = Record(_present(state.documents))
        saved: defaultdict[str, list[tuple[Labels, Saved]]] = defaultdict(list)
        for (family, labels), counts in _present(state.series).items():
            saved[family].append((labels, counts))
        self._denied = Series(limits.policy, saved["denied"])
        self._logged = Series(limits.policy, saved["logged"])
        self._ports = Series(limits.port, saved["port"])
        self._sources = Series(limits.source, saved["source"])
        self._flows = Series(limits.flow, saved["flow"])
        self._families = {
            "denied": self._denied,
            "logged": self._logged,
            "port": self._ports,
            "source": self._sources,
            "flow": self._flows,
        }
        self._parts: tuple[_Part, ...] = (
            self._counters,
            self._checkpoints,
            self._documents,
            *self._families.values(),
        )
        self.snapshot = self._shown(MappingProxyType(dict(self._counters.values)))

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        limits: SeriesLimits,
        boot_id: str,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open the state in a directory, which is made (mode 0700) when it is missing.

        `boot_id` is that of `/proc/sys/kernel/random/boot_id`: after another boot counters and
        series start at zero, checkpoints and documents stay. A damaged file is renamed, never
        removed (see `set_aside`). Raises StateError when the directory is not writable, in use by
        another process, or of a newer version. `clock` gives unix seconds for that new name.
        """
        return cls(directory, limits, boot_id, clock)

    def add(self, summary: "Summary", policies: Sequence[tuple[str, Verdict]], now: float) -> None:
        """Count what a scanner found.

        `policies` are the names and verdicts of the summary's policies. A packet is in one of the
        families `denied` and `logged`, by that verdict. It is in `port`, `source` and `flow` only
        when its policy denied it, so these three and `denied` have the same total. What found no
        room in the scanner's table is in `other` of these three. `now` is unix seconds.
        """
        count_summary(
            summary,
            [(policy, verdict == "denied") for policy, verdict in policies],
            now,
            denied=self._denied.counting,
            logged=self._logged.counting,
            ports=self._ports.counting,
            sources=self._sources.counting,
            flows=self._flows.counting,
        )

    def count(self, name: str, labels: Labels = (), by: int = 1) -> None:
        """Count anything else; by 0 it only makes the counter known, so that it is shown as 0."""
        if by < 0:
            raise ValueError(f"the counter {name}{labels} can't count backwards, by {by}")
        self._counters.put((name, labels), self._counters.values.get((name, labels), 0) + by)

    def commit(
        self, checkpoints: Mapping[str, bytes], documents: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        """Make everything durable in one transaction, then show it in `snapshot`.

        `checkpoints` are JSON by an input's path; those of other inputs stay. `documents` are
        JSON by collection and name: a collection that is given is replaced as a whole. Only what
        changed is written; without a change nothing is. Raises StateError when it can't be
        written: all is kept in memory, and the next commit writes it. A file that was removed or
        damaged meanwhile is written anew.
        """
        for path, body in checkpoints.items():
            self._checkpoints.put(path, body)
        for collection, bodies in documents.items():
            for key in [key for key in self._documents.values if key[0] == collection]:
                if key[1] not in bodies:
                    self._documents.drop(key)
            for name, body in bodies.items():
                self._documents.put((collection, name), body)
        store = self._usable_store()
        if not self._emptied and not any(part.changed for part in self._parts):
            return
        store.write(
            State(
                boot_id=self._boot_id if self._emptied else None,
                counters=list(self._counters.changes()),
                series=[
                    ((name, labels), saved)
                    for name, series in self._families.items()
                    for labels, saved in series.changes()
                ],
                checkpoints=list(self._checkpoints.changes()),
                documents=list(self._documents.changes()),
                emptied=self._emptied,
            )
        )
        self._emptied = ()
        counters = self.snapshot.counters
        if self._counters.changed:
            counters = MappingProxyType(dict(self._counters.values))
        for part in self._parts:
            part.settle()
        self.snapshot = self._shown(counters)

    def checkpoint(self, path: str) -> bytes | None:
        """Give the position from which an input is read on, as last given to `commit`."""
        return self._checkpoints.values.get(path)

    @property
    def inputs(self) -> list[str]:
        """Paths of the inputs that have a checkpoint."""
        return list(self._checkpoints.values)

    def forget(self, path: str) -> None:
        """Give up the checkpoint of an input; durable with the next commit, as what follows it."""
        self._checkpoints.drop(path)

    def documents(self, collection: str) -> dict[str, bytes]:
        """Give the documents of a collection by name, as last given to `commit`."""
        return {
            name: body
            for (its_collection, name), body in self._documents.values.items()
            if its_collection == collection
        }

    def close(self) -> None:
        """Close the file and give up the lock; what was not committed is forgotten.

        A commit after it raises ValueError.
        """
        self._closed = True
        if self._store is not None:
            self._store.close()
            self._store = None

    def _usable_store(self) -> Store:
        """Give the open store; a new one, to be written in full, when the file is lost."""
        if self._closed:
            raise ValueError("the ledger is closed")
        if self._store is not None and self._store.lost:
            self._store.close()
            self._store = None
        if self._store is None:
            self._store = Store(self._directory, self._clock)
            self.set_aside = self._store.set_aside or self.set_aside
            self._emptied = EVERYTHING
            for part in self._parts:
                part.touch_all()
        return self._store

    def _shown(self, counters: Mapping[CounterKey, int]) -> Snapshot:
        families = {name: series.family for name, series in self._families.items()}
        return Snapshot(counters, MappingProxyType(families))


def _present(items: Iterable[tuple[Key, Value | None]]) -> dict[Key, Value]:
    """Keep what is there, of pairs that could also mean removal."""
    return {key: value for key, value in items if value is not None}
