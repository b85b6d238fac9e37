"""Made-up conditions and rules, and a small universe of packets in which they are told apart."""

from functools import cache
from ipaddress import ip_address, ip_network
from itertools import product

from hypothesis import strategies as st

from logwatch.offenders.language import (
    All,
    Any,
    Condition,
    DestinationIn,
    FamilyIn,
    InterfaceIn,
    Not,
    Packet,
    PolicyIn,
    PortIn,
    ProtocolIn,
    Reply,
    Rule,
    SourceIn,
    SynOnly,
    TierIn,
)

PROTOCOLS = ["tcp", "udp", "icmp", "gre"]
PORTS = [0, 1, 2, 3]
NETWORKS = [
    ip_network(text)
    for text in (
        "192.0.2.0/24",
        "192.0.2.0/25",
        "192.0.2.7/32",
        "2001:db8::/32",
        "::/0",
        "0.0.0.0/0",
    )
]
ADDRESSES = [
    ip_address(text)
    for text in (
        "192.0.2.7",
        "192.0.2.8",
        "192.0.2.128",
        "198.51.100.1",
        "2001:db8::1",
        "2001:db9::1",
    )
]
NAMES = ["a", "b"]

ports = st.sampled_from(PORTS)
ranges = st.tuples(ports, ports).map(lambda each: (min(each), max(each)))


def some(values: list) -> st.SearchStrategy[tuple]:
    return st.lists(st.sampled_from(values), max_size=3).map(tuple)


flags = st.sampled_from([SynOnly(), Reply()])
small_leaves = st.one_of(
    flags,
    some(PROTOCOLS).map(ProtocolIn),
    st.lists(ranges, max_size=2).map(lambda each: PortIn(tuple(each))),
    some(NETWORKS).map(SourceIn),
    some(NETWORKS).map(DestinationIn),
    some(NAMES).map(InterfaceIn),
    some(NAMES).map(PolicyIn),
    some(NAMES).map(TierIn),
    some([4, 6]).map(FamilyIn),
)


def trees(leaf: st.SearchStrategy[Condition], most: int) -> st.SearchStrategy[Condition]:
    def joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(parts.map(All), parts.map(Any), inner.map(Not))

    return st.recursive(leaf, joined, max_leaves=most)


small_conditions = trees(small_leaves, 5)
"""Those that `universe` tells apart."""

any_ports = st.integers(0, 65_535)
any_ranges = st.tuples(any_ports, any_ports).map(lambda each: (min(each), max(each)))
any_networks = st.one_of(
    st.ip_addresses(v=4).flatmap(
        lambda each: st.integers(0, 32).map(lambda bits: ip_network((each, bits), strict=False))
    ),
    st.ip_addresses(v=6).flatmap(
        lambda each: st.integers(97, 128).map(lambda bits: ip_network((each, bits), strict=False))
    ),
).filter(lambda each: each.version == 4 or each.network_address.ipv4_mapped is None)
texts = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"'), max_size=15)
any_leaves = st.one_of(
    flags,
    some([*PROTOCOLS, "none", "isis over ipv4", "a/n", "255"]).map(ProtocolIn),
    st.lists(any_ranges, max_size=3).map(lambda each: PortIn(tuple(each))),
    st.lists(any_networks, max_size=3).map(lambda each: SourceIn(tuple(each))),
    st.lists(any_networks, max_size=3).map(lambda each: DestinationIn(tuple(each))),
    st.lists(texts, max_size=3).map(lambda each: InterfaceIn(tuple(each))),
    st.lists(texts, max_size=3).map(lambda each: PolicyIn(tuple(each))),
    st.lists(texts, max_size=3).map(lambda each: TierIn(tuple(each))),
    some([4, 6]).map(FamilyIn),
)
any_conditions = trees(any_leaves, 8)

CLAUSES = {"rule", "when", "where", "ban", "even"}
names = st.from_regex(r"[A-Za-z0-9-]{1,63}", fullmatch=True).filter(
    lambda each: each not in CLAUSES
)


@st.composite
def rules(draw: st.DrawFn, condition: st.SearchStrategy[Condition] = any_conditions) -> Rule:
    """A rule; whether it makes sense is another matter."""
    ban = draw(st.integers(1, 366 * 86_400))
    return Rule(
        name=draw(names),
        measure=draw(st.sampled_from(["packets", "bytes", "ports", "destinations", "nodes"])),
        threshold=draw(st.integers(1, 1_000_000_000)),
        within=draw(st.integers(1, 7 * 86_400)),
        condition=draw(st.none() | condition),
        ban=ban,
        up_to=draw(st.none() | st.integers(ban, 366 * 86_400)),
        even_if_forged=draw(st.booleans()),
    )


@cache
def universe() -> tuple[Packet, ...]:
    """Every kind of packet that a small condition can tell from others."""
    kinds = [
        ("tcp", shape, port) for shape in ("syn", "reply", "other") for port in [None, *PORTS, 4]
    ]
    kinds += [(name, "", port) for name in ("udp", "udplite") for port in [None, *PORTS, 4]]
    kinds += [("icmp", "", None), ("gre", "", None), ("none", "", None)]
    pairs = [
        (one, other) for one, other in product(ADDRESSES, ADDRESSES) if one.version == other.version
    ]
    return tuple(
        Packet(protocol, shape, port, source, destination, interface, policy, tier)
        for (protocol, shape, port), (source, destination) in product(kinds, pairs)
        for interface, policy, tier in product(["a", "b", "c"], ["a", "b", None], ["a", "b", None])
    )


def restricted(condition: Condition) -> tuple[Packet, ...]:
    """The universe, without packets that differ only in what the condition does not ask for."""
    fields = ("source", "destination", "interface", "policy", "tier")
    ignored = [name for name in fields if f"{name.capitalize()}In" not in repr(condition)]
    unlike: dict[object, Packet] = {}
    for packet in universe():
        asked = [getattr(packet, name) for name in fields if name not in ignored]
        key = (packet.family, packet.protocol, packet.shape, packet.port, *asked)
        unlike.setdefault(key, packet)
    return tuple(unlike.values())
