"""The rules of a bounded family: who gets a place, who loses it, and what is counted where."""

import pytest
from ledger.naive import ADMISSION_PACKETS, IDLE_SECONDS

from logwatch.ledger.series import Series
from logwatch.ledger.snapshot import Family

NOON = 1_700_000_000.0

CANDIDATES = 4 * 32
"""As many as four places have."""


def key(number: int) -> tuple[str]:
    return (f"203.0.113.{number}",)


def shown(series: Series) -> Family:
    series.settle()
    return series.family


def full(capacity: int = 4) -> Series:
    """All places taken at noon, by keys 0, 1, ... with 20 packets of 60 bytes each."""
    series = Series(capacity)
    for number in range(capacity):
        series.add(key(number), 20, 1200, NOON)
    assert capacity == len(shown(series).series)
    return series


def test_the_first_half_of_the_places_is_for_whoever_comes() -> None:
    """One packet suffices for a place among the first half."""
    series = Series(4)
    series.add(key(1), 1, 60, NOON)
    series.add(key(2), 1, 60, NOON)
    series.add(key(3), 1, 60, NOON)
    expected = Family({key(1): (1, 60), key(2): (1, 60)}, (1, 60))
    assert expected == shown(series)


def test_the_second_half_is_for_those_who_insist() -> None:
    """A candidate is counted in `other` until its tenth packet; its series counts from there."""
    series = Series(2)
    series.add(key(1), 1, 60, NOON)
    for _ in range(ADMISSION_PACKETS - 1):
        series.add(key(2), 1, 60, NOON)
    assert Family({key(1): (1, 60)}, (9, 540)) == shown(series)
    series.add(key(2), 1, 60, NOON)
    assert Family({key(1): (1, 60), key(2): (1, 60)}, (9, 540)) == shown(series)


def test_a_full_family_evicts_nobody_who_is_in_use() -> None:
    """A newcomer waits in `other` while every series counted within the last 15 minutes."""
    series = full()
    series.add(key(9), 50, 3000, NOON + IDLE_SECONDS - 1)
    assert (50, 3000) == shown(series).other
    assert key(9) not in series.family.series


def test_the_series_idle_for_longest_makes_room() -> None:
    """After 15 idle minutes a series moves to `other` and the newcomer takes its place."""
    series = full()
    for number in (0, 1, 3):
        series.add(key(number), 1, 60, NOON + 1)
    series.add(key(9), 50, 3000, NOON + IDLE_SECONDS)
    family = shown(series)
    assert {key(0), key(1), key(3), key(9)} == set(family.series)
    assert ((50, 3000), (20, 1200)) == (family.series[key(9)], family.other)


def test_a_newcomer_with_few_packets_evicts_nobody() -> None:
    """A flood of sources seen once each leaves idle series where they are."""
    series = full()
    for number in range(10, 200):
        series.add(key(number), 1, 60, NOON + 2 * IDLE_SECONDS)
    assert {key(0), key(1), key(2), key(3)} == set(shown(series).series)
    assert (190, 11_400) == series.family.other


def test_an_evicted_series_is_seen_gone_before_it_returns() -> None:
    """Back in the same interval it would show a lower count than before: a false reset."""
    series = full(1)
    series.add(key(9), 50, 3000, NOON + IDLE_SECONDS)
    series.add(key(0), 15, 900, NOON + 3 * IDLE_SECONDS)
    assert Family({key(9): (50, 3000)}, (35, 2100)) == shown(series)
    series.add(key(0), 1, 60, NOON + 3 * IDLE_SECONDS)
    assert Family({key(0): (1, 60)}, (85, 5100)) == shown(series)


def test_a_clock_set_forward_and_back_stops_no_eviction() -> None:
    """Idle time counts anew from the moment the clock was found behind a last use."""
    series = full()
    future = NOON + 1e9
    for number in range(4):
        series.add(key(number), 1, 60, future)
    series.add(key(9), 50, 3000, NOON)
    assert key(9) not in shown(series).series
    series.add(key(9), 1, 60, NOON + IDLE_SECONDS)
    assert key(9) in shown(series).series


