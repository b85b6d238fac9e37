"""Evidence that goes on in the next process, beside bans that may be newer than it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offenders.judging import NOW, Judge, judge_by, nets, scan, told
from offenders.packets import Sent

from logwatch.config import Brakes
from logwatch.offenders.language import read
from logwatch.offenders.memory import PART_SOURCES

SIZE = 1 << 20


def kept(judge: Judge, size: int = SIZE) -> list[bytes]:
    excerpt = judge.memory.excerpt(size)
    while not excerpt.is_whole:
        excerpt.go_on()
    return excerpt.parts


def restarted(
    judge: Judge, parts: list[bytes], now: float, after: Judge | None = None, ahead: float = 0.0
) -> Judge:
    """Give the next process, with the bans of the last one as they are and evidence of before."""
    after = after or judge_by()
    after.restore(judge.documents(), now=now)
    after.memory.restore(judge.memory.documents())
    after.memory.take_over(parts, ahead=ahead, now=now)
    return after


@given(st.integers(0, 14))
@settings(deadline=None)
def test_a_scan_goes_on_where_it_was(first: int) -> None:
    judge = judge_by()
    judge.see(scan(ports=range(first)), NOW, NOW)
    after = restarted(judge, kept(judge), NOW + 20)
    assert [] == after.see(scan(ports=range(first, 14)), NOW + 40, NOW + 40)
    assert [("203.0.113.7/32", "banned by ports")] == told(
        after.see(scan(ports=[14]), NOW + 41, NOW + 41)
    )


def test_what_is_over_does_not_count() -> None:
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    after = restarted(judge, kept(judge), NOW + 61)
    assert [] == after.see(scan(ports=[14]), NOW + 61, NOW + 61)


def test_what_led_to_a_ban_does_not_count_again() -> None:
    """Though the file is older than the ban."""
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    parts = kept(judge)
    assert [("203.0.113.7/32", "banned by ports")] == told(
        judge.see(scan(ports=[14]), NOW + 1, NOW + 1)
    )
    after = restarted(judge, parts, NOW + 2)
    assert [] == after.see(scan(ports=range(20, 34)), NOW + 2, NOW + 2)
    (ban,) = after.bans.values()
    assert (1, NOW + 3601) == (ban.offence, ban.expires)


@pytest.mark.parametrize("undone", ["203.0.113.7/32", "203.0.113.0/24"])
def test_what_was_undone_does_not_count_again(undone: str) -> None:
    """Also where a person had banned the network around it, until newer evidence is kept."""
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    parts = kept(judge)
    (network,) = nets(undone)
    judge.by_hand.add(network, NOW + 1, seconds=60, reason="", force=False)
    judge.remove(network, NOW + 2)
    after = restarted(judge, parts, NOW + 3)
    assert [] == after.see(scan(ports=[14]), NOW + 3, NOW + 3)
    assert {undone} == set(after.memory.undone)
    after.memory.forget_undone(after.memory.undone)
    assert {} == after.memory.documents()


def test_an_undo_is_remembered_for_as_long_as_rules_look_back() -> None:
    judge = judge_by()
    for second, network in ((0, "198.18.7.1/32"), (600, "198.18.7.2/32")):
        (target,) = nets(network)
        judge.by_hand.add(target, NOW + second, seconds=60, reason="", force=False)
        judge.remove(target, NOW + second)
    assert {"198.18.7.2/32"} == set(judge.memory.undone)


@pytest.mark.parametrize("document", [b"", b"\xff", b"never"])
def test_a_damaged_undo_is_left_out(document: bytes) -> None:
    judge = judge_by()
    judge.memory.restore({"203.0.113.7/32": document, "nobody": b"1.0", "203.0.113.8/32": b"1.0"})
    assert {"203.0.113.8/32"} == set(judge.memory.undone)


def test_who_waited_waits_on_and_is_not_told_of_again() -> None:
    limits = Brakes(bans_per_minute=1)
    judge = judge_by(limits=limits)
    judge.see([*scan(ports=range(20)), *scan("203.0.113.8")], NOW, NOW)
    assert 1 == judge.held
    after = restarted(judge, kept(judge), NOW + 30, judge_by(limits=limits))
    assert 1 == after.held
    assert [] == after.decide(NOW + 70), "nothing tells yet that it still offends"
    (offence,) = after.see(scan("203.0.113.8"), NOW + 71, NOW + 71)
    assert offence.ban is not None
    assert (True, "203.0.113.8/32") == (offence.has_waited, offence.network)


def test_who_is_never_banned_is_not_told_of_again() -> None:
    judge = judge_by(never_ban=["203.0.113.7/32"])
    assert [("203.0.113.7/32", "operator")] == told(judge.see(scan(), NOW, NOW))
    after = restarted(judge, kept(judge), NOW + 10, judge_by(never_ban=["203.0.113.7/32"]))
    assert 0 == after.held
    assert [] == after.see(scan(), NOW + 20, NOW + 20)
    after.shift(3600.0)
    assert [] == after.see(scan(), NOW + 3630, NOW + 3630)


OTHER_RULES = read(
    b"""
