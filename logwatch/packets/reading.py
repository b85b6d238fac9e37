"""What one line says: the common result of the fast path and of the grammar.

Both readers return this type, so that a test compares them by `==` and a person sees them side by
side. Fields that were cut or never written are None, never guessed.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["packet", "repeated", "odd", "forged", "other"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One line, read.

    `kind` tells what the line is: `packet`; `repeated`, a packet in rsyslog's "message repeated N
    times" wrapper; `odd`, the prefix is in place but no source and destination could be read;
    `forged`, the prefix stands where the kernel never puts it; `other`, anything else.
    """

    kind: Kind
    count: int = 0
    """Packets that this line adds: 1, the wrapper's N, or 0."""
    prefix: int | None = None
    """Index of the configured prefix; None unless it is in place."""
    stamp: bytes | None = None
    """The header's time as written; None without a valid header."""
    interface: bytes | None = None
    """Value of IN=, empty for a packet that left this host; at most 15 bytes of any kind."""
    out_interface: bytes | None = None
    source: str | None = None
    """Canonical text (RFC 5952 for IPv6), like `destination`."""
    destination: str | None = None
    length: int | None = None
    """LEN of the outer IP header, in bytes."""
    protocol: str | None = None
    """IANA keyword in lower case, else the number as text."""
    source_port: int | None = None
    port: int | None = None
    """Destination port."""
    flags: tuple[str, ...] | None = None
    """TCP flags in the kernel's order, lower case; None when not TCP or when they may be cut."""
    icmp_type: int | None = None
    icmp_code: int | None = None
    tier: str | None = None
    """What %t of the prefix stands for; like the three below, as far as the kernel printed it."""
    policy_kind: str | None = None
    """%k: np, gnp, knp and so on."""
    policy: str | None = None
    """%n, or the name in %p."""
    namespace: str | None = None
    """Of %p; None for cluster-wide policies."""


class PolicyRow(NamedTuple):
    """A policy that packets were counted for (`Summary.policies`).

    Names are as far as the kernel printed them, None where the prefix does not ask for them.
    """

    prefix: int
    """Index of the configured prefix."""
    tier: str | None
    kind: str | None
    policy: str | None
    namespace: str | None

    @property
    def name(self) -> str | None:
        """`namespace/policy`, or what there is of the two."""
        return "/".join(filter(None, (self.namespace, self.policy))) or None


class Row(NamedTuple):
    """What was counted for one flow of one class since the last drain.

    The scanner makes plain tuples of this shape (`Summary.rows`).
    """

    source: str
    """Canonical address; empty for what found no room in the scanner's table."""
    port: int | None
    protocol: str
    """As `Reading.protocol`; "none" where the line has none."""
    policy: int
    """Index into `Summary.policies`."""
    family: int
    """4 or 6."""
    shape: str
    """TCP only: `syn` (SYN without ACK), `reply` (ACK or RST), else `other`; empty for the rest."""
    interface: str
    """Value of IN=; where it is not UTF-8, its bytes are escaped."""
    forwarded: bool
    """Whether OUT= was not empty: on its way through this host, not to it."""
    packets: int
    bytes: int
    first: int
    """Unix seconds of the earliest line's stamp; 0 when unknown."""
    last: int


class LinkRow(NamedTuple):
    """What was counted over one interface since the last drain (`Summary.links`).

    The sums over links and over rows are the same.
    """

    policy: int
    """Index into `Summary.policies`."""
    interface: str
    """Of the input, empty for local packets; where it is not UTF-8, its bytes are escaped."""
    protocol: str
    family: int
    packets: int
    bytes: int
