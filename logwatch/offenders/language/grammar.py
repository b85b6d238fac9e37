"""The grammar of one rule, in pyparsing.

    rule    =  "rule" NAME when [where] ban [forged]
    when    =  "when" measure ">=" NUMBER "within" DURATION
    measure =  "packets" | "bytes" | "distinct" ("ports" | "destinations" | "nodes")
    where   =  "where" any
    ban     =  "ban" DURATION ["," "doubling" "up" "to" DURATION]
    forged  =  "even" "if" "forged"
    any     =  all {"or" all}
    all     =  some {"and" some}
    some    =  ["not"] ("(" any ")" | "syn" "only" | "reply" | field)
    field   =  FIELD ("is" ["not"] VALUE | ["not"] "in" "{" [VALUE {"," VALUE}] "}")

Whichever alternative is right is told by its first word, so nothing is read twice. A word in the
place of a value is read whatever it is, and then checked: so one wrong value hides no other.
Where reading stops for good, it is known which words could have stood there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from pyparsing import (
    DelimitedList,
    Forward,
    MatchFirst,
    Opt,
    ParseException,
    ParserElement,
    ParseResults,
    Regex,
    StringEnd,
    ZeroOrMore,
)

from logwatch.offenders.language import values
from logwatch.offenders.language.conditions import All, Any, Condition, Leaf, Not, Reply, SynOnly
from logwatch.offenders.language.rule import Measure
from logwatch.offenders.language.values import BAN_MOST, FIELDS, WITHIN_MOST, Wrong

T = TypeVar("T")

CLAUSES: Final = ("rule", "when", "where", "ban", "even")
RESERVED: Final = (
    *CLAUSES,
    *("within", "doubling", "up", "to", "and", "or", "not", "is", "in", "if", "forged"),
)
"""No values, unless in quotes: where a value is missing, the next word must not be taken for it."""

_DURATION: Final = "a duration such as 10m"
SET_MOST: Final = 1_000
_LARGE: Final = f"at most {SET_MOST}: write ranges, or networks that hold several addresses"
_SWAPPED: Final = "write the longer one behind `doubling up to`"

WORD: Final = r'(?:(?!>=)[^\s,{}()"])+'
_WORD_ENDS: Final = rf"(?!{WORD})"
_NO_CLAUSE: Final = rf"(?!(?:{'|'.join(CLAUSES)}){_WORD_ENDS})"
_NO_RESERVED: Final = rf"(?!(?:{'|'.join(RESERVED)}){_WORD_ENDS})"


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as written, without its place."""

    name: str
    name_at: int
    """Offset in the text."""
    measure: Measure
    threshold: int
    within: int
    condition: Condition | None
    ban: int
    up_to: int | None
    even_if_forged: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that can't be, at an offset of the text."""

    place: int
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Where reading stopped, and what could have stood there."""

    place: int
    expected: tuple[str, ...]
    """In words, for people."""
    words: tuple[str, ...]
    """Those of them that are written as they are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a text. Without `stop` and `faults`, `written` is there."""

    written: Written | None
    stop: Stop | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    place: int


@dataclass(frozen=True, slots=True)
class _When:
    measure: Measure
    threshold: int
    within: int


@dataclass(frozen=True, slots=True)
class _Ban:
    seconds: int
    up_to: int | None


class Grammar:
    """Reads one text after the other. Made for a file: pyparsing's elements report to it."""

    def __init__(self) -> None:
        self._furthest = -1
        self._expected: dict[str, str] = {}
        """What was tried in vain at the furthest place; its word, if it is a certain one."""
        self._faults: list[Fault] = []
        self._rule = self._make_rule().parse_with_tabs()

    def read(self, text: str) -> Outcome:
        """Read a text that is one rule, without comments. Its parentheses must not be deep."""
        self._furthest, self._expected, self._faults = -1, {}, []
        try:
            found = self._rule.parse_string(text)
        except ParseException:
            words = tuple(filter(None, self._expected.values()))
            stop = Stop(self._furthest, tuple(self._expected), words)
            return Outcome(None, stop, tuple(self._faults))
        return Outcome(None if self._faults else found[0], None, tuple(self._faults))

    def _make_rule(self) -> ParserElement:
        rule = self._words("rule").suppress() + self._name()
        forged = Opt(self._words("even if forged"))
        end = self._terminal(StringEnd(), "the next rule", "rule")
        whole = rule + self._when() + Opt(self._where(), None) + self._ban() + forged + end

        def written(found: ParseResults) -> Written:
            name, when, condition, ban, *rest = found
            return Written(
                name=name.text,
                name_at=name.place,
                measure=when.measure,
                threshold=when.threshold,
                within=when.within,
                condition=condition,
                ban=ban.seconds,
                up_to=ban.up_to,
                even_if_forged=bool(rest),
            )

        return whole.set_parse_action(written)

    def _name(self) -> ParserElement:
        def read(_text: str, place: int, found: ParseResults) -> _Value:
            value = _Value(found[0], place)
            self._checked(value, values.name, "")
            return value

        element = Regex(f"{_NO_CLAUSE}{WORD}")
        return self._terminal(element, "a name").set_parse_action(read)

    @staticmethod
    def _cap(word: str, ban: int) -> int:
        cap = values.duration(word, BAN_MOST)
        if cap < ban:
            raise Wrong(f"the ban doubles up to {word}, and is longer from the start", _SWAPPED)
        return cap

    def _when(self) -> ParserElement:
        distinct = MatchFirst([self._words(each) for each in ("ports", "destinations", "nodes")])
        measure = MatchFirst(
            [
                self._words("packets"),
                self._words("bytes"),
                self._words("distinct").suppress() + distinct,
            ]
        )
        number = self._sign(">=") + self._value("a number")
        within = self._words("within").suppress() + self._value(_DURATION)

        def read(found: ParseResults) -> _When:
            measure, threshold, seconds = found
            return _When(
                measure,
                self._checked(threshold, lambda word: values.threshold(word, measure), 1),
                self._checked(seconds, lambda word: values.duration(word, WITHIN_MOST), 1),
            )

        return (self._words("when").suppress() + measure + number + within).set_parse_action(read)

    def _ban(self) -> ParserElement:
        doubling = self._sign(",") + self._words("doubling up to").suppress()
        ban = self._words("ban").suppress() + self._value(_DURATION)

        def read(found: ParseResults) -> _Ban:
            first, *rest = found
            seconds = self._checked(first, lambda word: values.duration(word, BAN_MOST), 1)
            up_to = None
            for cap in rest:
                up_to = self._checked(cap, lambda word: self._cap(word, seconds), seconds)
            return _Ban(seconds, up_to)

        return (ban + Opt(doubling + self._value(_DURATION))).set_parse_action(read)

    def _where(self) -> ParserElement:
        either = Forward()
        inner = MatchFirst(
            [
                self._field(),
                self._words("syn only").set_parse_action(SynOnly),
                self._words("reply").set_parse_action(Reply),
                self._sign("(") + either + self._sign(")"),
            ]
        )
        some = Opt(self._words("not")) + inner
        some.set_parse_action(lambda found: Not(found[1]) if len(found) > 1 else found[0])
        both = some + ZeroOrMore(self._words("and").suppress() + some)
        both.set_parse_action(lambda found: All(tuple(found)) if len(found) > 1 else found[0])
        either <<= both + ZeroOrMore(self._words("or").suppress() + both)
        either.set_parse_action(lambda found: Any(tuple(found)) if len(found) > 1 else found[0])
        return self._words("where").suppress() + either

    def _field(self) -> ParserElement:
        field = MatchFirst([self._words(each) for each in FIELDS])
        listed = DelimitedList(self._value("a value"), delim=self._sign(","))
        within = self._words("in").suppress() + self._sign("{") + Opt(listed) + self._sign("}")
        negated = self._words("not")
        test = MatchFirst(
            [
                self._words("is").suppress() + Opt(negated) + self._value("a value"),
                negated + within,
                within,
            ]
        )
        return (field + test).set_parse_action(self._compared)

    def _compared(self, found: ParseResults) -> Leaf | Not:
        read, make = FIELDS[found[0]]
        negated = "not" in list(found)
        given = [each for each in found if isinstance(each, _Value)]
        if len(given) > SET_MOST:
            what = f"the set has {len(given)} values"
            self._faults.append(Fault(given[SET_MOST].place, what, _LARGE))
        checked = [self._checked(each, read, None) for each in given[:SET_MOST]]
        leaf = make(tuple(each for each in checked if each is not None))
        return Not(leaf) if negated else leaf

    def _terminal(self, element: ParserElement, name: str, word: str = "") -> ParserElement:
        def failed(_text: str, place: int, _element: ParserElement, _error: Exception) -> None:
            if place > self._furthest:
                self._furthest, self._expected = place, {}
            if place == self._furthest:
                self._expected[name] = word

        return element.set_fail_action(failed).set_name(name)

    def _words(self, text: str) -> ParserElement:
        """Words that stand one behind the other; the result is all of them."""
        elements = [
            self._terminal(Regex(f"{each}{_WORD_ENDS}"), f"`{each}`", each)
            for each in text.split(" ")
        ]
        together = elements[0]
        for each in elements[1:]:
            together += each
        return together.add_parse_action(lambda: text)

    def _sign(self, text: str) -> ParserElement:
        return self._terminal(Regex(re.escape(text)), f"`{text}`").suppress()

    def _value(self, name: str) -> ParserElement:
        """A word, or any text in quotes."""

        def read(_text: str, place: int, found: ParseResults) -> _Value:
            return _Value(found[0].strip('"'), place)

        element = Regex(rf'{_NO_RESERVED}{WORD}|"[^"\n]*"')
        return self._terminal(element, name).set_parse_action(read)

    def _checked(self, value: _Value, read: Callable[[str], T], instead: T) -> T:
        try:
            return read(value.text)
        except Wrong as wrong:
            self._faults.append(Fault(value.place, wrong.what, wrong.remedy))
            return instead
