"""Rules as text, in one form: what is read from it are the same rules."""

from collections.abc import Iterable

from logwatch.offenders.language.conditions import (
    All,
    Any,
    Condition,
    DestinationIn,
    FamilyIn,
    InterfaceIn,
    Leaf,
    Network,
    Not,
    PolicyIn,
    PortIn,
    ProtocolIn,
    Reply,
    SourceIn,
    SynOnly,
    TierIn,
)
from logwatch.offenders.language.rule import Measure, Rule
from logwatch.offenders.language.values import DURATIONS, FAMILIES, SIZES

MEASURES: dict[Measure, str] = {
    "packets": "packets",
    "bytes": "bytes",
    "ports": "distinct ports",
    "destinations": "distinct destinations",
    "nodes": "distinct nodes",
}

_FAMILY_WORDS = {number: word for word, number in FAMILIES.items()}


def format_rules(rules: Iterable[Rule]) -> str:
    """Write rules as a file of them."""
    return "\n".join(format_rule(rule) for rule in rules)


def format_rule(rule: Rule) -> str:
    """Write one rule, with its final line feed."""
    number = format_size(rule.threshold) if rule.measure == "bytes" else str(rule.threshold)
    within = format_duration(rule.within)
    lines = [f"rule {rule.name}", f"when {MEASURES[rule.measure]} >= {number} within {within}"]
    if rule.condition is not None:
        lines.append(f"where {format_condition(rule.condition)}")
    up_to = "" if rule.up_to is None else f", doubling up to {format_duration(rule.up_to)}"
    lines.append(f"ban {format_duration(rule.ban)}{up_to}")
    if rule.even_if_forged:
        lines.append("even if forged")
    return "\n    ".join(lines) + "\n"


def summary(rule: Rule) -> tuple[str, str, str, str, str]:
    """Return name, what is reached, window, ban and its most, as they are written."""
    number = format_size(rule.threshold) if rule.measure == "bytes" else str(rule.threshold)
    return (
        rule.name,
        f"{number} {MEASURES[rule.measure]}",
        format_duration(rule.within),
        format_duration(rule.ban),
        "" if rule.up_to is None else format_duration(rule.up_to),
    )


def format_duration(seconds: int) -> str:
    """Write seconds in the largest unit that holds them whole."""
    unit, length = next(each for each in DURATIONS.items() if seconds % each[1] == 0)
    return f"{seconds // length}{unit}"


def format_size(number: int) -> str:
    """Write bytes in the largest unit that holds them whole."""
    unit, size = next(each for each in SIZES.items() if number % each[1] == 0)
    return f"{number // size}{unit}"


def format_condition(condition: Condition) -> str:
    """Write a condition, with parentheses only where they are needed."""
    match condition:
        case All(parts):
            return " and ".join(_inside(part, All, Any) for part in parts)
        case Any(parts):
            return " or ".join(_inside(part, Any) for part in parts)
        case Not(part):
            return _negated(part)
        case SynOnly():
            return "syn only"
        case Reply():
            return "reply"
        case leaf:
            return _compared(leaf, "is", "in")


def _negated(part: Condition) -> str:
    if isinstance(part, All | Any | Not):
        return f"not ({format_condition(part)})"
    if isinstance(part, SynOnly | Reply):
        return f"not {format_condition(part)}"
    return _compared(part, "is not", "not in")


def _inside(part: Condition, *in_parentheses: type) -> str:
    text = format_condition(part)
    return f"({text})" if isinstance(part, in_parentheses) else text


def _compared(leaf: Leaf, single: str, several: str) -> str:
    field, words = field_and_words(leaf)
    if len(words) == 1 and not (isinstance(leaf, PortIn) and "-" in words[0]):
        return f"{field} {single} {words[0]}"
    return f"{field} {several} {{{', '.join(words)}}}"


def field_and_words(leaf: Leaf) -> tuple[str, list[str]]:
    """Return the field that a leaf compares, and the values as they are written."""
    match leaf:
        case ProtocolIn(names):
            return "protocol", [f'"{name}"' if " " in name else name for name in names]
        case PortIn(ranges):
            return "port", [format_range(first, last) for first, last in ranges]
        case SourceIn(networks):
            return "source", [_address_or_network(each) for each in networks]
        case DestinationIn(networks):
            return "destination", [_address_or_network(each) for each in networks]
        case InterfaceIn(names):
            return "interface", [f'"{name}"' for name in names]
        case PolicyIn(names):
            return "policy", [f'"{name}"' for name in names]
        case TierIn(names):
            return "tier", [f'"{name}"' for name in names]
        case FamilyIn(families):
            return "family", [_FAMILY_WORDS[family] for family in families]
        case SynOnly() | Reply():
            raise TypeError("flags compare no field")


def format_range(first: int, last: int) -> str:
    """Write a range of ports; one port is its number."""
    return str(first) if first == last else f"{first}-{last}"


def _address_or_network(network: Network) -> str:
    is_address = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_address else str(network)