@pytest.mark.parametrize(("others", "is_admitted"), [(7, True), (100 * CANDIDATES, False)])
def test_candidates_are_bounded(others: int, is_admitted: bool) -> None:
    """Seven others push nobody out; in a flood a candidate's tenth packet is its first again."""
    series = full()
    series.add(key(9), ADMISSION_PACKETS - 1, 540, NOON + IDLE_SECONDS)
    for number in range(others):
        series.add(("flood", str(number)), 1, 60, NOON + IDLE_SECONDS)
    series.add(key(9), 1, 60, NOON + IDLE_SECONDS)
    assert is_admitted == (key(9) in shown(series).series)


def test_a_candidate_that_keeps_coming_is_not_forgotten() -> None:
    series = full()
    for number in range(CANDIDATES * 10):
        series.add(("flood", str(number)), 1, 60, NOON + IDLE_SECONDS)
        if number % (CANDIDATES // 12) == 0:
            series.add(key(9), 1, 60, NOON + IDLE_SECONDS)
    assert key(9) in shown(series).series


def test_of_more_saved_series_than_places_the_idlest_move_to_other() -> None:
    """A smaller configured capacity loses nothing of the sum, and the change is to be written."""
    saved = [(key(number), (number, number * 60, NOON + number)) for number in range(1, 6)]
    series = Series(2, [*saved, ((), (100, 6000, 0.0))])
    assert Family({key(4): (4, 240), key(5): (5, 300)}, (106, 6360)) == series.family
    expected = {(): (106, 6360, 0.0), key(1): None, key(2): None, key(3): None}
    assert expected == dict(series.changes())


def test_a_series_that_found_no_place_at_the_start_may_return_at_once() -> None:
    """Nobody has seen it since: what `family` shows first is without it."""
    series = Series(1, [(key(1), (30, 1800, NOON)), (key(2), (20, 1200, NOON + 1))])
    series.add(key(1), 10, 600, NOON + 1 + IDLE_SECONDS)
    assert Family({key(1): (10, 600)}, (50, 3000)) == shown(series)


def test_a_family_without_places_counts_everything_in_other() -> None:
    """Capacity 0 switches a family off, but not its total."""
    series = Series(0)
    series.add(key(1), 100, 6000, NOON)
    assert Family({}, (100, 6000)) == shown(series)


def test_only_what_counted_is_to_be_written() -> None:
    """After a commit there is nothing to write until a series counts again."""
    series = full()
    assert not series.changed
    series.add(key(2), 1, 60, NOON + 5)
    assert {key(2): (21, 1260, NOON + 5)} == dict(series.changes())


def test_labels_are_told_apart() -> None:
    """The same text, cut into labels in another way, is another series."""
    several = [("a", "b"), ("ab",), ("ab", ""), ("", "ab"), ("",), ("", ""), ("a", "", "b")]
    series = Series(2 * len(several))
    for number, labels in enumerate(several, 1):
        series.add(labels, number, number * 60, NOON)
    expected = {labels: (number, number * 60) for number, labels in enumerate(several, 1)}
    assert Family(expected) == shown(series)


@pytest.mark.parametrize(
    ("labels", "message"),
    [((), "a series has labels"), (("eth1", "a\0b"), "holds a NUL"), (("\udc80",), "surrogates")],
)
def test_labels_that_nobody_can_show_are_refused(labels: tuple[str, ...], message: str) -> None:
    """A NUL or half a surrogate would break the metrics' text; without labels it is `other`."""
    series = Series(4)
    with pytest.raises(ValueError, match=message):
        series.add(labels, 1, 60, NOON)
    assert not series.changed


def test_saved_labels_are_taken_up_whatever_they_hold() -> None:
    """What an older version has stored, a NUL too, neither stops the start nor is lost."""
    series = Series(4, [(("eth\0", "tcp"), (3, 180, NOON))])
    assert {("eth\0", "tcp"): (3, 180)} == series.family.series
    series.touch_all()
    assert (("eth\0", "tcp"), (3, 180, NOON)) in series.changes()


def test_sums_are_exact_beyond_64_bits() -> None:
    series = Series(1, [(key(1), (2**64 - 1, 2**127, NOON)), ((), (2**100, 2**70, 0.0))])
    series.add(key(1), 2**63, 1, NOON)
    series.add(key(2), 1, 2**64, NOON)
    expected = Family({key(1): (2**64 - 1 + 2**63, 2**127 + 1)}, (2**100 + 1, 2**70 + 2**64))
    assert expected == shown(series)
