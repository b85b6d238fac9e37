"""Decisions: who is banned, who is not and why, and for how long."""

import json
from collections.abc import Callable, Iterable
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offenders.packets import Sent, policies, summary

from logwatch.blacklist import Network
from logwatch.config import Brakes
from logwatch.offenders import Ban, Evidence, Mode, Offence, Offenders, Protected
from logwatch.offenders.book import MAX_RECALLED, RECALL
from logwatch.offenders.language import Rule, read

RULES = read(
    b"""
rule packets
    when packets >= 100 within 10m
    where protocol is tcp and not reply
    ban 2h
    even if forged
rule ports
    when distinct ports >= 15 within 1m
    ban 1h
""",
    "test.rules",
).rules
WIDE = Brakes(bans_per_minute=1000, bans=1000, freeze_factor=100)
"""Brakes that hold nothing back here."""
PORTS = RULES[1]
SCANNER = "203.0.113.7"
NOW = 1_700_000_000.0


def nets(*texts: str) -> list[Network]:
    return [ip_network(text) for text in texts]


class Judge(Offenders):
    """Takes packets as they were sent."""

    def see(self, sent: Iterable[Sent], at: float, now: float) -> list[Offence]:
        counted = summary(sent)
        return self.observe(counted, at, now, policies(counted))


def judge_by(
    rules: Iterable[Rule] = RULES,
    *,
    mode: Mode = "enforce",
    never_ban: Iterable[str] = (),
    limits: Brakes = WIDE,
    sources: Callable[[float], int] | None = None,
) -> Judge:
    protected = Protected(nets(*never_ban), lambda: nets("198.51.100.9/32"))
    return Judge(tuple(rules), protected, mode=mode, limits=limits, sources=sources)


def scan(source: str = SCANNER, ports: Iterable[int] = range(1, 16)) -> list[Sent]:
    return [Sent(source, port) for port in ports]


def told(offences: list[Offence]) -> list[tuple[str, str]]:
    """Network and outcome of each offence."""
    return [
        (each.network, each.refusal.reason if each.refusal else f"banned by {each.rule}")
        for each in offences
    ]


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


def test_a_ban_doubles_with_each_offence_up_to_a_length() -> None:
    rules = read(
        b"rule ports when distinct ports >= 15 within 1m ban 1h, doubling up to 3h", "test.rules"
    ).rules
    judge, at = judge_by(rules), NOW
    for number, hours in enumerate([1, 2, 3, 3], start=1):
        (offence,) = judge.see(scan(), at, at)
        assert offence.ban is not None
        assert (number, hours * 3600) == (offence.ban.offence, offence.ban.seconds)
        at += hours * 3600
        assert 1 == len(judge.expire(at))


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


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_only_enforced_bans_belong_into_the_policy(mode: Mode) -> None:
    judge = judge_by(mode=mode)
    (offence,) = judge.see(scan(), NOW, NOW)
    assert offence.ban is not None
    assert mode == offence.ban.phase
    assert () == judge.networks()

    enforcing = judge_by(mode="enforce")
    enforcing.restore(judge.documents())
    assert () == enforcing.networks()
    (offence,) = enforcing.see(scan(), NOW + 9, NOW + 9)
    assert offence.ban is not None
    assert ("enforce", 1) == (offence.ban.phase, offence.ban.offence)
    assert ("203.0.113.7/32",) == enforcing.networks()

    again = judge_by(mode=mode)
    again.restore(enforcing.documents())
    assert () == again.networks()


@pytest.mark.parametrize(
    ("before", "mode"), [("enforce", "propose"), ("enforce", "observe"), ("propose", "observe")]
)
def test_a_mode_that_does_less_neither_replaces_nor_extends_a_ban(before: Mode, mode: Mode) -> None:
    """When it is over, the source is judged anew, by what it did since it offended last."""
    earlier = judge_by(mode=before)
    (offence,) = earlier.see(scan(), NOW, NOW)
    judge = judge_by(mode=mode)
    judge.restore(earlier.documents())
    for minute in range(5, 60, 5):
        assert [] == judge.see(scan(), NOW + minute * 60, NOW + minute * 60)
    assert offence.ban == judge.bans["203.0.113.7/32"]
    assert ("203.0.113.7/32",) == judge.networks_of(before)
    end = NOW + 3600
    assert ["expired"] == [ban.ending for ban in judge.expire(end)]
    assert [] == judge.see(scan(ports=range(1, 15)), end, end)
    (offence,) = judge.see(scan(ports=range(15, 16)), end, end)
    assert offence.ban is not None
    assert (mode, 2) == (offence.ban.phase, offence.ban.offence)


