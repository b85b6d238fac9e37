"""Brakes, the freeze, and steps of the clock: what rules may decide, whatever they find."""

from collections import Counter
from collections.abc import Callable, Iterable
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offenders.packets import Sent, policies, summary

from logwatch.config import Brakes
from logwatch.offenders import Offence, Offenders, Protected
from logwatch.offenders.freeze import CALM_SECONDS
from logwatch.offenders.language import read
from logwatch.offenders.waiting import SPARE, WAITING_MOST

RULES = read(
    b"""
rule packets
    when packets >= 10 within 2m
    where protocol is tcp and not reply
    ban 1h
    even if forged
""",
    "test.rules",
).rules
NOW = 1_700_000_000.0
OWN = ip_network("198.51.100.9/32")


class Judge(Offenders):
    """Takes packets as they were sent."""

    def see(self, sent: Iterable[Sent], now: float, at: float | None = None) -> list[Offence]:
        counted = summary(sent)
        return self.observe(counted, now if at is None else at, now, policies(counted))


def judge_by(
    sources: Callable[[float], int] | None = None, mode: str = "enforce", **limits: int
) -> Judge:
    protected = Protected((), lambda: [OWN])
    brakes = Brakes(**{"bans_per_minute": 3, "freeze_factor": 10} | limits)
    return Judge(RULES, protected, mode=mode, limits=brakes, sources=sources)


def source(number: int) -> str:
    return f"203.0.{number >> 8}.{number & 255}"


def offender(number: int, packets: int = 10) -> Sent:
    return Sent(source(number), packets=packets)


def flood(first: int, number: int) -> list[Sent]:
    return [offender(first + each) for each in range(number)]


def banned(offences: Iterable[Offence]) -> list[str]:
    return [each.network.removesuffix("/32") for each in offences if each.ban]


def refused(offences: Iterable[Offence]) -> Counter[str]:
    return Counter(each.refusal.reason for each in offences if each.refusal)


def test_the_worst_are_banned_first_and_the_rest_when_a_minute_is_over() -> None:
    judge = judge_by()
    offences = judge.see([offender(number, packets=10 + number) for number in range(8)], NOW)
    assert [source(7), source(6), source(5)] == banned(offences)
    assert {"rate": 5} == refused(offences)
    assert 5 == judge.held
    assert [] == judge.decide(NOW + 59)
    later = judge.decide(NOW + 60)
    assert [source(4), source(3), source(2)] == banned(later)
    assert all(each.has_waited for each in later)
    assert {} == refused(later)
    assert "14 packets within 2m (rule packets: 10)" == later[0].reason


def test_who_waits_is_judged_anew_by_what_it_did_meanwhile() -> None:
    judge = judge_by(bans_per_minute=1)
    judge.see([offender(0, 50), offender(1, 20), offender(2, 15)], NOW)
    judge.see([offender(2, 30)], NOW + 30)
    assert [source(2)] == banned(judge.decide(NOW + 60))


def test_who_stopped_offending_is_not_banned_when_its_turn_comes() -> None:
    judge = judge_by()
    judge.see(flood(0, 5), NOW)
    judge.see([offender(4, 30)], NOW + 30)
    assert [source(4)] == banned(judge.decide(NOW + 130))
    assert 0 == judge.held


def test_who_waits_and_offends_again_is_banned_once() -> None:
    judge = judge_by(bans_per_minute=2)
    judge.see(flood(0, 4), NOW)
    assert [source(2)] == banned(judge.see([offender(2, 20)], NOW + 121))
    assert 0 == judge.held
    assert [] == judge.decide(NOW + 240)


def test_a_ban_that_ends_lets_the_worst_who_waits_in() -> None:
    judge = judge_by(bans=2)
    judge.see(flood(0, 2), NOW)
    at = NOW + 3590
    offences = judge.see([offender(8), offender(9, 40)], at)
    assert {"limit": 2} == refused(offences)
    assert [] == judge.decide(NOW + 3599)
    judge.see([offender(1)], NOW + 3599)  # extended, so that one place becomes free
    judge.expire(NOW + 3600)
    assert [source(9)] == banned(judge.decide(NOW + 3600))


def test_not_more_than_a_share_of_the_sources_seen_lately_is_banned() -> None:
    seen = [10]
    judge = judge_by(lambda _: seen[0], bans_per_minute=100, share_percent=50)
    offences = judge.see(flood(0, 30), NOW)
    assert 20 == len(banned(offences))
    assert {"share": 10} == refused(offences)
    seen[0] = 50
    assert 5 == len(banned(judge.decide(NOW + 60)))
    assert 50 == len(banned(judge_by(None, bans_per_minute=100).see(flood(0, 50), NOW)))


