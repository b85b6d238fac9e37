"""The naive twin of the core's series: the same rules, in the order in which they read best.

Properties hold both against each other in `test_agreement`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from types import MappingProxyType

from logwatch.ledger.series import OTHER, Saved
from logwatch.ledger.snapshot import Count, Family, Labels
from logwatch.packets import LinkRow, Row, Summary

ADMISSION_PACKETS = 10
"""Packets of a candidate before it may take one of the later places: a forged source is seen once
or a few times, a scanner or a broken client soon reaches ten."""

IDLE_SECONDS = 900.0
"""A series may lose its place after this long without a packet. Prometheus looks back 5 minutes,
so a dashboard has long drawn its end."""


class _Place:
    """What a series counted since its admission, and when it last did."""

    __slots__ = ("bytes", "packets", "used")

    def __init__(self, packets: int, size: int, used: float) -> None:
        self.packets = packets
        self.bytes = size
        self.used = used


class NaiveSeries:
    """The series of one family, by their labels; `family` shows what is durable of it."""

    def __init__(self, capacity: int, saved: Iterable[tuple[Labels, Saved]] = ()) -> None:
        """Take up what was saved; of more than `capacity` series the idlest go to `other`."""
        self._capacity = capacity
        self._open_places = (capacity + 1) // 2
        self._places: dict[Labels, _Place] = {}
        self._other_packets = 0
        self._other_bytes = 0
        self._candidates: dict[Labels, int] = {}
        self._changed: set[Labels] = set()
        # Evicted since the last commit: such a key must be seen gone in one snapshot before it
        # may return at a lower count, or the series would shrink in the eyes of who reads it.
        self._left: set[Labels] = set()
        self._scanned_at = 0.0
        self._nobody_idle_before = 0.0
        for labels, (packets, size, used) in saved:
            if labels == OTHER:
                self._other_packets, self._other_bytes = packets, size
            else:
                self._places[labels] = _Place(packets, size, used)
        by_use = sorted(self._places, key=lambda labels: self._places[labels].used)
        for labels in by_use[: max(0, len(by_use) - capacity)]:
            self._evict(labels)
        self._left.clear()
        self.family = Family(
            MappingProxyType({key: (p.packets, p.bytes) for key, p in self._places.items()}),
            self._other,
        )

    def add(self, labels: Labels, packets: int, size: int, now: float) -> None:
        """Count packets and their bytes; what admits a key is the first that its series counts."""
        place = self._places.get(labels)
        if place is None:
            if len(self._places) >= self._open_places:
                seen = self._candidates.pop(labels, 0) + packets
                if seen < ADMISSION_PACKETS or not self._has_room(labels, now):
                    self._candidates[labels] = seen
                    self.add_other(packets, size)
                    return
            place = self._places[labels] = _Place(0, 0, now)
        place.packets += packets
        place.bytes += size
        place.used = now
        self._changed.add(labels)

    def add_other(self, packets: int, size: int) -> None:
        """Count what has no labels of its own."""
        self._other_packets += packets
        self._other_bytes += size
        self._changed.add(OTHER)

    @property
    def changed(self) -> bool:
        """Whether there is something to write."""
        return bool(self._changed)

    def changes(self) -> Iterator[tuple[Labels, Saved | None]]:
        """Give what to store, `other` under `OTHER`; None where a series lost its place."""
        for labels in self._changed:
            place = self._places.get(labels)
            if place is not None:
                yield labels, (place.packets, place.bytes, place.used)
            elif labels == OTHER:
                yield OTHER, (*self._other, 0.0)
            else:
                yield labels, None

    def settle(self) -> None:
        """Take note that all changes are durable: show them in `family`."""
        if not self._changed:
            return
        series: dict[Labels, Count] = dict(self.family.series)
        for labels in self._changed:
            place = self._places.get(labels)
            if place is not None:
                series[labels] = (place.packets, place.bytes)
            else:
                series.pop(labels, None)
        self.family = Family(MappingProxyType(series), self._other)
        self._changed.clear()
        self._left.clear()

    def touch_all(self) -> None:
        """Have everything written again, as into a new file."""
        self._changed.update(self._places, [OTHER])

    @property
    def _other(self) -> Count:
        return self._other_packets, self._other_bytes

    def _has_room(self, labels: Labels, now: float) -> bool:
        """Whether a key may have a place: a free one, or that of the series idle for longest."""
        if labels in self._left:
            return False
        if len(self._places) < self._capacity:
            return True
        if not self._places or self._scanned_at <= now < self._nobody_idle_before:
            return False
        self._scanned_at = now
        for place in self._places.values():
            place.used = min(place.used, now)  # the clock was set back: idle from now on
        idlest = min(self._places, key=lambda key: self._places[key].used)
        self._nobody_idle_before = self._places[idlest].used + IDLE_SECONDS
        if now < self._nobody_idle_before:
            return False
        self._evict(idlest)
        return True

    def _evict(self, labels: Labels) -> None:
        place = self._places.pop(labels)
        self.add_other(place.packets, place.bytes)
        self._changed.add(labels)
        self._left.add(labels)


def count_summary(
    summary: Summary, policies: Sequence[tuple[str, bool]]
) -> dict[str, Counter[Labels]]:
    """Count packets by family and labels, without any bound."""
    families: dict[str, Counter[Labels]] = defaultdict(Counter)
    for link in starmap(LinkRow, summary.links()):
        policy, is_denied = policies[link.policy]
        labels = (policy, link.interface, link.protocol, str(link.family))
        families["denied" if is_denied else "logged"][labels] += link.packets
    for row in starmap(Row, summary.rows()):
        if policies[row.policy][1]:
            port = "" if row.port is None else str(row.port)
            families["ports"][row.protocol, port] += row.packets
            families["sources"][row.source,] += row.packets
            families["flows"][row.source, row.protocol, port] += row.packets
    return families
