"""Decisions by hand: what they may do, what stops them, and that rules leave them alone."""

from collections.abc import Iterable
from ipaddress import ip_network

import pytest
from offenders.packets import Sent, policies, summary

from logwatch.blacklist import MOST
from logwatch.config import Brakes
from logwatch.offenders import (
    Ban,
    ManualError,
    Mode,
    Offenders,
    Protected,
    TargetError,
    check_request,
    open_bans,
    read_target,
)
from logwatch.offenders.language import read

RULES = read(
    b"rule ports\n    when distinct ports >= 15 within 1m\n    ban 1h, doubling up to 4h\n",
    "test.rules",
).rules
NOW = 1_700_000_000.0
SCANNER = "203.0.113.7/32"


class Judge(Offenders):
    """Takes packets as they were sent, and people's words."""

    def scan(self, now: float, source: str = "203.0.113.7", first: int = 1) -> list[str]:
        counted = summary(Sent(source, port) for port in range(first, first + 15))
        offences = self.observe(counted, now, now, policies(counted))
        return [offence.network for offence in offences if offence.ban]

    def ban(self, text: str, now: float = NOW, *, seconds: float = 600, force: bool = False) -> Ban:
        network = read_target(text)
        return self.by_hand.add(network, now, seconds=seconds, reason="", force=force).ban

    def undo(self, text: str, now: float = NOW) -> Ban:
        return self.remove(read_target(text), now).ban


class Own:
    """The host's addresses, which may change."""

    def __init__(self) -> None:
        self.networks = ["198.51.100.9/32"]
        self.protected = Protected([ip_network("192.0.2.0/24")], self)

    def __call__(self) -> Iterable[ip_network]:  # type: ignore[valid-type]
        return [ip_network(text) for text in self.networks]


