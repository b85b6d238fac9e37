"""On a terminal an explanation is coloured, fits the width, and lets nothing through."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from packets.lines import damaged, thorough
from rich.console import Console

from logwatch.packets.explain import explain_line, printable
from logwatch.packets.explain.terminal import render_terminal
from logwatch.packets.reading import Reading, read_line

COLOUR = re.compile("\x1b\\[[0-9;]*m")
SYN = (
    b"Sep  5 14:34:40 worker-1 kernel: calico-packet: IN=eth1 OUT= SRC=203.0.113.7"
    b" DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=42962 DPT=22 "
)


def render(
    line: bytes,
    width: int = 80,
    *,
    colour: bool = True,
    prefixes: tuple[str, ...] = ("calico-packet",),
) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if colour else None,
        _environ={},
    )
    return render_terminal(explain_line(line, prefixes, read_line), console)


@settings(thorough, max_examples=300)
@given(damaged())
def test_no_line_acts_on_the_terminal_or_is_wider(case: tuple[bytes, tuple[str, ...]]) -> None:
    line, prefixes = case
    text = COLOUR.sub("", render(line, prefixes=prefixes))
    assert all(row.isprintable() for row in text.splitlines())
    assert text.endswith("\nboth readers agree\n")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_line_is_folded_and_whole(width: int) -> None:
    rows = render(SYN, width, colour=False).splitlines()
    shown = [row for row in rows[: rows.index("")] if row.strip() != "^"]
    assert "".join(row.ljust(width) for row in shown).rstrip() == SYN.decode().rstrip()


def test_fields_have_the_colour_of_their_use_in_line_legend_and_table() -> None:
    rows = render(SYN + b"x").splitlines()
    line = "".join(rows[: rows.index("")])
    for text in ("\x1b[32mSRC=203.0.113.7 ", "\x1b[94mTTL=64 ", "\x1b[33mx"):
        assert text in line
    for text in ("\x1b[32mused for the count", "\x1b[94mskipped", "\x1b[33mnot read"):
        assert text in rows[rows.index("") + 1]
    assert any(row.startswith("\x1b[32m") and "203.0.113.7" in row for row in rows)
    assert "read, but nothing counts" in render(b"Sep  5 14:34:40 worker-1 kernel: x")


def test_the_caret_is_below_the_place_where_reading_stopped() -> None:
    rows = render(SYN + b"WINDOW=x", 100, colour=False).splitlines()
    caret = next(number for number, row in enumerate(rows) if row.strip() == "^")
    assert rows[caret - 1].index("WINDOW=x") == rows[caret].index("^")
    at_the_end = render(SYN, colour=False).splitlines()
    caret = next(number for number, row in enumerate(at_the_end) if row.strip() == "^")
    assert len(SYN) % 80 == at_the_end[caret].index("^")


def test_a_line_that_was_read_to_its_end_has_no_caret() -> None:
    whole = SYN + b"WINDOW=1 RES=0x00 SYN URGP=0 "
    assert "^" not in render(whole)


def test_nothing_is_taken_for_markup() -> None:
    hostile = b"Sep  5 14:34:40 [red]worker[/red]-1 kernel: :smile: \x1b[31m\xe2\x80\xae[/]"
    text = COLOUR.sub("", render(hostile, 200))
    assert printable(hostile) in text


def test_without_colours_there_is_no_escape_sequence() -> None:
    assert "\x1b" not in render(SYN, colour=False)


def test_a_difference_is_red() -> None:
    def wrong(line: bytes, prefixes: object) -> Reading:
        del prefixes
        return replace(read_line(line, ["calico-packet"]), port=23)

    console = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system="standard", _environ={}
    )
    text = render_terminal(explain_line(SYN, ["calico-packet"], wrong), console)
    assert "\x1b[1;31mthe two readers differ:" in text
    assert "\x1b[1;31m  port is 22 by the grammar, 23 by the fast path" in text


def test_an_empty_line_has_only_a_verdict() -> None:
    assert render(b"", colour=False).startswith("not counted (other)")


def test_a_very_long_line_is_shown_in_part() -> None:
    text = render(b"x" * 50_000, colour=False)
    assert "x...\n" in text
    assert len(text) < 6_000
