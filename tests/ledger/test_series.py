"""The rules of a bounded family: who gets a place, who loses it, and what is counted where."""

from logwatch.ledger.series import ADMISSION_PACKETS, CANDIDATES_PER_PLACE, IDLE_SECONDS, Series
from logwatch.ledger.snapshot import Family

NOON = 1_700_000_000.0


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


def test_candidates_are_bounded() -> None:
    """The candidate not seen for longest is forgotten, one that keeps coming is not."""
    series = full()
    for number in range(4 * CANDIDATES_PER_PLACE * 10):
        series.add(("flood", str(number)), 1, 60, NOON + IDLE_SECONDS)
        if number % 50 == 0:
            series.add(key(9), 1, 60, NOON + IDLE_SECONDS)
    assert 4 * CANDIDATES_PER_PLACE == len(series._candidates)
    assert key(9) in shown(series).series


def test_of_more_saved_series_than_places_the_idlest_move_to_other() -> None:
    """A smaller configured capacity loses nothing of the sum, and the change is to be written."""
    saved = [(key(number), (number, number * 60, NOON + number)) for number in range(1, 6)]
    series = Series(2, [*saved, ((), (100, 6000, 0.0))])
    assert Family({key(4): (4, 240), key(5): (5, 300)}, (106, 6360)) == series.family
    expected = {(): (106, 6360, 0.0), key(1): None, key(2): None, key(3): None}
    assert expected == dict(series.changes())


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