def test_a_restart_lets_no_more_bans_through() -> None:
    judge = judge_by()
    judge.see(flood(0, 3), NOW)
    after = judge_by()
    after.restore(judge.documents(), now=NOW + 30)
    assert {"rate": 1} == refused(after.see(flood(9, 1), NOW + 30))
    assert [source(9)] == banned(after.decide(NOW + 60))


def test_a_flood_of_offenders_freezes_before_one_of_them_is_banned() -> None:
    judge = judge_by()
    offences = judge.see(flood(0, 31), NOW)
    assert {"frozen": 31} == refused(offences)
    assert judge.frozen is not None
    assert (NOW, 31) == (judge.frozen.since, judge.frozen.offenders)
    assert "31 sources" in judge.freeze_text()
    assert "more than 30" in judge.freeze_text()
    assert {} == dict(judge.bans)


def test_as_many_offenders_as_the_factor_allows_do_not_freeze() -> None:
    judge = judge_by()
    assert 3 == len(banned(judge.see(flood(0, 30), NOW)))
    assert judge.frozen is None
    judge.see(flood(30, 1), NOW + 59)
    assert judge.frozen is not None


def test_offenders_that_come_slowly_or_again_do_not_freeze() -> None:
    judge = judge_by(bans=1)
    for second in range(0, 600, 10):
        judge.see(flood(second // 10 * 4, 4), NOW + second)
        judge.see([offender(0)], NOW + second)
    assert judge.frozen is None


def test_a_freeze_ends_when_it_was_calm_for_long_enough() -> None:
    judge = judge_by()
    judge.see(flood(0, 31), NOW)
    assert {"frozen": 16} == refused(judge.see(flood(100, 16), NOW + 100))
    calm_from = NOW + 100
    assert {"frozen": 15} == refused(judge.see(flood(200, 15), NOW + 200))
    judge.decide(calm_from + CALM_SECONDS - 1)
    assert judge.frozen is not None
    judge.see([offender(300, 20)], calm_from + CALM_SECONDS - 1)
    assert [source(300)] == banned(judge.decide(calm_from + CALM_SECONDS))
    assert judge.frozen is None


def test_bans_end_and_are_extended_while_frozen() -> None:
    judge = judge_by()
    judge.see(flood(0, 2), NOW)
    judge.see(flood(100, 31), NOW + 3500)
    judge.see([offender(1)], NOW + 3590)
    assert judge.frozen is not None
    assert [source(0)] == [each.network.removesuffix("/32") for each in judge.expire(NOW + 3600)]
    assert NOW + 3590 + 3600 == judge.bans[f"{source(1)}/32"].expires


def test_a_freeze_survives_a_restart() -> None:
    judge = judge_by()
    assert judge.freeze_document() is None
    judge.see(flood(0, 31), NOW)
    after = judge_by()
    after.restore({}, freeze=judge.freeze_document(), now=NOW + 10)
    assert judge.frozen == after.frozen
    assert {"frozen": 1} == refused(after.see(flood(900, 1), NOW + 10))
    after.decide(NOW + CALM_SECONDS)
    assert after.frozen is None


@given(st.binary())
def test_no_document_of_a_freeze_breaks_a_restart(document: bytes) -> None:
    after = judge_by()
    after.restore({}, freeze=document, now=NOW)
    assert after.frozen is None


def test_a_backlog_of_many_offenders_over_hours_is_no_flood() -> None:
    judge = judge_by(bans_per_minute=10, freeze_factor=2)
    for minute in range(50):
        judge.see(flood(minute * 20, 20), NOW, at=NOW - 3000 + minute * 60)
    assert judge.frozen is None


def test_sources_seen_once_neither_freeze_nor_hide_a_scanner() -> None:
    judge = judge_by()
    seen = []
    for batch in range(20):
        once = [Sent(f"100.{64 + batch}.{n >> 8}.{n & 255}") for n in range(1500)]
        seen += judge.see([*once, offender(7, 1)], NOW + batch)
    assert [source(7)] == banned(seen)
    assert judge.frozen is None


def test_who_is_never_banned_does_not_freeze() -> None:
    own = [ip_network("203.0.0.0/16")]
    judge = Judge(
        RULES,
        Protected((), lambda: own),
        mode="enforce",
        limits=Brakes(bans_per_minute=3, freeze_factor=2),
    )
    assert {"translated address": 100} == refused(judge.see(flood(0, 100), NOW))
    assert judge.frozen is None


def test_a_flood_of_offenders_leaves_a_bounded_number_waiting_the_worst() -> None:
    judge = judge_by(freeze_factor=100, bans=1)
    judge.see([*flood(0, 3000), offender(5000, 11)], NOW)
    assert WAITING_MOST <= judge.held <= WAITING_MOST + SPARE
    assert judge.why(ip_network(source(5000)), NOW).is_waiting


def test_a_clock_that_is_set_changes_the_length_of_no_ban() -> None:
    for step in (86_400.0, 3600.0, 3.0, -3600.0, -86_400.0, 1e9, -1e9):
        judge = judge_by()
        judge.see(flood(0, 1), NOW)
        judge.shift(step)
        now = NOW + step + 10
        assert [] == judge.expire(now)
        (ban,) = judge.bans.values()
        assert (NOW + step, NOW + step + 3600) == (ban.since, ban.expires)
        after = judge_by()
        after.restore(judge.documents(), now=now)
        assert [] == after.expire(NOW + step + 3599)
        assert 1 == len(after.expire(NOW + step + 3600))


def test_a_clock_that_is_set_lets_no_more_bans_through_and_thaws_nothing() -> None:
    judge = judge_by()
    judge.see(flood(0, 3), NOW)
    judge.shift(86_400.0)
    assert {"rate": 1} == refused(judge.see(flood(5, 1), NOW + 86_401))
    judge.see(flood(100, 30), NOW + 86_402)
    assert judge.frozen is not None
    judge.shift(86_400.0)
    judge.decide(NOW + 2 * 86_400 + 3)
    assert judge.frozen is not None


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_who_waits_when_the_clock_is_set_waits_on_and_is_not_told_of_again(step: float) -> None:
    judge = judge_by()
    judge.see(flood(0, 4), NOW)
    judge.shift(step)
    assert 1 == judge.held
    assert [] == judge.see(flood(0, 4), NOW + step + 10)
    assert 1 == len(banned(judge.decide(NOW + step + 61)))


def test_offenders_that_wait_have_their_turn_after_a_step_back_that_nobody_told_of() -> None:
    judge = judge_by()
    judge.see(flood(0, 4), NOW)
    judge.decide(NOW + 70)
    back = NOW - 3600
    judge.see(flood(10, 4), back)
    assert 2 == judge.held
    assert 2 == len(banned(judge.decide(back + 60)))


Step = tuple[float, list[tuple[int, int]]]
"""Seconds that pass, then sources with a number of packets."""

_STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 7.0, 30.0, 60.0]),
        st.lists(st.tuples(st.integers(0, 11), st.integers(1, 40)), max_size=8),
    ),
    max_size=25,
)
_LONG = read(b"rule packets when packets >= 10 within 1d ban 1d even if forged", "test.rules").rules


