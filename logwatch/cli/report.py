"""`logwatch report`: what was denied, from files.

Nothing is imported before it is needed: Rich only where a person looks on, paths only for --output.
"""

import gc
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from logwatch.cli.output import INTERRUPTED, OutputError, is_on_terminal, write_out
from logwatch.cli.prefixes import prefix_texts
from logwatch.cli.progress import progress
from logwatch.errors import UsageError
from logwatch.packets import Summary
from logwatch.report import (
    Comparison,
    Options,
    Report,
    compare,
    count,
    render_csv,
    render_json,
)

if TYPE_CHECKING:
    from pathlib import Path

Format = Literal["table", "json", "csv", "html"]

TOP = {"table": 20, "html": 500}
"""Entries of each list; programs get all of them."""

# Without a terminal there is no width to fit into: long enough for IPv6 and all columns.
WIDTH = 160


class OutputUsageError(UsageError):
    """The result would destroy what it is made of."""


class Request(NamedTuple):
    """What is asked for."""

    paths: Sequence[str]
    earlier: Sequence[str]
    """Files of an earlier period to compare with."""
    output_format: Format
    output: str | None
    top: int | None
    """Entries of each list, 0 for all, None for what suits the format."""
    options: Options
    prefixes: list[str] | None


class Result(NamedTuple):
    """What was found."""

    report: Report
    comparison: Comparison | None
    summary: Summary
    prefixes: list[str]


def run(request: Request) -> None:
    """Read, and write the result; exits with 1 when an input could not be read to its end.

    An interrupt ends the reading; what was read so far is written, and the exit code is 130.
    """
    gc.disable()  # there are no cycles; passes over 25,000 flows take 15 ms, over 400,000 0.5 s
    texts = prefix_texts(request.prefixes)
    target = _target(request.output, (*request.paths, *request.earlier))
    top = request.top if request.top is not None else TOP.get(request.output_format, 0)
    options = request.options._replace(timeline=request.output_format == "html")
    of_a_part = options.since is not None or options.until is not None
    with progress() as heard:
        counted = count(request.paths, texts, options, heard)
        earlier = None
        if request.earlier and not counted.interrupted:
            options = options._replace(timeline=False, since=None, until=None)
            earlier = count(request.earlier, texts, options, heard)
    comparison = None
    if earlier and not earlier.interrupted:
        comparison = compare(counted, earlier, texts, top)
    report = Report.of(counted.summary, texts, counted.inputs, top, of_a_part=of_a_part)
    inputs = counted.inputs + (earlier.inputs if earlier else ())
    problems = [entry.problem for entry in inputs if entry.problem]
    if len(problems) < len(inputs) or any(entry.bytes for entry in inputs):
        _write(Result(report, comparison, counted.summary, texts), request.output_format, target)
    for problem in problems:
        sys.stderr.write(f"logwatch: {problem}\n")
    if counted.interrupted or (earlier and earlier.interrupted):
        sys.exit(INTERRUPTED)
    if problems:
        sys.exit(1)


def _target(output: str | None, paths: Sequence[str]) -> "Path | None":
    if output is None:
        return None
    from pathlib import Path

    target = Path(output)
    for path in paths:
        if target.exists() and Path(path).exists() and target.samefile(path):
            raise OutputUsageError(f"--output {output} is one of the files to be read")
    return target


def _write(result: Result, output_format: Format, output: "Path | None") -> None:
    report, comparison = result.report, result.comparison
    if output_format == "table":
        from rich.console import Console

        from logwatch.report.table import render_table

        if output is None and is_on_terminal():
            console = Console()
            console.print(render_table(report, console.width, comparison))
            return
        written = io.StringIO()
        console = Console(width=WIDTH, file=written)
        console.print(render_table(report, console.width, comparison))
        text = "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())
    elif output_format == "html":
        from logwatch.report.html import render_html

        text = render_html(report, result.summary, result.prefixes, comparison)
    else:
        text = render_json(report, comparison) if output_format == "json" else render_csv(report)
    if output is None:
        write_out(text)
    else:
        _write_file(text, output)


def _write_file(text: str, output: "Path") -> None:
    """Replace the file as a whole, unless it is a device or a pipe."""
    try:
        if output.exists() and not output.is_file():
            output.write_text(text, encoding="utf-8")
            return
        part = output.with_name(f".{output.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(output)
    except OSError as error:
        raise OutputError(
            f"can't write the report to {output}: {error.strerror}; name a file in a directory"
            " where you may write"
        ) from None
