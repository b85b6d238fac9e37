"""Packets of each minute of the last hour, and of all time, by source and port.

Memory is bounded: what finds no room in a table is counted without its source.
"""

from collections import OrderedDict
from typing import NamedTuple

from logwatch.packets import Scanner, SourceSketch, Summary

MINUTES = 60
SKETCHED = 5
"""Minutes whose distinct sources are estimated."""

MINUTE_MEMORY = 1 << 20
"""Bytes for one minute: 12,288 flows of IPv4."""

TOTAL_MEMORY = 64 << 20
"""Bytes for everything: 786,432 flows of IPv4."""

SHOWN = 1000
"""Sources and ports of each minute that have a trend: those with most packets in it."""

Where = tuple[str | None, int | None]
"""Protocol and port."""


class Minute(NamedTuple):
    """The packets of the busiest in one minute."""

    sources: dict[str, int]
    ports: dict[Where, int]


class Minutes:
    """Adds up what scanners counted."""

    def __init__(self, prefixes: list[str]) -> None:
        self._prefixes = prefixes
        self._counts: OrderedDict[int, Summary] = OrderedDict()
        self._known: dict[int, Minute] = {}
        """Of minutes to which nothing was added since."""
        self._sketches: dict[int, SourceSketch] = {}
        self.total = self._empty(TOTAL_MEMORY)

    def _empty(self, memory: int) -> Summary:
        return Scanner(self._prefixes, memory=memory, destinations=False).drain()

    def add(self, summary: Summary, at: float, now: float) -> None:
        """Count what came at a time."""
        self.total.merge(summary)
        minute = int(at // 60)
        self._forget(now)
        if minute <= int(now // 60) - MINUTES:
            return
        if minute not in self._counts:
            self._counts[minute] = self._empty(MINUTE_MEMORY)
            self._sketches[minute] = SourceSketch()
        self._counts[minute].merge(summary)
        self._sketches[minute].see(summary)
        self._known.pop(minute, None)

    def _forget(self, now: float) -> None:
        oldest = int(now // 60) - MINUTES
        for minute in [each for each in self._counts if each <= oldest]:
            for kept in (self._counts, self._sketches, self._known):
                kept.pop(minute, None)

    def hour(self, now: float) -> list[Minute]:
        """Give the last hour minute by minute, the latest last."""
        last = int(now // 60)
        return [self._minute(each) for each in range(last - MINUTES + 1, last + 1)]

    def _minute(self, number: int) -> Minute:
        if number not in self._counts:
            return Minute({}, {})
        if number not in self._known:
            summary = self._counts[number]
            self._known[number] = Minute(
                {source: packets for source, packets, *_ in summary.sources(SHOWN) if source},
                {(protocol, port): packets for port, protocol, packets, _ in summary.ports(SHOWN)},
            )
        return self._known[number]

    def distinct(self, now: float) -> int:
        """Estimate the distinct sources of the last five minutes."""
        whole = SourceSketch()
        for minute, sketch in self._sketches.items():
            if minute > int(now // 60) - SKETCHED:
                whole.merge(sketch)
        return whole.estimate()
