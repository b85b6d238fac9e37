"""Networks as pairs of numbers: what is compared and sorted tens of thousands at a time."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import NamedTuple

from logwatch.blacklist.networks import FLOOR, Network, parse_network

_FAMILY = 128
"""Bits of an address; the family stands above them, so that IPv4 comes first."""


_HALF = (1 << 64) - 1
"""The part of an IPv6 address that a host chooses."""

_WIDEST = {version: 1 << (width - FLOOR[version]) for version, width in ((4, 32), (6, 128))}


class Span(NamedTuple):
    """A network's first and last address, and its canonical text."""

    first: int
    last: int
    text: str

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.first >> _FAMILY

    @property
    def is_wider_than_floor(self) -> bool:
        """Whether it may never be denied."""
        return self.last - self.first >= _WIDEST[self.version]

    @classmethod
    def of(cls, network: Network) -> "Span":
        """Take it from a network."""
        first = network.version << _FAMILY | int(network.network_address)
        return cls(first, first + network.num_addresses - 1, str(network))

    @classmethod
    def read(cls, text: str) -> "Span":
        """Read a text: the usual ones (/32, /64) in an eighth of the time that `ipaddress` takes.

        Raises `NetworkError`.
        """
        address, _, length = text.partition("/")
        try:
            if length == "32":
                first = 4 << _FAMILY | int.from_bytes(inet_pton(AF_INET, address))
                return cls(first, first, text)
            if length == "64" and "." not in address:
                packed = inet_pton(AF_INET6, address)
                first = 6 << _FAMILY | int.from_bytes(packed)
                if not first & _HALF and inet_ntop(AF_INET6, packed) == address:
                    return cls(first, first | _HALF, text)
        except (OSError, ValueError):  # another way to write it, or no network at all
            pass
        return cls.of(parse_network(text))


class Spans:
    """Reads texts as networks, and remembers those that it was asked for last."""

    def __init__(self) -> None:
        self._known: dict[str, Span] = {}
        self._canonical: set[str] = set()

    def of(self, texts: Sequence[str]) -> list[Span]:
        """Read texts; all others are forgotten.

        Raises `NetworkError` for the first that is no network, and `TooWideError` for the first
        that is wider than the floor.
        """
        known = self._known
        fresh = {text: Span.read(text) for text in texts if text not in known}
        for span in fresh.values():
            if span.is_wider_than_floor:
                raise TooWideError(span)
        known.update(fresh)
        self._canonical.update(text for text, span in fresh.items() if span.text == text)
        spans = [known[text] for text in texts]
        if len(known) > len(texts):
            for text in known.keys() - frozenset(texts):
                del known[text]
                self._canonical.discard(text)
        return spans

    def are_canonical(self, texts: frozenset[str]) -> bool:
        """Whether all texts are known as canonical ones of those that were asked for last."""
        return texts <= self._canonical

    def read(self, text: str) -> Span:
        """Read one text, known or not. Raises `NetworkError`."""
        return self._known.get(text) or Span.read(text)


class TooWideError(Exception):
    """A network that may never be denied."""

    def __init__(self, span: Span) -> None:
        super().__init__(span.text)
        self.span = span


def disjoint(spans: Iterable[Span]) -> list[Span]:
    """Sort and drop whatever lies inside another one; neighbours are not merged."""
    kept: list[Span] = []
    last = -1
    for span in sorted(spans):
        if span.first > last:
            kept.append(span)
        elif span.last > last:  # as the one before, and wider
            kept[-1] = span
        else:
            continue
        last = span.last
    return kept


def outside(spans: Sequence[Span], holders: Iterable[Span]) -> list[Span]:
    """Leave out the spans that lie inside one of the holders."""
    holding = disjoint(holders)
    if not holding:
        return list(spans)
    starts = [holder.first for holder in holding]
    return [
        span
        for span in spans
        if (place := bisect_right(starts, span.first)) == 0 or holding[place - 1].last < span.last
    ]
