"""A rule in words, for who did not write it."""

from typing import Final

from logwatch.offenders.language.conditions import (
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
    SourceIn,
    SynOnly,
    TierIn,
)
from logwatch.offenders.language.format import field_and_words, format_size
from logwatch.offenders.language.problem import listed
from logwatch.offenders.language.rule import Rule
from logwatch.offenders.language.values import DURATIONS

_UNITS: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def in_words(rule: Rule) -> str:
    """Tell in sentences what a rule does."""
    up_to = ""
    if rule.up_to is not None:
        up_to = f" (doubling with each offence, up to {duration_in_words(rule.up_to)})"
    return (
        f"A source is banned for {duration_in_words(rule.ban)}{up_to}"
        f" when {_offence(rule)} within {duration_in_words(rule.within)}"
        f"{_counting(rule.condition)}. {_forged(rule)}"
    )


def duration_in_words(seconds: int) -> str:
    """`1 hour`, `90 seconds`."""
    unit, length = next(each for each in DURATIONS.items() if seconds % each[1] == 0)
    return _number(seconds // length, f"{_UNITS[unit]}s")


def _number(number: int, things: str) -> str:
    return f"{number} {things.removesuffix('s') if number == 1 else things}"


def _offence(rule: Rule) -> str:
    number = rule.threshold
    match rule.measure:
        case "packets":
            return f"it sent at least {_number(number, 'packets')}"
        case "bytes":
            size = format_size(number)
            unit = size.lstrip("0123456789")
            return f"it sent at least {size.removesuffix(unit)} {unit or 'bytes'}"
        case "nodes":
            return f"at least {_number(number, 'distinct nodes')} denied its packets"
        case things:
            return f"it tried at least {_number(number, f'distinct {things}')}"


def _forged(rule: Rule) -> str:
    if rule.even_if_forged:
        return "It is banned even if somebody else may have forged its address."
    return "Packets that are not TCP, and replies, don't count."


def _counting(condition: Condition | None) -> str:
    """What counts: protocols and families in front of `packets`, the rest behind it."""
    if condition is None:
        return ""
    parts = list(condition.parts) if isinstance(condition, All) else [condition]
    kinds = [part for part in parts if isinstance(part, FamilyIn | ProtocolIn)]
    adjectives: list[str] = []
    for kind in (FamilyIn, ProtocolIn):
        first = next((part for part in kinds if isinstance(part, kind)), None)
        if first is not None and _values(first):
            parts.remove(first)
            adjectives.append(listed(_values(first)))
    adjectives.append("packets")
    text = " ".join(adjectives)
    if parts:
        text += f" that {' and '.join(_told(part, is_part=len(parts) > 1) for part in parts)}"
    return f", counting only {text}"


def _told(condition: Condition, *, is_part: bool, negated: bool = False) -> str:
    """What packets do that fulfil a condition (or don't); `is_part` of several."""
    match condition:
        case Not(part):
            return _told(part, is_part=is_part, negated=not negated)
        case All(parts) | Any(parts):
            # "not (a and b)" reads best as "not a or not b".
            word = "and" if isinstance(condition, All) != negated else "or"
            told = [_told(part, is_part=True, negated=negated) for part in parts]
            text = f" {word} ".join(told)
            return f"({text})" if is_part else text
        case _:
            return _leaf_told(condition, negated=negated)


def _leaf_told(leaf: Leaf, *, negated: bool) -> str:
    are = "are not" if negated else "are"
    match leaf:
        case SynOnly():
            return f"{are} a lone SYN"
        case Reply():
            return f"{are} a reply"
    values = listed(_values(leaf))
    if not values:
        return "can be anything" if negated else "can't exist"
    match leaf:
        case ProtocolIn() | FamilyIn():
            return f"{are} {values}"
        case PortIn():
            verb = "do not go to" if negated else "go to"
            is_one = len(leaf.ranges) == 1 and leaf.ranges[0][0] == leaf.ranges[0][1]
            return f"{verb} {'port' if is_one else 'ports'} {values}"
        case SourceIn():
            return f"{'do not come' if negated else 'come'} from {values}"
        case DestinationIn():
            return f"{'do not go' if negated else 'go'} to {values}"
        case InterfaceIn():
            return f"{'did not come' if negated else 'came'} in over {values}"
        case PolicyIn():
            return f"{'did not meet' if negated else 'met'} the policy {values}"
        case TierIn():
            return f"{'did not meet' if negated else 'met'} a policy of the tier {values}"


def _values(leaf: Leaf) -> list[str]:
    field, words = field_and_words(leaf)
    match field:
        case "family":
            return [word.replace("ip", "IP") for word in words]
        case "protocol":
            return [_protocol(word) for word in words]
        case "port":
            return [word.replace("-", " to ") for word in words]
        case _:
            return words


def _protocol(word: str) -> str:
    known = {
        "tcp": "TCP",
        "udp": "UDP",
        "icmp": "ICMP",
        "icmpv6": "ICMPv6",
        "none": "protocol-less",
    }
    return known.get(word, word)
