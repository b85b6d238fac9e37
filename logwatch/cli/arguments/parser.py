"""The parser of a command, and the options that several have.

argparse, since it takes 8 ms to import where Click takes 30 and Typer 50; the scan of 100 MB takes
20.
"""

import sys
from argparse import Action, ArgumentParser, ArgumentTypeError, HelpFormatter, Namespace
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NoReturn

from logwatch.errors import UsageError

DIGITS_MOST = 18
"""A longer number does not fit into 64 bits."""

Command = Callable[[str, str, list[str]], None]
"""Defines and runs a command, by program, purpose and arguments."""

Commands = Mapping[str, tuple[str, Command]]
"""By name: what a command is for, and the command."""


class _Help(HelpFormatter):
    """argparse's help, beginning with a capital letter."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[Action],
        groups: Iterable[Any],
        prefix: str | None = "Usage: ",
    ) -> None:
        super().add_usage(usage, actions, groups, prefix)


class Parser(ArgumentParser):
    """The parser of one command; wrong usage is a UsageError."""

    def __init__(self, prog: str, about: str, usage: str) -> None:
        super().__init__(
            prog=prog,
            usage=f"{prog} {usage}",
            description=about,
            add_help=False,
            allow_abbrev=False,  # a new option must not break a script that abbreviates
            # One is made for each option, to check it. Without a width it asks the terminal, for
            # which it imports shutil and three compressions: 5 ms.
            formatter_class=partial(HelpFormatter, width=80),
        )
        self.add_argument("-h", "--help", action="help", help="Show this message and exit.")

    def format_help(self) -> str:
        """Return the help, as wide as the terminal."""
        self.formatter_class = _Help
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where it is told what would be right."""
        raise UsageError(f"{message}; see {self.prog} --help")


class _Listed(ArgumentParser):
    """Stands for a command in the list of commands."""


def show(parser: Parser, abouts: Mapping[str, str], arguments: list[str]) -> NoReturn:
    """List the commands; what was given instead of one is wrong, if it is no option of its own."""
    listed = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Listed)
    for name, about in abouts.items():
        listed.add_parser(name, help=about)
    if not arguments:
        parser.print_help()
        sys.exit(UsageError.exit_code)
    parser.parse_args(arguments)
    parser.error("the command has to come first")


def group(prog: str, about: str, arguments: list[str], *, commands: Commands, usage: str) -> None:
    """Run the one of a command's own commands that the first argument names."""
    if arguments and arguments[0] in commands:
        about, command = commands[arguments[0]]
        command(f"{prog} {arguments[0]}", about, arguments[1:])
    else:
        abouts = {name: about for name, (about, _) in commands.items()}
        show(Parser(prog, about, usage), abouts, arguments)


def with_paths(parser: Parser, arguments: list[str]) -> tuple[Namespace, list[str]]:
    """Parse options and paths in any order; "--" ends the options.

    In Python 3.11 argparse loses the "--" in front of the first path.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = parser.parse_intermixed_args(arguments[:end])
    paths = given.paths + arguments[end + 1 :]
    if not paths:
        parser.error("PATH is missing: name a log file, or - for standard input")
    return given, paths


def add_format(parser: Parser) -> None:
    """Define `--format`, text or JSON."""
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="How the result is written.  [default: text]",
    )


def add_prefix(parser: Parser) -> None:
    """Define `--prefix`."""
    parser.add_argument(
        "--prefix",
        action="append",
        metavar="TEXT",
        help="Log prefix to look for, without the ': ' that Calico adds. Can be given several"
        " times.  [default: calico-packet]",
    )


def count(text: str) -> int:
    """Read a whole number from 0 on."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MOST):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)
