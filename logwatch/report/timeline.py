"""Packets over time as a stacked bar chart: what the page draws, in numbers.

The core's buckets are put together into wider ones, until few enough are there to be seen apart.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from time import gmtime, strftime
from typing import NamedTuple

from logwatch.packets import Summary
from logwatch.report.report import policy_names

BARS_MOST = 240
"""In 960 units a bar has four: seen apart on a screen and on paper."""

PLACES_LEAST = 24
"""A single bar is not as wide as the chart."""

BANDS = 6
"""Policies with a colour of their own; the rest together has one more."""

STEPS = (1, 2, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
"""Seconds of the core's buckets below two days, each of which divides the next."""

DAY = 86_400


class Bar(NamedTuple):
    """One bucket: when it begins, and the packets of each band."""

    start: int
    packets: tuple[int, ...]


class Timeline(NamedTuple):
    """Bars of all the same width from the first to the last, without the empty ones."""

    step: int
    """Seconds of a bar."""
    names: tuple[str, ...]
    """Of the bands: the policies with most packets first."""
    bars: tuple[Bar, ...]
    undated: int
    """Packets whose line has no usable stamp."""
    far: int
    """Packets so far away from all others that they would hide them: a clock was wrong."""

    @property
    def start(self) -> int:
        """Unix seconds at which the first place for a bar begins."""
        lacking = PLACES_LEAST - self._between
        return self.bars[0].start - max(lacking // 2, 0) * self.step

    @property
    def places(self) -> int:
        """Places for bars, empty ones as well."""
        return max(self._between, PLACES_LEAST)

    @property
    def _between(self) -> int:
        return (self.bars[-1].start - self.bars[0].start) // self.step + 1

    @property
    def tallest(self) -> int:
        """Packets of the tallest bar."""
        return max(sum(bar.packets) for bar in self.bars)


def timeline(summary: Summary, prefixes: Sequence[str]) -> Timeline:
    """Make the bars; those of a summary that kept no timeline are none."""
    width, cells = summary.timeline() or (1, [])
    total = sum(packets for *_, packets in cells)
    cells = _without_far(cells)
    policies = policy_names(summary, prefixes)
    by_name: Counter[str] = Counter()
    for _, policy, packets in cells:
        by_name[policies[policy]] += packets
    names = [name for name, _ in by_name.most_common()]
    shown = names if len(names) <= BANDS + 1 else [*names[:BANDS], "all others"]
    band = {name: min(place, len(shown) - 1) for place, name in enumerate(names)}
    step = width
    if cells:
        while (cells[-1][0] // step - cells[0][0] // step) >= BARS_MOST:
            step = _wider(step)
    bars: dict[int, list[int]] = {}
    for start, policy, packets in cells:
        sums = bars.setdefault(start - start % step, [0] * len(shown))
        sums[band[policies[policy]]] += packets
    return Timeline(
        step,
        tuple(shown),
        tuple(Bar(start, tuple(sums)) for start, sums in bars.items()),
        undated=summary.packets - total,
        far=total - by_name.total(),
    )


def _without_far(cells: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Leave out up to 1 % at either end, or 2, if all others then take an eighth of the time."""
    most = max(2, len(cells) // 100)
    if len(cells) < most * 10:
        return cells
    first, last = cells[most][0], cells[-1 - most][0]
    length = max(last - first, 1)
    if cells[-1][0] - cells[0][0] < 8 * length:
        return cells
    return [cell for cell in cells if first - length <= cell[0] <= last + length]


def _wider(step: int) -> int:
    return dict(pairwise(STEPS)).get(step, step * 2)


def duration(seconds: int) -> str:
    """Words for a step: 1 second, 30 minutes, 6 hours, 2 days."""
    for size, name in ((DAY, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            number = seconds // size
            return f"{number:,} {name}{'s' if number > 1 else ''}"
    raise ValueError(seconds)


def clock(seconds: int, step: int) -> str:
    """A time as exact as a step asks for, in UTC."""
    form = "%Y-%m-%d" if step >= DAY else "%Y-%m-%d %H:%M" if step >= 60 else "%Y-%m-%d %H:%M:%S"  # noqa: PLR2004 - a minute
    return strftime(form, gmtime(seconds))
