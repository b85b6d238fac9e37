"""What is never banned: addresses that can't be offenders, the host's own, the operator's list.

Judges the network that would be banned, after a source became its /32 or /64: sharing one address
with something protected, in either direction, suffices.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from logwatch.blacklist import Network, overlap, parse_network, unmapped
from logwatch.offenders.addresses import own_addresses

Kind = Literal[
    "loopback",
    "link-local",
    "multicast",
    "unspecified",
    "broadcast",
    "translated",
    "own",
    "operator",
]


@dataclass(frozen=True, slots=True)
class Protection:
    """Why a network is never banned: the kind for metrics, the text for people."""

    kind: Kind
    text: str


def _fixed(kind: Kind, network: str, source: str) -> tuple[Network, Protection]:
    return parse_network(network), Protection(kind, f"{network} is {source}")


_FIXED = (
    _fixed("unspecified", "0.0.0.0/8", "the unspecified address (RFC 1122)"),
    _fixed("loopback", "127.0.0.0/8", "loopback (RFC 1122)"),
    _fixed("link-local", "169.254.0.0/16", "link-local (RFC 3927), also cloud metadata"),
    _fixed("multicast", "224.0.0.0/4", "multicast (RFC 5771)"),
    _fixed("broadcast", "255.255.255.255/32", "the broadcast address (RFC 919)"),
    _fixed("loopback", "::1/128", "loopback (RFC 4291)"),
    _fixed("unspecified", "::/128", "the unspecified address (RFC 4291)"),
    _fixed("link-local", "fe80::/10", "link-local (RFC 4291)"),
    _fixed("multicast", "ff00::/8", "multicast (RFC 4291)"),
    _fixed("translated", "64:ff9b::/96", "all of IPv4 behind a NAT64 (RFC 6052)"),
)


class Protected:
    """The never-ban list.

    `own` is asked for the host's addresses at once and at each `refresh`; what it raises comes
    through, and the addresses known before stay protected.
    """

    def __init__(
        self,
        never_ban: Iterable[Network] = (),
        own: Callable[[], Iterable[Network]] = own_addresses,
    ) -> None:
        self._operator = tuple(unmapped(network) for network in never_ban)
        self._ask = own
        self._own: frozenset[Network] = frozenset()
        self.revision = 0
        """Grows whenever the list changes."""
        self.refresh()

    def refresh(self) -> None:
        """Read the host's addresses again."""
        own = frozenset(unmapped(network) for network in self._ask())
        if own != self._own:
            self._own = own
            self.revision += 1

    def reason(self, network: Network) -> Protection | None:
        """Tell why a network is never banned; None when it may be."""
        network = unmapped(network)
        for fixed, protection in _FIXED:
            if overlap(network, fixed):
                return protection
        for own in self._own:
            if overlap(network, own):
                return Protection("own", f"{_text(own)} is an address of this host")
        for listed in self._operator:
            if overlap(network, listed):
                return Protection("operator", f"{_text(listed)} is on the never-ban list")
        return None


def _text(network: Network) -> str:
    """Write a network that is one address without its length."""
    is_address = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_address else str(network)
