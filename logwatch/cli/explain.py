"""`logwatch explain`: how each part of a line is read.

Rich is imported only where a person looks on.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Literal

from logwatch.cli.output import is_on_terminal, write_out
from logwatch.cli.prefixes import prefix_texts
from logwatch.errors import UsageError
from logwatch.packets.explain import Explanation, explain_line, render_json, render_text
from logwatch.packets.reading import read_line

Form = Literal["text", "json"]


def run(line: str | None, prefixes: list[str] | None, output_format: Form = "text") -> None:
    """Explain one line, or each line of standard input; JSON is one object a line."""
    texts = prefix_texts(prefixes)
    render = render_json if output_format == "json" else _text_renderer()
    for number, each in enumerate([os.fsencode(line)] if line is not None else _stdin_lines()):
        text = render(explain_line(each, texts, read_line))
        if output_format == "text":
            text = f"\n{text}\n" if number else f"{text}\n"
        write_out(text)


def _text_renderer() -> Callable[[Explanation], str]:
    """Plain text for a pipe or a file; for a terminal, or by FORCE_COLOR, with Rich."""
    if not is_on_terminal() and not os.environ.get("FORCE_COLOR"):
        return render_text
    from rich.console import Console

    from logwatch.packets.explain.terminal import render_terminal

    # By NO_COLOR Rich leaves bold and its likes; no escape sequence at all is what people expect.
    console = Console(color_system=None if os.environ.get("NO_COLOR") else "auto")
    return lambda explanation: render_terminal(explanation, console)


def _stdin_lines() -> Iterator[bytes]:
    if sys.stdin is None:
        raise UsageError("standard input is closed; give the line as an argument")
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n")
