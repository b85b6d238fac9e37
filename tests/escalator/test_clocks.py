"""What is known of the clocks of nodes."""

from datetime import UTC, datetime, timedelta

from logwatch.cluster import NodeReport
from logwatch.escalator.clocks import Clocks

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def taken(ahead: float | None) -> dict[str, NodeReport]:
    """A report that was written so far ahead of when the API server took it."""
    stored = None if ahead is None else NOW - timedelta(seconds=ahead)
    return {"node-a": NodeReport("node-a", NOW, "1", NOW, b"", 0, 0, stored=stored)}


def test_a_clock_that_is_far_off_is_known() -> None:
    """Ahead, or behind."""
    assert {"node-a": 290.0} == Clocks().ahead(taken(290.0))
    assert {"node-a": -290.0} == Clocks().ahead(taken(-290.0))


def test_the_one_that_is_furthest_off_is_named() -> None:
    """Of as many as there are; what is little is not told."""
    clocks = Clocks()
    assert clocks.problem is None
    nodes = {"node-a": 29.0, "node-b": -60.0, "node-c": 40.0}
    clocks.ahead(
        {
            node: NodeReport(node, NOW, "1", NOW, b"", 0, 0, stored=NOW - timedelta(seconds=ahead))
            for node, ahead in nodes.items()
        }
    )
    assert clocks.problem is not None
    assert clocks.problem.startswith(
        "2 of 3 nodes' clocks are off, such as that of node-b, 60 s behind the API server's:"
    )
    clocks.ahead(taken(290.0))
    assert "node-a, 290 s ahead of the API server's" in clocks.problem
    clocks.ahead(taken(0.0))
    assert clocks.problem is None


def test_seconds_on_the_way_are_no_difference() -> None:
    """Nor is what the API server's whole seconds leave open."""
    clocks = Clocks()
    assert {"node-a": 0.0} == clocks.ahead(taken(-4.0))
    assert {"node-a": 290.0} == clocks.ahead(taken(290.0))
    assert {"node-a": 290.0} == clocks.ahead(taken(287.5))


def test_a_clock_that_was_set_right_is_known_to_be() -> None:
    """As of the next report; without a time of the API server nothing changes."""
    clocks = Clocks()
    clocks.ahead(taken(290.0))
    assert {"node-a": 290.0} == clocks.ahead(taken(None))
    assert {"node-a": 0.5} == clocks.ahead(taken(0.5))


def test_a_report_that_was_written_long_ago_tells_nothing_of_a_clock() -> None:
    """It was removed, and its agent sent it again as it was."""
    assert {"node-a": 0.0} == Clocks().ahead(taken(-600.0))


def test_a_node_that_is_gone_is_forgotten() -> None:
    """It may come back with another clock."""
    clocks = Clocks()
    clocks.ahead(taken(290.0))
    clocks.ahead({})
    assert {"node-a": 0.0} == clocks.ahead(taken(None))
