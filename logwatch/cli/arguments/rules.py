"""`logwatch rules`: the arguments of its commands."""

from logwatch.cli.arguments.parser import Commands, Parser, add_format, group


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Run the one of its commands that the first argument names."""
    group(prog, about, arguments, commands=_COMMANDS, usage="[OPTIONS] COMMAND [FILE]...")


def _check(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] FILE...")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="Files of rules; - is standard input."
    )
    add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.rules import check

    check(given.files, given.format)


def _explain(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] [FILE]")
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="A file of rules; - is standard input.  [default: the rules that come with logwatch]",
    )
    add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.rules import explain

    explain(given.file, given.format)


_COMMANDS: Commands = {
    "check": ("Find what is wrong with rules; exits with 3 when they can't be used.", _check),
    "explain": ("Tell in words what rules do.", _explain),
}
