"""Numbers, times and texts, as they stand in a terminal.

Whatever comes from a log or from a server goes through `text`: no escape sequence reaches the
terminal, also where the server that should have spelled it out did not.
"""

import math
from collections.abc import Iterable

from rich.text import Text

from logwatch.printable import printable

BARS = " ▁▂▃▄▅▆▇█"
"""By eighths of a line's height."""

UNKNOWN = "-"

STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}
"""Colours of the terminal's own palette, which are readable on light and dark ones alike."""

PHASES = {
    "enforce": ("enforced", "bold red"),
    "propose": ("proposed", "yellow"),
    "observe": ("observed", "cyan"),
}
"""What became of a ban that was decided in a mode."""

_AGES = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


def text(content: str | None, style: str = "") -> Text:
    """Give a text from outside, without anything that acts on a terminal."""
    if content is None:
        return Text(UNKNOWN, "dim")
    return Text(spelled(content), style)


def spelled(content: str) -> str:
    r"""Spell out what is not printable as `\x1b`; what a server spelled out already stays."""
    return "".join(each if each == "\\" else printable(each) for each in content)


def number(value: float | None) -> str:
    """Write a count: 1,234,567."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Write packets a second: 0.3, 12.5, 1,234."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: PLR2004 - three digits


def size(value: int) -> str:
    """Write bytes: 512 B, 1.5 KiB."""
    if value < 1024:  # noqa: PLR2004 - what the unit is made of
        return f"{value} B"
    power = min(4, int(math.log(value, 1024)))
    return f"{value / 1024**power:.1f} {'KMGT'[power - 1]}iB"


def age(seconds: float | None) -> str:
    """Write a length of time by its largest unit: 0s, 59s, 3m, 5h, 12d."""
    if seconds is None:
        return UNKNOWN
    for length, unit in _AGES:
        if seconds >= length:
            return (
                f"{seconds / length:.0f}{unit}"
                if unit == "s"
                else f"{int(seconds // length)}{unit}"
            )
    return "0s"


def port(protocol: str | None, number: int | None, service: str | None = None) -> str:
    """Write where a packet went: 22/tcp ssh."""
    place = UNKNOWN if number is None else str(number)
    if number is None or protocol is not None:
        place += f"/{protocol or UNKNOWN}"
    return " ".join(filter(None, (place, service)))


def trend(values: Iterable[float | None], width: int) -> str:
    """Draw numbers as one line of bars, the latest at the right; its own highest is full.

    What is not known is empty as well: dots in each row would hide the bars.
    """
    columns = fold(tuple(values), width)
    highest = max((each for each in columns if each), default=0)
    return "".join(bar(each or 0, highest) for each in columns).rjust(width)


def bar(value: float | None, highest: float, line: int = 1, height: int = 1) -> str:
    """Give what a column shows in a line, counted from the ground; something where there is any.

    A dot on the ground is what nobody knows.
    """
    if value is None:
        return "·" if line == 1 else " "
    if not value or not highest:
        return " "
    eighths = max(1, round(value / highest * height * 8))
    return BARS[min(8, max(0, eighths - (line - 1) * 8))]


def fold(values: tuple[float | None, ...], width: int) -> tuple[float | None, ...]:
    """Add up neighbours, the same number for each column, so that `width` columns suffice.

    A column is None where all in it are; the oldest numbers that fill none are left out.
    """
    if width < 1:
        return ()
    each = max(1, math.ceil(len(values) / width))
    first = len(values) % each
    groups = (values[start : start + each] for start in range(first, len(values), each))
    return tuple(_sum(group) for group in groups)


def _sum(group: tuple[float | None, ...]) -> float | None:
    known = [value for value in group if value is not None]
    return sum(known) if known else None
