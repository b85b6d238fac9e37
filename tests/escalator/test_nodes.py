"""Which nodes report, and what is said of those that do not."""

from collections.abc import Iterator
from datetime import UTC, datetime

from logwatch.cluster import NodeReport
from logwatch.escalator.nodes import SILENT_SECONDS, nodes_of, silence

NOW = 1_790_000_000.0
QUIET = SILENT_SECONDS + 60.0


def reports(**ages: float) -> Iterator[NodeReport]:
    for node, age in ages.items():
        written = datetime.fromtimestamp(NOW - age, UTC)
        yield NodeReport(
            node=node, written=written, version="0", started=written, evidence=b"", sources=3, cut=1
        )


def told(present: frozenset[str] | None = None, **ages: float) -> list[tuple[str, str]]:
    nodes = nodes_of(reports(**ages), present, NOW)
    return [(finding.level, finding.what.partition(":")[0]) for finding in silence(nodes)]


def test_the_oldest_report_comes_first_and_nodes_that_are_gone_last() -> None:
    nodes = nodes_of(reports(a=5.0, b=QUIET, c=2 * QUIET), frozenset("ab"), NOW)
    assert [("b", QUIET, "silent"), ("a", 5.0, "reporting"), ("c", 2 * QUIET, "gone")] == [
        (node.node, node.age, node.state) for node in nodes
    ]


def test_a_node_that_fell_silent_is_named() -> None:
    assert [] == told(a=SILENT_SECONDS - 1.0, b=5.0)
    assert [("warning", "b has not reported for more than 20 minutes")] == told(a=5.0, b=QUIET)


def test_where_all_are_silent_nothing_is_seen_at_all() -> None:
    [(level, what)] = told(**dict.fromkeys("abcde", QUIET))
    assert ("problem", "a, b, c and 2 more have not reported for more than 20 minutes") == (
        level,
        what,
    )


def test_a_node_that_is_gone_needs_not_report() -> None:
    """Its report stays for as long as it counts. Where nodes are not known nobody is gone."""
    assert [] == told(frozenset("a"), a=5.0, b=QUIET)
    assert [("warning", "no node reports")] == told(frozenset("a"), b=QUIET)
    assert [("problem", "b has not reported for more than 20 minutes")] == told(None, b=QUIET)
