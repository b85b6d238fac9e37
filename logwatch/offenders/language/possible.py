"""Which packets a condition leaves possible: whether any, which kinds, how many ports.

A truth table with few rows. Of each dimension (port, kind, family, ...) the values that no
condition tells apart are one class, and one of them stands for all. One dimension after the other
is fixed to each of its classes, and the condition is simplified, until it is true or false. That
is exact. It is exponential in the number of dimensions, which is eight, and a budget bounds it.

Facts that it knows: only TCP has flags; only TCP, UDP and UDPLITE have ports; source and
destination are of one family.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from logwatch.offenders.language.conditions import (
    ADDRESSES,
    All,
    Any,
    Condition,
    DestinationIn,
    FamilyIn,
    InterfaceIn,
    Leaf,
    Not,
    PolicyIn,
    PortIn,
    ProtocolIn,
    Range,
    Reply,
    SourceIn,
    SynOnly,
    TierIn,
    leaves,
)
from logwatch.packets import protocol_name

Evidence = Literal["syn", "probe", "reply", "connectionless"]
"""Kinds of packets by what their source is worth: TCP with SYN alone, other TCP that is no reply,
replies, and all that is not TCP."""

Dimension = Literal[
    "port", "kind", "family", "source", "destination", "interface", "policy", "tier"
]
_Left = Condition | bool
"""What is left of a condition once some dimensions are fixed."""
_Kind = tuple[str, str]
"""Protocol and, of TCP, shape."""
_Value = int | str | _Kind | None
_Class = tuple[_Value, int]
"""A value that stands for its class, and how many values the class has."""

PORTS: Final = 65_536

_ORDER: Final[tuple[Dimension, ...]] = (
    "port",
    "kind",
    "family",
    "source",
    "destination",
    "interface",
    "policy",
    "tier",
)
_WITH_PORTS: Final = ("tcp", "udp", "udplite")
"""Of others the kernel prints no port (net/netfilter/nf_log_syslog.c)."""
_KINDS: Final[tuple[_Kind, ...]] = (
    *(("tcp", shape) for shape in ("syn", "other", "reply")),
    ("none", ""),
    *((protocol_name(number), "") for number in range(256) if protocol_name(number) != "tcp"),
)


@dataclass(frozen=True, slots=True)
class _World:
    """What is fixed already and restricts other dimensions."""

    has_port: bool | None = None
    family: int | None = None

    def after(self, dimension: Dimension, value: _Value) -> "_World":
        if dimension == "port" and value is not None:
            return replace(self, has_port=True)
        if dimension == "kind" and isinstance(value, tuple) and value[0] not in _WITH_PORTS:
            return replace(self, has_port=False)
        if dimension == "family" and isinstance(value, int):
            return replace(self, family=value)
        return self


class TooComplicatedError(Exception):
    """The budget is spent."""


@dataclass(slots=True)
class Budget:
    """Bounds the work: how many conditions may still be looked at, some microseconds each."""

    left: int

    def spend(self, amount: int = 1) -> None:
        """Raises `TooComplicatedError` when there is not so much left."""
        self.left -= amount
        if self.left < 0:
            raise TooComplicatedError


def possible(condition: Condition | None, budget: Budget) -> bool:
    """Whether some packet fulfils a condition."""
    return _any(condition or True, _ORDER, _World(), budget)


def implies(one: Condition | None, other: Condition | None, budget: Budget) -> bool:
    """Whether every packet that fulfils `one` fulfils `other`."""
    if other is None:
        return True
    negated = Not(other)
    return not possible(negated if one is None else All((one, negated)), budget)


def evidence(condition: Condition | None, budget: Budget) -> frozenset[Evidence]:
    """Of what worth packets that fulfil a condition can be."""
    return frozenset(
        _worth(kind)
        for kind, _ in _possible_classes("kind", condition or True, _World(), budget)
        if isinstance(kind, tuple)
    )


def count_ports(condition: Condition | None, budget: Budget) -> int:
    """How many distinct ports packets that fulfil a condition can have."""
    found = _possible_classes("port", condition or True, _World(), budget)
    return sum(size for port, size in found if port is not None)


def count_destinations(condition: Condition | None, budget: Budget) -> int:
    """How many distinct destinations packets that fulfil a condition can have."""
    total = 0
    for family in ADDRESSES:
        fixed = _fixed(condition or True, "family", family, budget)
        found = _possible_classes("destination", fixed, _World(family=family), budget)
        total += sum(size for _, size in found)
    return total


def _possible_classes(
    dimension: Dimension, condition: _Left, world: _World, budget: Budget
) -> list[_Class]:
    """The classes of a dimension with which some packet fulfils a condition."""
    is_fixed = {dimension, "family"} if world.family else {dimension}
    rest = tuple(each for each in _ORDER if each not in is_fixed)
    return [
        (value, size)
        for value, size in _classes(dimension, condition, world, budget)
        if _any(
            _fixed(condition, dimension, value, budget),
            rest,
            world.after(dimension, value),
            budget,
        )
    ]


def _any(condition: _Left, order: Sequence[Dimension], world: _World, budget: Budget) -> bool:
    if isinstance(condition, bool):
        return condition
    dimension, *rest = order
    return any(
        _any(
            _fixed(condition, dimension, value, budget), rest, world.after(dimension, value), budget
        )
        for value, _ in _classes(dimension, condition, world, budget)
    )


def _fixed(condition: _Left, dimension: Dimension, value: _Value, budget: Budget) -> _Left:
    """Simplify a condition by what it says of one dimension."""
    budget.spend()
    match condition:
        case bool():
            return condition
        case Not(part):
            inner = _fixed(part, dimension, value, budget)
            return not inner if isinstance(inner, bool) else Not(inner)
        case All(parts) | Any(parts):
            decisive = isinstance(condition, Any)
            left: list[Condition] = []
            for part in parts:
                inner = _fixed(part, dimension, value, budget)
                if not isinstance(inner, bool):
                    left.append(inner)
                elif inner is decisive:
                    return decisive
            if len(left) > 1:
                return type(condition)(tuple(left))
            return left[0] if left else not decisive
        case _:
            is_asked = _DIMENSIONS[type(condition)] == dimension
            return _holds(condition, value) if is_asked else condition


def _holds(leaf: Leaf, value: _Value) -> bool:
    """Whether a leaf holds for a value of its dimension."""
    match leaf:
        case SynOnly() | Reply():
            shape = "syn" if isinstance(leaf, SynOnly) else "reply"
            return isinstance(value, tuple) and value[1] == shape
        case ProtocolIn(names):
            return isinstance(value, tuple) and value[0] in names
        case InterfaceIn(names) | PolicyIn(names) | TierIn(names):
            return value in names
        case FamilyIn(families):
            return value in families
        case _:
            return isinstance(value, int) and _is_inside(value, _edges(leaf))


def _classes(dimension: Dimension, condition: _Left, world: _World, budget: Budget) -> list[_Class]:
    """The classes of a dimension, given what is fixed already."""
    all_leaves = () if isinstance(condition, bool) else leaves(condition)
    found = [leaf for leaf in all_leaves if _DIMENSIONS[type(leaf)] == dimension]
    match dimension:
        case "port":
            none: list[_Class] = [(None, 1)]
            is_without = world.has_port is False
            return none if is_without else none + _intervals(found, (0, PORTS - 1), budget)
        case "kind":
            return _kinds(found, world)
        case "family":
            return [(family, 1) for family in ADDRESSES]
        case "source" | "destination":
            return _intervals(found, ADDRESSES[world.family or 4], budget)
        case _:
            names = {
                name
                for leaf in found
                if isinstance(leaf, InterfaceIn | PolicyIn | TierIn)
                for name in leaf.names
            }
            return [(None, 1), *((name, 1) for name in sorted(names))]


def _kinds(found: Sequence[Leaf], world: _World) -> list[_Class]:
    """Kinds by worth, by whether they have ports, and by what leaves say of them."""
    groups: dict[tuple[object, ...], _Kind] = {}
    for kind in _KINDS:
        has_port = kind[0] in _WITH_PORTS
        if has_port or not world.has_port:
            truth = (_holds(leaf, kind) for leaf in found)
            groups.setdefault((_worth(kind), has_port, *truth), kind)
    return [(kind, 1) for kind in groups.values()]


def _worth(kind: _Kind) -> Evidence:
    protocol, shape = kind
    if protocol != "tcp":
        return "connectionless"
    return "syn" if shape == "syn" else "reply" if shape == "reply" else "probe"


def _intervals(found: Sequence[Leaf], line: Range, budget: Budget) -> list[_Class]:
    """Cut a line of numbers at the leaves' edges; join what they don't tell apart.

    The first number of a class stands for it.
    """
    first, last = line
    edges = [_edges(leaf) for leaf in found]
    starts = [first, *sorted({cut for each in edges for cut in each if first < cut <= last})]
    budget.spend(len(starts) * len(edges) // 8)
    groups: dict[tuple[bool, ...], list[int]] = {}
    for start, end in zip(starts, [*starts[1:], last + 1], strict=True):
        truth = tuple([_is_inside(start, each) for each in edges])
        groups.setdefault(truth, [start, 0])[1] += end - start
    return [(start, size) for start, size in groups.values()]


def _is_inside(number: int, edges: Sequence[int]) -> bool:
    """Whether a number lies behind more beginnings than ends."""
    return bisect_right(edges, number) % 2 == 1


def _edges(leaf: Leaf) -> Sequence[int]:
    """Where a leaf begins to hold, and ceases to, on the line of its dimension."""
    return leaf.edges if isinstance(leaf, PortIn | SourceIn | DestinationIn) else ()


_DIMENSIONS: Final[dict[type, Dimension]] = {
    ProtocolIn: "kind",
    SynOnly: "kind",
    Reply: "kind",
    PortIn: "port",
    FamilyIn: "family",
    SourceIn: "source",
    DestinationIn: "destination",
    InterfaceIn: "interface",
    PolicyIn: "policy",
    TierIn: "tier",
}
