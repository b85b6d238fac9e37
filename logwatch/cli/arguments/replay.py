"""`logwatch replay`: its arguments."""

from logwatch.cli.arguments.parser import Parser, add_prefix, count, with_paths


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Parse the arguments, and run it."""
    parser = Parser(prog, about, "[OPTIONS] PATH...")
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="Logs as `logwatch report` reads them; several are taken in the order of their times.",
    )
    add(
        "--rules",
        metavar="FILE",
        help="Rules to judge by.  [default: the configuration's, or those that come with logwatch]",
    )
    add("--against", metavar="FILE", help="Other rules; what they do differently is shown.")
    add(
        "--config",
        metavar="FILE",
        help="An agent's configuration: its rules, prefixes and limits hold, and its never-ban list"
        " with this host's own addresses.",
    )
    add(
        "--format",
        choices=("table", "json"),
        default="table",
        help="How the result is written.  [default: table]",
    )
    add(
        "--top",
        type=count,
        metavar="N",
        help="Entries of each list; 0 means all.  [default: 20 in a table, else all]",
    )
    add_prefix(parser)
    given, paths = with_paths(parser, arguments)

    from logwatch.cli.replay import run as run_replay

    run_replay(
        paths,
        given.rules,
        given.against,
        given.config,
        given.prefix,
        given.format,
        given.top,
    )
