"""A file of rules -> rules and problems: every problem of the file at once.

A line that begins with `rule` begins a rule, so a broken one costs only itself. No text raises, and
none takes long: its size, its rules, their conditions and their depth are limited.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from logwatch.offenders.language.conditions import leaves
from logwatch.offenders.language.grammar import (
    CLAUSES,
    RESERVED,
    WORD,
    Grammar,
    Stop,
    Written,
)
from logwatch.offenders.language.judge import judge
from logwatch.offenders.language.problem import Level, Problem, listed, quoted
from logwatch.offenders.language.rule import Place, Rule
from logwatch.offenders.language.values import suggestion

FILE_MOST: Final = 1 << 20
"""Bytes."""
RULES_MOST: Final = 64
"""The core keeps evidence for each, and tells them apart by bits."""
PROBLEMS_MOST: Final = 100
"""Errors told of a file; who has put these right is told the next ones."""
WORDS_MOST: Final = 50_000
"""Of a file, with signs: two seconds of pyparsing."""
CONDITIONS_MOST: Final = 50
DEPTH_MOST: Final = 16
"""Parentheses within parentheses; each takes a dozen of Python's frames."""

_BEGINNING = re.compile(rf"^[ \t]*rule(?!{WORD})", re.MULTILINE)
_STRING_OR_COMMENT = re.compile(r'"[^"\n]*"|#[^\n]*')
_STRING_OR_PARENTHESIS = re.compile(r'"[^"\n]*"|[()]')
_WORD_OR_SIGN = re.compile(rf'"[^"\n]*"|{WORD}|>=|\S')
_CLAUSES: Final = frozenset(CLAUSES)
_DISTINCT: Final = ("ports", "destinations", "nodes")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a file."""

    rules: tuple[Rule, ...]
    """Those without an error, in the order of the file."""
    problems: tuple[Problem, ...]
    """In the order of the file."""

    @property
    def has_errors(self) -> bool:
        """Whether the file can't be used."""
        return any(problem.level == "error" for problem in self.problems)


def read(data: bytes, file: str) -> Reading:
    """Read a file of rules; `file` is what problems call it. Raises nothing."""
    text = data[: FILE_MOST + 1].decode("utf-8-sig", "replace")
    source = _Source(file, text)
    if len(data) > FILE_MOST:
        remedy = "rules of that size were not written by a person; split the file"
        return Reading((), (source.problem(0, "the file is larger than 1 MiB", remedy),))
    try:
        data.decode()
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8-sig"))
        return Reading((), (source.problem(at, "this is not UTF-8", "save the file as UTF-8"),))
    reader = _Reader(source)
    reader.run()
    if not reader.rules and not reader.problems:
        what = "there is no rule in this file"
        remedy = "nobody would be banned; `logwatch rules explain` shows the rules by default"
        return Reading((), (source.problem(0, what, remedy, "warning"),))
    problems = [*reader.problems, *judge(reader.rules, source.problem_of)]
    wrong = {problem.place for problem in problems if problem.level == "error"}
    return Reading(
        tuple(rule for rule in reader.rules if rule.place not in wrong),
        tuple(sorted(problems, key=lambda each: (each.place.line, each.place.column))),
    )


