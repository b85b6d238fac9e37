"""Text becomes rules, and rules become text that is read as the same rules."""

from ipaddress import ip_network

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from offenders.language.made import rules, universe

from logwatch.offenders.language import (
    All,
    Any,
    Condition,
    DestinationIn,
    FamilyIn,
    InterfaceIn,
    Not,
    Place,
    PolicyIn,
    PortIn,
    ProtocolIn,
    Reading,
    Reply,
    Rule,
    SourceIn,
    SynOnly,
    TierIn,
    format_condition,
    format_rules,
    read,
)
from logwatch.offenders.language.grammar import CLAUSES, RESERVED, Grammar
from logwatch.offenders.language.values import FIELDS

SCAN = """\
# Comments stand anywhere.
rule port-scan   # also here
    when distinct ports >= 15 within 1m
    where protocol is tcp and syn only
    ban 1h, doubling up to 7d
"""


def test_a_file_becomes_rules_with_their_places() -> None:
    knocking = """
rule knocking
    when packets >= 100 within 10m
    where port in {22, 3389, 30000-32767} and policy is "blacklist"
    ban 10m, doubling up to 1d
    even if forged
"""
    reading = read((SCAN + knocking).encode(), "my.rules")
    scan, knock = reading.rules
    assert () == reading.problems
    syn = All((ProtocolIn(("tcp",)), SynOnly()))
    assert Rule("port-scan", "ports", 15, 60, syn, 3600, 604_800) == scan
    assert Place("my.rules", 2, 6) == scan.place
    ports = PortIn(((22, 22), (3389, 3389), (30000, 32767)))
    condition = All((ports, PolicyIn(("blacklist",))))
    assert Rule("knocking", "packets", 100, 600, condition, 600, 86_400, True) == knock
    assert Place("my.rules", 7, 6) == knock.place


def where(text: str) -> Condition | None:
    """The condition of a rule that says so; it need not be sensible."""
    written = Grammar().read(f"rule a when packets >= 1 within 1m where {text} ban 1h").written
    assert written is not None
    return written.condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("protocol is tcp", ProtocolIn(("tcp",))),
        ("protocol in {udp, 6}", ProtocolIn(("tcp", "udp"))),
        ('protocol is "isis over ipv4"', ProtocolIn(("isis over ipv4",))),
        ("protocol is none", ProtocolIn(("none",))),
        ("port is 22", PortIn(((22, 22),))),
        ("port is not 22", Not(PortIn(((22, 22),)))),
        ("port not in {5-9, 1, 2-4}", Not(PortIn(((1, 9),)))),
        ("port in {}", PortIn(())),
        ("source is 203.0.113.7", SourceIn((ip_network("203.0.113.7/32"),))),
        (
            "source in {2001:db8::/32, 203.0.113.0/24, 203.0.113.9}",
            SourceIn((ip_network("203.0.113.0/24"), ip_network("2001:db8::/32"))),
        ),
        ("destination is ::ffff:192.0.2.1", DestinationIn((ip_network("192.0.2.1/32"),))),
        ("interface is eth1", InterfaceIn(("eth1",))),
        ('interface in {"", "a b#c"}', InterfaceIn(("", "a b#c"))),
        ("policy is default/deny-all.v1", PolicyIn(("default/deny-all.v1",))),
        ('policy is "and"', PolicyIn(("and",))),
        ('tier is "security"', TierIn(("security",))),
        ("family is ipv6", FamilyIn((6,))),
        ("syn only", SynOnly()),
        ("not reply", Not(Reply())),
        ("not (not reply)", Not(Not(Reply()))),
        ("reply and reply or syn only", Any((All((Reply(), Reply())), SynOnly()))),
        ("reply or reply and syn only", Any((Reply(), All((Reply(), SynOnly()))))),
        ("(reply or reply) and syn only", All((Any((Reply(), Reply())), SynOnly()))),
        ("not reply and syn only", All((Not(Reply()), SynOnly()))),
        ("((syn only))", SynOnly()),
        ("syn\nonly#", SynOnly()),
    ],
)
def test_a_condition_is_read_as_what_it_says(text: str, condition: Condition) -> None:
    assert condition == where(text.removesuffix("#"))


@pytest.mark.parametrize(
    ("text", "measure", "threshold"),
    [
        ("packets >= 1", "packets", 1),
        ("bytes >= 10MiB", "bytes", 10_485_760),
        ("bytes >= 1000", "bytes", 1000),
        ("distinct ports >= 2", "ports", 2),
        ("distinct destinations >= 2", "destinations", 2),
        ("distinct nodes >= 2", "nodes", 2),
    ],
)
def test_measures(text: str, measure: str, threshold: int) -> None:
    written = Grammar().read(f"rule a when {text} within 7d ban 366d").written
    assert written is not None
    assert (measure, threshold) == (written.measure, written.threshold)
    assert (604_800, 31_622_400) == (written.within, written.ban)


