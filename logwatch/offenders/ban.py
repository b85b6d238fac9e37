"""A ban and its evidence, as they are kept, listed and restored.

Times are Unix seconds. The JSON form is what the ledger keeps; unknown keys are ignored when it is
read, so that an older version can go on with a newer one's state.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import replace

Mode = Literal["observe", "propose", "enforce"]
"""In the order of what they do to an offender."""

BY_HAND = "by hand"
"""Stands in the place of the rule; no rule can be called so, for the blank in it."""

EXTENSION_STEP = 60
"""An extension is worth saving from a sixtieth of the ban on: a flood must not write each tick."""

Positive = Annotated[float, Meta(gt=0)]


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """What a source did within a rule's window."""

    packets: int
    ports: tuple[int, ...]
    """The latest distinct destination ports, sorted; at most 20."""
    first: float
    """Time of the first packet, to a sixtieth of the window; a quarter for distinct values."""
    last: float
    destinations: tuple[str, ...] = ()
    """The latest distinct destinations, sorted; at most 8."""
    shapes: tuple[str, ...] = ()
    """What it ever sent of what some rule counts: of `syn`, `fin` (alone), `null` (no flag), `xmas`
    (FIN PSH URG), `tcp` (none of these), `reply` (ACK or RST), `udp`, `icmp` and `other`."""
    samples: tuple[str, ...] = ()
    """Up to 5 of its lines as they were written, cut after 512 bytes; kept until the ban ends."""
    nodes: int = 0
    """How many nodes saw any of it; 0 where that is not known, as on a host alone."""

    @property
    def forgeable(self) -> tuple[str, ...]:
        """What of it anybody can send with the source of somebody else, in words."""
        return tuple(_FORGEABLE[shape] for shape in self.shapes if shape in _FORGEABLE)


_FORGEABLE = {
    "syn": "lone SYN",
    "fin": "lone FIN",
    "null": "TCP without flags",
    "xmas": "FIN PSH URG",
    "tcp": "TCP with other flags",
    "reply": "replies",
    "udp": "UDP",
    "icmp": "ICMP",
    "other": "protocols without a connection",
}


class Ban(msgspec.Struct, frozen=True, forbid_unknown_fields=False, omit_defaults=True):
    """A network that is to be denied until `expires`, or that was until it `ended`."""

    network: str
    """Canonical text: `/32` or `/64`."""
    rule: str
    reason: str
    """In words, for people."""
    evidence: Evidence
    since: float
    expires: float
    seconds: Positive
    """Length of this ban: `expires` never lies further in the future than this."""
    offence: Annotated[int, Meta(ge=1)]
    """1 for the first ban of this network, 2 for the next one after the first has ended, ..."""
    phase: Mode
    """The mode in which it was decided; only `enforce` may be written into a policy."""
    decided: float = 0.0
    """When a rule's ban was decided, by the wall clock: brakes go on from it after a restart.
    0 where no rule decided it."""
    ended: float | None = None
    """When it ended; an ended ban is kept for a while, to number the next offence."""
    ending: Literal["", "expired", "protected", "removed"] = ""
    """Why it ended; `protected` when its network came under the never-ban list; `removed` when a
    person undid it."""
    by: Literal["rule", "hand"] = "rule"
    """`hand` where a person banned it, or approved of what a rule proposed: rules neither extend
    nor replace it."""
    forced: bool = False
    """A person banned it in spite of the never-ban list."""
    announced: float = 0.0
    """The end that was told of it last, where it has been extended since; else 0."""

    @property
    def due(self) -> float:
        """When there is something to tell of it: that it ended, or that it goes on."""
        return min(self.announced or self.expires, self.expires)

    def does_more_than(self, mode: Mode) -> bool:
        """Whether it was decided in a mode that does more than this one."""
        return self.phase != mode and self.is_at_least(mode)

    def is_at_least(self, mode: Mode) -> bool:
        """Whether it was decided in this mode, or in one that does more."""
        modes = get_args(Mode)
        return modes.index(self.phase) >= modes.index(mode)

    @property
    def rests_until(self) -> float:
        """Until then nothing of its source counts: no extension would be worth saving."""
        return self.expires - self.seconds * (1 - 1 / EXTENSION_STEP)

    def shifted(self, seconds: float) -> "Ban":
        """Move all its times: the clock was set by so much."""
        evidence = replace(
            self.evidence,
            first=self.evidence.first + seconds,
            last=self.evidence.last + seconds,
        )
        return replace(
            self,
            evidence=evidence,
            since=self.since + seconds,
            expires=self.expires + seconds,
            decided=self.decided and self.decided + seconds,
            announced=self.announced and self.announced + seconds,
            ended=None if self.ended is None else self.ended + seconds,
        )

    def to_json(self) -> bytes:
        """Encode for the ledger."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> "Ban":
        """Decode what `to_json` made. Raises `msgspec.DecodeError`, also for a wrong shape."""
        return msgspec.json.decode(data, type=cls)