def test_a_ban_is_extended_when_its_source_fulfils_a_rule_again() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    at = NOW + 1800
    assert [] == judge.see(scan(ports=range(1, 15)), at, at)
    assert NOW + 3600 == judge.bans["203.0.113.7/32"].expires
    assert [] == judge.see(scan(ports=range(15, 16)), at + 1, at + 1)
    ban = judge.bans["203.0.113.7/32"]
    assert (at + 1 + 3600, 1, NOW) == (ban.expires, ban.offence, ban.since)
    assert (NOW, at + 1) == (ban.evidence.first, ban.evidence.last)
    assert ban == Ban.from_json(judge.documents()["203.0.113.7/32"])


@pytest.mark.parametrize("step", [0.0, 86_400.0, -86_400.0])
def test_an_extended_ban_is_told_of_once_it_would_have_ended(step: float) -> None:
    """Over a restart, and while the clock is set; however often it was extended by then."""
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    for minute in (10, 20, 30):
        judge.see(scan(), NOW + minute * 60, NOW + minute * 60)
    after = judge_by()
    after.restore(judge.documents())
    after.shift(step)
    now = NOW + step
    assert [] == after.expire(now + 3599)
    assert [] == list(after.extended)
    assert [] == after.expire(now + 3600)
    (ban,) = after.extended
    assert now + 5400 == ban.expires
    assert dict(after.bans) == {ban.network: ban}
    assert [] == after.expire(now + 3601)
    assert [] == list(after.extended)
    (ended,) = after.expire(now + 5400)
    assert [] == list(after.extended)
    assert ended == Ban.from_json(after.documents()[ban.network])


def test_an_extended_ban_that_is_over_by_then_has_only_its_end_told() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    judge.see(scan(), NOW + 600, NOW + 600)
    assert ["expired"] == [ban.ending for ban in judge.expire(NOW + 4200)]
    assert [] == list(judge.extended)


def test_stray_packets_of_a_banned_source_do_not_extend_its_ban() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    for minute in range(1, 61):
        at = NOW + minute * 60
        judge.see([Sent()], at, at)
    assert ["203.0.113.7/32"] == [ban.network for ban in judge.expire(NOW + 3600)]


def test_a_flood_from_a_banned_source_changes_its_document_once_a_minute() -> None:
    judge = judge_by()
    documents = set()
    for tenth in range(3000):
        at = NOW + tenth / 10
        judge.see(scan(), at, at)
        documents |= set(judge.documents().values())
    assert 5 == len(documents)


def test_each_ban_after_an_end_counts_the_offence_up_and_old_ones_fade() -> None:
    judge = judge_by()
    at = NOW
    for number in (1, 2, 3):
        (offence,) = judge.see(scan(), at, at)
        assert offence.ban is not None
        assert number == offence.ban.offence
        at += 3600
        (ended,) = judge.expire(at)
        assert (at, "expired") == (ended.ended, ended.ending)
        assert ended == Ban.from_json(judge.documents()["203.0.113.7/32"])
        judge = judge_by()
        judge.restore({"203.0.113.7/32": ended.to_json()})
    at += RECALL
    assert [] == judge.expire(at)
    assert {} == dict(judge.documents())
    (offence,) = judge.see(scan(), at, at)
    assert offence.ban is not None
    assert 1 == offence.ban.offence


def test_ended_bans_are_remembered_up_to_a_number() -> None:
    judge = judge_by(limits=WIDE)
    at = NOW
    for batch in range(6):
        rows = [
            Sent(f"203.{batch}.{number >> 8}.{number & 255}", packets=100) for number in range(1000)
        ]
        assert 1000 == len(judge.see(rows, at, at))
        at += 7200
        assert 1000 == len(judge.expire(at))
    assert MAX_RECALLED == len(judge.documents())
    assert "203.0.0.1/32" not in judge.documents()
    assert "203.5.0.1/32" in judge.documents()


