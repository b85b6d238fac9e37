"""When bans end: extensions, repeated offences, and clocks that are set."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offenders.judging import NOW, WIDE, judge_by, scan
from offenders.packets import Sent

from logwatch.config import Brakes
from logwatch.offenders import Ban
from logwatch.offenders.book import MAX_RECALLED, RECALL
from logwatch.offenders.language import read


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
