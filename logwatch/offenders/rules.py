"""A rule: how much, within how long, makes a source an offender, and for how long it is banned.

For now the two built-in kinds. A rule knows nothing of where evidence is kept or of what is done.
"""

from dataclasses import dataclass
from typing import Literal

Measure = Literal["packets", "ports"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Numbers must be positive; the configuration checks what people write."""

    name: str
    """Stands in metrics, bans and logs."""
    kind: Measure
    """What is counted per source: packets, or distinct destination ports."""
    threshold: int
    """The source is an offender as soon as it reaches this number."""
    within: float
    """Length of the sliding window, in seconds."""
    ban: float
    """Length of the ban, in seconds."""
    protocols: tuple[str, ...] = ("tcp",)
    """Other protocols don't count. The sources of UDP and ICMP are forged at no cost."""

    def __post_init__(self) -> None:
        if self.threshold < 1 or self.within <= 0 or self.ban <= 0:
            raise ValueError(f"threshold, within and ban of rule {self.name!r} must be positive")

    def describe(self, number: int) -> str:
        """Tell in words that a source reached `number`."""
        what = "packets" if self.kind == "packets" else "distinct ports"
        if number == 1:
            what = what.removesuffix("s")
        return f"{number} {what} within {self.within:g} s (rule {self.name}: {self.threshold})"
