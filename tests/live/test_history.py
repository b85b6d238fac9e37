"""How much grew in each step: sums are exact, whatever the steps are."""

from hypothesis import given
from hypothesis import strategies as st

from logwatch.ledger import Family, Snapshot
from logwatch.live.history import OTHER, Growth, History, by_policy, other_policies

A, B, C = ("a",), ("b",), ("c",)


def growth(totals: dict[tuple[str, ...], tuple[int, int]], most: int = 10) -> Growth:
    return Growth(10.0, 6, most, totals, now=1000.0)


def test_what_grew_belongs_to_the_step_that_ended() -> None:
    made = growth({A: (5, 0)})
    assert not made.is_due(1009.9)
    assert made.is_due(1010.0)
    made.see({A: (7, 0), B: (4, 0)}, 1010.0)
    made.see({A: (7, 0), B: (5, 0)}, 1020.0)
    assert {A: [None, None, None, None, 2, 0], B: [None, None, None, None, 4, 1]} == made.of([A, B])
    assert [B, A] == made.largest()


def test_steps_in_which_nobody_looked_are_zero() -> None:
    made = growth({})
    made.see({A: (1, 0)}, 1035.0)
    assert {A: [None, None, None, 1, 0, 0]} == made.of([A])


def test_old_steps_are_forgotten() -> None:
    made = growth({})
    made.see({A: (1, 0)}, 1010.0)
    made.see({A: (3, 0)}, 1065.0)
    assert {A: [1, 2, 0, 0, 0, 0]} == made.of([A])
    made.see({A: (3, 0)}, 5000.0)
    assert {A: [0] * 6} == made.of([A])
    assert [] == made.largest()


def test_of_many_the_largest_are_kept_and_the_sum_stays() -> None:
    made = growth({}, most=2)
    made.see({A: (1, 0), B: (9, 0), C: (5, 0), ("d",): (2, 0)}, 1010.0)
    rows = made.of([A, B, C, OTHER])
    assert [0, 9, 5, 3] == [rows[key][-1] for key in (A, B, C, OTHER)]


def test_what_is_left_is_summed_up_by_the_key_that_is_given() -> None:
    made = Growth(10.0, 6, 1, {}, 1000.0, rest=other_policies)
    made.see({("a", "denied"): (9, 0), ("b", "denied"): (2, 0), ("c", "logged"): (5, 0)}, 1010.0)
    assert {("a", "denied"): 9, ("other", "denied"): 2, ("other", "logged"): 5} == made.sums()


def test_what_grew_is_told_apart_from_what_stands_still() -> None:
    still, moved = (5, 0), (7, 0)
    made = growth({A: still, B: (1, 0)})
    made.see({A: still, B: moved}, 1010.0)
    made.see({A: still, B: moved, C: (1, 0)}, 1030.0)
    assert ({B: 6, C: 1}, {B: 100, C: 101}) == (made.sums(), made.latest())
    now = {A: still, B: moved, C: (2, 0), ("d",): (1, 0)}
    assert [B, C, ("d",)] == [key for key, _ in made.moved(now.items())]


def test_a_series_that_was_admitted_anew_begins_at_zero() -> None:
    made = growth({A: (100, 0)})
    made.see({A: (3, 0)}, 1010.0)
    assert [3] == made.of([A])[A][-1:]


def test_the_running_step_is_told_by_the_total_now() -> None:
    made = growth({A: (100, 0)})
    assert (4, 7) == (made.running(A, 104), made.running(B, 7))


def test_steps_begin_at_whole_steps_of_the_clock() -> None:
    """What begins so many seconds ago is the oldest of six steps in front of the running one."""
    assert 64.0 == growth({}).start(1004.0)


@given(st.lists(st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 50)), max_size=6))
def test_the_steps_of_an_hour_add_up_to_what_was_counted(
    steps: list[dict[tuple[str], int]],
) -> None:
    made = growth({}, most=2)
    totals: dict[tuple[str, ...], tuple[int, int]] = {}
    for number, counted in enumerate(steps, 1):
        totals = totals | {
            key: (totals.get(key, (0, 0))[0] + packets, 0) for key, packets in counted.items()
        }
        made.see(totals, 1000.0 + 10.0 * number)
    rows = made.of([*made.largest()])
    assert sum(packets for packets, _ in totals.values()) == sum(
        number or 0 for row in rows.values() for number in row
    )


def snapshot(packets: int, lines: int) -> Snapshot:
    policies = {("p", "eth0", "tcp", "4"): (packets, 0), ("p", "eth1", "udp", "6"): (1, 0)}
    families = {
        "denied": Family(policies, (2, 0)),
        "logged": Family({("p", "eth0", "tcp", "4"): (3, 0)}),
        "source": Family({("203.0.113.7",): (packets, 0)}),
    }
    return Snapshot({("lines", ("packet",)): lines, ("lines", ("odd",)): 1}, families)


def test_policies_are_summed_over_interfaces_and_protocols() -> None:
    assert {("p", "denied"): (6, 0), ("other", "denied"): (2, 0), ("p", "logged"): (3, 0)} == (
        by_policy(snapshot(5, 0))
    )


def test_counters_of_the_last_hour_include_the_running_minute() -> None:
    history = History(snapshot(0, 10), 6000.0)
    assert 0 == history.lately(snapshot(0, 10), "lines")
    history.see(snapshot(4, 14), 6060.0)
    assert 9 == history.lately(snapshot(4, 19), "lines")
    assert {("203.0.113.7",): 4} == {
        key: row[-1] for key, row in history.sources.of([("203.0.113.7",)]).items()
    }
