"""Decisions: who is banned, and who is not and why."""

import pytest
from offenders.judging import NOW, PORTS, judge_by, scan, told
from offenders.packets import Sent, policies, summary

from logwatch.config import Brakes
from logwatch.offenders import Ban, Evidence, Offence
from logwatch.offenders.language import read


def test_a_scanner_is_banned_with_reason_evidence_and_end() -> None:
    judge = judge_by()
    assert [] == judge.see(scan(ports=range(1, 15)), NOW - 5, NOW - 4)
    (offence,) = judge.see(scan(ports=range(15, 20)), NOW, NOW + 1)
    evidence = Evidence(
        packets=19,
        ports=tuple(range(1, 20)),
        first=NOW - 5,
        last=NOW,
        destinations=("198.51.100.1",),
        shapes=("syn",),
    )
    expected = Ban(
        network="203.0.113.7/32",
        rule="ports",
        reason="19 distinct ports within 1m (rule ports: 15)",
        evidence=evidence,
        since=NOW,
        expires=NOW + 3600,
        seconds=3600,
        offence=1,
        phase="enforce",
        decided=NOW + 1,
    )
    assert Offence("203.0.113.7/32", "ports", expected.reason, evidence, NOW, expected) == offence
    assert {"203.0.113.7/32": expected} == dict(judge.bans)
    assert ("203.0.113.7/32",) == judge.networks()


def test_a_ban_shows_lines_of_its_source_until_it_ends() -> None:
    judge = judge_by()
    sent = scan()
    counted = summary([Sent("192.0.2.1"), *sent], samples=100_000)
    (offence,) = judge.observe(counted, NOW, NOW, policies(counted))
    lines = tuple(each.line().removesuffix("\n") for each in sent[:5])
    assert lines == offence.evidence.samples == judge.bans["203.0.113.7/32"].evidence.samples
    (ended,) = judge.expire(NOW + 3600)
    assert () == ended.evidence.samples
    assert lines[0].encode() not in judge.documents()["203.0.113.7/32"]


def test_many_packets_to_one_port_are_an_offence() -> None:
    judge = judge_by()
    assert [] == judge.see([Sent(packets=99)], NOW, NOW)
    offences = judge.see([Sent(packets=1)], NOW + 500, NOW + 500)
    assert [("203.0.113.7/32", "banned by packets")] == told(offences)
    assert NOW + 500 + 7200 == judge.bans["203.0.113.7/32"].expires


@pytest.mark.parametrize(
    "other",
    [
        {"shape": "reply"},
        {"protocol": "udp", "shape": ""},
        {"protocol": "icmp", "shape": ""},
        {"policy": 1},
    ],
    ids=["reply", "udp", "icmp", "only logged"],
)
def test_what_is_no_evidence_does_not_count(other: dict[str, object]) -> None:
    judge = judge_by()
    rows = [
        each._replace(**other)  # type: ignore[arg-type]
        for each in [*scan(), Sent(packets=1000)]
    ]
    assert [] == judge.see(rows, NOW, NOW)


def test_a_rule_may_count_other_protocols() -> None:
    rules = read(
        b"rule udp when packets >= 10 within 1m where protocol in {udp, tcp} ban 1m even if forged",
        "test.rules",
    ).rules
    judge = judge_by([PORTS, *rules])
    offences = judge.see([Sent(packets=6), Sent(protocol="udp", packets=4)], NOW, NOW)
    assert [("203.0.113.7/32", "banned by udp")] == told(offences)


def test_a_sweep_over_destinations_is_an_offence() -> None:
    rules = read(b"rule sweep when distinct destinations >= 10 within 1m ban 1h", "t").rules
    judge = judge_by(rules)
    sweep = [Sent(destination=f"198.51.100.{host}") for host in range(1, 11)]
    assert [] == judge.see(sweep[:9], NOW, NOW)
    (offence,) = judge.see(sweep[9:], NOW, NOW)
    assert "10 distinct destinations within 1m (rule sweep: 10)" == offence.reason
    assert 8 == len(offence.evidence.destinations)


def test_hosts_of_one_64_are_one_source() -> None:
    judge = judge_by()
    rows = [Sent(f"2001:db8:0:7::{port:x}", port) for port in range(1, 16)]
    assert [("2001:db8:0:7::/64", "banned by ports")] == told(judge.see(rows, NOW, NOW))
    rows = [Sent(f"2001:db8:0:{port:x}::7", port) for port in range(1, 16)]
    assert [] == judge.see(rows, NOW, NOW)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("169.254.169.254", "link-local"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("198.51.100.9", "translated address"),
        ("192.0.2.200", "operator"),
        ("2001:db8:0:5::77", "operator"),
        ("fe80::1", "link-local"),
        ("::1", "loopback"),
        ("::ffff:203.0.113.7", "loopback"),
    ],
)
def test_who_is_protected_is_refused_with_the_reason(source: str, reason: str) -> None:
    """Judged by the whole network that would be banned: one address of a /64 protects it."""
    judge = judge_by(never_ban=["192.0.2.0/24", "2001:db8:0:5::1/128"])
    (offence,) = judge.see(scan(source), NOW, NOW)
    assert offence.ban is None
    assert offence.refusal is not None
    assert reason == offence.refusal.reason
    assert {} == dict(judge.bans)
    assert () == judge.networks()


def test_a_refusal_is_told_once_in_a_window() -> None:
    judge = judge_by([PORTS])
    seen = [
        told(judge.see(scan("198.51.100.9"), NOW + second, NOW + second))
        for second in range(0, 180, 10)
    ]
    refused = [("198.51.100.9/32", "translated address")]
    assert [refused if second % 60 == 0 else [] for second in range(0, 180, 10)] == seen


def test_not_more_bans_than_allowed_and_the_next_as_soon_as_one_ends() -> None:
    judge = judge_by(limits=Brakes(bans=1))
    judge.see(scan(), NOW, NOW)
    other = "192.0.2.1"
    assert [("192.0.2.1/32", "limit")] == told(judge.see(scan(other), NOW, NOW))
    assert 1 == judge.held
    assert [] == judge.decide(NOW + 120)
    assert 0 == judge.held
    at = NOW + 3600
    assert [("192.0.2.1/32", "limit")] == told(judge.see(scan(other), at, at))
    assert [] == judge.see(scan(other), at, at)
    assert ["203.0.113.7/32"] == [ban.network for ban in judge.expire(at)]
    assert [("192.0.2.1/32", "banned by ports")] == told(judge.decide(at + 1))
    assert 0 == judge.held


def test_an_event_can_not_lie_in_the_future() -> None:
    judge = judge_by()
    (offence,) = judge.see(scan(), NOW + 86_400, NOW)
    assert offence.ban is not None
    assert (NOW, NOW + 3600) == (offence.ban.since, offence.ban.expires)


def test_a_backlog_is_judged_by_its_own_time() -> None:
    """What would be over by now is refused; what would still hold ends as if made in time."""
    judge = judge_by()
    assert [] == judge.see(scan(ports=range(1, 15)), NOW - 9000, NOW)
    assert [] == judge.see(scan(ports=range(15, 20)), NOW - 8000, NOW)
    assert [("203.0.113.7/32", "past")] == told(judge.see(scan(), NOW - 7000, NOW))
    assert [("203.0.113.7/32", "banned by ports")] == told(judge.see(scan(), NOW - 3000, NOW))
    assert NOW + 600 == judge.bans["203.0.113.7/32"].expires
