"""What is said of rules holds for every packet of a small universe."""

from dataclasses import replace

from hypothesis import given, settings
from offenders.language.made import restricted, rules, small_conditions

from logwatch.offenders.language import Any, Not, Rule, SynOnly, format_rules, read

slow = settings(deadline=None, max_examples=50)


def problems(*made: Rule) -> list[tuple[str, str]]:
    """(level, what) of each problem."""
    reading = read(format_rules(made).encode(), "x")
    return [(problem.level, problem.what) for problem in reading.problems]


@slow
@given(rules(small_conditions))
def test_a_rule_is_refused_or_believed_for_what_its_packets_are(made: Rule) -> None:
    rule = replace(made, name="a", even_if_forged=False, threshold=2)
    told = problems(rule)
    admitted = [
        packet
        for packet in restricted(rule.condition or SynOnly())
        if rule.condition is None or rule.condition.matches(packet)
    ]
    counted = [packet for packet in admitted if rule.counts(packet)]
    if not admitted and rule.condition is not None:
        assert [("warning", "the rule a can never fire")] == told
    elif not counted:
        [(level, what)] = told
        assert "error" == level
        assert what.startswith("the rule a counts only ")
    else:
        is_single = rule.measure in {"packets", "bytes"}
        only_syn = {"syn"} == {packet.shape for packet in counted} and rule.condition is not None
        errors = [what for level, what in told if level == "error"]
        assert (["the rule a bans on lone SYNs alone"] if is_single and only_syn else []) == errors


@slow
@given(rules(small_conditions), small_conditions)
def test_a_rule_that_changes_nothing_counts_nothing_that_the_other_does_not(
    made: Rule, condition: object
) -> None:
    one = replace(made, name="a", measure="destinations", threshold=2, even_if_forged=True)
    other = replace(one, name="b", condition=condition)
    told = problems(one, other)
    if ("warning", "the rule b changes nothing") in told:
        packets = restricted(Any((one.condition or SynOnly(), condition)))
        assert all(one.counts(packet) for packet in packets if other.counts(packet))


def test_a_rule_changes_nothing_only_behind_one_that_always_fires_first() -> None:
    first = Rule("a", "ports", 10, 600, None, 3600, 7200)
    nothing = [("warning", "the rule b changes nothing")]
    assert nothing == problems(first, replace(first, name="b"))
    assert nothing == problems(replace(first, name="b", condition=SynOnly()), first)
    assert nothing == problems(first, replace(first, name="b", threshold=11, within=599))
    for change in (
        {"threshold": 9},
        {"within": 601},
        {"ban": 3601},
        {"up_to": None},
        {"measure": "nodes"},
        {"even_if_forged": True},
    ):
        assert nothing[0] not in problems(first, replace(first, name="b", **change))
    narrow = replace(first, condition=SynOnly())
    assert [] == problems(narrow, replace(first, name="b", condition=Not(SynOnly())))
