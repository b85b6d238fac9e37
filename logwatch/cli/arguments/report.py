"""`logwatch report`: its arguments."""

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
        choices=("table", "json", "csv"),
        default="table",
        help="How the result is written; csv holds the flows only.  [default: table]",
    )
    add("--output", metavar="FILE", help="Write here instead of standard output.")
    add(
        "--top",
        type=count,
        metavar="N",
        help="Entries of each list; 0 means all.  [default: 20 in a table, else all]",
    )
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

    from logwatch.cli.report import run as run_report

    run_report(
        paths,
        given.format,
        given.output,
        given.top,
        given.jobs,
        given.memory,
        given.prefix,
    )


def _memory(text: str) -> int:
    number = count(text)
    if not 1 <= number <= MEMORY_MOST:
        raise ArgumentTypeError(f"{text!r} is not a number of MiB from 1 to {MEMORY_MOST}")
    return number