class _Source:
    """A text with the places in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        return Place(self.file, line, offset - self._starts[line - 1] + 1)

    def problem(self, offset: int, what: str, remedy: str, level: Level = "error") -> Problem:
        return self._problem(self.place(offset), what, remedy, level)

    def problem_of(self, rule: Rule, what: str, remedy: str, level: Level) -> Problem:
        """Make the problem of a rule as a whole; it stands at its name."""
        return self._problem(rule.place, what, remedy, level)

    def _problem(self, place: Place, what: str, remedy: str, level: Level) -> Problem:
        start = self._starts[place.line - 1]
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")
        return Problem(place, level, what, remedy, line)


@dataclass(slots=True)
class _Reader:
    source: _Source
    rules: list[Rule] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    words: int = 0

    def run(self) -> None:
        grammar = Grammar()
        names: dict[str, int] = {}
        for number, (start, text) in enumerate(self._pieces()):
            if len(self.problems) >= PROBLEMS_MOST:
                return
            if number >= RULES_MOST:
                remedy = "an agent takes one file: join some by `or`, or leave some out"
                self._add(start, f"these are more than {RULES_MOST} rules", remedy)
                return
            self._read(grammar, start, text, names)

    def _pieces(self) -> Iterator[tuple[int, str]]:
        """Each rule and where it begins, without comments; first what stands before any rule."""
        text = _STRING_OR_COMMENT.sub(_without_comment, self.source.text)
        starts = [match.end() - len("rule") for match in _BEGINNING.finditer(text)]
        for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
            piece = text[start:end]
            if piece.strip():
                yield start + len(piece) - len(piece.lstrip()), piece.strip()

    def _read(self, grammar: Grammar, start: int, text: str, names: dict[str, int]) -> None:
        self.words += sum(1 for _ in _WORD_OR_SIGN.finditer(text))
        if self.words > WORDS_MOST:
            what = f"up to the end of this rule there are more than {WORDS_MOST} words"
            self._add(start, what, "write ranges and networks instead of each value")
            return
        deep = _too_deep(text)
        if deep is not None:
            what = f"parentheses stand in more than {DEPTH_MOST} others"
            self._add(start + deep, what, "write the condition flatter, or as several rules")
            return
        outcome = grammar.read(text)
        for fault in outcome.faults:
            self._add(start + fault.place, fault.what, fault.remedy)
        if outcome.stop is not None:
            self._add(start + outcome.stop.place, *_explain(text, outcome.stop))
        if outcome.written is not None:
            self._check(start, outcome.written, names)

    def _check(self, start: int, written: Written, names: dict[str, int]) -> None:
        at = start + written.name_at
        place = self.source.place(at)
        before = names.setdefault(written.name, place.line)
        if before != place.line:
            what = f"there is a rule {written.name} already, in line {before}"
            self._add(at, what, "give each rule a name of its own")
            return
        condition = written.condition
        number = 0 if condition is None else sum(1 for _ in leaves(condition))
        if number > CONDITIONS_MOST:
            what = f"the rule {written.name} has {number} conditions"
            remedy = f"at most {CONDITIONS_MOST}: put values into sets, or split the rule"
            self._add(at, what, remedy)
            return
        self.rules.append(
            Rule(
                name=written.name,
                measure=written.measure,
                threshold=written.threshold,
                within=written.within,
                condition=condition,
                ban=written.ban,
                up_to=written.up_to,
                even_if_forged=written.even_if_forged,
                place=place,
            )
        )

    def _add(self, offset: int, what: str, remedy: str) -> None:
        if len(self.problems) < PROBLEMS_MOST:
            self.problems.append(self.source.problem(offset, what, remedy))


def _without_comment(match: re.Match[str]) -> str:
    text = match[0]
    return " " * len(text) if text.startswith("#") else text


def _too_deep(text: str) -> int | None:
    depth = 0
    for match in _STRING_OR_PARENTHESIS.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth > DEPTH_MOST:
            return match.start()
    return None


def _explain(text: str, stop: Stop) -> tuple[str, str]:
    """Say what stands where reading stopped, and what could."""
    rest = text[stop.place :]
    if rest.startswith('"') and '"' not in rest[1:].partition("\n")[0]:
        return "a quotation mark without its end", 'put " behind the text, in the same line'
    word = re.match(f"{WORD}|>=", rest)
    found = word[0] if word else rest[:1]
    what = f"{quoted(found)} can't stand here" if found else "the rule is not complete"
    wanted = f"expected {listed(stop.expected)}"
    if found == "rule":
        return what, f"{wanted}; begin each rule in a line of its own"
    if found in _DISTINCT and "distinct" in stop.words:
        return what, f"{wanted}; did you mean distinct {found}?"
    if found in CLAUSES and not _CLAUSES.isdisjoint(stop.words):
        order = ", ".join([*CLAUSES[:-1], "even if forged"])
        return what, f"{wanted}; a rule is written in the order {order}"
    meant = "" if found in RESERVED else suggestion(found, stop.words)
    return what, f"{wanted}; {meant}" if meant else wanted
