"""The answer to why a network is banned, or why it is not."""

from dataclasses import dataclass
from typing import Literal

from logwatch.offenders.ban import Ban
from logwatch.offenders.refusal import RefusalReason


@dataclass(frozen=True, slots=True)
class Near:
    """How far a source is from one rule now."""

    rule: str
    measure: str
    reached: int
    """Of the rule's measure within its window, of the packets that fulfil its condition."""
    threshold: int
    within: int
    """Seconds."""

    @property
    def missing(self) -> int:
        """What is missing to an offence; 0 when it is one."""
        return max(0, self.threshold - self.reached)


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing that would keep a new ban from being decided, or from being written."""

    reason: RefusalReason | Literal["banned", "mode"]
    """As in metrics; `banned`, it is already; `mode`, a ban would be shown or proposed only."""
    text: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Why:
    """All that is known of one network. Empty `stops` mean that the next offence bans it."""

    network: str
    """What would be banned: the /32 or /64 of an address, or the network as it was asked for."""
    ban: Ban | None
    """The ban that denies it now, of itself or of a network around it."""
    ended: Ban | None
    """The last one of itself that ended, while it is remembered and it has no other."""
    is_waiting: bool
    """It offends, and a brake holds its ban back."""
    near: tuple[Near, ...]
    """In the order of the rules; empty when nothing that counts was seen of it lately, and for a
    network of several sources."""
    ports: tuple[int, ...]
    """The latest that it tried, sorted, as far as they are known: of all that rules look back, or
    of what led to the ban; at most 20."""
    is_of_several: bool
    """It holds several sources, each of which is judged by itself."""
    stops: tuple[Stop, ...]
    next_offence: int
    """The number that its next ban would have, once this one has ended by itself."""
