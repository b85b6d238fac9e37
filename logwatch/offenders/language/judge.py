"""What is wrong with rules that can be read: evidence that is forged, rules that never fire.

docs/rules.md tells the same for people. An error keeps a file from being used; a warning does not.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

from logwatch.offenders.language.conditions import (
    All,
    Any,
    Condition,
    Leaf,
    Not,
    ProtocolIn,
    Reply,
    normal,
)
from logwatch.offenders.language.format import MEASURES, format_condition
from logwatch.offenders.language.possible import (
    Budget,
    Evidence,
    TooComplicatedError,
    count_destinations,
    count_ports,
    evidence,
    implies,
    possible,
)
from logwatch.offenders.language.problem import Level, Problem, listed, quoted
from logwatch.offenders.language.rule import Rule

Make = Callable[[Rule, str, str, Level], Problem]
"""Makes the problem of a rule: what is wrong, the remedy, the level."""

NODES_MOST: Final = 5_000
"""Kubernetes supports no larger cluster (its document "Considerations for large clusters")."""

_BUDGET: Final = 400_000
"""A second or two, for all rules of a file; a rule as people write them takes about a hundred."""

_BELIEVED: Final[frozenset[Evidence]] = frozenset({"syn", "probe"})


def judge(rules: Sequence[Rule], make: Make) -> list[Problem]:
    """Find what is wrong with rules, each for itself and with one another."""
    problems: list[Problem] = []
    budget = Budget(_BUDGET)
    sound: list[Rule] = []
    for rule in rules:
        try:
            found = list(_judge_one(rule, make, budget))
        except TooComplicatedError:
            what = f"up to the rule {rule.name} the conditions are too complicated to be judged"
            remedy = "write them with fewer alternatives, or split the file"
            return [*problems, make(rule, what, remedy, "error")]
        problems += found
        if not found:
            sound.append(rule)
    problems += _shadowed(sound, make, Budget(_BUDGET))
    return problems


def _judge_one(rule: Rule, make: Make, budget: Budget) -> Iterator[Problem]:
    condition = rule.condition
    if condition is not None and not possible(condition, budget):
        remedy = _contradiction(condition, budget)
        yield make(rule, f"the rule {rule.name} can never fire", remedy, "warning")
        return
    admitted = evidence(condition, budget)
    believed = admitted & _BELIEVED
    is_single = rule.measure in {"packets", "bytes"} or rule.threshold == 1
    if rule.even_if_forged:
        if admitted == believed and not is_single:
            what = f"the rule {rule.name} does not need `even if forged`"
            yield make(rule, what, "leave it out: it counts nothing that would need it", "warning")
    elif not believed:
        what = f"the rule {rule.name} counts only {_forged(admitted)}"
        yield make(rule, what, _FORGED, "error")
        return
    elif is_single:
        if believed == {"syn"}:
            yield make(rule, f"the rule {rule.name} bans on lone SYNs alone", _SINGLE, "error")
        else:
            what = f"the rule {rule.name} bans on packets that may all be forged"
            yield make(rule, what, _SINGLE, "warning")
    in_vain = () if rule.even_if_forged or condition is None else _named_in_vain(condition)
    if in_vain:
        what = f"the rule {rule.name} names {listed(in_vain, 'and')}, but does not count them"
        remedy = "without `even if forged` only TCP counts that is no reply; don't name others"
        yield make(rule, what, remedy, "warning")
    unreachable = _unreachable(rule, budget)
    if unreachable:
        remedy = "write a lower number, or let the rule count more"
        what = f"the rule {rule.name} can never fire: {unreachable}"
        yield make(rule, what, remedy, "warning")


_FORGED: Final = (
    "their sources are forged, or provoked, at no cost, so they don't count; to ban all the same,"
    " write `even if forged`"
)
_SINGLE: Final = (
    "anybody can send them with the source of somebody else: count distinct ports or destinations"
    " (2 or more), or write `even if forged` with `protocol is tcp and not reply`"
)


def _forged(admitted: frozenset[Evidence]) -> str:
    words = {"reply": "replies", "connectionless": "packets that are not TCP"}
    return " and ".join(words[each] for each in ("reply", "connectionless") if each in admitted)


def _named_in_vain(condition: Condition) -> tuple[str, ...]:
    """What somebody who wrote it thinks is counted, though it is no evidence."""
    names: dict[str, None] = {}
    for leaf in _asserted(normal(condition)):
        if isinstance(leaf, ProtocolIn):
            names.update(dict.fromkeys(name for name in leaf.names if name != "tcp"))
        elif isinstance(leaf, Reply):
            names["replies"] = None
    return tuple(names)


def _asserted(condition: Condition) -> Iterator[Leaf]:
    """The leaves of a normal condition that no `not` stands in front of."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from _asserted(part)
        case Not():
            return
        case leaf:
            yield leaf


def _contradiction(condition: Condition, budget: Budget) -> str:
    """Name what can't be: one part of an `and`, two of them, or the condition as a whole."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    for part in parts:
        if not possible(part, budget):
            return f"no packet fulfils {_written(part)}"
    for one, other in combinations(parts, 2):
        if not possible(All((one, other)), budget):
            return f"no packet fulfils both {_written(one)} and {_written(other)}"
    return "no packet fulfils all of its condition"


def _written(condition: Condition) -> str:
    return quoted(format_condition(condition))


def _unreachable(rule: Rule, budget: Budget) -> str:
    """Tell why a number of distinct things is never reached; empty if it may be."""
    if rule.measure == "ports":
        most = count_ports(rule.counted, budget)
    elif rule.measure == "destinations":
        most = count_destinations(rule.counted, budget)
    elif rule.measure == "nodes" and rule.threshold > NODES_MOST:
        return f"a cluster has at most {NODES_MOST} nodes"
    else:
        return ""
    if rule.threshold <= most:
        return ""
    if most == 0:
        return "what it counts has no ports"
    things = MEASURES[rule.measure]
    return f"it counts at most {most} {things if most > 1 else things.removesuffix('s')}"


def _shadowed(rules: Sequence[Rule], make: Make, budget: Budget) -> Iterator[Problem]:
    """Rules behind another one that always fires no later, with the same ban."""
    for index, rule in enumerate(rules):
        try:
            other = _first_of(rule, index, rules, budget)
        except TooComplicatedError:
            what = f"the rule {rule.name} and those behind it were not compared with the others"
            yield make(rule, what, "write conditions with fewer alternatives", "warning")
            return
        if other is not None:
            what = f"the rule {rule.name} changes nothing"
            remedy = f"the rule {other.name} bans whatever it would ban, no later and as long"
            yield make(rule, what, remedy, "warning")


def _first_of(rule: Rule, index: int, rules: Sequence[Rule], budget: Budget) -> Rule | None:
    """Find a rule that always fires first; of two that are the same, the one that stands first."""
    for place, other in enumerate(rules):
        if (
            other is not rule
            and _fires_first(other, rule, budget)
            and (place < index or not _fires_first(rule, other, budget))
        ):
            return other
    return None


def _fires_first(one: Rule, other: Rule, budget: Budget) -> bool:
    """Whether `one` is fulfilled whenever `other` is, and bans as long.

    Who reaches a number of distinct things has sent at least as many packets.
    """
    is_distinct = other.measure not in {"packets", "bytes"}
    return (
        (one.ban, one.up_to) == (other.ban, other.up_to)
        and (one.measure == other.measure or (one.measure == "packets" and is_distinct))
        and one.threshold <= other.threshold
        and one.within >= other.within
        and implies(other.counted, one.counted, budget)
    )
