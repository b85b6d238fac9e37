"""A report as a table for people.

A door of its own: Rich takes longer to import than a short log takes to count.
"""

from collections.abc import Callable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from logwatch.report.compare import Changes, Comparison, Key
from logwatch.report.report import Report

NO_ROOM = "(no room)"

FIRST, LAST = "first (UTC)", "last (UTC)"

WIDE = 110
"""Columns of a terminal from which on there is room for the first time beside the last."""


def render_table(
    report: Report, width: int, comparison: Comparison | None = None
) -> RenderableType:
    """Totals, then the top sources, flows, ports and policies, for so many columns."""
    compared = render_comparison(comparison) if comparison else ()
    if not report.totals.packets:
        return Group(_headline(report), *compared)
    return Group(
        _headline(report),
        *compared,
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
    for loss in losses(report):
        text.append(f"{loss}\n", style="red")
    if not totals.packets:
        text.append(f"{nothing(report)}\n")
    return text


def nothing(report: Report) -> str:
    """A sentence for a report without packets."""
    prefixes = ", ".join(report.prefixes)
    if report.of_a_part:
        return (
            f"No kernel line with the prefix {prefixes} was found in this part of the time; see"
            " --since, --until and --prefix."
        )
    return f"No kernel line with the prefix {prefixes} was found; see --prefix."


def losses(report: Report) -> Iterator[str]:
    """One sentence for each loss."""
    for lost in report.lost:
        if lost.reports:
            number = f": {lost.messages:,} messages" if lost.messages else ", without a number"
            times = "once" if lost.reports == 1 else f"{lost.reports:,} times"
            yield f"{lost.by} reports loss {times}{number}."
    if report.overlong_lines:
        lines = "line was" if report.overlong_lines == 1 else "lines were"
        yield f"{report.overlong_lines:,} {lines} too long to be looked into."


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=Text(title, no_wrap=True, overflow="ignore"),  # it may be wider than its table
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    for column in columns:
        is_text = column in {"", "source", "protocol", "policy", "change", FIRST, LAST}
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


def render_comparison(comparison: Comparison) -> Iterator[Table]:
    """Totals of both periods, then what changed most."""
    now, before = comparison.now, comparison.before
    totals = _table("Compared with an earlier period", "", "now", "before", "change")
    for name, one, other in (
        ("packets", now.totals.packets, before.totals.packets),
        ("sources", now.sources, before.sources),
        ("ports", now.ports, before.ports),
    ):
        totals.add_row(name, f"{one:,}", f"{other:,}", f"{one - other:+,}" if one != other else "-")
    totals.add_row(FIRST, short(now.first), short(before.first), "")
    totals.add_row(LAST, short(now.last), short(before.last), "")
    yield totals
    yield _changes("Sources", "source", comparison.sources, lambda key: [key or NO_ROOM])
    ports = comparison.ports
    yield _changes("Ports", "port", ports, lambda key: [port(key[0]), key[1] or "-"], "protocol")
    yield _changes("Policies", "policy", comparison.policies, lambda key: [key])


def _changes(
    title: str,
    name: str,
    changes: Changes[Key],
    cells: Callable[[Key], list[str]],
    *more: str,
) -> Table:
    counts = (
        f"{changes.new:,} new, {changes.gone:,} gone, {changes.more:,} more, {changes.less:,} less"
    )
    table = _table(f"{title}: {counts}", name, *more, "change", "packets", "before")
    for change in changes.most:
        texts = [Text(cell) for cell in cells(change.key)]
        style = "red" if change.packets > change.before else "green"
        kind = Text(change.kind, style=style)
        table.add_row(*texts, kind, f"{change.packets:,}", f"{change.before:,}")
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