def judge_by(
    *, mode: Mode = "enforce", own: Own | None = None, brakes: Brakes | None = None
) -> Judge:
    return Judge(RULES, (own or Own()).protected, mode=mode, limits=brakes or Brakes())


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.7", SCANNER),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", SCANNER),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("2001:DB8::0:1", "2001:db8::/64"),
        ("2001:db8::1/128", "2001:db8::1/128"),
        ("2001:db8::/48", "2001:db8::/48"),
    ],
)
def test_a_target_is_read_as_what_would_be_denied(text: str, network: str) -> None:
    assert network == str(read_target(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.0.0.0/0", "wider"),
        ("::/0", "wider"),
        ("203.0.112.0/23", "wider"),
        ("2001:db8::/47", "wider"),
        ("203.0.113.7/24", "203.0.113.0/24, the address alone 203.0.113.7/32"),
        ("2001:db8::1/64", "bits set"),
        ("::ffff:203.0.113.7/120", "bits set"),
        ("fe80::1%eth0", "no address"),
        ("example.org", "no address"),
        ("203.0.113.7/33", "no address"),
        ("", "no address"),
        ("203.0.113.7\n", "no address"),
        ("1" * 500, "no address"),
    ],
)
def test_what_may_not_be_denied_is_refused_with_what_would_be_right(text: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        read_target(text)


@pytest.mark.parametrize("reason", ["a\x1b[2J", "a\nb", "\0", "\u202e", "\ud800", "x" * 201])
def test_a_reason_is_text_to_be_shown(reason: str) -> None:
    check_request(60, "Überfall (see #7) — 攻撃")
    with pytest.raises(TargetError):
        check_request(60, reason)


@pytest.mark.parametrize("seconds", [0, -1, 367 * 86_400])
def test_a_ban_by_hand_ends(seconds: int) -> None:
    with pytest.raises(TargetError):
        check_request(seconds, "")
    judge = judge_by()
    judge.ban("203.0.113.0/24")
    assert [] == judge.expire(NOW + 599)
    assert ["expired"] == [ban.ending for ban in judge.expire(NOW + 600)]


def test_the_never_ban_list_stops_a_person_who_does_not_insist() -> None:
    own = Own()
    judge = judge_by(own=own)
    for text in ("127.0.0.1", "198.51.100.0/24", "192.0.2.77"):
        with pytest.raises(ManualError, match="--force"):
            judge.ban(text)
    judge.ban("198.51.100.9", force=True)
    judge.ban("203.0.113.1")
    own.networks += ["203.0.113.1/32", "203.0.113.2/32"]
    own.protected.refresh()
    assert ("198.51.100.9/32",) == judge.networks()
    assert ["203.0.113.1/32"] == [ban.network for ban in judge.expire(NOW + 1)]
    assert ("198.51.100.9/32",) == judge.networks()


def test_neither_brakes_nor_a_freeze_hold_a_person_back() -> None:
    judge = judge_by(brakes=Brakes(bans_per_minute=1, bans=1, freeze_factor=2))
    counted = summary(Sent(f"198.51.101.{host}", port) for host in range(9) for port in range(15))
    judge.observe(counted, NOW, NOW, policies(counted))
    assert judge.frozen
    before = len(judge.bans)
    for host in range(5):
        judge.ban(f"203.0.113.{host}")
    assert before + 5 == len(judge.bans)


def test_a_policy_has_an_end_even_for_people() -> None:
    judge = judge_by()
    for number in range(MOST["policy"]):
        judge.ban(f"20.{number // 250}.{number % 250}.1")
    with pytest.raises(ManualError, match="remove another"):
        judge.ban("203.0.113.7")
    judge.ban("20.0.0.1", seconds=60)


def test_rules_leave_alone_what_a_person_banned() -> None:
    """Neither the network nor what lies in it is extended, replaced or banned beside it."""
    judge = judge_by()
    wide = judge.ban("203.0.113.0/24")
    assert [] == judge.scan(NOW + 1)
    assert {"203.0.113.0/24": wide} == dict(judge.bans)
    assert [SCANNER] == judge.scan(NOW + 601, first=20) or judge.expire(NOW + 600)
    assert [SCANNER] == judge.scan(NOW + 602, first=40)


def test_an_undo_holds_nothing_against_the_source() -> None:
    judge = judge_by()
    assert [SCANNER] == judge.scan(NOW)
    ended = judge.undo("203.0.113.7", NOW + 1)
    assert ("removed", NOW + 1) == (ended.ending, ended.ended)
    assert ((), {}) == (judge.networks(), dict(judge.documents()))
    counted = summary([Sent("203.0.113.7", 1000)])
    assert [] == judge.observe(counted, NOW + 2, NOW + 2, policies(counted))
    assert [SCANNER] == judge.scan(NOW + 3, first=2000)
    assert (1, 3600) == (judge.bans[SCANNER].offence, judge.bans[SCANNER].seconds)


def test_an_undone_network_frees_all_sources_in_it() -> None:
    judge = judge_by()
    for host in (1, 2, 200):
        counted = summary(Sent(f"203.0.113.{host}", port) for port in range(14))
        judge.observe(counted, NOW, NOW, policies(counted))
    judge.ban("203.0.113.0/25")
    judge.undo("203.0.113.0/25")
    banned = []
    for host in (1, 2, 200):
        counted = summary([Sent(f"203.0.113.{host}", 99)])
        banned += judge.observe(counted, NOW + 1, NOW + 1, policies(counted))
    assert ["203.0.113.200/32"] == [offence.network for offence in banned]


def test_an_undo_of_what_is_no_entry_names_those_that_are() -> None:
    judge = judge_by()
    judge.ban("203.0.113.0/24")
    judge.ban("198.51.101.1")
    with pytest.raises(ManualError, match=r"lies in 203\.0\.113\.0/24"):
        judge.undo("203.0.113.7")
    with pytest.raises(ManualError, match=r"in it lies 198\.51\.101\.1/32"):
        judge.undo("198.51.101.0/24")
    with pytest.raises(ManualError, match="not banned; "):
        judge.undo("203.0.114.1")
    judge.ban("203.0.113.7")
    judge.undo("203.0.113.7")
    assert ("198.51.101.1/32", "203.0.113.0/24") == judge.networks()


def test_an_approved_ban_is_enforced_until_its_time_and_not_proposed_again() -> None:
    judge = judge_by(mode="propose")
    assert [SCANNER] == judge.scan(NOW)
    proposed = judge.bans[SCANNER]
    approved = judge.by_hand.approve(read_target("203.0.113.7")).ban
    assert ("enforce", "hand", proposed.expires) == (
        approved.phase,
        approved.by,
        approved.expires,
    )
    assert [] == judge.scan(NOW + 10, first=100)
    assert approved == judge.bans[SCANNER]
    assert ({SCANNER}, ()) == (judge.by_hand.enforced(), judge.networks_of("propose"))
    with pytest.raises(ManualError, match="already"):
        judge.by_hand.approve(read_target("203.0.113.7"))
    judge.expire(proposed.expires)
    assert [SCANNER] == judge.scan(proposed.expires + 1, first=200)
    assert ("propose", 2) == (judge.bans[SCANNER].phase, judge.bans[SCANNER].offence)


def test_in_mode_observe_a_person_is_told_that_nothing_is_denied() -> None:
    judge = judge_by(mode="observe")
    judge.scan(NOW)
    with pytest.raises(ManualError, match="--mode propose or enforce"):
        judge.ban("198.51.101.1")
    with pytest.raises(ManualError, match="--mode propose or enforce"):
        judge.by_hand.approve(read_target("203.0.113.7"))
    judge.undo("203.0.113.7")
    assert {} == dict(judge.bans)


def test_decisions_by_hand_are_restored() -> None:
    judge = judge_by()
    judge.ban("203.0.113.0/24")
    judge.ban("192.0.2.1", force=True)
    judge.scan(NOW, "198.51.101.1")
    restarted = judge_by()
    assert 0 == restarted.restore(judge.documents())
    restarted.expire(NOW + 1)
    assert dict(judge.bans) == dict(restarted.bans)
    assert judge.networks() == restarted.networks()
    shown = open_bans({**judge.documents(), "x": b"{}"}, NOW + 700)
    assert ["198.51.101.1/32"] == [ban.network for ban in shown]


def test_what_an_older_logwatch_saved_was_decided_by_a_rule() -> None:
    judge = judge_by()
    judge.scan(NOW)
    document = judge.documents()[SCANNER]
    assert b'"by"' not in document
    assert ("rule", False) == (Ban.from_json(document).by, Ban.from_json(document).forced)
