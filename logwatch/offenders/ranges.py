"""Tens of thousands of networks, searched in logarithmic time: a flood asks for each source.

Two networks are disjoint, or one holds the other: so each has at most one smallest network around
it. The last one that begins at or before the end of what is asked for, or one of those around it,
shares an address with that, if any does:

1. One that begins later lies behind it.
2. One that begins earlier, and reaches as far as what is asked for, holds the last one too, or ends
   before the last one begins.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

from logwatch.blacklist import Network

Owner = TypeVar("Owner")

NONE = -1


class Ranges(Generic[Owner]):
    """Finds who owns a network that shares an address with another one."""

    def __init__(self, owned: Iterable[tuple[Network, Owner]]) -> None:
        """Of equal networks, one counts: the last."""
        ranges: dict[int, dict[tuple[int, int], tuple[Network, Owner]]] = {4: {}, 6: {}}
        for network, owner in owned:
            _, first, last = bounds(network)
            ranges[network.version][first, -last] = (network, owner)
        self._families = {version: _Family(found) for version, found in ranges.items()}

    def find(self, network: Network) -> tuple[Network, Owner] | None:
        """Give the smallest network with its owner that reaches into this one, or holds it."""
        version, first, last = bounds(network)
        return self._families[version].find(first, last)


class _Family(Generic[Owner]):
    def __init__(self, ranges: dict[tuple[int, int], tuple[Network, Owner]]) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._around: list[int] = []
        self._owned: list[tuple[Network, Owner]] = []
        around = NONE
        for place, (begin, negative) in enumerate(sorted(ranges)):
            while around != NONE and self._ends[around] < begin:
                around = self._around[around]
            self._begins.append(begin)
            self._ends.append(-negative)
            self._around.append(around)
            self._owned.append(ranges[begin, negative])
            around = place

    def find(self, first: int, last: int) -> tuple[Network, Owner] | None:
        place = bisect_right(self._begins, last) - 1
        while place != NONE and self._ends[place] < first:
            place = self._around[place]
        return None if place == NONE else self._owned[place]


def bounds(network: Network) -> tuple[int, int, int]:
    """Family, first and last address as numbers, which compare fast."""
    first = int(network.network_address)
    return network.version, first, first | int(network.hostmask)
