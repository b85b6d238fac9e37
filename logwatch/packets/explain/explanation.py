"""A line in its parts, what it counts as, and whether both readers say so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Literal

from logwatch.packets.explain.printable import printable, shortened
from logwatch.packets.explain.reasons import (
    NAMES,
    NESTED,
    SECOND_NAME,
    UNREAD,
    USED,
    reason_to_skip,
)
from logwatch.packets.grammar import LONGEST_LINE, Parse, Token, parse_line
from logwatch.packets.grammar.meanings import meaning
from logwatch.packets.reading import Reading

ReadLine = Callable[[bytes, Sequence[str]], Reading]
Use = Literal["used", "skipped", "not read"]

_WIDEST: Final = 60
"""Characters of the line that a sentence quotes."""
_KERNELS: Final = {"29": "iptables", "127": "nftables"}
"""Who prints at most so many bytes of a prefix."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the line."""

    name: str
    """The field; in brackets if it belongs to the packet that an ICMP error is about."""
    text: str
    """The part as it stands in the line, printable."""
    value: str
    """The field's value, printable."""
    start: int
    """Offset in bytes from the line's start, like `end`, which is behind the part."""
    end: int
    meaning: str
    use: Use
    """Whether the reading depends on it; `not read` lies behind what could be read."""
    why: str
    """Why it is skipped or not read; empty if it is used."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that the two readers read differently."""

    field: str
    grammar: str
    """Its value as Python writes it, like `fast`."""
    fast: str

    def __str__(self) -> str:
        return f"{self.field} is {self.grammar} by the grammar, {self.fast} by the fast path"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a line is read."""

    line: bytes
    parts: tuple[Part, ...]
    """All of the line, in its order and without gaps; the last may be "not read"."""
    stop_place: int | None
    """Offset in bytes where reading stopped before the line was over."""
    stop_reason: str | None
    """What stands there, and what could have been read instead."""
    cut: str | None
    """What may be missing where the kernel ended the prefix."""
    grammar: Reading
    fast: Reading
    verdict: str
    """A sentence: what the line counts as, and why."""
    differences: tuple[Difference, ...]
    """Where the two readings differ; empty when they agree."""

    @property
    def skipped(self) -> dict[str, list[Part]]:
        """The parts that the reading does not use, by the reason."""
        groups: dict[str, list[Part]] = {}
        for part in self.parts:
            if part.use != "used":
                groups.setdefault(part.why, []).append(part)
        return groups


def explain_line(line: bytes, prefixes: Sequence[str], read_line: ReadLine) -> Explanation:
    """Explain one line (without its line feed); `read_line` is the fast path.

    Raises ValueError for prefixes that the fast path refuses.
    """
    fast = read_line(line, prefixes)
    parse = parse_line(line, prefixes)
    return Explanation(
        line=line,
        parts=tuple(_parts(line, parse)),
        stop_place=None if parse.stop is None else parse.stop.place,
        stop_reason=_stop_reason(line, parse),
        cut=_cut(parse),
        grammar=parse.reading,
        fast=fast,
        verdict=_verdict(line, parse),
        differences=tuple(_differences(parse.reading, fast)),
    )


def _parts(line: bytes, parse: Parse) -> Iterator[Part]:
    end = 0
    nested = False
    names: set[str] = set()
    for token in parse.tokens:
        if token.start > end:
            yield _not_read(line, end, token.start)
        end = token.end
        nested = nested and token.key != "]"
        if token.start < token.end:
            part = _part(line, token)
            if nested:
                part = replace(part, name=f"[{token.key}]", use="skipped", why=NESTED)
            elif token.key in names:
                part = replace(part, use="skipped", why=SECOND_NAME)
            yield part
        nested = nested or token.key == "["
        if token.key in NAMES:
            names.add(token.key)
    if end < len(line):
        yield _not_read(line, end, len(line))


def _part(line: bytes, token: Token) -> Part:
    text = line[token.start : token.end].strip(b" ")
    keyed = token.value or text.endswith(b"=")
    value = token.value.encode("latin-1").strip(b" ") if keyed else text
    used = token.key in USED
    return Part(
        name=token.key,
        text=printable(text),
        value=printable(value),
        start=token.start,
        end=token.end,
        meaning=printable(meaning(token.key, token.value).encode("latin-1")),
        use="used" if used else "skipped",
        why="" if used else NESTED if token.key in "[]" else reason_to_skip(token.key),
    )


def _not_read(line: bytes, start: int, end: int) -> Part:
    text = printable(line[start:end])
    return Part("not read", text, text, start, end, "", "not read", UNREAD)


def _cut(parse: Parse) -> str | None:
    """Say what may be missing where the kernel ended the prefix."""
    for before, token in zip(parse.tokens, parse.tokens[1:], strict=False):
        if token.key == "cut":
            missing = (
                f"the {before.key} may be longer" if before.key in NAMES else "its rest is missing"
            )
            kernel = _KERNELS[token.value]
            return f"{kernel} prints {token.value} bytes of a prefix, all used here: {missing}"
    return None


def _stop_reason(line: bytes, parse: Parse) -> str | None:
    if parse.stop is None:
        return None
    *others, last = parse.stop.expected.split(" or ")
    expected = f"{', '.join(others)} or {last}" if others else last
    found = line[parse.stop.place :].removesuffix(b"\r")
    if not found:
        return f"reading stopped at the line's end, where the grammar wants {expected}"
    for key in (*others, last):
        if "=" in key and found.startswith(key.encode()):
            value = printable(found).split(" ")[0]
            fault = "has no value that fits" if b" " in found else "is cut: no blank follows it"
            return (
                f"reading stopped at byte {parse.stop.place}: {shortened(value, _WIDEST)} {fault}"
            )
    return (
        f"reading stopped at byte {parse.stop.place}, in front of"
        f' "{shortened(printable(found), _WIDEST)}": the grammar wants {expected}'
    )


def _verdict(line: bytes, parse: Parse) -> str:
    reading = parse.reading
    match reading.kind:
        case "packet":
            return f"counted as 1 packet {_flow(reading)}"
        case "repeated":
            packets = "1 packet" if reading.count == 1 else f"{reading.count} packets"
            return f"counted as {packets} {_flow(reading)}: the line stands for repetitions"
        case "odd":
            return (
                "not counted as a packet (odd): the prefix is in place,"
                " but no source and destination could be read behind it"
            )
        case "forged":
            place = (
                "not directly after the kernel's tag"
                if reading.stamp is not None
                else f"at byte {parse.elsewhere}, without the kernel's tag in front of it"
            )
            return (
                f"not counted (forged): the prefix stands in the line, but {place},"
                " so anybody could have written it"
            )
        case "other":
            if len(line.lstrip(b"\0")) > LONGEST_LINE:
                return (
                    f"not counted (other): the line has {len(line)} bytes,"
                    f" and above {LONGEST_LINE} none is looked into"
                )
            return "not counted (other): no prefix with IN= behind it stands in the line"


def _flow(reading: Reading) -> str:
    protocol = reading.protocol
    if protocol is None:
        target = "with no protocol in the line"
    elif reading.port is not None:
        target = f"to port {reading.port}/{protocol}"
    elif reading.icmp_type is not None:
        code = "" if reading.icmp_code is None else f" code {reading.icmp_code}"
        target = f"by {protocol} type {reading.icmp_type}{code}"
    else:
        target = f"by {protocol}, with no port in the line"
    name = "/".join(filter(None, (reading.namespace, reading.policy)))
    return f"from {reading.source} {target}" + (f", by policy {name}" if name else "")


def _differences(grammar: Reading, fast: Reading) -> Iterator[Difference]:
    for field in fields(Reading):
        ours, theirs = getattr(grammar, field.name), getattr(fast, field.name)
        if ours != theirs:
            yield Difference(field.name, repr(ours), repr(theirs))