def test_a_clock_set_back_does_not_lengthen_a_ban() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    back = NOW - 86_400
    assert [] == judge.expire(back)
    ban = judge.bans["203.0.113.7/32"]
    assert back + 3600 == ban.expires
    assert ban == Ban.from_json(judge.documents()["203.0.113.7/32"])
    assert [] == judge.expire(back + 3599)
    assert [ban.network] == [each.network for each in judge.expire(back + 3600)]


def test_a_clock_set_forward_ends_bans_and_nothing_else() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    ahead = NOW + 10 * 365 * 86_400
    assert ["203.0.113.7/32"] == [ban.network for ban in judge.expire(ahead)]
    assert [] == judge.see(scan(ports=range(14)), ahead, ahead)
    assert 1 == len(judge.see(scan(ports=range(14, 15)), NOW, NOW)) + len(
        judge.see(scan(), NOW + 1, NOW + 1)
    )


def test_evidence_from_a_clock_that_was_ahead_does_not_count() -> None:
    judge = judge_by()
    ahead = NOW + 86_400
    judge.see(scan(ports=range(1, 15)), ahead, ahead)
    assert [] == judge.see(scan(ports=range(15, 16)), NOW, NOW)


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


def test_a_restart_goes_on_with_the_same_bans() -> None:
    judge = judge_by()
    judge.see([*scan(), Sent("2001:db8::1", packets=100)], NOW, NOW)
    after = judge_by()
    assert 0 == after.restore(judge.documents())
    assert dict(judge.bans) == dict(after.bans)
    assert dict(judge.documents()) == dict(after.documents())
    assert ("203.0.113.7/32", "2001:db8::/64") == after.networks()
    assert ["203.0.113.7/32"] == [ban.network for ban in after.expire(NOW + 3600)]


def test_damaged_documents_are_left_out_and_counted() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    good = judge.documents()["203.0.113.7/32"]
    document = json.loads(good)

    def changed(**values: object) -> bytes:
        return json.dumps(document | values).encode()

    damaged = {
        "203.0.113.1/32": good,
        "203.0.113.2/32": b"",
        "203.0.113.3/32": b"\xff\xfe",
        "203.0.113.4/32": changed(network="203.0.113.4/32", phase="war"),
        "203.0.113.5/32": changed(network="203.0.113.5/32", seconds=0),
        "203.0.113.6/32": changed(network="203.0.113.6/32", expires="soon"),
        "203.0.113.8/32": changed(network="203.0.113.8/32", offence=0),
        "203.0.113.9": changed(network="203.0.113.9"),
        "0.0.0.0/0": changed(network="0.0.0.0/0"),
        "203.0.112.0/20": changed(network="203.0.112.0/20"),
        "everyone": changed(network="everyone"),
    }
    after = judge_by()
    assert len(damaged) == after.restore({**damaged, "203.0.113.7/32": good})
    assert ["203.0.113.7/32"] == list(after.bans)
    assert {"203.0.113.7/32": good} == dict(after.documents())
    newer = judge_by()
    assert 0 == newer.restore({"203.0.113.7/32": changed(unknown=1)})
    assert judge.bans["203.0.113.7/32"] == newer.bans["203.0.113.7/32"]


@given(st.binary())
def test_no_document_breaks_a_restart(document: bytes) -> None:
    assert 1 == judge_by().restore({"203.0.113.7/32": document})


def test_no_ban_lasts_for_ever_whatever_its_document_says() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    good = judge.documents()["203.0.113.7/32"]
    for old, new in (
        (b'"expires":1700003600.0', b'"expires":1e300'),
        (b'"expires":1700003600.0', b'"expires":1e999'),
    ):
        document = good.replace(old, new)
        assert good != document
        after = judge_by()
        after.restore({"203.0.113.7/32": document})
        after.expire(NOW)
        assert [] == [ban for ban in after.bans.values() if ban.expires > NOW + 3600]


