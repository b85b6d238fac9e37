"""The three ways in which the grammar is put together: a token, an order, a choice.

Lines are parsed as text with one character for each byte (latin-1), so places are byte offsets and
no byte is special. pyparsing's skipping of blanks is off in every element, as each blank counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyparsing import And, Empty, MatchFirst, Opt, ParserElement, ParseResults, Regex

DECIMAL: Final = "0|[1-9][0-9]{0,9}"
"""As `%u` prints it: without leading zeros or sign. Ten digits hold every 32-bit number."""
WORD: Final = "[^ ]*"
"""Any bytes but a blank, maybe none."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the line: `key` as the kernel prints it, its value, and where it stands."""

    key: str
    value: str
    start: int
    end: int
    """Behind the token and the blank that ends it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where reading stopped, and what the grammar could have read there."""

    place: int
    expected: str


def token(
    key: str, value: str = "", after: str = " ", *, name: str = "", limit: int | None = None
) -> ParserElement:
    """Read `key`, a value that matches the pattern `value`, and the text `after` that ends it.

    One regular expression each, none of which can match in two ways: so a token is read or not
    read in one pass, and a value that may be cut (nothing behind it) is not read. `name` is the
    key of the resulting `Token` where the printed one would not tell, `limit` the largest number.
    """

    def read(_line: str, place: int, found: ParseResults) -> Token:
        text: str = found[0]
        inner = text[len(key) : len(text) - len(after)]
        return Token(
            name or key.removesuffix("0x").strip(" =:[]("), inner, place, place + len(text)
        )

    def within(_line: str, _place: int, found: ParseResults) -> bool:
        text: str = found[0]
        return int(text[len(key) : len(text) - len(after)]) <= (limit or 0)

    element = Regex(f"{re.escape(key)}(?:{value}){re.escape(after)}")
    if limit is not None:
        element.add_condition(within)
    return element.add_parse_action(read).leave_whitespace().set_name(key.strip() or name)


def number(key: str, bits: int, *, name: str = "") -> ParserElement:
    """Read `key` and a decimal number of at most `bits` bits."""
    return token(key, DECIMAL, name=name, limit=2**bits - 1)


def together(*elements: ParserElement) -> ParserElement:
    """Read all elements or none of them."""
    return And(elements).set_name(elements[0].name)


def choice(*elements: ParserElement) -> ParserElement:
    """Read the first element that fits. No two begin alike, so none is tried in vain for long."""
    return MatchFirst(elements).set_name(_either(elements))


def beginning(*steps: ParserElement) -> ParserElement:
    """Read the longest beginning of `steps`: the first, then the second if it fits, and so on.

    `beginning(a, b, c)` is `a [ b [ c ] ]`, and an `Opt` step may be left out. Where a step does
    not fit, a `Stop` is left in its place and nothing behind it is read: what was read stands.
    Only a required first step that does not fit makes the whole fail.
    """
    behind: list[ParserElement] = []
    """What follows the step at hand: optional steps, then all the rest as one element."""
    for step in reversed(steps):
        if isinstance(step, Opt):
            behind = [step, *behind]
        else:
            behind = [And([step, *_or_stop(behind)]).set_name(step.name)]
    return behind[0] if len(behind) == 1 else And(_or_stop(behind))


def _or_stop(behind: list[ParserElement]) -> list[ParserElement]:
    """Give the last of `behind` a way out, a `Stop`, unless it is optional anyway."""
    if not behind or isinstance(behind[-1], Opt):
        return behind
    expected = _either(step.expr if isinstance(step, Opt) else step for step in behind)

    def stop(_line: str, place: int, _found: ParseResults) -> Stop:
        return Stop(place, expected)

    way_out = Empty().add_parse_action(stop).leave_whitespace()
    *optional, required = behind
    return [*optional, MatchFirst([required, way_out])]


def _either(elements: Iterable[ParserElement]) -> str:
    """Name the alternatives, each once."""
    names = [part for element in elements for part in element.name.split(" or ")]
    return " or ".join(dict.fromkeys(names))
