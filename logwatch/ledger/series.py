"""One bounded family of series, and what is durable of it.

Counting, and the rules of who has a place, are the core's (`rust/logwatch-core/src/series.rs`); the
snapshot that others read is made here. One thread at a time, except for `family`.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from logwatch import _core
from logwatch.ledger.snapshot import Count, Family, Labels

Saved = tuple[int, int, float]
"""A series as it is stored: packets, bytes, and when it last counted (unix seconds)."""

OTHER: Labels = ()
"""The key of `other` among what is stored; no series has an empty key."""


class Series:
    """The series of one family, by their labels; `family` shows what is durable of it."""

    def __init__(self, capacity: int, saved: Iterable[tuple[Labels, Saved]] = ()) -> None:
        """Take up what was saved; of more than `capacity` series the idlest go to `other`."""
        saved = list(saved)
        self.counting = _core.Series(capacity, saved)
        """What counts; for `_core.count_summary`."""
        self.family = self._family({}, [*saved, *self.counting.changes()])

    def add(self, labels: Labels, packets: int, size: int, now: float) -> None:
        """Count packets and their bytes; what admits a key is the first that its series counts."""
        self.counting.add(labels, packets, size, now)

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return self.counting.changed

    def changes(self) -> Sequence[tuple[Labels, Saved | None]]:
        """Give what to store, `other` under `OTHER`; None where a series lost its place."""
        return self.counting.changes()

    def settle(self) -> None:
        """Take note that all changes are durable: show them in `family`."""
        if changes := self.counting.settle():
            self.family = self._family(self.family.series, changes)

    def touch_all(self) -> None:
        """Have everything written again, as into a new file."""
        self.counting.touch_all()

    def _family(
        self, before: Mapping[Labels, Count], changes: Iterable[tuple[Labels, Saved | None]]
    ) -> Family:
        series = dict(before)
        for labels, saved in changes:
            if saved is None:
                series.pop(labels, None)
            else:
                series[labels] = saved[:2]
        series.pop(OTHER, None)
        return Family(MappingProxyType(series), self.counting.other)
