"""Reports of nodes that are gone: deleted when nothing in them counts any more.

A report outlives its Node for as long as rules look back, since a scanner is no better for a node
that went. After that nobody would ever remove it: no agent is there to do so.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from logwatch.cluster import NODE_REPORTS, Api, NodeReport, NotFound, Snapshot

GONE_SECONDS = 900.0
"""A Node that was made anew, or whose watch was cut, is back by then."""

MOST = 10
"""Deletions in one round: decisions must not wait for those of a thousand nodes."""


class Departed:
    """Looks after them for one term of leadership. One thread at a time."""

    def __init__(
        self,
        api: Api,
        fence: Callable[[], None],
        looks_back: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A report counts for `looks_back` seconds; `fence` raises where nothing may be written."""
        self._api = api
        self._fence = fence
        self._looks_back = looks_back
        self._clock = clock
        self._since: dict[str, float] = {}
        """Nodes that have a report and are not there, and since when that is known."""

    def remove(
        self, nodes: frozenset[str] | None, reports: Snapshot[NodeReport], now: float
    ) -> Iterator[str]:
        """Delete some of these reports, and give their names one by one.

        `nodes` are all that there are, None where that is not known: then nobody is gone. Raises
        the errors of `Api`.
        """
        if nodes is None:
            self._since.clear()
            return
        at = self._clock()
        gone = (reports.objects.keys() | reports.broken.keys()) - nodes
        self._since = {name: self._since.get(name, at) for name in gone}
        due = [
            name
            for name, since in self._since.items()
            if at - since >= GONE_SECONDS and not self._counts(reports.objects.get(name), now)
        ]
        for name in due[:MOST]:
            self._fence()
            with suppress(NotFound):
                self._api.delete(NODE_REPORTS, name)
            del self._since[name]  # the cache may show it for a moment
            yield name

    def _counts(self, report: NodeReport | None, now: float) -> bool:
        return report is not None and report.time >= now - self._looks_back
