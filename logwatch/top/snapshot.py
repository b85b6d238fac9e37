"""All at once and once only, for a pipe, a file or a script."""

from rich.console import Console
from rich.text import Text

from logwatch.top.chart import chart
from logwatch.top.head import health, title
from logwatch.top.lists import blacklist, nodes, offenders, ports, sources
from logwatch.top.summary import Summary
from logwatch.top.table import Listing, draw

CHART_LINES = 4
FINDINGS = 20
ROWS = 20
"""Of each table."""


def show(console: Console, summary: Summary, clock: str) -> None:
    """Print everything, in the width of the console."""
    width = console.width
    lines = [
        title(summary, clock, width),
        *health(summary, FINDINGS),
        *chart(summary, width, CHART_LINES, is_short=False),
    ]
    for listing in (
        sources(summary, "packets"),
        ports(summary),
        offenders(summary),
        blacklist(summary),
        *([nodes(summary, "")] if summary.role == "escalator" else []),
    ):
        lines += [Text(), *_listed(listing, width)]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _listed(listing: Listing, width: int) -> list[Text]:
    drawn = draw(listing, width)
    about = Text("  ") + listing.about if listing.about else Text()
    head = [drawn.head] if listing.rows else []
    return [Text(listing.title, "bold") + about, *head, *drawn.lines[:ROWS]]
