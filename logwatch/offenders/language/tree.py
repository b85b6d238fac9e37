"""Rules as plain values for JSON."""

from logwatch.offenders.language.conditions import All, Any, Condition, Not, Reply, SynOnly
from logwatch.offenders.language.format import field_and_words
from logwatch.offenders.language.rule import Rule

Tree = dict[str, object]


def tree(rule: Rule) -> Tree:
    """Return a rule as an object: times in seconds, `where` and `up_to` null where not given."""
    return {
        "name": rule.name,
        "file": rule.place.file,
        "line": rule.place.line,
        "measure": rule.measure,
        "threshold": rule.threshold,
        "within": rule.within,
        "where": None if rule.condition is None else _condition(rule.condition),
        "ban": rule.ban,
        "up_to": rule.up_to,
        "even_if_forged": rule.even_if_forged,
    }


def _condition(condition: Condition) -> Tree:
    """An object with one key: what kind of condition it is."""
    match condition:
        case All(parts):
            return {"and": [_condition(part) for part in parts]}
        case Any(parts):
            return {"or": [_condition(part) for part in parts]}
        case Not(part):
            return {"not": _condition(part)}
        case SynOnly():
            return {"flags": "syn only"}
        case Reply():
            return {"flags": "reply"}
        case _:
            field, words = field_and_words(condition)
            return {field: [word.strip('"') for word in words]}
