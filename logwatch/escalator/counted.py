"""What all nodes counted, brought together from their reports, for the cluster's page.

Each report tells the largest ten policies, sources and ports of its node since its counters began.
What they grew by is summed: so a node that restarts or goes takes nothing away. The sum of all
packets is exact, those by name are where a node has no more than ten of a kind; else they are what
the reports told, and who is small everywhere is missing.
"""

from collections.abc import Iterable, Iterator
from heapq import nlargest

from logwatch.blacklist import Network
from logwatch.cluster import Counted, NodeReport
from logwatch.ledger import Count, Family, Labels, Snapshot
from logwatch.live import counted_as

SOURCES_MOST = 10_000
"""Sources kept by name: some 2 MiB. Beyond twice as many the smaller half goes to `other`."""

KNOWN_MOST = 60
"""Counts remembered of a node, for names that come and go among its largest."""

Key = tuple[str, Labels]
"""Family, and labels in it."""


class ClusterCounts:
    """Sums over nodes. One thread at a time, but for `snapshot`."""

    def __init__(self) -> None:
        self._reports: dict[str, NodeReport] = {}
        self._known: dict[str, dict[Key, Count]] = {}
        """By node: each count as it was told last."""
        self._sums: dict[str, dict[Labels, Count]] = {
            name: {} for name in ("denied", "logged", "source", "port")
        }
        self._other: Count = (0, 0)
        """Of sources."""
        self._all: Count = (0, 0)
        self.snapshot = Snapshot()
        """The sums as families, as an agent has them."""

    def see(self, reports: Iterable[NodeReport]) -> None:
        """Take in what is new; the reports are all that there are."""
        seen = {report.node: report for report in reports}
        if seen == {} and not self._reports:
            return
        for node, report in seen.items():
            before = self._reports.get(node)
            if before is not report:
                self._add(node, Counted() if before is None else before.counted, report.counted)
        self._reports = seen
        self._known = {node: known for node, known in self._known.items() if node in seen}
        self._bound()
        self.snapshot = self._made()

    def nodes(self, network: Network) -> dict[str, int]:
        """Give the nodes that have sources of a network among their largest, most packets first."""
        is_of, found = counted_as(network), dict[str, int]()
        for report in self._reports.values():
            packets = sum(each.packets for each in report.counted.sources if is_of(each.source))
            if packets:
                found[report.node] = packets
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def _add(self, node: str, before: Counted, after: Counted) -> None:
        packets, size = self._all
        grown = _grown((before.packets, before.bytes), (after.packets, after.bytes))
        self._all = (packets + grown[0], size + grown[1])
        known = self._known.setdefault(node, {})
        for key, count in _counts(after):
            family, labels = key
            grown = _grown(known.pop(key, (0, 0)), count)
            known[key] = count  # at the end: what was told of longest ago is forgotten first
            sums = self._sums[family]
            if grown != (0, 0):  # what stands still stays the same object
                packets, size = sums.get(labels, (0, 0))
                sums[labels] = (packets + grown[0], size + grown[1])
        for key in [*known][: max(0, len(known) - KNOWN_MOST)]:
            del known[key]

    def _bound(self) -> None:
        sources = self._sums["source"]
        if len(sources) <= 2 * SOURCES_MOST:
            return
        kept = dict(nlargest(SOURCES_MOST, sources.items(), key=lambda item: item[1]))
        for labels in sources.keys() - kept.keys():
            packets, size = sources[labels]
            self._other = (self._other[0] + packets, self._other[1] + size)
        self._sums["source"] = kept

    def _made(self) -> Snapshot:
        families = {name: Family(dict(sums)) for name, sums in self._sums.items()}
        named = families["denied"].total[0]
        families["denied"] = Family(
            families["denied"].series, (max(0, self._all[0] - named), self._all[1])
        )
        families["source"] = Family(families["source"].series, self._other)
        return Snapshot({}, families)


def _counts(counted: Counted) -> Iterator[tuple[Key, Count]]:
    for policy in counted.policies:
        yield (policy.action, (policy.policy, "", "", "")), (policy.packets, 0)
    for source in counted.sources:
        yield ("source", (source.source,)), (source.packets, source.bytes)
    for port in counted.ports:
        yield ("port", (port.protocol, port.port)), (port.packets, 0)


def _grown(before: Count, after: Count) -> Count:
    """Give by how much; a counter that is smaller has begun anew."""
    return after if after[0] < before[0] else (after[0] - before[0], max(0, after[1] - before[1]))
