"""Why a network is banned, or why it is not."""

from ipaddress import ip_network

import pytest
from offenders.packets import Sent
from offenders.test_brakes import NOW, Judge, flood, judge_by, offender, source

from logwatch.config import Brakes
from logwatch.offenders import Mode, Near, Protected
from logwatch.offenders.language import read

RULES = read(
    b"""
rule packets when packets >= 10 within 2m where protocol is tcp and not reply ban 1h even if forged
rule ports when distinct ports >= 5 within 1m ban 1h
""",
    "test.rules",
).rules
KNOCKER = ip_network(source(0))


def reasons(judge: Judge, network: str, now: float = NOW) -> list[str]:
    return [stop.reason for stop in judge.why(ip_network(network), now).stops]


def test_it_tells_how_far_a_source_is_from_each_rule() -> None:
    judge = Judge(RULES, Protected((), list), mode="enforce", limits=Brakes())
    judge.see([offender(0, 7)], NOW)
    why = judge.why(KNOCKER, NOW)
    assert (Near("packets", "packets", 7, 10, 120), Near("ports", "ports", 1, 5, 60)) == why.near
    assert [3, 4] == [near.missing for near in why.near]
    assert () == why.stops
    assert (None, False, 1) == (why.ban, why.is_waiting, why.next_offence)
    assert 0 == judge.why(KNOCKER, NOW + 130).near[0].reached
    assert () == judge.why(ip_network("192.0.2.1"), NOW).near


def test_it_tells_of_the_ban_and_what_the_next_one_would_be() -> None:
    judge = judge_by()
    judge.see(flood(0, 1), NOW)
    why = judge.why(KNOCKER, NOW)
    assert judge.bans[str(KNOCKER)] == why.ban
    assert ["banned"] == [stop.reason for stop in why.stops]
    assert "rule packets" in why.stops[0].text
    assert 2 == why.next_offence
    judge.expire(NOW + 3600)
    assert (None, 2) == (judge.why(KNOCKER, NOW + 3600).ban, judge.why(KNOCKER, NOW).next_offence)


def test_it_tells_the_ports_that_were_tried_before_a_ban_and_after() -> None:
    judge = Judge(RULES, Protected((), list), mode="enforce", limits=Brakes())
    judge.see([Sent(source(0), port) for port in (443, 22, 80)], NOW)
    assert (22, 80, 443) == judge.why(KNOCKER, NOW).ports
    judge.see([Sent(source(0), port) for port in (5432, 8080)], NOW + 1)
    assert judge.why(KNOCKER, NOW + 1).ban is not None
    assert (22, 80, 443, 5432, 8080) == judge.why(KNOCKER, NOW + 1).ports
    assert () == judge.why(ip_network("192.0.2.1"), NOW).ports


def test_an_address_is_asked_for_as_what_a_ban_of_it_denies() -> None:
    judge = judge_by()
    judge.see([offender(0)._replace(source="2001:db8::1")], NOW)
    why = judge.why(ip_network("2001:db8::77"), NOW)
    assert "2001:db8::/64" == why.network
    assert why.ban is not None
    assert "203.0.0.0/32" == judge.why(ip_network("::ffff:203.0.0.0"), NOW).network
    assert "203.0.0.0/26" == judge.why(ip_network("203.0.0.0/26"), NOW).network


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("198.51.100.9", ["translated address"]),
        ("127.0.0.1", ["loopback"]),
        ("203.0.0.0/16", ["too wide"]),
        ("203.0.0.0/24", []),
    ],
)
def test_it_tells_what_is_never_banned(network: str, expected: list[str]) -> None:
    assert expected == reasons(judge_by(), network)


def test_the_remedy_for_translated_addresses_is_named() -> None:
    """In words that are true as well where nobody has sent anything."""
    (stop,) = judge_by().why(ip_network("198.51.100.9"), NOW).stops
    assert stop.text.startswith("198.51.100.9 is an address of this host. Packets from it are ")
    assert "externalTrafficPolicy: Local" in stop.text


@pytest.mark.parametrize(("mode", "expected"), [("observe", ["mode"]), ("propose", ["mode"])])
def test_it_tells_that_the_mode_only_shows(mode: Mode, expected: list[str]) -> None:
    assert expected == reasons(judge_by(mode=mode), str(KNOCKER))


def test_it_tells_which_brake_holds() -> None:
    judge = judge_by()
    judge.see(flood(0, 4), NOW)
    assert ["rate"] == reasons(judge, "192.0.2.1")
    assert judge.why(ip_network(source(3)), NOW).is_waiting
    assert [] == reasons(judge, "192.0.2.1", NOW + 60)
    assert ["limit"] == reasons(judge_of_full(), "192.0.2.1")
    judge.see(flood(100, 31), NOW)
    assert ["frozen"] == reasons(judge, "192.0.2.1")
    assert ["banned"] == reasons(judge, source(0)), "no brake holds an extension"


def test_a_brake_holds_the_ban_that_is_to_take_the_place_of_one_that_was_only_shown() -> None:
    shown = judge_by(mode="observe")
    shown.see(flood(0, 1), NOW)
    judge = judge_by()
    judge.restore(shown.documents())
    judge.see(flood(1, 3), NOW)
    assert ["banned", "rate"] == reasons(judge, source(0))


def judge_of_full() -> Judge:
    judge = judge_by(bans=1)
    judge.see(flood(0, 1), NOW)
    return judge
