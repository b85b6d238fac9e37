"""What is durable, as others see it: values that never change once they are made.

The daemon swaps a whole `Snapshot` at each commit, so a reader in another thread sees either the
one before or the one after, never a mixture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Labels = tuple[str, ...]
Count = tuple[int, int]
"""Packets and bytes."""

NOTHING: Count = (0, 0)


@dataclass(frozen=True, slots=True)
class Family:
    """One bounded family of series."""

    series: Mapping[Labels, Count] = field(default_factory=lambda: MappingProxyType({}))
    """What was counted for these labels since the series was admitted."""
    other: Count = NOTHING
    """What was counted for all labels that had no series of their own at the time."""

    @property
    def total(self) -> Count:
        """The exact total: all series and `other`."""
        packets, size = self.other
        for series_packets, series_size in self.series.values():
            packets += series_packets
            size += series_size
        return packets, size


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the last successful commit, or the opening, left durable."""

    counters: Mapping[tuple[str, Labels], int] = field(default_factory=lambda: MappingProxyType({}))
    """Counters by name and labels, such as `("lines", ("packet",))`."""
    families: Mapping[str, Family] = field(default_factory=lambda: MappingProxyType({}))
    """`denied` and `logged` (policy, interface, protocol, family); of denied packets also `port`
    (protocol, port), `source` (source,) and `flow` (source, protocol, port)."""

    def counter(self, name: str, *labels: str) -> int:
        """One counter's value; 0 when it never counted."""
        return self.counters.get((name, labels), 0)
