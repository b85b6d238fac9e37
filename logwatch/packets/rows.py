"""The shapes of the plain tuples that `Summary` gives."""

from typing import NamedTuple


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
    """TCP only: `syn` (SYN without ACK), `reply` (ACK or RST), `fin` (FIN alone), `null` (no flag),
    `xmas` (FIN PSH URG), else `other`; empty for the rest."""
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
