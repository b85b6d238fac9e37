"""What one line says: the common result of the fast path and of the grammar.

Both readers return this type, so that a test compares them by `==` and a person sees them side by
side. Fields that were cut or never written are None, never guessed. A door of its own: dataclasses
take 10 ms to import, and who counts many lines needs `Scanner` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from logwatch import _core

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


def read_line(line: bytes, prefixes: Sequence[str]) -> Reading:
    """Read one line (without its line feed) as the scanner does.

    Raises ValueError for prefixes that can't be used, as `Scanner` does.
    """
    kind, count, prefix, stamp, names, packet = _core.read_line(line, list(prefixes))
    tier, policy_kind, policy, namespace = names
    reading = Reading(cast("Kind", kind), count, prefix, stamp, *(packet or ()))
    return replace(reading, tier=tier, policy_kind=policy_kind, policy=policy, namespace=namespace)
