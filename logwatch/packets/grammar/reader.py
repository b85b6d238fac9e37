"""From a line to its tokens and its `Reading`, by the grammar: about a millisecond a line.

This is the readable twin of the native reader, for `explain` and as the oracle of its tests. Any
bytes are read; nothing is raised for what a line holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from pyparsing import ParseException, ParserElement

from logwatch.packets.grammar.body import BODY
from logwatch.packets.grammar.elements import Stop, Token
from logwatch.packets.grammar.header import HEADER, WRAPPER
from logwatch.packets.grammar.prefix import (
    PrefixGrammar,
    find_anywhere,
    longest_stems_first,
    prefix_grammars,
)
from logwatch.packets.protocols import protocol_name
from logwatch.packets.reading import Reading

LONGEST_LINE: Final = 65_536
"""Bytes; what is longer was not made by the kernel, whose texts end at 1019 bytes."""


@dataclass(frozen=True, slots=True)
class Parse:
    """A line as the grammar reads it. Places are byte offsets in the line as it was given."""

    tokens: tuple[Token, ...]
    """In the order of the line, without gaps up to where reading stopped."""
    stop: Stop | None
    """Where reading stopped, if something else could have been read there."""
    reading: Reading
    elsewhere: int | None = None
    """Where a prefix with IN= stands, though not in place: the line is forged."""


def read_by_grammar(line: bytes, prefixes: Sequence[str]) -> Reading:
    """Read one line (without its line feed) as the grammar defines it.

    `prefixes` are the configured texts, without the ": " that Calico adds.
    """
    return parse_line(line, prefixes).reading


def parse_line(line: bytes, prefixes: Sequence[str]) -> Parse:
    """Read one line like `read_by_grammar`, and keep every token."""
    text = line.decode("latin-1")
    begin = len(text) - len(text.lstrip("\0"))
    if len(text) - begin > LONGEST_LINE:
        return Parse((), None, Reading("other"))
    end = len(text) - text.endswith("\r", begin)
    walk = _Walk(text, begin, end)
    if begin:
        walk.tokens.append(Token("NUL", text[:begin], 0, begin))
    reading = _read(walk, prefix_grammars(tuple(prefixes)))
    if end < len(text):
        walk.tokens.append(Token("CR", "", end, len(text)))
    return Parse(tuple(walk.tokens), walk.stop, reading, walk.elsewhere)


class _Walk:
    """The way through one line: how far it was read, and what was found."""

    def __init__(self, text: str, begin: int, end: int) -> None:
        self.text = text
        self.place = begin
        self.end = end
        self.tokens: list[Token] = []
        self.stop: Stop | None = None
        self.elsewhere: int | None = None

    def take(self, element: ParserElement) -> list[Token]:
        """Read `element` at the place reached and go on behind it; nothing if it is not there."""
        try:
            found = element.parse_string(self.text[self.place : self.end])
        except ParseException:
            return []
        origin = self.place
        tokens: list[Token] = []
        for item in found:
            if isinstance(item, Stop):
                self.stop = Stop(origin + item.place, item.expected)
            else:
                tokens.append(replace(item, start=origin + item.start, end=origin + item.end))
                self.place = origin + item.end
        self.tokens += tokens
        return tokens


def _read(walk: _Walk, prefixes: Sequence[PrefixGrammar]) -> Reading:
    """Read the line that `walk` stands in front of: header, wrapper, message."""
    begin, end = walk.place, walk.end
    stamp = None
    header = {token.key: token.value for token in walk.take(HEADER)}
    if "tag" in header:
        stamp = header["stamp"].encode("latin-1")
        wrapper = walk.take(WRAPPER)
        walk.end -= bool(wrapper) and walk.text.endswith("]", walk.place, walk.end)
        message = _read_message(walk, prefixes, wrapper)
        if walk.end < end:
            walk.tokens.append(Token("repeated end", "", walk.end, end))
        if message is not None:
            return replace(message, stamp=stamp)
    elsewhere = find_anywhere(walk.text[begin:end], prefixes)
    walk.elsewhere = None if elsewhere is None else begin + elsewhere
    return Reading("other" if walk.elsewhere is None else "forged", stamp=stamp)


def _read_message(
    walk: _Walk, prefixes: Sequence[PrefixGrammar], wrapper: Sequence[Token]
) -> Reading | None:
    """Read prefix and body; None when no prefix is in place."""
    for prefix in prefixes:
        if printed := walk.take(prefix.in_place):
            reading = _prefixed(prefix.index, printed)
            body = walk.take(BODY)
            if not body:
                walk.stop = Stop(walk.place, "IN=")
            fields = _fields(body)
            if "SRC" not in fields or "DST" not in fields:
                return reading
            if wrapper:
                return _packet(
                    fields, replace(reading, kind="repeated", count=int(wrapper[0].value))
                )
            return _packet(fields, replace(reading, kind="packet", count=1))
    for prefix in longest_stems_first(prefixes):
        if walk.take(prefix.begun):
            walk.stop = Stop(walk.place, "the rest of the prefix with IN= behind it")
            return Reading("odd", prefix=prefix.index)
    walk.stop = Stop(walk.place, "prefix" if wrapper else "prefix or message repeated")
    return None


def _prefixed(index: int, tokens: Iterable[Token]) -> Reading:
    """Make the reading of a prefix without a body; of equal specifiers the first counts."""
    names: dict[str, str] = {}
    for token in tokens:
        names.setdefault(token.key, token.value)
    return Reading(
        "odd",
        prefix=index,
        tier=names.get("tier"),
        policy_kind=names.get("kind"),
        policy=names.get("policy"),
        namespace=names.get("namespace"),
    )


def _fields(tokens: Iterable[Token]) -> dict[str, list[str]]:
    """Group the values of the outer packet by key; those inside [...] are not its own."""
    fields: dict[str, list[str]] = {}
    outer = True
    for token in tokens:
        outer = (outer or token.key == "]") and token.key != "["
        if outer:
            fields.setdefault(token.key, []).append(token.value)
    return fields


def _packet(fields: dict[str, list[str]], reading: Reading) -> Reading:
    """Complete `reading` by the packet's fields; of equal keys, the first is the IP header's."""

    def number(key: str) -> int | None:
        return int(fields[key][0]) if key in fields else None

    protocol = fields.get("PROTO", [None])[0]
    if protocol is not None:
        protocol = protocol_name(int(protocol)) if protocol.isdecimal() else protocol.lower()
    flags = None
    if "URGP" in fields:  # behind the last flag, so none of them was cut
        flags = tuple(flag.lower() for flag in fields.get("flag", []))
    return replace(
        reading,
        interface=fields["IN"][0].encode("latin-1"),
        out_interface=fields["OUT"][0].encode("latin-1"),
        source=canonical_address(fields["SRC"][0]),
        destination=canonical_address(fields["DST"][0]),
        length=number("LEN"),
        protocol=protocol,
        source_port=number("SPT"),
        port=number("DPT"),
        flags=flags,
        icmp_type=number("TYPE"),
        icmp_code=number("CODE"),
    )


def canonical_address(text: str) -> str:
    """Write an address that the kernel printed in full as RFC 5952 wants it."""
    if ":" not in text:
        return str(IPv4Address(text))
    address = IPv6Address(text)
    mapped = address.ipv4_mapped  # section 5: dotted; Python does so from 3.13 on
    return f"::ffff:{mapped}" if mapped is not None else str(address)