def test_a_ban_ends_when_its_network_comes_under_protection() -> None:
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    judge = Judge([PORTS], protected, mode="enforce", limits=WIDE)
    judge.see(scan(), NOW, NOW)
    assert [] == judge.expire(NOW + 1)
    own[0] = nets("203.0.113.7/32")
    protected.refresh()
    assert () == judge.networks()
    (ended,) = judge.expire(NOW + 2)
    assert (NOW + 2, "protected") == (ended.ended, ended.ending)
    assert {} == dict(judge.documents())


def test_a_restored_ban_of_a_protected_network_is_never_enforced() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    after = judge_by(never_ban=["203.0.113.0/24"])
    after.restore(judge.documents())
    assert () == after.networks()
    assert ["protected"] == [ban.ending for ban in after.expire(NOW)]


def test_the_revision_grows_with_every_change_and_only_then() -> None:
    """Bans made, extended, ended, forgotten, restored; the protected list."""
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    judge = Judge([PORTS], protected, mode="enforce", limits=WIDE)
    revisions = [judge.revision]

    def grown() -> bool:
        revisions.append(judge.revision)
        return revisions[-2] < revisions[-1]

    judge.see(scan(ports=range(1, 15)), NOW, NOW)
    judge.expire(NOW)
    assert not grown()
    judge.see(scan(ports=range(15, 16)), NOW, NOW)
    assert grown()
    judge.see(scan(), NOW + 600, NOW + 600)
    assert grown()
    judge.expire(NOW + 601)
    assert not grown()
    judge.expire(NOW - 86_400)
    assert grown()
    judge.expire(NOW)
    assert grown()
    judge.expire(NOW + RECALL)
    assert grown()
    judge.see(scan(), NOW + RECALL, NOW + RECALL)
    own[0] = nets("203.0.113.7/32")
    assert grown()
    protected.refresh()
    assert grown()
    judge.expire(NOW + RECALL)
    assert grown()
    after = judge_by()
    judge.restore(after.documents())
    assert not grown()
    after.see(scan("203.0.113.8"), NOW, NOW)
    judge.restore(after.documents())
    assert grown()


def test_the_same_networks_are_not_listed_anew() -> None:
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    judge = Judge([PORTS], protected, mode="enforce", limits=WIDE)
    assert () == judge.networks()
    judge.see(scan(), NOW, NOW)
    first = judge.networks()
    assert ("203.0.113.7/32",) == first
    judge.see([Sent("203.0.113.8")], NOW + 1, NOW + 1)
    judge.expire(NOW + 1)
    assert judge.networks() is first
    own[0] = nets("203.0.113.7/32")
    protected.refresh()
    assert () == judge.networks()


Step = tuple[int, float, float]
"""Which source acts, how far the clock moves, how far behind the event lies."""

_STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from([0.0, 1.0, 30.0, 3600.0, 86_400.0, -30.0, -86_400.0, 1e7, -1e7]),
        st.sampled_from([0.0, 10.0, 3000.0, 1e6, -3000.0]),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(_STEPS)
def test_whatever_the_clock_does_bans_stay_within_bounds(steps: list[Step]) -> None:
    """Never a protected one, never too many, never longer than the rule says; all restorable."""
    judge = judge_by(never_ban=["203.0.113.2"], limits=Brakes(bans=3))
    now = NOW
    for number, wait, behind in steps:
        now += wait
        for ban in judge.expire(now):
            assert ban.network not in judge.bans
        offences = judge.see(scan(f"203.0.113.{number}"), now - behind, now)
        for offence in offences:
            assert (offence.ban is None) != (offence.refusal is None)
            if offence.ban is not None:
                assert offence.ban == judge.bans[offence.network]
        assert "203.0.113.2/32" not in judge.bans
        assert len(judge.bans) <= 3
        assert all(now < ban.expires <= now + ban.seconds for ban in judge.bans.values())
        after = judge_by(never_ban=["203.0.113.2"], limits=Brakes(bans=3))
        assert 0 == after.restore(judge.documents())
        assert dict(judge.bans) == dict(after.bans)
        assert judge.networks() == after.networks()
