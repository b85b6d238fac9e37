"""`logwatch explain`: how each part of a line is read."""

import os
import sys
from collections.abc import Iterator

from logwatch.cli.prefixes import prefix_texts
from logwatch.packets import read_line
from logwatch.packets.explain import explain_line, render_text


def run(line: str | None, prefixes: list[str] | None) -> None:
    """Explain one line, or each line of standard input."""
    texts = prefix_texts(prefixes)
    for number, each in enumerate([os.fsencode(line)] if line is not None else _stdin_lines()):
        if number:
            sys.stdout.write("\n")
        # A line may hold any bytes; what the terminal can't show is escaped.
        text = render_text(explain_line(each, texts, read_line))
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.flush()


def _stdin_lines() -> Iterator[bytes]:
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n")
