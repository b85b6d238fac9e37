"""What is timed together and printed as one table: by the name that run.py takes.

In-process figures come last: they make this program large, and a child's peak is not below its
parent's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from corpora import MIXED, STORM

from groups import (
    agent,
    archives,
    crowd,
    detection,
    escalation,
    families,
    html_report,
    jobs,
    page,
    pieces,
    plain,
    policy_file,
    sources,
    start,
)

__all__ = ["GROUPS", "Group"]


@dataclass(frozen=True)
class Group:
    """Rows that are measured in turn."""

    run: Callable[[int], None]
    """Measures so many rounds and prints."""
    needs: tuple[str, ...] = ()
    """Commands that bench/install.sh installs."""


GROUPS = {
    "storm": Group(partial(plain.run, STORM), plain.NEEDS),
    "mixed": Group(partial(plain.run, MIXED), plain.NEEDS),
    "gz": Group(partial(archives.run, "gz"), ("gzip", "zcat")),
    "zst": Group(partial(archives.run, "zst"), ("zstd", "zstdcat")),
    "sources": Group(sources.run),
    "families": Group(families.run),
    "jobs": Group(jobs.run),
    "html-report": Group(html_report.run),
    "start": Group(start.run),
    "agent": Group(agent.run, agent.NEEDS),
    "crowd": Group(crowd.run, crowd.NEEDS),
    "escalation": Group(escalation.run),
    "page": Group(page.run),
    "pieces": Group(pieces.run),
    "policy-file": Group(policy_file.run),
    "detection": Group(detection.run),
}
