"""Denied packets a second over the last hour, as bars of several lines."""

from typing import NamedTuple

from rich.text import Text

from logwatch.top.summary import Summary
from logwatch.top.words import bar, fold, rate, text

TEN_MINUTES = 600.0
BAR_STYLE = "cyan"

LABEL, LABEL_WIDE = 18, 30
"""Columns for the numbers: 80 are enough for them and 60 bars, one for each minute."""

LEAST_BARS = 60


class Flow(NamedTuple):
    """What one line over time comes to."""

    policy: str
    now: float
    """Packets a second."""


def flows(summary: Summary) -> list[Flow]:
    """Tell how much is denied now, by policy, the most first."""
    history = summary.history
    lines = [line for line in history.series if line.action == "denied"]
    elapsed = _elapsed(summary)
    found = [Flow(line.policy, _now(line.packets, history.step, elapsed)) for line in lines]
    return sorted(found, key=lambda flow: (-flow.now, flow.policy))


def _elapsed(summary: Summary) -> float:
    """Tell how much of the last step is over."""
    history = summary.history
    steps = max((len(line.packets) for line in history.series), default=1)
    begun = history.start + (steps - 1) * history.step
    return min(history.step, max(0.0, summary.now - begun))


def _now(packets: tuple[float | None, ...], step: float, elapsed: float) -> float:
    """Take the last step, of which so much is over, with the one before: 10 to 20 seconds."""
    last = packets[-2:]
    whole = step * sum(1 for each in last[:-1] if each is not None)
    seconds = whole + elapsed
    return sum(filter(None, last)) / seconds if seconds >= 1.0 else 0.0


def denied(summary: Summary) -> tuple[float | None, ...]:
    """Add up what was denied in each step; None where nobody looked.

    The step that is running is left out, unless it is all that is known.
    """
    lines = [line.packets for line in summary.history.series if line.action == "denied"]
    if not lines:
        return ()
    length = max(map(len, lines))
    padded = [(None,) * (length - len(line)) + line for line in lines]
    sums = tuple(
        None if all(each is None for each in step) else float(sum(filter(None, step)))
        for step in zip(*padded, strict=True)
    )
    is_first = all(each is None for each in sums[:-1])
    return sums if is_first or _elapsed(summary) >= summary.history.step else sums[:-1]


def chart(summary: Summary, width: int, height: int, *, is_short: bool) -> list[Text]:
    """Draw `height` lines: the bars at the right, what they mean at the left.

    The last ten minutes where `is_short`, else the last hour.
    """
    left = LABEL_WIDE if width >= LABEL_WIDE + 2 * LEAST_BARS else LABEL
    bars, span, highest = _bars(summary, width - left - 1, height, is_short=is_short)
    now = flows(summary)
    total = sum(flow.now for flow in now)
    told = [
        Text.assemble((rate(total), "bold"), " denied/s"),
        Text(f"peak {rate(highest)}", "dim"),
        Text(f"of {round(span / 60)} minutes", "dim"),
    ]
    told += [
        Text.assemble((f"{rate(flow.now):>7} ", ""), text(flow.policy, "dim"))
        for flow in now[: max(0, height - len(told))]
    ]
    lines = []
    for index in range(height):
        label = told[index] if index < len(told) else Text()
        label.truncate(left, overflow="ellipsis", pad=True)
        lines.append(Text.assemble(label, " ", (bars[index], BAR_STYLE), no_wrap=True))
    return lines


def _bars(
    summary: Summary, width: int, height: int, *, is_short: bool
) -> tuple[list[str], float, float]:
    """Give lines of bars, the seconds that they span, and the highest rate of a step in them."""
    values, step = denied(summary), summary.history.step
    if is_short:
        values = values[-int(TEN_MINUTES / step) :]
    columns = fold(values, width)
    if not columns:
        return [" " * width] * height, 0.0, 0.0
    each = len(values) // len(columns)
    stretch = max(1, width // len(columns))
    rates = [None if value is None else value / (each * step) for value in columns]
    highest = max((value for value in rates if value), default=0.0)
    peak = max((value for value in values if value), default=0.0) / step
    lines = []
    for line in range(height, 0, -1):
        drawn = "".join(bar(value, highest, line, height) * stretch for value in rates)
        lines.append(drawn.rjust(width))
    return lines, len(columns) * each * step, peak
