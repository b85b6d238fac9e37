"""`logwatch report`: its arguments."""

import os
from argparse import ArgumentTypeError

from logwatch.cli.arguments.parser import Parser, add_prefix, count, with_paths

MEMORY_MOST = 65_536
"""MiB for one table; the scanner's places are numbered with 32 bits."""


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Parse the arguments, and run it."""
    parser = Parser(prog, about, "[OPTIONS] PATH...")
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="Syslog files, also .gz and .zst, or a journal's export; - is standard input, such as"
        " of journalctl -k -o short-iso, or -o export.",
    )
    add(
        "--format",
        choices=("table", "json", "csv", "html"),
        default="table",
        help="How the result is written; csv holds the flows only, html is one file for a browser."
        "  [default: table]",
    )
    add("--output", metavar="FILE", help="Write here instead of standard output.")
    add(
        "--top",
        type=count,
        metavar="N",
        help="Entries of each list; 0 means all.  [default: 20 in a table, 500 in html, else all]",
    )
    add(
        "--compare",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="Logs of an earlier period: what is new, gone, more and less since then. Name them"
        " behind the others.",
    )
    add(
        "--since",
        type=_seconds,
        metavar="TIME",
        help="Count packets from this time on, such as 2026-11-24 or 2026-11-24T12:30:00+01:00;"
        " UTC without a zone. It does not hold for --compare.",
    )
    add("--until", type=_seconds, metavar="TIME", help="Count packets before this time.")
    add(
        "--jobs",
        type=count,
        default=1,
        metavar="N",
        help="Files that are read at the same time; 0 means one for each core.  [default: 1]",
    )
    add(
        "--memory",
        type=_memory,
        default=256,
        metavar="MIB",
        help="Most MiB for the tables of a file; what finds no room is counted without its source."
        "  [default: 256]",
    )
    add_prefix(parser)
    given, paths = with_paths(parser, arguments)

    if given.compare and given.format == "csv":
        parser.error("--compare: csv holds flows only; use --format table, json or html")
    if given.since is not None and given.until is not None and given.since >= given.until:
        parser.error("--until: no time is left; give one that is later than --since")

    from logwatch.cli.report import Request
    from logwatch.cli.report import run as run_report
    from logwatch.report import Options

    options = Options(
        jobs=given.jobs or len(os.sched_getaffinity(0)),
        memory=given.memory * 1024 * 1024,
        since=given.since,
        until=given.until,
    )
    run_report(
        Request(paths, given.compare, given.format, given.output, given.top, options, given.prefix),
    )


def _seconds(text: str) -> int:
    """Read a time as Unix seconds."""
    from datetime import UTC, datetime

    try:
        time = datetime.fromisoformat(text)
        seconds = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if not 0 <= seconds < 2**32:
        raise ArgumentTypeError(
            f"{text!r} is not a time such as 2026-11-24 or 2026-11-24T12:30:00Z"
        )
    return seconds


def _memory(text: str) -> int:
    number = count(text)
    if not 1 <= number <= MEMORY_MOST:
        raise ArgumentTypeError(f"{text!r} is not a number of MiB from 1 to {MEMORY_MOST}")
    return number
