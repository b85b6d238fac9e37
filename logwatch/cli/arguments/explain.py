"""`logwatch explain`: its arguments."""

from logwatch.cli.arguments.parser import Parser, add_prefix


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Parse the arguments, and run it."""
    parser = Parser(prog, about, "[OPTIONS] [LINE]")
    parser.add_argument(
        "line",
        nargs="?",
        metavar="LINE",
        help="A line of syslog; without it, lines of standard input.",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="How it is written; json is one object for each line.  [default: text]",
    )
    add_prefix(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.explain import run as run_explain

    run_explain(given.line, given.prefix, given.format)