def test_blanks_line_ends_and_a_byte_order_mark_do_not_matter() -> None:
    expected = read(SCAN.encode(), "x")
    for text in (SCAN.replace("\n", "\r\n"), SCAN.replace("    ", "\t"), f"\ufeff{SCAN}"):
        assert expected == read(text.encode(), "x")
    assert " >= " in SCAN
    for sign in (">=", " >=", ">= ", "\n>=\n"):
        assert expected.rules[0] == read(SCAN.replace(" >= ", sign).encode(), "x").rules[0]


def test_a_broken_rule_costs_only_itself() -> None:
    reading = read(f"rule broken\n    wen\n{SCAN}rule cut\n".encode(), "x")
    assert ["port-scan"] == [rule.name for rule in reading.rules]
    assert [2, 8] == [problem.place.line for problem in reading.problems]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("port is 1-5", "port in {1-5}"),
        ("not port in {7,5,6}", "port not in {5-7}"),
        ("not (port is not 22)", "not (port is not 22)"),
        ("policy in {b, a}", 'policy in {"a", "b"}'),
        ("((syn only) and ((reply or port in {})))", "syn only and (reply or port in {})"),
        ("(protocol is 6 and reply) or not reply", "protocol is tcp and reply or not reply"),
        ("source in {10.0.0.0/9, 10.128.0.0/9}", "source is 10.0.0.0/8"),
    ],
)
def test_a_condition_is_written_in_one_form(text: str, canonical: str) -> None:
    condition = where(text)
    assert condition is not None
    assert canonical == format_condition(condition)


@settings(deadline=None)
@given(st.lists(rules(), max_size=3))
def test_what_is_written_is_read_as_the_same(made: list[Rule]) -> None:
    """Whatever is to be said against the rules."""
    grammar = Grammar()
    texts = [format_rules([rule]) for rule in made]
    for rule, text in zip(made, texts, strict=True):
        written = grammar.read(text).written
        assert written is not None
        assert rule == Rule(
            written.name,
            written.measure,
            written.threshold,
            written.within,
            written.condition,
            written.ban,
            written.up_to,
            written.even_if_forged,
        )
    assert "\n".join(texts) == format_rules(made)


def test_a_rule_counts_what_its_condition_says_and_only_evidence() -> None:
    for forged in (False, True):
        rule = Rule("a", "ports", 15, 60, Not(SynOnly()), 60, even_if_forged=forged)
        anything = Rule("a", "ports", 15, 60, None, 60, even_if_forged=forged)
        for packet in universe():
            is_evidence = packet.protocol == "tcp" and packet.shape != "reply"
            assert (forged or is_evidence) == anything.counts(packet)
            expected = packet.shape != "syn" and (forged or is_evidence)
            assert expected == rule.counts(packet)


words = st.sampled_from([*RESERVED, *FIELDS, "tcp", "22", "1h", "packets", "distinct", "ports"])
signs = st.sampled_from(["{", "}", "(", ")", ",", ">=", '"', "#", "\n", "\nrule a ", "\0", "\x85"])
texts = st.lists(words | signs | st.text(max_size=5), max_size=40).map(" ".join)


@settings(deadline=None, max_examples=300)
@given(texts)
@example("rule a when packets >= 1 within 1s where not")
@example('rule "')
def test_no_text_raises_and_every_problem_has_its_place(text: str) -> None:
    check_places(read(text.encode("utf-8", "replace"), "x"), text)


@settings(deadline=None)
@given(texts, st.integers(0, 100), st.integers(0, 20))
def test_no_damage_raises(text: str, start: int, length: int) -> None:
    damaged = f"{SCAN[:start]}{text}{SCAN[start + length :]}"
    check_places(read(damaged.encode("utf-8", "replace"), "x"), damaged)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    read(data, "x")


def check_places(reading: Reading, text: str) -> None:
    lines = text.encode("utf-8", "replace").decode().removeprefix("\ufeff").split("\n")
    for problem in reading.problems:
        line = lines[problem.place.line - 1]
        assert line.rstrip("\r") == problem.line
        assert 1 <= problem.place.column <= len(line) + 1
    assert reading.has_errors or reading.rules or reading.problems


def test_each_word_is_either_a_word_of_the_language_or_a_field() -> None:
    assert set(CLAUSES) < set(RESERVED)
    assert set() == set(RESERVED) & set(FIELDS)
