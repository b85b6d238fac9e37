"""The configured prefixes as grammar: every text that the kernel may print for them.

Felix replaces %t by the tier, %k by the policy's kind, %n by its name and %p by namespace/name or
the name alone (FelixConfiguration `spec.logPrefix`); anything else is printed as it is.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from pyparsing import MatchFirst, ParseException, ParserElement, ParseResults, Regex

from logwatch.packets.grammar.elements import Token, token

_COLON: Final = ": "
"""Calico adds it to the configured text, where the version at hand does."""
_IPTABLES: Final = 29
"""Bytes that iptables keeps of a prefix: `struct xt_log_info` has 30 with the final NUL."""
_NFTABLES: Final = 127
"""Bytes that nftables keeps: NF_LOG_PREFIXLEN is 128 with the final NUL."""
_STEM_LEAST: Final = 3
"""Bytes; a shorter beginning of a template stands in front of too many other messages."""
_PRINTED: Final = rf"(?s:.{{1,{_NFTABLES}}}?)(?=IN=)"
"""All in front of the first IN=, which no prefix holds."""

_NAME: Final = "[A-Za-z0-9._-]+"
"""What names in Kubernetes and Calico are made of."""
_KEYS: Final = {"t": "tier", "k": "kind", "n": "policy", "p": "namespaced"}
_SPECIFIER: Final = re.compile("(%[tknp])")


class _Piece(NamedTuple):
    """A piece of a prefix: literal text, or what stands for a specifier."""

    key: str
    fits: Callable[[str], bool]
    """Whether it may be printed as this text."""
    fits_cut: Callable[[str], bool]
    """Whether it may be printed so where the kernel cuts behind that text."""


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One way in which a prefix may be printed: all its pieces, or `cut` anywhere in them."""

    pieces: tuple[_Piece, ...]
    cut: bool

    def starts(self, text: str) -> list[set[int]]:
        """For each piece: where it may start in `text`, so that it and all behind it fit.

        Last come the starts behind all pieces: the end of the text. In a cut text each piece may
        start there, as one that was not printed.
        """
        size = len(text)
        starts = [{size}]
        for piece in reversed(self.pieces):
            behind = starts[-1]
            here = {
                start
                for start in range(size)
                if any(self._fits(piece, text, start, end) for end in behind)
            }
            starts.append(here | {size} if self.cut else here)
        starts.reverse()
        return starts

    def ends_at_a_limit(self, size: int) -> bool:
        """Whether a text of `size` bytes may be what a kernel left of a longer one."""
        return size in (_IPTABLES, _NFTABLES) and (self.cut or self.pieces[-1].key != "prefix")

    def split(self, text: str) -> list[Token] | None:
        """Fit the pieces to the whole `text`, each as short as lets those behind it fit."""
        limited = self.ends_at_a_limit(len(text))
        starts = self.starts(text) if limited or not self.cut else [set()]
        if 0 not in starts[0]:
            return None
        tokens: list[Token] = []
        start = 0
        for piece, behind in zip(self.pieces, starts[1:], strict=True):
            if start < len(text):
                end = min(end for end in behind if self._fits(piece, text, start, end))
                tokens += _named(piece.key, text[start:end], start)
                start = end
        if limited:
            tokens.append(Token("cut", str(start), start, start))
        return tokens

    def _fits(self, piece: _Piece, text: str, start: int, end: int) -> bool:
        fits = piece.fits_cut if self.cut and end == len(text) else piece.fits
        return fits(text[start:end])


@dataclass(frozen=True, slots=True)
class PrefixGrammar:
    """One configured prefix: `index` is its place among all of them."""

    index: int
    spellings: tuple[_Spelling, ...]
    in_place: ParserElement
    """The whole text in front of IN=, as `prefix` tokens and one token a name.

    Where the kernel may have cut a name, or cut anything else, an empty `cut` token follows.
    """
    stem: str
    """What every message with this prefix starts with; empty where that would tell too little."""
    begun: ParserElement
    """The stem alone."""

    def starts(self, text: str) -> set[int]:
        """Tell where in `text`, which ends in front of IN=, this prefix may start."""
        starts: set[int] = set()
        for spelling in self.spellings:
            starts |= {
                start
                for start in spelling.starts(text)[0]
                if not spelling.cut or spelling.ends_at_a_limit(len(text) - start)
            }
        return starts


