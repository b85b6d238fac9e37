"""An explanation as plain text for a pipe or a file, and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

import msgspec

from logwatch.packets.explain.explanation import Explanation, Part
from logwatch.packets.explain.printable import columns, printable, shortened
from logwatch.packets.explain.reasons import NESTED
from logwatch.packets.reading import Reading

HEADINGS: Final = ("place", "field", "value", "use", "meaning")
_WIDEST: Final = 60
"""Characters of a value in the table; the line itself is above it."""
_LONGEST: Final = 4096
"""Characters of a line that are shown."""
_CARET_MOST: Final = 160
"""Columns of a line that most screens show in one row, so that a caret stands where it means."""


def render_text(explanation: Explanation) -> str:
    """Write the explanation as plain text: line, table, what was skipped, verdict, agreement."""
    line = printable(explanation.line)
    blocks = [[shortened(line, _LONGEST)], _table(explanation)]
    if explanation.stop_place and columns(line) <= _CARET_MOST:
        before = columns(printable(explanation.line[: explanation.stop_place]))
        blocks[0].append(f"{' ' * before}^ reading stopped")
    blocks.append([f"{names} {reason}" for names, reason in reasons(explanation)])
    blocks.append([explanation.verdict, *notes(explanation), *agreement(explanation)])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _table(explanation: Explanation) -> list[str]:
    rows = [cells(part) for part in explanation.parts]
    if not rows:
        return []
    rows.insert(0, HEADINGS)
    widths = [max(columns(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    lines = []
    for place, *row, last in rows:
        filled = [
            cell + " " * (width - columns(cell))
            for cell, width in zip(row, widths[1:], strict=True)
        ]
        lines.append("  ".join([f"{place:>{widths[0]}}", *filled, last]).rstrip())
    return lines


def cells(part: Part) -> tuple[str, ...]:
    """Give the cells of a part's row under `HEADINGS`."""
    place = f"{part.start}-{part.end}"
    return place, part.name, shortened(part.value, _WIDEST), part.use, part.meaning


def reasons(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Give the fields that were passed over, each with all that have the same reason."""
    for reason, parts in explanation.skipped.items():
        names = list(dict.fromkeys(part.name for part in parts))
        if reason == NESTED:
            names = ["[ ... ]"]
        yield f"{', '.join(names)}:", reason


def notes(explanation: Explanation) -> list[str]:
    """Say what may be missing, and where reading stopped."""
    return [note for note in (explanation.cut, explanation.stop_reason) if note is not None]


def agreement(explanation: Explanation) -> list[str]:
    """Say whether the two readers agree: one sentence, then each difference."""
    if not explanation.differences:
        return ["both readers agree"]
    return ["the two readers differ:", *(f"  {each}" for each in explanation.differences)]


def render_json(explanation: Explanation) -> str:
    """Write the explanation as one line of JSON.

    Bytes of the line are given as text, what is no UTF-8 or not printable escaped, so two lines may
    look alike; places are byte offsets in the line as it was given.
    """
    stop = explanation.stop_place
    content = {
        "line": printable(explanation.line),
        "kind": explanation.grammar.kind,
        "verdict": explanation.verdict,
        "parts": [_part(part) for part in explanation.parts],
        "stop": None if stop is None else {"place": stop, "reason": explanation.stop_reason},
        "cut": explanation.cut,
        "readings": {
            "grammar": _reading(explanation.grammar),
            "fast": _reading(explanation.fast),
        },
        "differences": [each.field for each in explanation.differences],
    }
    return msgspec.json.encode(content).decode() + "\n"


def _part(part: Part) -> dict[str, object]:
    return {
        "name": part.name,
        "text": part.text,
        "value": part.value,
        "start": part.start,
        "end": part.end,
        "meaning": part.meaning,
        "used": part.use == "used",
        "why": part.why or None,
    }


def _reading(reading: Reading) -> dict[str, object]:
    return {
        key: printable(value) if isinstance(value, bytes) else value
        for key, value in asdict(reading).items()
    }
