"""The native reader, the grammar and the naive reader read every line alike."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets.lines import PIECES, Line, damaged, headers, lines, thorough
from packets.prefixes import PREFIX_SETS
from packets.readers import read_by_all

from logwatch.packets import Scanner
from logwatch.packets.grammar import parse_line
from logwatch.packets.protocols import protocol_name
from logwatch.packets.reading import Reading, read_line

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/lines.log"))
SENT = [case for case in CASES if not case.name.endswith("by-hand")]
"""Those whose lines the kernel printed."""
CUT = 800
"""Longer lines may have been cut: repeated texts at 800 bytes, the kernel's own at 992 or 1019."""


@thorough
@given(lines())
def test_a_line_as_the_kernel_and_syslog_write_it_is_read_as_what_it_is(made: Line) -> None:
    assert made.expected == read_by_all(made.line, made.prefixes)


@thorough
@given(damaged())
def test_a_damaged_line_is_read_alike(case: tuple[bytes, tuple[str, ...]]) -> None:
    read_by_all(*case)


@thorough
@given(st.lists(st.one_of(PIECES, st.binary(max_size=3))), headers(), PREFIX_SETS, st.booleans())
def test_pieces_of_lines_in_any_order_are_read_alike(
    pieces: list[bytes], header: tuple[str, bytes], prefixes: tuple[str, ...], in_place: bool
) -> None:
    begin = header[0].encode("latin-1") + prefixes[0].encode() if in_place else b""
    read_by_all(begin + b" ".join(pieces), prefixes)
    read_by_all(begin + b"".join(pieces), prefixes)


@thorough
@given(lines(), st.data())
def test_a_cut_line_never_tells_anything_that_the_whole_does_not(
    made: Line, data: st.DataObject
) -> None:
    """What was cut is absent: no port or address is made from the beginning of a longer one."""
    cut = made.line[: data.draw(st.integers(0, len(made.line)))]
    whole, rest = read_by_all(made.line, made.prefixes), read_by_all(cut, made.prefixes)
    if rest.kind in ("packet", "repeated"):
        for field in fields(Reading):
            told = getattr(rest, field.name)
            assert told in (None, getattr(whole, field.name)), field.name


@thorough
@given(lines(), st.integers(0, 64), st.binary(max_size=40))
def test_a_line_is_counted_alike_at_every_alignment(made: Line, offset: int, behind: bytes) -> None:
    """What stands in front of a line in the buffer, and behind it, changes nothing."""
    scanner = Scanner(list(made.prefixes), now=1_800_000_000)
    scanner.feed(b"." * offset + b"\n" + made.line + b"\n" + behind.replace(b"\n", b""))
    summary = scanner.drain()
    kinds = {"packet": 0, "repeated": 0, "odd": 0, "forged": 0, "other": 1}
    kinds[made.expected.kind] += 1
    assert kinds == summary.lines
    assert made.expected.count == summary.packets
    known = (made.expected.source, made.expected.port, made.expected.protocol or "none")
    assert ([known] if made.expected.count else []) == [row[:3] for row in summary.rows()]


def recorded(case: Path) -> list[tuple[bytes, tuple[str, ...]]]:
    """Return the lines of a case and the prefixes that were configured."""
    prefixes = tuple(json.loads((case / "case.json").read_text())["prefixes"])
    lines = (case / "lines.log").read_bytes().removesuffix(b"\n").split(b"\n")
    return [(line, prefixes) for line in lines]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_recorded_lines_are_read_alike(case: Path) -> None:
    for line, prefixes in recorded(case):
        read_by_all(line, prefixes)


@pytest.mark.parametrize("case", SENT, ids=[case.name for case in SENT])
def test_the_grammar_has_a_name_for_all_that_the_kernel_prints(case: Path) -> None:
    for line, prefixes in recorded(case):
        parse = parse_line(line, prefixes)
        if parse.reading.source is not None and len(line) < CUT:
            assert (None, len(line)) == (parse.stop, parse.tokens[-1].end), line


def test_there_are_recorded_lines() -> None:
    assert SENT


def test_both_name_all_protocols_alike() -> None:
    template = (
        "Sep  5 14:34:40 worker-1 kernel: calico-packet: IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2"
        " LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO={} "
    )
    native = [
        read_line(template.format(number).encode(), ["calico-packet"]).protocol
        for number in range(256)
    ]
    assert native == [protocol_name(number) for number in range(256)]
