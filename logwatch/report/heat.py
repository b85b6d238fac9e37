"""Top sources by top ports, as cells of so many degrees of heat."""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from logwatch.packets import Summary
from logwatch.report.report import PortEntry, Report, SourceEntry

SOURCES, PORTS = 25, 16
"""As many as fit a screen side by side; what is beyond is in the tables."""

DEGREES = 6


class Cell(NamedTuple):
    """Packets of one source to one port."""

    packets: int
    degree: int
    """From 0, for nothing, over 1, for the least there is, to `DEGREES`, for the most.

    By the logarithm: a scan stays seen beside a flood.
    """


class Heat(NamedTuple):
    """A row for each source that tried one of the ports, a cell for each port in it."""

    ports: Sequence[PortEntry]
    rows: Sequence[tuple[SourceEntry, Sequence[Cell]]]


def heat(report: Report, summary: Summary) -> Heat:
    """Make the map of a report's first sources and ports."""
    # What found no room has no source, and packets without a port have nothing in common.
    sources = [entry for entry in report.sources if entry.source][:SOURCES]
    ranked = [(rank, entry) for rank, entry in enumerate(report.ports, 1) if entry.port is not None]
    ports = [entry for _, entry in ranked[:PORTS]]
    last_rank = max((rank for rank, _ in ranked[:PORTS]), default=1)
    packets: dict[tuple[str, int | None, str | None], int] = {
        (source, port, protocol): count
        for source, port, protocol, count in summary.matrix(SOURCES + 1, last_rank)
        if source and port is not None
    }
    least, most = min(packets.values(), default=1), max(packets.values(), default=1)

    def cell(source: SourceEntry, port: PortEntry) -> Cell:
        count = packets.get((source.source, port.port, port.protocol), 0)
        if not count:
            return Cell(0, 0)
        share = log(count / least) / log(most / least) if most > least else 0.5
        return Cell(count, 1 + round((DEGREES - 1) * share))

    rows = [(source, [cell(source, port) for port in ports]) for source in sources]
    return Heat(ports, [row for row in rows if any(each.packets for each in row[1])])
