"""`logwatch rules`: what is wrong with rules, and what they do in words.

Errors make `check` exit with 3; warnings are shown, and leave it at 0, so that rules that somebody
wrote on purpose can be checked by a script.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Literal

from logwatch.cli.output import PROBLEMS_FOUND, write_out
from logwatch.errors import UsageError

if TYPE_CHECKING:
    from logwatch.offenders.language import Problem, Reading, Rule

Format = Literal["text", "json"]

_MOST = 1 << 20
"""`language.FILE_MOST`, without importing it before there is a file."""
_WIDTH = 88


class RulesFileError(UsageError):
    """The file of rules can't be read."""


def check(paths: Sequence[str], output_format: Format) -> None:
    """Show the problems of files; exits with 3 when there is an error among them."""
    given = [(path, _bytes(path)) for path in paths]
    from logwatch.offenders.language import read

    readings = [(path, read(data, _name(path))) for path, data in given]
    if output_format == "json":
        problems = [_as_json(each) for _, reading in readings for each in reading.problems]
        write_out(json.dumps({"schema": 1, "problems": problems}, indent=2) + "\n")
    else:
        for path, reading in readings:
            write_out(f"{_shown(reading.problems)}{_name(path)}: {_summary(reading)}\n")
    if any(reading.has_errors for _, reading in readings):
        sys.exit(PROBLEMS_FOUND)


def explain(path: str | None, output_format: Format) -> None:
    """Tell the rules of a file in words; exits with 3 when it has errors."""
    from logwatch.offenders.language import DEFAULT_NAME, default_text, read, tree

    data, name = (default_text(), DEFAULT_NAME) if path is None else (_bytes(path), _name(path))
    reading = read(data, name)
    sys.stderr.write(_shown(reading.problems))
    if reading.has_errors:
        sys.exit(PROBLEMS_FOUND)
    if output_format == "json":
        rules = [tree(rule) for rule in reading.rules]
        write_out(json.dumps({"schema": 1, "rules": rules}, indent=2) + "\n")
    else:
        write_out(f"{_explained(reading.rules, data)}\n")


def _bytes(path: str) -> bytes:
    """Read a file, but never much more than a file of rules may have."""
    try:
        if path == "-" and sys.stdin is None:
            raise RulesFileError("standard input is closed; name a file of rules")
        if path == "-":
            return sys.stdin.buffer.read(_MOST + 1)
        with Path(path).open("rb") as file:
            return file.read(_MOST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RulesFileError(f"can't read the rules {path}: {reason}") from None


def _name(path: str) -> str:
    return "<stdin>" if path == "-" else path


def _as_json(problem: "Problem") -> dict[str, object]:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "level": problem.level,
        "what": problem.what,
        "remedy": problem.remedy,
    }


def _shown(problems: Iterable["Problem"]) -> str:
    from logwatch.offenders.language import render

    return "".join(f"{render(problem)}\n\n" for problem in problems)


def _summary(reading: "Reading") -> str:
    levels = Counter(problem.level for problem in reading.problems)
    found = [_number(levels[level], level) for level in ("error", "warning") if levels[level]]
    return ", ".join([_number(len(reading.rules), "good rule"), *(found or ["no problem"])])


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _explained(rules: Sequence["Rule"], text: bytes) -> str:
    told = [_told(rule, text) for rule in rules]
    return "\n\n".join([_table(rules), *told]) if told else "no rules"


def _told(rule: "Rule", text: bytes) -> str:
    """A rule in words, with the comment above it in its file."""
    from logwatch.offenders.language import comment_above, in_words

    lines = [
        f"{rule.name} ({rule.place.file}:{rule.place.line})",
        *(f"  {line}" for line in wrap(in_words(rule), _WIDTH)),
        *(f"  # {line}" for line in wrap(comment_above(text, rule), _WIDTH - 2)),
    ]
    return "\n".join(lines)


def _table(rules: Sequence["Rule"]) -> str:
    from logwatch.offenders.language import summary

    rows = [("rule", "reaches", "within", "ban", "up to"), *(summary(rule) for rule in rules)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
