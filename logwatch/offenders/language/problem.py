"""A problem in a file of rules, and how it is shown: place, line, caret, remedy."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from logwatch.offenders.language.rule import Place

Level = Literal["error", "warning"]

_SHOWN = 100
"""Characters of a line that are shown; a longer one is cut on both sides of the caret."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person can put right."""

    place: Place
    level: Level
    what: str
    remedy: str
    line: str
    """The text of the line, without its end."""


def listed(words: Sequence[str], last: str = "or") -> str:
    """`a, b or c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def quoted(text: str) -> str:
    """Name a piece of text of any length and content."""
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"'{''.join(each if each.isprintable() else ascii(each)[1:-1] for each in cut)}'"


def shown(text: str) -> str:
    """Replace what a terminal would not show as one character, so that carets stay in place."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text.replace("\t", " "))


def render(problem: Problem) -> str:
    """Write a problem for a person, without a final line feed."""
    place = problem.place
    at = place.column - 1
    start = max(0, min(at - _SHOWN // 2, len(problem.line) - _SHOWN))
    line = problem.line[start : start + _SHOWN]
    head = f"{place.file}:{place.line}:{place.column}: {problem.level}: {problem.what}"
    if not line.strip():
        return f"{head}\n  {problem.remedy}"
    excerpt = shown(line)
    blank = "".join(map(_blank, excerpt[: at - start]))
    return f"{head}\n    {excerpt.rstrip()}\n    {blank}^\n  {problem.remedy}"


def _blank(character: str) -> str:
    """As many blanks as a terminal has columns for a character."""
    is_wide = unicodedata.east_asian_width(character) in "WF"
    return "" if unicodedata.combining(character) else "  " if is_wide else " "
