"""How networks stand in our sets, without an API."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from logwatch.cluster.shards import Change, Shard, changes

A, B, C, D = (f"198.51.100.{number}/32" for number in range(4))


def shard(number: int, *networks: str, is_denied: bool = True) -> Shard:
    return Shard(f"logwatch-blacklist-{number}", number, "1", is_denied, networks)


def shards(*networks: tuple[str, ...]) -> dict[int, Shard]:
    return {number: shard(number, *inside) for number, inside in enumerate(networks)}


def plan(found: list[Change]) -> dict[int, tuple[str, ...]]:
    return {change.number: change.networks for change in found}


def drifts(found: list[Change]) -> list[str]:
    return [change.drift.text for change in found if change.drift is not None]


def test_without_sets_and_networks_there_is_nothing_to_do() -> None:
    assert [] == changes({}, [])


def test_networks_get_as_many_sets_as_they_need() -> None:
    assert {0: (A, B), 1: (C,)} == plan(changes({}, [A, B, C], size=2))


def test_a_new_network_goes_to_a_set_with_room_and_others_stay() -> None:
    assert {1: (C, D)} == plan(changes(shards((A, B), (C,)), [A, B, C, D], size=2))


def test_an_end_touches_the_set_that_holds_the_network() -> None:
    assert {0: (B,)} == plan(changes(shards((A, B), (C,)), [B, C], size=2))


def test_a_set_that_has_lost_its_last_network_stays_empty() -> None:
    assert {0: ()} == plan(changes(shards((A,)), []))
    assert [] == changes(shards(()), [])


def test_an_overfull_set_gives_away_what_is_too_much() -> None:
    assert {0: (A, B), 1: (C,)} == plan(changes(shards((A, B, C)), [A, B, C], size=2))


def test_what_is_no_longer_decided_goes_before_the_wider_network_comes() -> None:
    wide = "198.51.100.0/24"
    found = changes(shards((D,), (A, B)), [wide, "203.0.113.1/32"], size=1)
    assert [0, 1] == [change.number for change in found]
    found = changes(shards(("203.0.113.1/32",), (A,)), [wide], size=2)
    assert [(1, ()), (0, (wide,))] == [(change.number, change.networks) for change in found]
    found = changes(shards((), (A, B)), [wide], size=2)
    assert [(1, ()), (0, (wide,))] == [(change.number, change.networks) for change in found]


def test_a_set_from_which_networks_move_is_written_last() -> None:
    found = changes(shards((A, B, C)), [A, B, C], size=2)
    assert [1, 0] == [change.number for change in found]


def test_what_was_decided_meanwhile_is_no_drift() -> None:
    assert [] == drifts(changes(shards((A, B)), [A, C], {0: frozenset({A, B})}))


def test_what_an_earlier_process_left_is_no_drift() -> None:
    assert [] == drifts(changes(shards((A, B)), [A, C]))


def test_a_network_put_in_or_taken_out_by_hand_is_drift() -> None:
    found = changes(shards((A, D)), [A, B], {0: frozenset({A, B})})
    assert {0: (A, B)} == plan(found)
    assert [f"put right: 1 network ({D}) put in, 1 network ({B}) taken out"] == drifts(found)


def test_a_deleted_set_is_made_again_with_what_it_held() -> None:
    found = changes({0: shard(0, A)}, [A, B], {0: frozenset({A}), 1: frozenset({B})})
    assert {1: (B,)} == plan(found)
    assert [f"put right: it was deleted with 1 network ({B})"] == drifts(found)


def test_a_network_copied_into_another_set_is_taken_out_of_that_one() -> None:
    left = {0: frozenset({A}), 1: frozenset({B})}
    found = changes(shards((A, B), (B,)), [A, B], left)
    assert {0: (A,)} == plan(found)
    assert [f"put right: 1 network ({B}) put in"] == drifts(found)


def test_a_network_in_two_sets_is_drift_even_for_a_new_process() -> None:
    found = changes(shards((A, B), (B,)), [A, B])
    assert {1: ()} == plan(found)
    assert ["put right: networks stood in it twice, or in another set as well"] == drifts(found)


def test_a_set_without_its_label_is_drift() -> None:
    found = changes({0: shard(0, A, is_denied=False)}, [A])
    assert {0: (A,)} == plan(found)
    assert ["put right: its label was removed"] == drifts(found)


def test_a_set_of_ours_that_somebody_made_is_emptied() -> None:
    found = changes({7: shard(7, D)}, [], {})
    assert {7: ()} == plan(found)
    assert [f"put right: 1 network ({D}) put in"] == drifts(found)


NETWORKS = [f"198.51.100.{number:03}/32" for number in range(20)]
SOME = st.sets(st.sampled_from(NETWORKS)).map(sorted)


@given(st.lists(st.tuples(SOME, SOME), max_size=8), st.integers(1, 6))
def test_after_the_changes_each_network_stands_in_one_set(
    steps: list[tuple[list[str], list[str]]], size: int
) -> None:
    """Whatever people put into the first set in between, and whatever was decided."""
    sets: dict[int, tuple[str, ...]] = {}
    left: dict[int, frozenset[str]] | None = None
    for wanted, by_hand in steps:
        for change in changes(
            {number: shard(number, *inside) for number, inside in sets.items()},
            wanted,
            left,
            size=size,
        ):
            sets[change.number] = change.networks
        held = [network for inside in sets.values() for network in inside]
        assert wanted == sorted(held)
        assert all(len(inside) <= size for inside in sets.values())
        assert all(one < other for inside in sets.values() for one, other in pairwise(inside))
        left = {number: frozenset(inside) for number, inside in sets.items()}
        if by_hand:
            sets[0] = tuple(by_hand)
