"""What a node's report tells of the numbers: the largest of each kind, for the cluster's page."""

from heapq import nlargest

from logwatch.cluster import COUNTED_MOST, Counted, PolicyCount, PortCount, SourceCount
from logwatch.ledger import Count, Family, Labels, Snapshot
from logwatch.live import by_policy

NONE = Family()


def counted(snapshot: Snapshot) -> Counted:
    """Bring together what a report tells of the numbers, largest first."""
    families = snapshot.families
    denied, sources, ports = (families.get(name, NONE) for name in ("denied", "source", "port"))
    packets, size = denied.total
    policies = [
        PolicyCount(policy, action, number)
        for (policy, action), (number, _) in by_policy(snapshot).items()
    ]
    return Counted(
        packets,
        size,
        families.get("logged", NONE).total[0],
        tuple(nlargest(COUNTED_MOST, policies, key=lambda each: each.packets)),
        tuple(SourceCount(source, *count) for (source,), count in _largest(sources)),
        tuple(
            PortCount(protocol, port, number) for (protocol, port), (number, _) in _largest(ports)
        ),
    ).bounded()


def _largest(family: Family) -> list[tuple[Labels, Count]]:
    return nlargest(COUNTED_MOST, family.series.items(), key=lambda item: item[1][0])
