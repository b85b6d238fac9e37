"""`logwatch report`: what was denied, from files."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from logwatch.cli.choices import Format
from logwatch.cli.prefixes import prefix_texts
from logwatch.errors import LogwatchError
from logwatch.report import Progress as Report_Progress
from logwatch.report import Report, read, render_csv, render_json, render_table

TOP = 20
# Without a terminal there is no width to fit into: long enough for IPv6 and all columns.
WIDTH = 160


class OutputError(LogwatchError):
    """The result can't be written."""


def run(
    paths: list[str],
    output_format: Format,
    output: Path | None,
    top: int | None,
    prefixes: list[str] | None,
) -> None:
    """Read, and write the result; exits with 1 when an input could not be read to its end."""
    texts = prefix_texts(prefixes)
    entries = top if top is not None else (TOP if output_format is Format.TABLE else 0)
    with _progress_bar() as progress:
        report = read(paths, texts, top=entries, progress=progress)
    problems = [entry.problem for entry in report.inputs if entry.problem]
    if len(problems) < len(report.inputs) or any(entry.bytes for entry in report.inputs):
        _write(report, output_format, output)
    for problem in problems:
        sys.stderr.write(f"logwatch: {problem}\n")
    if problems:
        sys.exit(1)


def _write(report: Report, output_format: Format, output: Path | None) -> None:
    if output_format is Format.TABLE:
        if output is None and sys.stdout.isatty():
            console = Console()
            console.print(render_table(report, console.width))
            return
        console = Console(width=WIDTH, force_terminal=False)
        with console.capture() as capture:
            console.print(render_table(report, console.width))
        text = "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
    else:
        text = render_json(report) if output_format is Format.JSON else render_csv(report)
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise OutputError(f"can't write the report to {output}: {error.strerror}") from None


@contextlib.contextmanager
def _progress_bar() -> Iterator[Report_Progress]:
    """A bar on stderr, for a person; nothing for a program."""
    if not sys.stderr.isatty():
        yield Report_Progress()
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        yield _Bar(bar)


class _Bar(Report_Progress):
    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    def started(self, path: str, size: int | None) -> None:
        self._task = self._bar.add_task(path, total=size)

    def advanced(self, read_bytes: int) -> None:
        self._bar.update(self._task, completed=read_bytes)
