"""What nodes counted, brought together: sums that no restart and no node's end takes from."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from logwatch.blacklist import parse_network
from logwatch.cluster import Counted, NodeReport, PolicyCount, PortCount, SourceCount
from logwatch.escalator import counted as module
from logwatch.escalator.counted import ClusterCounts
from logwatch.ledger import Family

NAMES = ("denied", "logged", "source", "port")
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


def report(node: str, packets: int, source: str = "203.0.113.7") -> NodeReport:
    """A node on which one source was denied so many packets of 60 bytes."""
    counted = Counted(
        packets,
        60 * packets,
        1,
        (PolicyCount("p", "denied", packets), PolicyCount("p", "logged", 1)),
        (SourceCount(source, packets, 60 * packets),),
        (PortCount("tcp", "22", packets),),
    )
    return NodeReport(node, MOMENT, "1", MOMENT, b"", 1, 0, counted=counted)


def sums(counts: ClusterCounts) -> tuple[int, int, int, int]:
    """Packets of all, of the source, of the port, and those that were logged only."""
    families = {name: Family() for name in NAMES} | dict(counts.snapshot.families)
    return (
        families["denied"].total[0],
        families["source"].series.get(("203.0.113.7",), (0, 0))[0],
        families["port"].series.get(("tcp", "22"), (0, 0))[0],
        families["logged"].total[0],
    )


def test_nodes_are_added_up() -> None:
    counts = ClusterCounts()
    counts.see([report("a", 5), report("b", 2)])
    assert (7, 7, 7, 2) == sums(counts)
    for network in ("203.0.113.7", "203.0.113.0/24"):
        assert {"a": 5, "b": 2} == counts.nodes(parse_network(network))
    assert {} == counts.nodes(parse_network("203.0.113.8"))


def test_a_report_that_was_seen_counts_once() -> None:
    counts, seen = ClusterCounts(), [report("a", 5)]
    counts.see(seen)
    counts.see(seen)
    counts.see([report("a", 8)])
    assert (8, 8, 8, 1) == sums(counts)


def test_a_node_that_begins_anew_or_goes_takes_nothing_away() -> None:
    counts = ClusterCounts()
    counts.see([report("a", 5), report("b", 9)])
    counts.see([report("a", 2)])
    counts.see([])
    assert (16, 16, 16, 2) == sums(counts)


def test_a_source_that_comes_back_into_a_report_counts_what_it_grew() -> None:
    counts = ClusterCounts()
    counts.see([report("a", 5)])
    counts.see([report("a", 6, source="203.0.113.8")])
    counts.see([report("a", 7)])
    assert 7 == counts.snapshot.families["source"].series["203.0.113.7",][0]


def test_what_reports_do_not_name_is_in_other() -> None:
    counts = ClusterCounts()
    some = Counted(100, 6000, 0, (PolicyCount("p", "denied", 30),))
    counts.see([NodeReport("a", MOMENT, "1", MOMENT, b"", 1, 0, counted=some)])
    denied = counts.snapshot.families["denied"]
    assert (70, 100, 6000) == (denied.other[0], *denied.total)


def test_of_many_sources_the_smaller_ones_lose_their_names(monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.setattr(module, "SOURCES_MOST", 2)
    counts = ClusterCounts()
    for number in range(1, 6):
        counts.see([report("a", number, source=f"203.0.113.{number}")])
    family = counts.snapshot.families["source"]
    assert {("203.0.113.4",), ("203.0.113.5",)} == set(family.series)
    assert 1 + 2 + 3 + 4 + 5 == family.total[0]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 50)), max_size=8))
def test_sums_never_fall_and_are_exact_while_nobody_begins_anew(
    rounds: list[dict[str, int]],
) -> None:
    counts, totals, before = ClusterCounts(), dict.fromkeys("abc", 0), 0
    for grown in rounds:
        totals = {node: totals[node] + grown.get(node, 0) for node in totals}
        counts.see([report(node, packets) for node, packets in totals.items()])
        after = sums(counts)
        assert after[:3] == (sum(totals.values()),) * 3
        assert before <= after[0]
        before = after[0]
