"""Evidence against an exact model that keeps every event."""

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwatch.offenders import Evidence, Rule
from logwatch.offenders.evidence import BUCKETS, EvidenceTable

PACKETS = Rule("packets", "packets", threshold=10, within=60, ban=600)
PORTS = Rule("ports", "ports", threshold=4, within=30, ban=600)

Event = tuple[float, int, int]
"""When, to which port, how many packets."""


def packets_within(events: list[Event], since: float, until: float) -> int:
    return sum(packets for at, _, packets in events if since < at <= until)


def ports_within(events: list[Event], since: float, until: float) -> int:
    return len({port for at, port, _ in events if since < at <= until})


def steps(largest: int) -> st.SearchStrategy[list[tuple[float, int, int]]]:
    time = st.integers(0, largest * 4).map(lambda quarters: quarters / 4)
    return st.lists(st.tuples(time, st.integers(1, 6), st.integers(1, 4)), max_size=60)


@given(steps(20), st.integers(0, 10**9))
def test_packets_are_right_up_to_one_sixtieth_of_the_window(
    given_steps: list[tuple[float, int, int]], start: int
) -> None:
    """Never a packet too many; at most those of the window's oldest bucket are missing."""
    table = EvidenceTable([PACKETS], 100)
    at, events = float(start), list[Event]()
    for wait, port, packets in given_steps:
        at += wait
        events.append((at, port, packets))
        table.begin(at)
        fulfilled = table.add("source", port, packets)
        at_most = packets_within(events, at - PACKETS.within, at)
        at_least = packets_within(events, at - PACKETS.within + PACKETS.within / BUCKETS, at)
        if fulfilled is None:
            assert at_least < PACKETS.threshold
        else:
            assert fulfilled is PACKETS
            assert at_most >= PACKETS.threshold
            evidence, number = table.evidence(table.trail("source"), PACKETS)
            assert at_least <= number == evidence.packets <= at_most
            assert at - PACKETS.within < evidence.first <= evidence.last == at


@given(steps(20), st.integers(0, 10**9))
def test_ports_are_exact(given_steps: list[tuple[float, int, int]], start: int) -> None:
    table = EvidenceTable([PORTS], 100)
    at, events = float(start), list[Event]()
    for wait, port, packets in given_steps:
        at += wait
        events.append((at, port, packets))
        table.begin(at)
        fulfilled = table.add("source", port, packets)
        expected = ports_within(events, at - PORTS.within, at)
        assert (expected >= PORTS.threshold) == (fulfilled is PORTS)
        if fulfilled:
            evidence, number = table.evidence(table.trail("source"), PORTS)
            assert expected == number
            assert sorted({port for when, port, _ in events if when > at - 30}) == [*evidence.ports]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 6), st.integers(1, 4)), max_size=60))
def test_events_in_any_order_never_add_up_to_more_than_some_window_held(
    events: list[Event],
) -> None:
    """Two inputs, one of them behind: evidence may be missed, never invented."""
    table = EvidenceTable([PACKETS, PORTS], 100)
    for count, (at, port, packets) in enumerate(events, 1):
        table.begin(at)
        rule = table.add("source", port, packets)
        if rule is None:
            continue
        measure = packets_within if rule is PACKETS else ports_within
        ends = [when for when, _, _ in events[:count]]
        held = [measure(events[:count], end - rule.within, end) for end in ends]
        assert max(held) >= rule.threshold


def test_a_port_scan_wider_than_what_is_kept_is_still_counted_right() -> None:
    table = EvidenceTable([PORTS], 100)
    for number in range(1000):
        table.begin(float(number))
        rule = table.add("source", number, 1)
        assert (number >= 3) == (rule is PORTS)
    _, number = table.evidence(table.trail("source"), PORTS)
    assert 20 == number


