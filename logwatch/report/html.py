"""A report as one HTML file that needs nothing else: no server, no network, no other file.

What came from a log is escaped by the template's engine. The Content-Security-Policy of the page
allows its own style and script, by their hashes, and nothing else whatsoever. Its tables are
complete without the script, which sorts and filters them.

A door of its own: Jinja2 takes longer to import than a short log takes to count.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from logwatch import __version__
from logwatch.packets import Summary
from logwatch.report.compare import Comparison, Period
from logwatch.report.heat import heat
from logwatch.report.report import Report, policy_packets
from logwatch.report.table import NO_ROOM, losses, nothing, short, size
from logwatch.report.timeline import DAY, Timeline, clock, duration, timeline

WIDTH, HEIGHT = 960, 240
"""Of the chart's area, in units of its own."""

STYLES = (
    "export/static/base.css",
    "export/static/parts.css",
    "export/static/charts.css",
    "report/static/report.css",
)
"""The live page's, so that both look the same, and what only this one has."""

LABELS_MOST = 5
LABEL_WIDTH = 180
"""Units that the text of one takes on a narrow screen; the last one has room for it as well."""
LABEL_STEPS = (1, 5, 10, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
"""Seconds between two labels below a day: times that people read off a clock."""
LINES = 4
"""Of the grid."""


def render_html(
    report: Report,
    summary: Summary,
    prefixes: Sequence[str],
    comparison: Comparison | None = None,
) -> str:
    """Write the page of a report, which was made of a summary that kept a timeline."""
    style, script = "".join(map(_text, STYLES)), _static("report.js")
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_static),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": number, "size": size, "short": short, "brief": brief}
    bars = timeline(summary, prefixes)
    template = environment.get_template("report.html.jinja")
    return template.render(
        version=__version__,
        style=Markup(style),  # noqa: S704 - a file of the package
        script=Markup(script),  # noqa: S704 - the same
        style_hash=_hash(style),
        script_hash=_hash(script),
        report=report,
        losses=list(losses(report)),
        nothing=nothing(report),
        no_room=NO_ROOM,
        period=comparison.now if comparison else Period.of(summary),
        policies=len(policy_packets(summary, prefixes)),
        timeline=bars,
        chart=Chart(bars) if bars.bars else None,
        heat=heat(report, summary),
        comparison=comparison,
    )


def _static(name: str) -> str:
    return _text(f"report/static/{name}")


def _text(path: str) -> str:
    return files("logwatch").joinpath(path).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def number(value: int) -> str:
    """A number with its thousands set apart."""
    return f"{value:,}"


def brief(value: int) -> str:
    """A number in at most four characters, for a cell."""
    amount = float(value)
    for unit in ("", "k", "M", "G", "T", "P"):
        if amount < 999.5 or unit == "P":  # noqa: PLR2004 - what would be rounded to 1000
            break
        amount /= 1000
    text = f"{amount:.1f}" if unit and amount < 9.95 else f"{amount:.0f}"  # noqa: PLR2004
    return f"{text.removesuffix('.0')}{unit}"


class Rectangle(NamedTuple):
    """A part of a bar."""

    band: int
    x: float
    y: float
    width: float
    height: float


class Chart:
    """A timeline as rectangles and labels, in units of the chart's area."""

    def __init__(self, timeline: Timeline) -> None:
        self.width, self.height = WIDTH, HEIGHT
        self.timeline = timeline
        self.top = _round_up(timeline.tallest)
        self.step = duration(timeline.step)
        self.start = clock(timeline.bars[0].start, timeline.step)
        self.end = clock(timeline.bars[-1].start, timeline.step)
        self._bar = WIDTH / timeline.places

    def _x(self, start: int) -> float:
        return (start - self.timeline.start) // self.timeline.step * self._bar

    def rectangles(self) -> Iterator[Rectangle]:
        """Yield the parts of all bars; a bar of few packets can still be seen."""
        width = max(self._bar - 1, self._bar * 0.8)
        for bar in self.timeline.bars:
            below = 0.0
            for band, packets in enumerate(bar.packets):
                if packets:
                    height = max(packets / self.top * HEIGHT, 0.75)
                    y = HEIGHT - below - height
                    yield Rectangle(
                        band,
                        round(self._x(bar.start), 2),
                        round(y, 2),
                        round(width, 2),
                        round(height, 2),
                    )
                    below += height

    def tooltips(self) -> Iterator[tuple[float, float, str]]:
        """Yield place, width and text of what a pointer shows for each bar."""
        for bar in self.timeline.bars:
            parts = [
                f"{packets:,} {name}"
                for packets, name in zip(bar.packets, self.timeline.names, strict=True)
                if packets
            ]
            when = clock(bar.start, self.timeline.step)
            yield round(self._x(bar.start), 2), round(self._bar, 2), "\n".join([when, *parts])

    def lines(self) -> Iterator[tuple[float, str]]:
        """Yield the height and label of each line of the grid."""
        for line in range(LINES + 1):
            yield HEIGHT - HEIGHT * line / LINES, brief(self.top * line // LINES)

    def labels(self) -> Iterator[tuple[float, str]]:
        """Yield where times stand below, in UTC."""
        begin, step = self.timeline.start, self.timeline.step
        every = _between_labels(step, self.timeline.places * step)
        for time in range(begin + -begin % every, begin + self.timeline.places * step, every):
            x = (time - begin) / step * self._bar
            if x <= WIDTH - LABEL_WIDTH:
                yield round(x, 2), clock(time, step)

    def rows(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the bars as rows of a table."""
        for bar in self.timeline.bars:
            yield clock(bar.start, self.timeline.step), bar.packets


def _between_labels(step: int, length: int) -> int:
    """Seconds between labels: whole bars, and few enough of them."""
    for seconds in LABEL_STEPS:
        if seconds % step == 0 and length <= seconds * LABELS_MOST:
            return seconds
    days = max(DAY, step)
    while length > days * LABELS_MOST:
        days *= 2
    return days


def _round_up(value: int) -> int:
    """The next number whose quarters are easy to read."""
    power = 1
    while True:
        for factor in (4, 8, 12, 16, 20, 24, 32):
            if value <= factor * power:
                return factor * power
        power *= 10