@settings(deadline=None)
@given(_STEPS, st.integers(1, 4), st.integers(1, 12), st.booleans())
def test_brakes_hold_the_worst_come_first_and_nobody_is_lost(
    steps: list[Step], per_minute: int, most: int, restarts: bool
) -> None:
    """Against plain counts. With restarts, which forget evidence, in front of each step."""
    limits = Brakes(bans_per_minute=per_minute, bans=most, freeze_factor=100)
    protected = Protected((), lambda: [OWN])
    judge = Judge(_LONG, protected, mode="enforce", limits=limits)
    decided: list[float] = []
    counts: Counter[str] = Counter()
    now = NOW
    for wait, packets in steps:
        now += wait
        if restarts:
            documents = judge.documents()
            judge = Judge(_LONG, protected, mode="enforce", limits=limits)
            judge.restore(documents, now=now)
            counts.clear()
        for number, count in packets:
            counts[source(number)] += count
        offences = judge.see([offender(*each) for each in packets], now)
        new = banned([*offences, *judge.decide(now)])
        assert len(new) == len(set(new))
        decided += [now] * len(new)
        assert len([each for each in decided if each > now - 60]) <= per_minute
        assert len(judge.bans) == len(decided) <= most
        waits = {a: n for a, n in counts.items() if n >= 10 and f"{a}/32" not in judge.bans}
        assert all(counts[address] >= max(waits.values(), default=0) for address in new)
        assert waits.keys() == {a for a in counts if judge.why(ip_network(a), now).is_waiting}
        has_room = judge.why(ip_network("192.0.2.1"), now).stops == ()
        assert not (waits and has_room)
