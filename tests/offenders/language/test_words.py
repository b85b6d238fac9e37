"""Rules in words and as objects, and the rules that come with logwatch."""

import re
from pathlib import Path

import pytest
from offenders.language.made import universe

from logwatch.offenders.language import (
    DEFAULT_NAME,
    Rule,
    default_rules,
    default_text,
    in_words,
    read,
    tree,
)
from logwatch.offenders.language.values import FIELDS

DOCUMENT = Path(__file__).parents[3] / "docs" / "rules.md"
FORGED = "It is banned even if somebody else may have forged its address."


def one(text: str) -> Rule:
    reading = read(f"rule a {text}".encode(), "x")
    assert not reading.has_errors
    [rule] = reading.rules
    return rule


def test_a_rule_in_words() -> None:
    rule = one(
        "when distinct ports >= 15 within 1m where protocol is tcp and syn only"
        " ban 1h, doubling up to 7d"
    )
    expected = (
        "A source is banned for 1 hour (doubling with each offence, up to 7 days) when it tried at"
        " least 15 distinct ports within 1 minute, counting only TCP packets that are a lone SYN."
        " Packets that are not TCP, and replies, don't count."
    )
    assert expected == in_words(rule)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("packets >= 1 within 1s", "it sent at least 1 packet within 1 second"),
        ("bytes >= 10MiB within 2d", "it sent at least 10 MiB within 2 days"),
        ("bytes >= 1001 within 90s", "it sent at least 1001 bytes within 90 seconds"),
        (
            "distinct destinations >= 5 within 5m",
            "it tried at least 5 distinct destinations within",
        ),
        (
            "distinct nodes >= 3 within 1h",
            "at least 3 distinct nodes denied its packets within 1 hour",
        ),
    ],
)
def test_measures_in_words(text: str, words: str) -> None:
    assert words in in_words(one(f"when {text} ban 1h even if forged"))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("protocol in {tcp, udp}", "TCP or UDP packets."),
        ("protocol is icmpv6 and family is ipv6", "IPv6 ICMPv6 packets."),
        ("protocol is not gre", "packets that are not gre."),
        ("not reply", "packets that are not a reply."),
        ("port is 22", "packets that go to port 22."),
        ("port in {22, 80, 100-200}", "packets that go to ports 22, 80 or 100 to 200."),
        ("port is not 22", "packets that do not go to port 22."),
        ("port not in {}", "packets that can be anything."),
        ("source is 192.0.2.1", "packets that come from 192.0.2.1."),
        ("source not in {192.0.2.0/24}", "packets that do not come from 192.0.2.0/24."),
        ("destination is 192.0.2.1", "packets that go to 192.0.2.1."),
        ("not destination is 192.0.2.1", "packets that do not go to 192.0.2.1."),
        ("interface in {eth0, eth1}", 'packets that came in over "eth0" or "eth1".'),
        ("interface is not eth0", 'packets that did not come in over "eth0".'),
        ("policy is a", 'packets that met the policy "a".'),
        ("policy is not a", 'packets that did not meet the policy "a".'),
        ("tier is a", 'packets that met a policy of the tier "a".'),
        (
            "syn only and (port is 1 or not (reply and tier is b))",
            "packets that are a lone SYN and (go to port 1 or (are not a reply or did not meet",
        ),
        (
            "syn only or port is 1 and policy is a",
            "packets that are a lone SYN or (go to port 1 and",
        ),
    ],
)
def test_conditions_in_words(condition: str, words: str) -> None:
    text = f"when packets >= 9 within 1m where {condition} ban 1h even if forged"
    told = in_words(one(text))
    assert f", counting only {words}" in told
    assert told.endswith(FORGED)


def test_a_rule_as_an_object() -> None:
    rule = one(
        'when distinct ports >= 15 within 1m where port in {1, 3-5} and not (policy is "a b" or'
        " syn only) ban 1h"
    )
    assert {
        "name": "a",
        "file": "x",
        "line": 1,
        "measure": "ports",
        "threshold": 15,
        "within": 60,
        "where": {
            "and": [
                {"port": ["1", "3-5"]},
                {"not": {"or": [{"policy": ["a b"]}, {"flags": "syn only"}]}},
            ]
        },
        "ban": 3600,
        "up_to": None,
        "even_if_forged": False,
    } == tree(rule)
    assert {"flags": "reply"} == tree(
        one("when packets >= 1 within 1s where reply ban 1s even if forged")
    )["where"]


def test_the_rules_that_come_with_logwatch_have_no_problem() -> None:
    assert () == read(default_text(), DEFAULT_NAME).problems


def test_the_rules_that_come_with_logwatch_count_tcp_that_is_no_reply() -> None:
    for rule in default_rules():
        for packet in universe():
            counts = packet.protocol == "tcp" and packet.shape != "reply"
            assert counts == rule.counts(packet)
    assert ["many-ports", "many-packets", "sweep", "slow-scan"] == [
        rule.name for rule in default_rules()
    ]


def test_the_rules_that_the_documents_show_have_no_problem() -> None:
    blocks = re.findall(r"```rules\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        assert () == read(block.encode(), "docs/rules.md").problems


def test_the_conditions_that_the_documents_list_are_read() -> None:
    table = DOCUMENT.read_text().partition("| condition |")[2].partition("\n\n")[0]
    conditions = re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)
    assert len(FIELDS) + 3 == len(conditions)
    for text in conditions:
        one(f"when packets >= 9 within 1m where {text} ban 1h even if forged")
