"""Packets over time, between times, and compared with other ones: held against plain counting."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from logwatch.packets import PolicyRow, Scanner, Summary

PREFIXES = ["calico-packet", "cp %n"]
WIDTHS = [1, 2, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200] + [
    86400 * 2**power for power in range(13)
]
CELLS_MOST = 16_384
START = 1_795_000_000

Packet = tuple[int, str, str, int]
"""Unix seconds (0: none in its stamp), policy, source, port."""

packet = st.tuples(
    st.one_of(
        st.integers(START, START + 20),
        st.integers(START, START + 5_000_000),
        st.sampled_from([0, 1, 2**32 - 1]),
    ),
    st.sampled_from(["calico-packet", "one", "two"]),
    st.sampled_from(["203.0.113.7", "198.51.100.9", "2001:db8::1"]),
    st.sampled_from([22, 443]),
)
packets = st.lists(packet, max_size=60)
quick = settings(max_examples=150, deadline=None, database=None, derandomize=True)


def line(made: Packet) -> bytes:
    seconds, policy, source, port = made
    prefix = policy if policy == "calico-packet" else f"cp {policy}"
    time = datetime.fromtimestamp(seconds, UTC) if seconds else datetime(1960, 1, 1, tzinfo=UTC)
    is_v6 = ":" in source
    source = ip_address(source).exploded
    destination = ip_address("2001:db8::2").exploded if is_v6 else "198.51.100.1"
    life = "TC=0 HOPLIMIT=64 FLOWLBL=0" if is_v6 else "TOS=0x00 PREC=0x00 TTL=64 ID=7"
    return (
        f"{time:%Y-%m-%dT%H:%M:%SZ} worker-1 kernel: {prefix}: IN=eth1 OUT= MAC= SRC={source}"
        f" DST={destination} LEN=60 {life} PROTO=TCP SPT=1 DPT={port} WINDOW=1024 RES=0x00 SYN"
        " URGP=0 \n"
    ).encode()


def summary(
    made: Sequence[Packet], *, since: int | None = None, until: int | None = None
) -> Summary:
    scanner = Scanner(PREFIXES, timeline=True, since=since, until=until)
    scanner.feed(b"".join(map(line, made)))
    return scanner.drain()


def told(found: Summary) -> tuple[int, dict[tuple[int, str], int]]:
    timeline = found.timeline()
    assert timeline is not None
    width, cells = timeline
    names = [
        PolicyRow(*policy).name or PREFIXES[PolicyRow(*policy).prefix]
        for policy in found.policies()
    ]
    counts = {(start, names[policy]): packets for start, policy, packets in cells}
    assert len(counts) == len(cells)
    return width, counts


def model(made: Sequence[Packet]) -> tuple[int, dict[tuple[int, str], int]]:
    for width in WIDTHS:
        cells = Counter(
            (seconds - seconds % width, policy) for seconds, policy, _, _ in made if seconds
        )
        if len(cells) <= CELLS_MOST:
            return width, dict(cells)
    raise AssertionError


@quick
@given(packets, packets, st.integers(0, 60))
def test_a_timeline_is_exact_however_lines_come_and_summaries_are_merged(
    one: list[Packet], other: list[Packet], cut: int
) -> None:
    whole = summary(one[:cut])
    for part in (summary(one[cut:]), Summary.from_bytes(summary(other).to_bytes())):
        whole.merge(part)
    assert model(one + other) == told(whole)
    assert told(whole) == told(Summary.from_bytes(whole.to_bytes()))


@settings(max_examples=10, deadline=None, database=None, derandomize=True)
@given(st.integers(1, 4_000), st.integers(6_000, 20_000), st.integers(1, 7))
def test_a_long_timeline_has_wider_buckets(gap: int, count: int, jump: int) -> None:
    """As wide as one that was merged of two with widths of their own."""
    made = [
        (START + number * gap * jump % (count * gap), policy, "203.0.113.7", 22)
        for number in range(count)
        for policy in ("one", "two")
    ]
    expected = model(made)
    assert expected[0] > 1 or len(expected[1]) <= CELLS_MOST
    assert expected == told(summary(made))
    merged = summary(made[: len(made) // 5])
    merged.merge(summary(made[len(made) // 5 :]))
    assert expected == told(merged)


def test_a_timeline_is_kept_only_when_asked_for() -> None:
    assert Scanner(PREFIXES).drain().timeline() is None


@quick
@given(packets, st.integers(START - 1, START + 30), st.integers(0, 30))
def test_packets_of_other_times_do_not_count(made: list[Packet], since: int, length: int) -> None:
    """Those without a time neither; their lines are of the kind "other"."""
    until = since + length
    inside = [each for each in made if each[0] and since <= each[0] < until]
    found, expected = summary(made, since=since, until=until), summary(inside)
    assert sorted(expected.flows()) == sorted(found.flows())
    assert told(expected) == told(found)
    assert len(made) - len(inside) == found.lines["other"]
    assert len(inside) == found.lines["packet"]


@quick
@given(packets, packets, st.integers(0, 3))
def test_changes_are_those_of_two_plain_counts(
    now: list[Packet], before: list[Packet], top: int
) -> None:
    found, earlier = summary(now), summary(before)
    for key, changes in (
        (lambda made: made[2], found.source_changes(earlier, top)),
        (lambda made: (made[3], "tcp"), found.port_changes(earlier, top)),
    ):
        one, other = Counter(map(key, now)), Counter(map(key, before))
        differing = [name for name in one | other if one[name] != other[name]]
        kinds, most = changes
        assert kinds == (
            sum(not other[name] for name in differing),
            sum(not one[name] for name in differing),
            sum(one[name] > other[name] > 0 for name in differing),
            sum(0 < one[name] < other[name] for name in differing),
        )
        assert len(most) == min(top or len(differing), len(differing))
        sizes = sorted((abs(one[name] - other[name]) for name in differing), reverse=True)
        assert sizes[: len(most)] == [abs(each[-2] - each[-1]) for each in most]
        for *parts, packets_now, packets_before in most:
            name = parts[0] if len(parts) == 1 else tuple(parts)
            assert (one[name], other[name]) == (packets_now, packets_before)


@quick
@given(packets, st.integers(1, 3), st.integers(1, 2))
def test_the_matrix_has_the_flows_between_top_sources_and_top_ports(
    made: list[Packet], sources: int, ports: int
) -> None:
    found = summary(made)
    top_sources = {source for source, *_ in found.sources(sources)}
    top_ports = {(port, protocol) for port, protocol, *_ in found.ports(ports)}
    expected = {
        (source, port, protocol, count)
        for source, port, protocol, count, *_ in found.flows()
        if source in top_sources and (port, protocol) in top_ports
    }
    assert expected == set(found.matrix(sources, ports))
