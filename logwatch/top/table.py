"""Rows in columns that fit a width: what finds no room is left out column by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.text import Text

from logwatch.top.words import trend

GAP = 2
TREND_LEAST = 8
TREND_MOST = 60
"""A trend has 60 numbers at most: one for each column."""

Trend = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is shown."""

    title: str
    right: bool = False
    """Whether numbers stand in it."""
    most: int = 39
    """Its width at most; 39 are the characters of the longest IPv6 address."""
    least: int | None = None
    """What it can be cut to; None where a part would mislead, as of a number."""
    rank: int = 0
    """Where there is no room for all, the highest goes first; 0 stays."""
    is_trend: bool = False
    """Whether it takes the width that is left over, to draw numbers in."""


class Row(NamedTuple):
    """A cell for each column; that of a trend is the numbers to draw."""

    key: str
    """By which the row is known again."""
    cells: tuple[Text | Trend, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A table with a title."""

    title: str
    about: Text
    """What is to be known of it besides its rows."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str
    """What is said where there is no row."""


class Drawn(NamedTuple):
    """A listing in a width."""

    head: Text
    lines: tuple[Text, ...]


def draw(listing: Listing, width: int) -> Drawn:
    """Fit a listing into a width."""
    if not listing.rows:
        return Drawn(Text(), (Text(listing.empty, "dim", no_wrap=True),))
    widths = _widths(listing, width)
    titles = [Text(column.title) for column in listing.columns]
    head = _line(listing.columns, titles, widths)
    head.stylize("bold")
    lines = [_line(listing.columns, row.cells, widths) for row in listing.rows]
    return Drawn(head, tuple(lines))


def _widths(listing: Listing, width: int) -> dict[int, int]:
    """Find the width of each column that has room, by its place."""
    columns = listing.columns
    widths = {place: _wanted(listing, place) for place in range(len(columns))}
    least = {place: columns[place].least or wanted for place, wanted in widths.items()}
    least = {place: min(each, widths[place]) for place, each in least.items()}
    while _sum(least) > width:
        rank, place = max((columns[place].rank, place) for place in widths)
        if rank == 0:
            break  # cut at the right, where even those have no room
        del widths[place], least[place]
    while (excess := _sum(widths) - width) > 0:
        room, place = max((widths[place] - least[place], place) for place in widths)
        if room == 0:
            break
        widths[place] -= min(room, excess)
    for place in widths:
        if columns[place].is_trend and excess < 0:
            widths[place] = min(TREND_MOST, TREND_LEAST - excess)
    return widths


def _sum(widths: dict[int, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _wanted(listing: Listing, place: int) -> int:
    column = listing.columns[place]
    if column.is_trend:
        return TREND_LEAST
    longest = max(_length(row.cells[place]) for row in listing.rows)
    return max(len(column.title), min(column.most, longest))


def _length(cell: Text | Trend) -> int:
    return cell.cell_len if isinstance(cell, Text) else 0


def _line(columns: Sequence[Column], cells: Sequence[Text | Trend], widths: dict[int, int]) -> Text:
    line = Text(no_wrap=True)
    for place, width in widths.items():
        cell = cells[place]
        shown = cell.copy() if isinstance(cell, Text) else Text(trend(cell, width), "cyan")
        shown.truncate(width, overflow="ellipsis")
        if columns[place].right:
            shown.align("right", width)
        else:
            shown.pad_right(width - shown.cell_len)
        if line:
            line.append(" " * GAP)
        line.append_text(shown)
    return line
