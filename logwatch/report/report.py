"""The report as a value, in the shape of its JSON, which lacks only what was asked for.

Lists are sorted by packets, most first, then by key. Times are RFC 3339 in UTC, null when unknown.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import starmap
from time import gmtime, strftime
from typing import NamedTuple

from logwatch.packets import PolicyRow, Summary

SCHEMA = 1


class Totals(NamedTuple):
    """Sums over all inputs."""

    lines: int
    packets: int
    """Repeats included."""
    bytes: int
    """Sum of the outer LEN over all packets."""
    odd: int
    """Kernel lines with the prefix that could not be read as far as source and destination."""
    repeated: int
    """Lines that say "message repeated N times" of a packet."""
    forged: int
    """Lines with the prefix where the kernel does not put it; not counted as packets."""

    @classmethod
    def of(cls, summary: Summary) -> "Totals":
        """Add up a summary."""
        lines = summary.lines
        return cls(
            lines=sum(lines.values()),
            packets=summary.packets,
            bytes=summary.bytes,
            odd=lines["odd"],
            repeated=lines["repeated"],
            forged=lines["forged"],
        )


class FlowEntry(NamedTuple):
    """Packets from one source to one port; `source` is empty for what found no room."""

    source: str
    port: int | None
    protocol: str | None
    packets: int
    bytes: int
    first: str | None
    last: str | None


class SourceEntry(NamedTuple):
    """Packets from one source; `ports` and `destinations` are distinct ones."""

    source: str
    packets: int
    bytes: int
    ports: int
    destinations: int
    first: str | None
    last: str | None


class PortEntry(NamedTuple):
    """Packets to one port; `sources` are distinct ones."""

    port: int | None
    protocol: str | None
    packets: int
    sources: int


class PolicyEntry(NamedTuple):
    """Packets of one policy's prefix."""

    policy: str
    packets: int


class LostEntry(NamedTuple):
    """What one of the writers of the log says it has lost, as far as the kernel's lines go."""

    by: str
    messages: int
    """Sum of the numbers that it gives; not every report has one."""
    reports: int


class InputEntry(NamedTuple):
    """One file that was read; `problem` tells why it was not read to its end."""

    path: str
    bytes: int
    problem: str | None = None


class Report(NamedTuple):
    """What was found in the inputs."""

    schema: int
    totals: Totals
    flows: tuple[FlowEntry, ...]
    sources: tuple[SourceEntry, ...]
    ports: tuple[PortEntry, ...]
    policies: tuple[PolicyEntry, ...]
    lost: tuple[LostEntry, ...]
    overlong_lines: int
    """Lines too long to be looked into."""
    inputs: tuple[InputEntry, ...]
    prefixes: tuple[str, ...]
    """What was looked for."""
    of_a_part: bool
    """Whether packets of a part of the time count alone."""

    @classmethod
    def of(
        cls,
        summary: Summary,
        prefixes: Sequence[str],
        inputs: Sequence[InputEntry],
        top: int,
        *,
        of_a_part: bool = False,
    ) -> "Report":
        """Make the report; `prefixes` are the summary's, `top` 0 lists everything."""
        return cls(
            schema=SCHEMA,
            totals=Totals.of(summary),
            flows=tuple(
                FlowEntry(source, port, protocol, packets, size, moment(first), moment(last))
                for source, port, protocol, packets, size, first, last in summary.flows(top)
            ),
            sources=tuple(
                SourceEntry(source, packets, size, ports, to, moment(first), moment(last))
                for source, packets, size, ports, to, first, last in summary.sources(top)
            ),
            ports=tuple(PortEntry(*fields) for fields in summary.ports(top)),
            policies=tuple(
                starmap(PolicyEntry, policy_packets(summary, prefixes).items()),
            )[: top or None],
            lost=tuple(LostEntry(by, *numbers) for by, numbers in summary.losses.items()),
            overlong_lines=summary.overlong_lines,
            inputs=tuple(inputs),
            prefixes=tuple(prefixes),
            of_a_part=of_a_part,
        )


def policy_names(summary: Summary, prefixes: Sequence[str]) -> list[str]:
    """Return the names of a summary's policies in the order of their index."""
    return [row.name or prefixes[row.prefix] for row in starmap(PolicyRow, summary.policies())]


def policy_packets(summary: Summary, prefixes: Sequence[str]) -> dict[str, int]:
    """Return packets by policy, most first, then by name; also of prefixes that no line had."""
    packets = dict.fromkeys((text for text in prefixes if "%" not in text), 0)
    names = policy_names(summary, prefixes)
    for policy, _, _, _, count, _ in summary.links():
        packets[names[policy]] = packets.get(names[policy], 0) + count
    return dict(sorted(packets.items(), key=lambda item: (-item[1], item[0])))


@lru_cache(maxsize=86_400)  # the seconds of a day: a busy log has hundreds of lines in each
def moment(seconds: int) -> str | None:
    """RFC 3339 of Unix seconds; None for 0, which means unknown."""
    if seconds == 0:
        return None
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(seconds))
