"""`logwatch replay`: who would have been banned in a log, by which rules.

The rules are read before any log is: what is wrong with them is told at once.
"""

import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from logwatch.blacklist import Network, collapse
from logwatch.cli.output import INTERRUPTED, is_on_terminal, write_out
from logwatch.cli.prefixes import prefix_texts
from logwatch.cli.progress import progress
from logwatch.config import Config, Prefix
from logwatch.offenders import Protected, own_addresses, read_rules
from logwatch.offenders.language import DEFAULT_NAME, render
from logwatch.report.replay import (
    Judges,
    NeverBanned,
    Outcome,
    Rules,
    render_json,
    replay,
)

Format = Literal["table", "json"]

TOP = 20
WIDTH = 80
"""Where there is no terminal whose width could be asked."""


def run(  # noqa: PLR0913, PLR0917 - options are arguments
    paths: Sequence[str],
    rules: str | None,
    against: str | None,
    config_file: str | None,
    prefixes: list[str] | None,
    output_format: Format,
    top: int | None,
) -> None:
    """Replay and show; exits with 1 when a log could not be read to its end."""
    config = _config(config_file)
    given = [Prefix(text=text) for text in prefix_texts(prefixes)] if prefixes else config.prefixes
    entries = top if top is not None else (TOP if output_format == "table" else 0)
    judges = _judges(config, rules or config.rules, against, is_configured=config_file is not None)
    with progress() as heard:
        outcome = replay(paths, given, judges, progress=heard)
    problems = [entry.problem for entry in outcome.inputs if entry.problem]
    if outcome.is_interrupted or outcome.totals.lines or len(problems) < len(outcome.inputs):
        _write(outcome, output_format, entries)
    for problem in problems:
        sys.stderr.write(f"logwatch: {problem}\n")
    if outcome.is_interrupted:
        sys.stderr.write(f"logwatch: interrupted; {_progress_of(outcome)}\n")
        sys.exit(INTERRUPTED)
    if problems:
        sys.exit(1)


def _config(path: str | None) -> Config:
    if path is None:
        return Config()
    from logwatch.config.file import load

    return load(Path(path))


def _judges(
    config: Config, rules: str | None, against: str | None, *, is_configured: bool
) -> Judges:
    listed = config.never_ban_networks
    own = own_addresses() if is_configured else None
    return Judges(
        rules=_read(rules),
        against=None if against is None else _read(against),
        protected=Protected(listed, own=lambda: own or ()),
        never_banned=NeverBanned(_texts(listed), None if own is None else _texts(own)),
        limits=config.brakes,
    )


def _texts(networks: Iterable[Network]) -> tuple[str, ...]:
    return tuple(str(network) for network in collapse(networks))


def _read(path: str | None) -> Rules:
    reading = read_rules(None if path is None else Path(path))
    for problem in reading.problems:
        sys.stderr.write(f"{render(problem)}\n\n")
    return Rules(DEFAULT_NAME if path is None else path, tuple(reading.rules))


def _progress_of(outcome: Outcome) -> str:
    totals = outcome.totals
    return (
        f"{totals.lines:,} lines with {totals.packets:,} packets were read, and the result is of"
        " these alone"
    )


def _write(outcome: Outcome, output_format: Format, top: int) -> None:
    if output_format == "json":
        write_out(render_json(outcome, top))
        return
    from rich.console import Console

    from logwatch.report.replay.table import render_table

    if is_on_terminal():
        console = Console()
        console.print(render_table(outcome, console.width, top))
        return
    written = io.StringIO()
    console = Console(width=WIDTH, file=written)
    console.print(render_table(outcome, WIDTH, top), soft_wrap=True)
    write_out("".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines()))
