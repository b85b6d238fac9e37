"""Conditions of a rule on one packet: a closed set, each with the plain meaning that tests use.

`matches` is written to be obviously right, not fast: an engine that judges packets in bulk is held
against it. Sets are put in order when a condition is made, so equal sets are equal conditions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
)
from typing import Final, Literal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Range = tuple[int, int]
"""First and last, both included."""
ADDRESSES: Final = {4: (0, (1 << 32) - 1), 6: (1 << 32, (1 << 32) + (1 << 128) - 1)}
"""All addresses on one line, IPv6 behind IPv4: each family's first and last."""

Shape = Literal["syn", "reply", "other", ""]


@dataclass(frozen=True, slots=True)
class Packet:
    """What conditions ask of a packet; the fields are those of `logwatch.packets.Row`."""

    protocol: str
    shape: Shape
    port: int | None
    source: Address
    destination: Address
    interface: str
    policy: str | None
    tier: str | None

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.source.version


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds (`and`)."""

    parts: "tuple[Condition, ...]"

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    def matches(self, packet: Packet) -> bool:
        return all(part.matches(packet) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds (`or`)."""

    parts: "tuple[Condition, ...]"

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    def matches(self, packet: Packet) -> bool:
        return any(part.matches(packet) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"

    def matches(self, packet: Packet) -> bool:
        return not self.part.matches(packet)


@dataclass(frozen=True, slots=True)
class ProtocolIn:
    """The protocol is one of these names, as `logwatch.packets` writes them."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _sorted(self.names))

    def matches(self, packet: Packet) -> bool:
        return packet.protocol in self.names


@dataclass(frozen=True, slots=True)
class PortIn:
    """There is a destination port, and it lies in one of the ranges."""

    ranges: tuple[Range, ...]
    edges: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """The first number of a range, the first behind it, those of the next range, and so on."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranges", merged(self.ranges))
        object.__setattr__(self, "edges", _edges(self.ranges))

    def matches(self, packet: Packet) -> bool:
        port = packet.port
        return port is not None and any(first <= port <= last for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class SourceIn:
    """The source lies in one of the networks."""

    networks: tuple[Network, ...]
    edges: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """As of `PortIn`, on the line of all addresses (`ADDRESSES`)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", _collapsed(self.networks))
        object.__setattr__(self, "edges", _edges(_span(each) for each in self.networks))

    def matches(self, packet: Packet) -> bool:
        return any(packet.source in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class DestinationIn:
    """The destination lies in one of the networks."""

    networks: tuple[Network, ...]
    edges: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """As of `PortIn`, on the line of all addresses (`ADDRESSES`)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", _collapsed(self.networks))
        object.__setattr__(self, "edges", _edges(_span(each) for each in self.networks))

    def matches(self, packet: Packet) -> bool:
        return any(packet.destination in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class InterfaceIn:
    """The packet came in over one of these interfaces."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _sorted(self.names))

    def matches(self, packet: Packet) -> bool:
        return packet.interface in self.names


@dataclass(frozen=True, slots=True)
class PolicyIn:
    """The policy that logged the packet is known, and is one of these."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _sorted(self.names))

    def matches(self, packet: Packet) -> bool:
        return packet.policy in self.names


@dataclass(frozen=True, slots=True)
class TierIn:
    """The policy's tier is known, and is one of these."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _sorted(self.names))

    def matches(self, packet: Packet) -> bool:
        return packet.tier in self.names


@dataclass(frozen=True, slots=True)
class FamilyIn:
    """The packet is of one of these families, 4 and 6."""

    families: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "families", tuple(sorted(set(self.families))))

    def matches(self, packet: Packet) -> bool:
        return packet.family in self.families


@dataclass(frozen=True, slots=True)
class SynOnly:
    """TCP with SYN and without ACK: the first packet of a connection, or of a scan."""

    def matches(self, packet: Packet) -> bool:
        return packet.shape == "syn"


@dataclass(frozen=True, slots=True)
class Reply:
    """TCP with ACK or RST: an answer, or what is left of a connection that is known no more."""

    def matches(self, packet: Packet) -> bool:
        return packet.shape == "reply"


Names = ProtocolIn | InterfaceIn | PolicyIn | TierIn
Leaf = Names | PortIn | SourceIn | DestinationIn | FamilyIn | SynOnly | Reply
Condition = All | Any | Not | Leaf


def leaves(condition: Condition) -> Iterable[Leaf]:
    """Each condition that holds no other one, from left to right."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield condition


def normal(condition: Condition) -> Condition:
    """Return an equivalent condition in a form that is the same for many ways to write it.

    `not` stands in front of leaves only, no `and` stands in an `and` nor an `or` in an `or`, parts
    are sorted, and none stands twice. Not every two equivalent conditions become equal: for that
    ask `possible.implies`.
    """
    return _normal(condition, negated=False)


def _normal(condition: Condition, *, negated: bool) -> Condition:
    match condition:
        case Not(part):
            return _normal(part, negated=not negated)
        case All(parts) | Any(parts):
            kind = All if isinstance(condition, All) != negated else Any
            found: dict[str, Condition] = {}
            for part in parts:
                inner = _normal(part, negated=negated)
                for each in inner.parts if isinstance(inner, kind) else (inner,):
                    found[repr(each)] = each
            ordered = tuple(found[key] for key in sorted(found))
            return ordered[0] if len(ordered) == 1 else kind(ordered)
        case _:
            return Not(condition) if negated else condition


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sort ranges, and join those that overlap or touch."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _collapsed(networks: Iterable[Network]) -> tuple[Network, ...]:
    listed = list(networks)
    return (
        *collapse_addresses(each for each in listed if isinstance(each, IPv4Network)),
        *collapse_addresses(each for each in listed if isinstance(each, IPv6Network)),
    )


def _edges(ranges: Iterable[Range]) -> tuple[int, ...]:
    return tuple(edge for first, last in ranges for edge in (first, last + 1))


def _span(network: Network) -> Range:
    start = ADDRESSES[network.version][0] + int(network.network_address)
    return start, start + network.num_addresses - 1


def _check_parts(parts: tuple[Condition, ...]) -> None:
    if len(parts) < 2:  # noqa: PLR2004 - one part is the part itself
        raise ValueError("a condition is joined from at least two parts")