rule sweep
    when distinct destinations >= 10 within 10m
    ban 1h
rule more-ports
    when distinct ports >= 20 within 1m
    ban 2h
""",
    "other.rules",
).rules


def test_other_rules_go_on_with_what_they_count_alike() -> None:
    """Whatever their names, their order and their thresholds."""
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    after = restarted(judge, kept(judge), NOW + 1, judge_by(OTHER_RULES))
    assert [] == after.see(scan(ports=range(14, 19)), NOW + 2, NOW + 2)
    assert [("203.0.113.7/32", "banned by more-ports")] == told(
        after.see(scan(ports=[19]), NOW + 3, NOW + 3)
    )


def test_a_clock_set_back_does_not_make_old_evidence_new() -> None:
    """It was set back by half an hour, 40 minutes after the packets; a window is ten minutes."""
    judge = judge_by()
    judge.see([Sent(packets=99)], NOW, NOW)
    now = NOW + 2400 - 1800
    after = restarted(judge, kept(judge), now, ahead=1800.0)
    assert [] == after.see([Sent()], now, now)
    by_wrong_times = restarted(judge, kept(judge), now)
    assert 1 == len(by_wrong_times.see([Sent()], NOW + 590, now))


def test_a_clock_set_ahead_does_not_make_new_evidence_old() -> None:
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    now = NOW + 20 + 7200
    after = restarted(judge, kept(judge), now, ahead=-7200.0)
    assert 1 == len(after.see(scan(ports=[14]), now, now))


@pytest.mark.parametrize("step", [-86_400.0, -1800.0, -3.0, 3.0, 1800.0, 86_400.0])
def test_evidence_moves_with_a_clock_that_is_set(step: float) -> None:
    """A window of ten minutes: it holds what came nine minutes ago, not what came eleven ago."""
    for minutes, expected in ((9, 1), (11, 0)):
        judge = judge_by()
        judge.see([Sent(packets=99)], NOW, NOW)
        judge.shift(step)
        at = NOW + step + minutes * 60
        assert expected == len(judge.see([Sent()], at, at))


def test_a_clock_that_is_set_back_again_and_again_neither_loses_nor_doubles_anything() -> None:
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    for step in (3600.0, -7200.0, 3600.0) * 5:
        judge.shift(step)
    assert 1 == judge.tracked
    assert [14, 14] == [each.reached for each in judge.why(*nets("203.0.113.7/32"), NOW).near]


def test_what_is_no_evidence_leaves_none() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    judge.see(scan("203.0.113.8", range(14)), NOW, NOW)
    after = judge_by()
    with pytest.raises(ValueError, match="no evidence: byte 0"):
        after.memory.take_over([*kept(judge), b"something else"], ahead=0.0, now=NOW)
    assert 0 == after.tracked


def test_where_room_is_scarce_the_nearest_are_kept() -> None:
    """Of many sources in several parts, within the room but for what heads the parts."""
    judge = judge_by()
    crowd = [Sent(f"198.18.{number // 250}.{number % 250}", 22) for number in range(1200)]
    judge.see([*crowd, *scan(ports=range(14))], NOW, NOW)
    assert judge.tracked > 2 * PART_SOURCES
    parts = kept(judge, 9000)
    assert sum(map(len, parts)) < 9000 + 3 * 200
    after = restarted(judge, parts, NOW + 1)
    assert 20 < after.tracked < 300
    assert 1 == len(after.see(scan(ports=[14]), NOW + 2, NOW + 2))


def test_who_came_under_protection_meanwhile_does_not_wait() -> None:
    limits = Brakes(bans_per_minute=1)
    judge = judge_by(limits=limits)
    judge.see([*scan(ports=range(20)), *scan("203.0.113.8")], NOW, NOW)
    after = judge_by(limits=limits, never_ban=["203.0.113.8/32"])
    after.memory.take_over(kept(judge), ahead=0.0, now=NOW)
    assert 0 == after.held
