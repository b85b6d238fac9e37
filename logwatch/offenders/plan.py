"""A rule as the core takes it: plain tuples, as `logwatch._core.Evidence` describes them."""

from logwatch.offenders.language import (
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
    Reply,
    Rule,
    SourceIn,
    SynOnly,
    TierIn,
)

Term = tuple[object, ...]


def plan(rule: Rule) -> tuple[str, int, float, Term]:
    """Give measure, threshold, window in seconds, and what a packet has to fulfil to count."""
    counted = rule.counted
    condition = ("true",) if counted is None else _term(counted)
    return rule.measure, rule.threshold, float(rule.within), condition


def _term(condition: Condition) -> Term:
    match condition:
        case All(parts):
            return ("and", *map(_term, parts))
        case Any(parts):
            return ("or", *map(_term, parts))
        case Not(part):
            return ("not", _term(part))
        case _:
            return _leaf(condition)


def _leaf(condition: Leaf) -> Term:  # noqa: PLR0911 - one for each kind
    match condition:
        case PortIn():
            return ("ports", list(condition.ranges))
        case SourceIn():
            return ("source", [str(network) for network in condition.networks])
        case DestinationIn():
            return ("destination", [str(network) for network in condition.networks])
        case FamilyIn():
            return _any_of("family", condition.families)
        case SynOnly():
            return ("syn",)
        case Reply():
            return ("reply",)
        case ProtocolIn() | InterfaceIn() | PolicyIn() | TierIn():
            return _any_of(_KINDS[type(condition)], condition.names)


_KINDS: dict[type, str] = {
    ProtocolIn: "protocol",
    InterfaceIn: "interface",
    PolicyIn: "policy",
    TierIn: "tier",
}


def _any_of(kind: str, values: tuple[object, ...]) -> Term:
    """One of several; nothing is in an empty set."""
    terms = [(kind, value) for value in values]
    if not terms:
        return ("not", ("true",))
    return terms[0] if len(terms) == 1 else ("or", *terms)
