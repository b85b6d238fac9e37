"""A rule: what is measured, over how long, of which packets, and the ban that follows."""

from dataclasses import dataclass, field
from typing import Literal

from logwatch.offenders.language.conditions import All, Condition, Not, Packet, ProtocolIn, Reply

Measure = Literal["packets", "bytes", "ports", "destinations", "nodes"]
"""The last three count distinct ones."""

EVIDENCE = All((ProtocolIn(("tcp",)), Not(Reply())))
"""What counts unless a rule says `even if forged`: everything else is forged, or provoked, at no
cost (psad leaves out ACK and RST, fail2ban warns of UDP)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: line and column count from 1, the column in characters."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `logwatch.offenders.language.read` checks what people write."""

    name: str
    measure: Measure
    threshold: int
    """A source is an offender as soon as it reaches this number; bytes are those of `LEN=`."""
    within: int
    """Length of the sliding window, in seconds."""
    condition: Condition | None
    """As written; None where every packet may count."""
    ban: int
    """Length of the first ban, in seconds."""
    up_to: int | None = None
    """The ban doubles with each offence up to so many seconds; None: it is always the same."""
    even_if_forged: bool = False
    place: Place = field(default=Place("", 1, 1), compare=False)

    @property
    def counted(self) -> Condition | None:
        """What a packet has to fulfil to count: the condition, and `EVIDENCE` unless forged too."""
        if self.even_if_forged:
            return self.condition
        return EVIDENCE if self.condition is None else All((self.condition, EVIDENCE))

    def counts(self, packet: Packet) -> bool:
        """Whether a packet counts."""
        counted = self.counted
        return counted is None or counted.matches(packet)
