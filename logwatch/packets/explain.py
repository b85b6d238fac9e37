"""One line explained: each part with its meaning, what it counts as, and where reading stopped.

The parts come from the grammar; the fast path's reading is put beside the grammar's. What a line
holds may be hostile, so every text given out here is printable, without control characters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final

from logwatch.packets.grammar import LONGEST_LINE, Parse, parse_line
from logwatch.packets.grammar.meanings import meaning
from logwatch.packets.reading import Reading

ReadLine = Callable[[bytes, Sequence[str]], Reading]

_USED: Final = frozenset(
    {"stamp", "tag", "repeated", "prefix", "IN", "OUT", "SRC", "DST", "LEN", "PROTO"}
    | {"SPT", "DPT", "flag", "URGP", "TYPE", "CODE"}
)
"""Keys of the tokens that make the reading."""
_WIDEST: Final = 60
"""Characters of a value in the table; the line itself is above it."""
_LONGEST: Final = 4096
"""Characters of a line that are shown."""


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
    used: bool
    """Whether the reading depends on it; the others are only skipped over."""


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
    grammar: Reading
    fast: Reading
    verdict: str
    """A sentence: what the line counts as, and why."""
    differences: tuple[str, ...]
    """Where the two readings differ; empty when they agree."""

    @property
    def skipped(self) -> tuple[Part, ...]:
        """The parts that the reading does not use."""
        return tuple(part for part in self.parts if not part.used)


def explain_line(line: bytes, prefixes: Sequence[str], read_line: ReadLine) -> Explanation:
    """Explain one line (without its line feed); `read_line` is the fast path.

    Raises ValueError for prefixes that the fast path refuses.
    """
    parse = parse_line(line, prefixes)
    fast = read_line(line, prefixes)
    return Explanation(
        line=line,
        parts=tuple(_parts(line, parse)),
        stop_place=None if parse.stop is None else parse.stop.place,
        stop_reason=_stop_reason(line, parse),
        grammar=parse.reading,
        fast=fast,
        verdict=_verdict(line, parse),
        differences=tuple(_differences(parse.reading, fast)),
    )


def render_text(explanation: Explanation) -> str:
    """Write the explanation as plain text: line, table, verdict, stop, agreement."""
    shown = printable(explanation.line)
    rows = [("place", "field", "value", "meaning")]
    rows += [
        (str(part.start), part.name, _cut(part.value, _WIDEST), part.meaning)
        for part in explanation.parts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = [
        f"{row[0]:>{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    ]
    sentences = [explanation.verdict]
    if explanation.stop_reason is not None:
        sentences.append(explanation.stop_reason)
    if explanation.differences:
        sentences.append(f"the readers differ: {'; '.join(explanation.differences)}")
    else:
        sentences.append("both readers agree")
    return "\n".join([_cut(shown, _LONGEST), "", *table, "", *sentences]) + "\n"


def printable(data: bytes) -> str:
    r"""Decode UTF-8; what is none, or would act on a terminal, becomes an escape like \x1b."""
    text = data.decode(errors="backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _parts(line: bytes, parse: Parse) -> Iterator[Part]:
    end = 0
    nested = False
    for token in parse.tokens:
        if token.start > end:
            yield _not_read(line, end, token.start)
        end = token.end
        nested = nested and token.key != "]"
        if token.start < token.end:
            text = line[token.start : token.end].strip(b" ")
            keyed = token.value or text.endswith(b"=")
            value = token.value.encode("latin-1").strip(b" ") if keyed else text
            yield Part(
                name=f"[{token.key}]" if nested else token.key,
                text=printable(text),
                value=printable(value),
                start=token.start,
                end=token.end,
                meaning=printable(meaning(token.key, token.value).encode("latin-1")),
                used=not nested and token.key in _USED,
            )
        nested = nested or token.key == "["
    if end < len(line):
        yield _not_read(line, end, len(line))


def _not_read(line: bytes, start: int, end: int) -> Part:
    text = printable(line[start:end])
    return Part("not read", text, text, start, end, "", used=False)


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
            return f"reading stopped at byte {parse.stop.place}: {_cut(value, _WIDEST)} {fault}"
    return (
        f"reading stopped at byte {parse.stop.place}, in front of"
        f' "{_cut(printable(found), _WIDEST)}": the grammar wants {expected}'
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
    return f"from {reading.source} {target}"


def _differences(grammar: Reading, fast: Reading) -> Iterator[str]:
    for field in fields(Reading):
        ours, theirs = getattr(grammar, field.name), getattr(fast, field.name)
        if ours != theirs:
            yield f"{field.name} is {ours!r} by the grammar, {theirs!r} by the fast path"
