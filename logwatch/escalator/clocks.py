"""How far the clocks of nodes are ahead of the API server's, by when their reports got there.

The API server notes when a report was written, to the second; the report says when its node thinks
that was. Between them lies also the way to the API server.
"""

from collections.abc import Mapping

from logwatch.cluster import NodeReport

STEP = 5.0
"""Seconds. Less is the API server's second and the way there. What is known of a clock stays while
it is not off by more, or its packets would be moved to and fro, past what was dealt with."""

MOST = 400.0
"""Seconds. What is off by more is no clock that anybody can be helped with, but a report that its
agent sends again after ten minutes, and that was removed meanwhile."""

TOLD = 30.0
"""Seconds. Less may be a report that was long on its way, and is put right all the same."""


class Clocks:
    """What is known of them. One thread at a time."""

    def __init__(self) -> None:
        self._ahead: dict[str, float] = {}

    @property
    def problem(self) -> str | None:
        """Tell of the clock that is furthest off, and of how many are."""
        off = {node: ahead for node, ahead in self._ahead.items() if abs(ahead) >= TOLD}
        if not off:
            return None
        node = max(sorted(off), key=lambda each: abs(off[each]))
        side = "ahead of" if off[node] > 0 else "behind"
        return (
            f"{len(off)} of {len(self._ahead)} nodes' clocks are off, such as that of {node},"
            f" {abs(off[node]):.0f} s {side} the API server's: times are put right, but see its NTP"
        )

    def ahead(self, reports: Mapping[str, NodeReport]) -> Mapping[str, float]:
        """Give by how many seconds each node's clock is ahead, or behind (below 0)."""
        known = {}
        for node, report in reports.items():
            known[node] = self._ahead.get(node, 0.0)
            if report.stored is None:
                continue
            told = (report.written - report.stored).total_seconds()
            if abs(told - known[node]) >= STEP and abs(told) <= MOST:
                known[node] = told
        self._ahead = known
        return known
