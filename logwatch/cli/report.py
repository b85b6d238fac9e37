"""`logwatch report`: what was denied, from files.

Nothing is imported before it is needed: Rich only where a person looks on, paths only for --output.
"""

import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from logwatch.cli.output import OutputError, write_out
from logwatch.cli.prefixes import prefix_texts
from logwatch.cli.progress import progress
from logwatch.errors import UsageError
from logwatch.report import Report, read, render_csv, render_json

if TYPE_CHECKING:
    from pathlib import Path

Format = Literal["table", "json", "csv"]

TOP = 20
# Without a terminal there is no width to fit into: long enough for IPv6 and all columns.
WIDTH = 160


class OutputUsageError(UsageError):
    """The result would destroy what it is made of."""


def run(  # noqa: PLR0913, PLR0917 - options are arguments
    paths: list[str],
    output_format: Format,
    output: str | None,
    top: int | None,
    jobs: int,
    memory: int,
    prefixes: list[str] | None,
) -> None:
    """Read, and write the result; exits with 1 when an input could not be read to its end.

    `jobs` 0 means as many as there are cores to run on; `memory` is in MiB.
    """
    gc.disable()  # there are no cycles; passes over 25,000 flows take 15 ms, over 400,000 0.5 s
    texts = prefix_texts(prefixes)
    target = _target(output, paths)
    entries = top if top is not None else (TOP if output_format == "table" else 0)
    with progress() as heard:
        report = read(
            paths,
            texts,
            top=entries,
            jobs=jobs or len(os.sched_getaffinity(0)),
            memory=memory * 1024 * 1024,
            progress=heard,
        )
    problems = [entry.problem for entry in report.inputs if entry.problem]
    if len(problems) < len(report.inputs) or any(entry.bytes for entry in report.inputs):
        _write(report, output_format, target)
    for problem in problems:
        sys.stderr.write(f"logwatch: {problem}\n")
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


def _write(report: Report, output_format: Format, output: "Path | None") -> None:
    if output_format == "table":
        from rich.console import Console

        from logwatch.report.table import render_table

        if output is None and sys.stdout is not None and sys.stdout.isatty():
            console = Console()
            console.print(render_table(report, console.width))
            return
        written = io.StringIO()
        console = Console(width=WIDTH, file=written)
        console.print(render_table(report, console.width))
        text = "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())
    else:
        text = render_json(report) if output_format == "json" else render_csv(report)
    if output is None:
        write_out(text)
    else:
        _write_file(text, output)


def _write_file(text: str, output: "Path") -> None:
    """Replace the file as a whole, unless it is a device or a pipe."""
    try:
        if output.exists() and not output.is_file():
            output.write_text(text)
            return
        part = output.with_name(f".{output.name}.part")
        part.write_text(text)
        part.replace(output)
    except OSError as error:
        raise OutputError(
            f"can't write the report to {output}: {error.strerror}; name a file in a directory"
            " where you may write"
        ) from None
