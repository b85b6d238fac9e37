"""Networks as Calico takes them: masked, in canonical text, disjoint, sorted, never too wide.

One net with host bits set makes Felix drop the whole policy, a duplicate is refused by the API, and
`0.0.0.0/0` denies everyone: so whatever is written passes through here first.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from logwatch.errors import LogwatchError

Network = IPv4Network | IPv6Network

FLOOR = {4: 24, 6: 48}
"""The widest network that is ever denied: one provider's customer, never a provider."""

_WIDTH = {4: 32, 6: 64}
"""An IPv6 host chooses its lower 64 bits freely (RFC 4862), so the /64 stands for the source."""

_MAPPED = IPv6Network("::ffff:0:0/96")


class NetworkError(LogwatchError):
    """A text that names no network, or none that may be denied."""


def network_of(address: str) -> Network:
    """Return what stands for a source: `/32` of an IPv4 address, `/64` of an IPv6 address.

    An IPv4-mapped IPv6 address is the IPv4 address it holds (RFC 4291, 2.5.5.2). An address with a
    zone (`fe80::1%eth0`) is refused, since the zone means nothing outside its host.
    """
    try:
        parsed = ip_address(_without_zone(address))
    except ValueError:
        raise NetworkError(f"{address!r} is not an IP address, such as 203.0.113.7") from None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return ip_network((parsed, _WIDTH[parsed.version]), strict=False)


def _without_zone(text: str) -> str:
    if "%" in text:
        raise ValueError
    return text


_REMEMBERED = 8192
"""Networks, some 4 MiB: four times what a policy takes. Each is read several times in a write, and
reading one takes 9 microseconds."""


@lru_cache(_REMEMBERED)
def parse_network(text: str) -> Network:
    """Read a network or address, mask its host bits, and turn IPv4-mapped IPv6 into IPv4.

    A bare address is that one address (`/32`, `/128`). A zone is refused; for its width nothing is.
    """
    try:
        network = ip_network(_without_zone(text), strict=False)
    except ValueError:
        raise NetworkError(f"{text!r} is not a network, such as 203.0.113.0/24") from None
    return unmapped(network)


def parse_exact(text: str) -> Network:
    """Read a network or address as `parse_network` does, but refuse bits behind its prefix.

    Who wrote them meant the address or the network: nobody knows which.
    """
    network = parse_network(text)
    address, slash, _ = text.partition("/")
    if slash and parse_network(address).network_address != network.network_address:
        raise NetworkError(
            f"{text!r} has bits set behind its prefix length: the network is {network}, the address"
            f" alone {parse_network(address)}"
        )
    return network


def unmapped(network: Network) -> Network:
    """Turn an IPv4-mapped IPv6 network into the IPv4 network it stands for."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        low = int(network.network_address) & 0xFFFF_FFFF
        return IPv4Network((low, network.prefixlen - 96))
    return network


def is_too_wide(network: Network) -> bool:
    """Whether a network is wider than the floor (`/24`, `/48`) and so may never be denied."""
    return network.prefixlen < FLOOR[network.version]


def overlap(one: Network, other: Network) -> bool:
    """Whether two networks share an address; networks of different families never do."""
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def collapse(networks: Iterable[Network]) -> tuple[Network, ...]:
    """Sort (IPv4 first, by address) and drop duplicates and whatever lies inside another one.

    Neighbours are not merged: each network has its own evidence and its own end.
    """
    kept: list[Network] = []
    for network in sorted(set(networks), key=_order):
        if not kept or not overlap(kept[-1], network):
            kept.append(network)
    return tuple(kept)


def _order(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


class Cover:
    """Answers whether a set of networks holds another network as a whole.

    A look-up costs one set access per prefix length in use, however many networks there are.
    """

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = frozenset(networks)
        self._lengths = sorted({(each.version, each.prefixlen) for each in self._networks})

    def holds(self, network: Network) -> bool:
        """Whether some one network of the set holds every address of `network`."""
        return network in self._networks or any(
            network.supernet(new_prefix=length) in self._networks
            for version, length in self._lengths
            if version == network.version and length <= network.prefixlen
        )
