"""An explanation on a terminal: colours by use, everything folded to its width.

No text is taken for markup, and none holds anything that acts on a terminal.
"""

from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from logwatch.packets.explain.explanation import Explanation, Use
from logwatch.packets.explain.printable import columns, printable
from logwatch.packets.explain.reasons import UNREAD
from logwatch.packets.explain.render import HEADINGS, agreement, cells, notes, reasons

_STYLES: Final[dict[Use, str]] = {"used": "green", "skipped": "bright_blue", "not read": "yellow"}
_STOP: Final = "bold red"
_LONGEST: Final = 4096
"""Characters of a line that are shown."""


def render_terminal(explanation: Explanation, console: Console) -> str:
    """Write the explanation as `console` can show it, colours included if it has some."""
    with console.capture() as captured:
        console.print(_content(explanation, console.width), highlight=False)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _content(explanation: Explanation, width: int) -> RenderableType:
    content: list[RenderableType] = []
    if explanation.parts:
        content += [*_line(explanation, width), Text(), _legend(explanation), Text()]
        content += [_table(explanation), Text(), *_reasons(explanation), Text()]
    content.append(Text(explanation.verdict, style="bold"))
    content += [Text(note) for note in notes(explanation)]
    style = _STOP if explanation.differences else ""
    content += [Text(sentence, style=style) for sentence in agreement(explanation)]
    return Group(*content)


def _line(explanation: Explanation, width: int) -> Iterator[Text]:
    """Fold the line, and mark where reading stopped below the row that holds the place."""
    line = Text()
    stop: int | None = None
    for part in explanation.parts:
        if part.start == explanation.stop_place:
            stop = len(line)
        line.append(printable(explanation.line[part.start : part.end]), style=_STYLES[part.use])
    if explanation.stop_place == len(explanation.line):
        stop = len(line)
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 3].append("...")
    begin = 0
    for row in line.divide(_folds(line.plain, width)):
        row.no_wrap = True
        yield row
        end = begin + len(row)
        if stop is not None and (begin <= stop < end or begin < stop == end == len(line)):
            before = min(columns(line.plain[begin:stop]), width - 1)
            yield Text(f"{' ' * before}^", style=_STOP, no_wrap=True)
        begin = end


def _folds(text: str, width: int) -> Iterator[int]:
    """Give the places where a new row has to start."""
    filled = 0
    for place, letter in enumerate(text):
        wide = columns(letter)
        if filled + wide > width:
            yield place
            filled = 0
        filled += wide


def _legend(explanation: Explanation) -> Text:
    """Name the colours that are there."""
    used = "used for the count" if explanation.grammar.count else "read, but nothing counts"
    names: dict[Use, str] = {"used": used, "skipped": "skipped", "not read": "not read"}
    present = {part.use for part in explanation.parts}
    shown = [Text(name, style=_STYLES[use]) for use, name in names.items() if use in present]
    if explanation.stop_place is not None:
        shown.append(Text("^ reading stopped", style=_STOP))
    return Text("   ").join(shown)


def _table(explanation: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in HEADINGS:
        table.add_column(
            heading,
            justify="right" if heading == "place" else "left",
            no_wrap=heading not in ("value", "meaning"),
            overflow="fold",
        )
    for part in explanation.parts:
        style = _STYLES[part.use]
        table.add_row(*(Text(cell, style=style) for cell in cells(part)))
    return table


def _reasons(explanation: Explanation) -> Iterator[Text]:
    for names, reason in reasons(explanation):
        style = _STYLES["not read" if reason == UNREAD else "skipped"]
        yield Text.assemble((names, style), f" {reason}")