def test_evidence_lists_only_what_lies_within_the_rules_window() -> None:
    table = EvidenceTable([PACKETS, PORTS], 100)
    table.begin(1000.0)
    table.add("source", 80, 9)
    table.begin(2000.0)
    assert table.add("source", 22, 12) is PACKETS
    evidence, number = table.evidence(table.trail("source"), PACKETS)
    assert 12 == number
    assert Evidence(packets=12, ports=(22,), first=2000.0, last=2000.0) == evidence


def test_the_window_of_each_rule_is_its_own() -> None:
    slow = Rule("slow", "packets", threshold=5, within=600, ban=600)
    table = EvidenceTable([PACKETS, slow], 100)
    found = []
    for number in range(5):
        table.begin(number * 100.0)
        found.append(table.add("source", 22, 1))
    assert [None, None, None, None, slow] == found


def test_a_restarted_trail_counts_anew() -> None:
    table = EvidenceTable([PACKETS, PORTS], 100)
    table.begin(1000.0)
    assert table.add("source", 22, 10) is PACKETS
    table.restart(table.trail("source"))
    assert table.add("source", 22, 9) is None
    assert table.add("source", 22, 1) is PACKETS


def test_what_a_wrong_clock_recorded_is_forgotten() -> None:
    table = EvidenceTable([PACKETS], 100)
    table.begin(5000.0)
    table.add("source", 22, 9)
    table.begin(960.0)
    table.add("other", 22, 9)
    table.forget_after(1000.0)
    table.begin(1000.0)
    assert table.add("source", 22, 9) is None
    assert table.add("other", 22, 1) is PACKETS


def address(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@pytest.mark.parametrize("every", [1, 2], ids=["fast", "slow"])
def test_a_flood_of_single_packets_does_not_hide_a_scanner(every: int) -> None:
    """A million spoofed sources in twenty seconds; found when it is found without them."""
    rule = Rule("ports", "ports", threshold=8, within=60, ban=600)
    spoofed = random.Random(every)
    table = EvidenceTable([PACKETS, rule], 10_000)
    found = None
    for second in range(20):
        table.begin(1e9 + second)
        for number in range(50_000):
            if number == 25_000 and second % every == 0 and table.add("scanner", second, 1):
                found = found or second
            assert table.add(address(spoofed.getrandbits(32)), 80, 1) is None
    # One more port than without a flood: the first one falls to a full table.
    assert found in (7 * every, 8 * every)
    assert 10_000 == len(table)


def test_a_near_offender_keeps_its_place() -> None:
    """Sources seen twice push out others seen twice, not one that is about to be found."""
    table = EvidenceTable([PACKETS, PORTS], 100)
    table.begin(1000.0)
    for port in range(3):
        table.add("near", port, 1)
    for number in range(10_000):
        table.begin(1000.0 + number / 1000)
        for _ in range(3):
            table.add(number, 80, 1)
    assert table.add("near", 3, 1) is PORTS
    assert 100 == len(table)


def test_an_idle_source_gives_up_its_place_first() -> None:
    table = EvidenceTable([PACKETS, PORTS], 8)
    table.begin(1000.0)
    for port in range(3):
        table.add("idle", port, 3)
    table.begin(2000.0)
    for number in range(7):
        table.add(number, 80, 1)
    for _ in range(2):
        table.add("new", 80, 1)
    assert 8 == len(table)
    for number in range(7):
        table.trail(number)
    with pytest.raises(KeyError):
        table.trail("idle")


def test_memory_is_bounded() -> None:
    """The worst case: every place taken by a source busy in all buckets and with most ports."""
    chance = random.Random(1)
    table = EvidenceTable([PACKETS, Rule("ports", "ports", threshold=20, within=60, ban=1)], 500)
    tracemalloc.start()
    try:
        for second in range(120):
            table.begin(1e9 + second)
            for source in range(600):
                table.add(address(source), chance.randrange(1 << 16), 1)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A place costs 3.5 KiB at most, the filter 2 MiB.
    assert size < 500 * 5 * 1024 + (3 << 20)
