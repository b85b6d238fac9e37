"""A report as a table for people.

A door of its own: Rich takes longer to import than a short log takes to count.
"""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from logwatch.report.report import Report

NO_ROOM = "(no room)"

FIRST, LAST = "first (UTC)", "last (UTC)"

WIDE = 110
"""Columns of a terminal from which on there is room for the first time beside the last."""


def render_table(report: Report, width: int) -> RenderableType:
    """Totals, then the top sources, flows, ports and policies, for so many columns."""
    return Group(
        _headline(report),
        _sources(report, is_wide=width >= WIDE),
        _flows(report),
        _ports(report),
        _policies(report),
    )


def _headline(report: Report) -> Text:
    totals = report.totals
    text = Text()
    text.append(f"{totals.packets:,}", style="bold")
    lines = "line" if totals.lines == 1 else "lines"
    text.append(f" denied packets, {size(totals.bytes)}, in {totals.lines:,} {lines}")
    notes = [
        (totals.repeated, "repeated", "cyan"),
        (totals.odd, "odd", "yellow"),
        (totals.forged, "forged (not counted)", "red"),
    ]
    for number, name, style in notes:
        if number:
            text.append(f", {number:,} {name}", style=style)
    text.append("\n")
    for loss in _losses(report):
        text.append(f"{loss}\n", style="red")
    if not totals.packets:
        prefixes = ", ".join(entry.policy for entry in report.policies)
        text.append(f"No kernel line with the prefix {prefixes} was found; see --prefix.\n")
    return text


def _losses(report: Report) -> Iterator[str]:
    """One sentence for each loss."""
    for lost in report.lost:
        if lost.reports:
            number = f"{lost.messages:,} messages" if lost.messages else "no number"
            times = "once" if lost.reports == 1 else f"{lost.reports:,} times"
            yield f"{lost.by} reports loss {times}: {number}."
    if report.overlong_lines:
        lines = "line was" if report.overlong_lines == 1 else "lines were"
        yield f"{report.overlong_lines:,} {lines} too long to be looked into."


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    for column in columns:
        is_text = column in {"source", "protocol", "policy", FIRST, LAST}
        table.add_column(
            column,
            justify="left" if is_text else "right",
            no_wrap=column != "source",
            overflow="fold",  # half an address would be another one
        )
    return table


def _sources(report: Report, *, is_wide: bool) -> Table:
    times = (FIRST, LAST) if is_wide else (LAST,)
    table = _table("Sources", "source", "packets", "size", "ports", "destinations", *times)
    for entry in report.sources:
        table.add_row(
            Text(entry.source or NO_ROOM),
            f"{entry.packets:,}",
            size(entry.bytes),
            f"{entry.ports:,}",
            f"{entry.destinations:,}",
            *([short(entry.first)] if is_wide else []),
            short(entry.last),
        )
    return table


def _flows(report: Report) -> Table:
    table = _table("Flows", "source", "port", "protocol", "packets", "size", LAST)
    for entry in report.flows:
        table.add_row(
            Text(entry.source or NO_ROOM),
            port(entry.port),
            entry.protocol or "-",
            f"{entry.packets:,}",
            size(entry.bytes),
            short(entry.last),
        )
    return table


def _ports(report: Report) -> Table:
    table = _table("Ports", "port", "protocol", "packets", "sources")
    for entry in report.ports:
        table.add_row(
            port(entry.port), entry.protocol or "-", f"{entry.packets:,}", f"{entry.sources:,}"
        )
    return table


def _policies(report: Report) -> Table:
    table = _table("Policies", "policy", "packets")
    for entry in report.policies:
        table.add_row(Text(entry.policy), f"{entry.packets:,}")
    return table


def short(moment: str | None) -> str:
    """A time without what all times have in common."""
    return "" if moment is None else moment.replace("T", " ").removesuffix("Z")


def port(number: int | None) -> str:
    """A port, or a dash where a packet has none."""
    return "-" if number is None else str(number)


def size(number: float) -> str:
    """Bytes for people, in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:  # noqa: PLR2004 - the next unit
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"
