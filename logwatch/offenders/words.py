"""Evidence in words, for tables and terminals."""

from collections.abc import Sequence
from typing import Protocol


class Told(Protocol):
    """Evidence, or what a command was told of it."""

    @property
    def packets(self) -> int:
        """How many count for the rule."""

    @property
    def ports(self) -> Sequence[int]:
        """Sorted."""

    @property
    def destinations(self) -> Sequence[str]:
        """Addresses."""

    @property
    def shapes(self) -> Sequence[str]:
        """See `Evidence.shapes`."""


def sent_in_words(evidence: Told) -> str:
    """Say how many packets of which kinds went where: `20 packets of fin, to ..., ports 1-20`."""
    packets = f"{evidence.packets:,} packet{'' if evidence.packets == 1 else 's'}"
    parts = [f"{packets} of {' '.join(evidence.shapes)}"]
    if evidence.destinations:
        parts.append(f"to {' '.join(evidence.destinations)}")
    if evidence.ports:
        word = "port" if len(evidence.ports) == 1 else "ports"
        parts.append(f"{word} {_ranges(evidence.ports)}")
    return ", ".join(parts)


def _ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers, with those in a row as one range."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return " ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
