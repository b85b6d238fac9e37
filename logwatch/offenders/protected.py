"""What is never banned: who can't be an offender, the host, the operator's list, the cluster.

Judges the network that would be banned, after a source became its /32 or /64: sharing one address
with something protected, in either direction, suffices.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from logwatch.blacklist import Network, parse_network, unmapped
from logwatch.offenders.addresses import own_addresses
from logwatch.offenders.ranges import Ranges, bounds

Kind = Literal[
    "loopback",
    "link-local",
    "multicast",
    "unspecified",
    "broadcast",
    "nat64",
    "translated address",
    "resolver",
    "operator",
    "node",
    "pod network",
    "service",
    "load balancer",
    "api server",
    "host endpoint",
]


@dataclass(frozen=True, slots=True)
class Protection:
    """Why a network is never banned: the kind for metrics, the text for people."""

    kind: Kind
    """`translated address` for an address of this host: as the source of a packet from outside it
    stands for whoever the host translated (SNAT). The operator's list is `operator`. From `node` on
    they are a cluster's; the rest are ranges of RFCs."""
    text: str


Places = tuple[int, Iterable[tuple[Network, Kind, str]]]
"""A revision, which changes with the places, and the networks with what each is, for people."""

NO_PLACES: Places = (0, ())


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
    _fixed("nat64", "64:ff9b::/96", "all of IPv4 behind a NAT64 (RFC 6052)"),
)


class Protected:
    """The never-ban list.

    `own` and `resolvers` are asked for the host's addresses and its name servers, at once and at
    each `refresh`; what they raise comes through, and the addresses known before stay protected.
    `cluster` is asked then as well, and at each `refresh_cluster`.
    """

    def __init__(
        self,
        never_ban: Iterable[Network] = (),
        own: Callable[[], Iterable[Network]] = own_addresses,
        resolvers: Callable[[], Iterable[Network]] = tuple,
        cluster: Callable[[], Places] = lambda: NO_PLACES,
    ) -> None:
        self._operators = [_operators(unmapped(network)) for network in never_ban]
        self._ask, self._ask_resolvers = own, resolvers
        self._found: tuple[frozenset[Network], frozenset[Network]] = (frozenset(), frozenset())
        """The host's addresses, and its resolvers."""
        self._ranges = [_range(*each) for each in (*_FIXED, *self._operators)]
        self._ask_cluster = cluster
        self._places: Ranges[tuple[Kind, str]] = Ranges(())
        self._places_revision = 0
        self.revision = 0
        """Grows whenever the list changes."""
        self.refresh()

    def refresh(self) -> None:
        """Read the host's addresses and resolvers again, and what is the cluster's."""
        self.refresh_cluster()
        own = frozenset(unmapped(network) for network in self._ask())
        resolvers = frozenset(unmapped(network) for network in self._ask_resolvers())
        if (own, resolvers) != self._found:
            self._found = own, resolvers
            found = (*map(_translated, own), *map(_resolver, resolvers))
            listed = (*_FIXED, *found, *self._operators)
            self._ranges = [_range(*each) for each in listed]
            self.revision += 1

    def refresh_cluster(self) -> None:
        """Take over what is the cluster's now; costs nothing while that is the same."""
        revision, places = self._ask_cluster()
        if revision != self._places_revision:
            self._places = Ranges((unmapped(each), (kind, text)) for each, kind, text in places)
            self._places_revision = revision
            self.revision += 1

    def reason(self, network: Network) -> Protection | None:
        """Tell why a network is never banned; None when it may be."""
        network = unmapped(network)
        version, first, last = bounds(network)
        for other, begin, end, protection in self._ranges:
            if begin <= last and first <= end and other == version:
                return protection
        found = self._places.find(network)
        if found is None:
            return None
        place, (kind, text) = found
        return Protection(kind, f"{_text(place)} is {text}")


def _range(network: Network, protection: Protection) -> tuple[int, int, int, Protection]:
    return (*bounds(network), protection)


def _operators(network: Network) -> tuple[Network, Protection]:
    return network, Protection("operator", f"{_text(network)} is on the never-ban list")


def _translated(network: Network) -> tuple[Network, Protection]:
    return network, Protection(
        "translated address",
        f"{_text(network)} is an address of this host. Packets from it are somebody else's whose"
        " source was translated on the way: `externalTrafficPolicy: Local` in the Service keeps"
        " the sender's address",
    )


def _resolver(network: Network) -> tuple[Network, Protection]:
    text = f"{_text(network)} is a name server of this host (/etc/resolv.conf)"
    return network, Protection("resolver", text)


def _text(network: Network) -> str:
    """Write a network that is one address without its length."""
    is_address = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_address else str(network)