@lru_cache(maxsize=64)
def prefix_grammars(prefixes: tuple[str, ...]) -> tuple[PrefixGrammar, ...]:
    """Make the grammars of `prefixes`, given without the ": " that Calico adds.

    They come in the order in which they are tried: those that say exactly what they mean first.
    """
    texts = [(index, text.encode().decode("latin-1")) for index, text in enumerate(prefixes)]
    texts.sort(key=lambda each: _SPECIFIER.search(each[1]) is not None)
    return tuple(_prefix_grammar(index, text) for index, text in texts)


def longest_stems_first(prefixes: Iterable[PrefixGrammar]) -> list[PrefixGrammar]:
    """Take those that have a stem, by its length and then by index."""
    known = [prefix for prefix in prefixes if prefix.stem]
    return sorted(known, key=lambda prefix: (-len(prefix.stem), prefix.index))


def find_anywhere(text: str, prefixes: Iterable[PrefixGrammar]) -> int | None:
    """Find the first place in `text` where a stem begins a prefix with IN= behind it."""
    stems = tuple(prefix.stem for prefix in prefixes if prefix.stem)
    begin = 0
    for found in re.finditer("IN=", text):
        begin = max(begin, found.start() - _NFTABLES)
        places = [place for place in range(begin, found.start()) if text.startswith(stems, place)]
        if places:
            printed = text[begin : found.start()]
            starts = set().union(*(prefix.starts(printed) for prefix in prefixes))
            for place in places:
                if place - begin in starts:
                    return place
        begin = found.end()
    return None


def _prefix_grammar(index: int, text: str) -> PrefixGrammar:
    with_colon, alone = tuple(_pieces(text + _COLON)), tuple(_pieces(text))
    spellings = (
        _Spelling(with_colon, cut=False),
        _Spelling(alone, cut=False),
        _Spelling(with_colon, cut=True),
    )
    literal = _SPECIFIER.split(text, maxsplit=1)[0]
    stem = literal[:_IPTABLES] if len(literal) >= _STEM_LEAST or literal == text else ""
    return PrefixGrammar(
        index,
        spellings,
        MatchFirst([_printed(spelling) for spelling in spellings]).parse_with_tabs(),
        stem,
        token("", re.escape(stem), after="", name="prefix").parse_with_tabs(),
    )


def _pieces(text: str) -> Iterator[_Piece]:
    for part in _SPECIFIER.split(text):
        if _SPECIFIER.fullmatch(part):
            yield _name(_KEYS[part[1]])
        elif part:
            yield _Piece("prefix", part.__eq__, part.startswith)


def _name(key: str) -> _Piece:
    whole = re.compile(f"{_NAME}(?:/{_NAME})?" if key == "namespaced" else _NAME)
    cut = re.compile(f"{_NAME}(?:/(?:{_NAME})?)?" if key == "namespaced" else _NAME)
    return _Piece(
        key,
        lambda text: whole.fullmatch(text) is not None,
        lambda text: cut.fullmatch(text) is not None,
    )


def _printed(spelling: _Spelling) -> ParserElement:
    """Read all in front of IN= if it is this spelling."""

    def read(line: str, place: int, found: ParseResults) -> list[Token]:
        tokens = spelling.split(found[0])
        if tokens is None:
            raise ParseException(line, place)
        return [
            replace(token, start=place + token.start, end=place + token.end) for token in tokens
        ]

    return Regex(_PRINTED).add_parse_action(read).leave_whitespace().set_name("prefix")


def _named(key: str, text: str, place: int) -> Iterator[Token]:
    """Give the tokens of one piece: for %p, the namespace and the name apart."""
    if key != "namespaced":
        yield Token(key, text, place, place + len(text))
        return
    first, slash, policy = text.partition("/")
    middle = place + len(first)
    if not slash:
        yield Token("policy", first, place, middle)
        return
    yield Token("namespace", first, place, middle)
    yield Token("prefix", slash, middle, middle + 1)
    if policy:
        yield Token("policy", policy, middle + 1, middle + 1 + len(policy))
