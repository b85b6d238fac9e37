"""NodeReports of what nodes saw, as agents write them."""

import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from lab.identity import Identity
from offenders.packets import Sent, policies, summary

from logwatch import _core
from logwatch.cluster import EVIDENCE_MOST, NODE_REPORTS, REPORT_MANAGER, NodeReport
from logwatch.offenders import Rule, plan

STARTED = datetime(2026, 11, 1, tzinfo=UTC)


def report(
    node: str, rules: Sequence[Rule], sent: Iterable[Sent], at: float | None = None
) -> NodeReport:
    """What an agent would tell of packets that came at a time; now, where none is given."""
    at = time.time() if at is None else at
    counted = summary(sent)
    verdicts = [(name, verdict == "denied") for name, verdict in policies(counted)]
    evidence = _core.Evidence([plan(rule) for rule in rules], 10_000, node=node)
    evidence.observe(counted, verdicts, at)
    data, sources, cut = evidence.to_bytes(EVIDENCE_MOST)
    return NodeReport(
        node=node,
        written=datetime.fromtimestamp(at, UTC),
        version="0",
        started=STARTED,
        evidence=data,
        sources=sources,
        cut=cut,
    )


def write(identity: Identity, report: NodeReport, *, manager: str = REPORT_MANAGER) -> None:
    """Write a report as its node's agent does it.

    By another manager it is as old as it says; else the API server knows better.
    """
    path = f"{NODE_REPORTS.path(report.node)}?fieldManager={manager}&force=true"
    identity.call("PATCH", path, report.document(), content="application/apply-patch+yaml")


def scan(source: str, ports: int, destination: str = "198.51.100.1") -> list[Sent]:
    """A scanner that tries so many ports."""
    return [Sent(source, 1000 + port, destination=destination) for port in range(ports)]


def impatient() -> list[str]:
    """Start an escalator through this: nodes that are gone are so after a second."""
    program = """
import runpy, sys
from logwatch.escalator import departed
departed.GONE_SECONDS = 1.0
sys.argv = sys.argv[3:]
runpy.run_module("logwatch", run_name="__main__", alter_sys=True)
"""
    return [sys.executable, "-c", program]
