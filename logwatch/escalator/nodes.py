"""Nodes, as their reports tell of them: which of them report, fell silent, or are gone."""

from collections.abc import Iterable, Iterator

from logwatch.cluster import NodeReport
from logwatch.live import Finding, Node, NodeState
from logwatch.printable import printable

SILENT_SECONDS = 1200.0
"""An agent sends again each ten minutes what has not changed, and a pause between two reports later
where there are thousands of nodes: so one at least is missing."""

NAMED = 3
"""Nodes that are named in a sentence; the others are in the table."""

PODS = "`kubectl get pods -A -l app.kubernetes.io/component=agent -o wide`"


def nodes_of(
    reports: Iterable[NodeReport], present: frozenset[str] | None, now: float
) -> list[Node]:
    """List the nodes that have reported: those that are gone last, else the oldest report first.

    `present` are the nodes of the cluster, None where they are not known: then nobody is gone.
    """
    rows = [_node(report, present, max(0.0, now - report.time)) for report in reports]
    return sorted(rows, key=lambda row: (row.state == "gone", -row.age, row.node))


def silence(nodes: Iterable[Node]) -> Iterator[Finding]:
    """Find who reports no more, out of all nodes that are there."""
    there = [node for node in nodes if node.state != "gone"]
    silent = [node for node in there if node.state == "silent"]
    if not there:
        yield Finding(
            "warning",
            "nodes",
            f"no node reports: nothing is judged; see whether agents run: {PODS}",
        )
    elif silent:
        shown = ", ".join(printable(node.node) for node in silent[:NAMED])
        more = f" and {len(silent) - NAMED:,} more" if len(silent) > NAMED else ""
        verb = "has" if len(silent) == 1 else "have"
        yield Finding(
            "problem" if silent == there else "warning",
            "nodes",
            f"{shown}{more} {verb} not reported for more than {SILENT_SECONDS / 60:.0f} minutes:"
            " what is denied there is neither shown nor judged; see whether the agents run:"
            f" {PODS}",
        )


def _node(report: NodeReport, present: frozenset[str] | None, age: float) -> Node:
    state: NodeState = "silent" if age > SILENT_SECONDS else "reporting"
    if present is not None and report.node not in present:
        state = "gone"
    return Node(report.node, report.time, report.sources, report.cut, age, state)
