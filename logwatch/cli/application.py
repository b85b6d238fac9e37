"""The commands and their options.

Only the command that is named is defined, and it imports its work when it runs. argparse, since it
takes 8 ms to import where Click takes 30 and Typer 50; the scan of 100 MB takes 20.
"""

import sys
from argparse import Action, ArgumentParser, ArgumentTypeError, HelpFormatter, Namespace
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

from logwatch import __version__
from logwatch.errors import UsageError

MEMORY_MOST = 65_536
"""MiB for one table; the scanner's places are numbered with 32 bits."""

Commands = dict[str, tuple[str, Callable[[str, str, list[str]], None]]]
"""By name: what a command is for; what defines and runs it, by program, purpose, arguments."""

DIGITS_MOST = 18
"""A longer number does not fit into 64 bits."""


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


def run(arguments: list[str]) -> None:
    """Run the command that the first argument names."""
    if arguments and arguments[0] in COMMANDS:
        about, command = COMMANDS[arguments[0]]
        command(f"logwatch {arguments[0]}", about, arguments[1:])
    else:
        _root(arguments)


def _root(arguments: list[str]) -> None:
    """What does not begin with a command: help, the version, or wrong usage."""
    parser = Parser(
        "logwatch",
        "Counts the packets that Calico denies, exports metrics, and escalates repeat offenders"
        " to the blacklist policy.",
        "[OPTIONS] COMMAND [ARGUMENTS]...",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"logwatch {__version__}",
        help="Show the version.",
    )
    _show(parser, COMMANDS, arguments)


def _show(parser: Parser, commands: Commands, arguments: list[str]) -> NoReturn:
    """List the commands; what was given instead of one is wrong, if it is no option of its own."""
    listed = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Listed)
    for name, (about, _) in commands.items():
        listed.add_parser(name, help=about)
    if not arguments:
        parser.print_help()
        sys.exit(UsageError.exit_code)
    parser.parse_args(arguments)
    parser.error("the command has to come first")


def _group(prog: str, about: str, arguments: list[str], *, commands: Commands, usage: str) -> None:
    """Run the one of a command's own commands that the first argument names."""
    if arguments and arguments[0] in commands:
        about, command = commands[arguments[0]]
        command(f"{prog} {arguments[0]}", about, arguments[1:])
    else:
        _show(Parser(prog, about, usage), commands, arguments)


class _Listed(ArgumentParser):
    """Stands for a command in the list of commands."""


def _agent(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS]")
    add = parser.add_argument
    add("--config", metavar="FILE", help="Configuration in YAML.")
    add(
        "--input",
        choices=("file", "kmsg"),
        help="Follow files, or read the kernel's own log, /dev/kmsg.  [default: file]",
    )
    add(
        "--log",
        action="append",
        metavar="PATH",
        help="File to follow. Can be given several times.",
    )
    add("--state", metavar="DIR", help="Where counts and positions are kept.")
    add("--listen", metavar="ADDRESS:PORT", help="Where metrics are served.")
    add(
        "--mode",
        choices=("observe", "propose", "enforce"),
        help="What becomes of an offender.",
    )
    add("--policy-file", metavar="FILE", help="The blacklist policy as YAML.")
    add("--rules", metavar="FILE", help="Rules by which offenders are found.")
    add(
        "--from",
        dest="start",
        choices=("start", "end"),
        help="Where to begin in a log that was never read before.",
    )
    given = vars(parser.parse_args(arguments))

    from pathlib import Path

    from logwatch.cli.agent import run as run_agent

    config, log = given.pop("config"), given.pop("log")
    run_agent(
        None if config is None else Path(config),
        {"logs": tuple(log) if log else None, **given},
    )


def _report(prog: str, about: str, arguments: list[str]) -> None:
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
        type=_count,
        metavar="N",
        help="Entries of each list; 0 means all.  [default: 20 in a table, else all]",
    )
    add(
        "--jobs",
        type=_count,
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
    _add_prefix(parser)
    given, paths = _with_paths(parser, arguments)

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


def _replay(prog: str, about: str, arguments: list[str]) -> None:
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
        type=_count,
        metavar="N",
        help="Entries of each list; 0 means all.  [default: 20 in a table, else all]",
    )
    _add_prefix(parser)
    given, paths = _with_paths(parser, arguments)

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


def _with_paths(parser: Parser, arguments: list[str]) -> tuple[Namespace, list[str]]:
    """Parse options and paths in any order; "--" ends the options.

    In Python 3.11 argparse loses the "--" in front of the first path.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = parser.parse_intermixed_args(arguments[:end])
    paths = given.paths + arguments[end + 1 :]
    if not paths:
        parser.error("PATH is missing: name a log file, or - for standard input")
    return given, paths


def _explain(prog: str, about: str, arguments: list[str]) -> None:
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
    _add_prefix(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.explain import run as run_explain

    run_explain(given.line, given.prefix, given.format)


def _policy_render(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] NAME")
    add = parser.add_argument
    add("name", metavar="NAME", help="One of those that `logwatch policy list` shows.")
    add(
        "--load-balancer",
        action="append",
        default=[],
        metavar="IP[:PORT]",
        help="Can be given several times.  [default port: 80]",
    )
    add(
        "--client",
        action="append",
        default=[],
        metavar="CIDR",
        help="Network or address of clients. Can be given several times.",
    )
    add(
        "--selector",
        default="ibm.role=='worker_public'",
        metavar="TEXT",
        help="Which host endpoints it is for.  [default: ibm.role=='worker_public']",
    )
    add(
        "--shape",
        choices=("policy", "sets"),
        default="policy",
        help="Where blacklist has its clients: in its rules, or in network sets."
        "  [default: policy]",
    )
    add("--log", action="store_true", help="Put a Log in front of each Deny.")
    given = parser.parse_args(arguments)

    from logwatch.cli.policy import render

    render(
        given.name,
        given.load_balancer,
        given.client,
        given.selector,
        shape=given.shape,
        logs=given.log,
    )


def _policy_list(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS]")
    _add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.policy import show

    show(given.format)


def _policy_check(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] PATH...")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="YAML; - is standard input.")
    _add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.policy import check

    check(given.paths, given.format)


POLICY_COMMANDS: Commands = {
    "render": ("Write one of the tutorial's policies for your load balancers.", _policy_render),
    "list": ("List the policies that can be rendered.", _policy_list),
    "check": ("Tell what is wrong with the policies in YAML files.", _policy_check),
}


def _rules_check(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] FILE...")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="Files of rules; - is standard input."
    )
    _add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.rules import check

    check(given.files, given.format)


def _rules_explain(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] [FILE]")
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="A file of rules; - is standard input.  [default: the rules that come with logwatch]",
    )
    _add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.rules import explain

    explain(given.file, given.format)


RULES_COMMANDS: Commands = {
    "check": ("Find what is wrong with rules; exits with 3 when they can't be used.", _rules_check),
    "explain": ("Tell in words what rules do.", _rules_explain),
}


def _blacklist(  # noqa: PLR0913 - what its commands differ in
    prog: str,
    about: str,
    arguments: list[str],
    *,
    command: str,
    target: str = "",
    meaning: str = "",
) -> None:
    parser = Parser(prog, about, f"[OPTIONS] {target}".rstrip())
    add = parser.add_argument
    if target:
        add("target", metavar=target, help=meaning)
    if command == "add":
        add(
            "--for",
            dest="duration",
            default="1d",
            metavar="DURATION",
            help="How long, such as 90s, 10m, 1h or 30d.  [default: 1d]",
        )
        add("--reason", default="", metavar="TEXT", help="Why, for those who read the list.")
        add("--force", action="store_true", help="Ban it although it is on the never-ban list.")
    add("--state", metavar="DIR", help="State directory of the agent.")
    add("--config", metavar="FILE", help="The agent's configuration, which names it.")
    add(
        "--format",
        choices=("table", "json"),
        default="table",
        help="How the result is written.  [default: table]",
    )
    given = vars(parser.parse_args(arguments))

    from logwatch.cli.blacklist import run as run_blacklist

    run_blacklist(command, **given)


_DENIED = "Network, or address for its /32 or /64."

BLACKLIST_COMMANDS: Commands = {
    "list": ("List who is banned or proposed.", partial(_blacklist, command="list")),
    "add": (
        "Ban a network by hand.",
        partial(_blacklist, command="add", target="CIDR", meaning=_DENIED),
    ),
    "remove": (
        "Undo a ban: it ends now, and nothing of it is held against the network.",
        partial(_blacklist, command="remove", target="CIDR", meaning=_DENIED),
    ),
    "approve": (
        "Enforce what is only proposed.",
        partial(_blacklist, command="approve", target="CIDR", meaning=_DENIED),
    ),
    "why": (
        "Tell why an address is banned or not, and how near it is to each rule.",
        partial(_blacklist, command="why", target="IP", meaning="Address, or network."),
    ),
}

COMMANDS: Commands = {
    "agent": (
        "Follow the syslog of this node, export metrics, and decide who is blacklisted.",
        _agent,
    ),
    "report": ("Count the denied packets in files: by source, port, flow and policy.", _report),
    "replay": ("Judge a log by rules: who would have been banned in it, and when.", _replay),
    "explain": (
        "Show how each part of a line is read, by the grammar and by the fast path.",
        _explain,
    ),
    "policy": (
        "Write the policies that block traffic in front of NAT, and check some.",
        partial(_group, commands=POLICY_COMMANDS, usage="[OPTIONS] COMMAND [ARGUMENTS]..."),
    ),
    "blacklist": (
        "See who is banned and why, ban by hand, and undo a ban.",
        partial(_group, commands=BLACKLIST_COMMANDS, usage="[OPTIONS] COMMAND [CIDR]"),
    ),
    "rules": (
        "Check the rules by which offenders are found, or tell them in words.",
        partial(_group, commands=RULES_COMMANDS, usage="[OPTIONS] COMMAND [FILE]..."),
    ),
}
"""What each command is for, and what defines and runs it."""


def _add_format(parser: Parser) -> None:
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="How the result is written.  [default: text]",
    )


def _add_prefix(parser: Parser) -> None:
    parser.add_argument(
        "--prefix",
        action="append",
        metavar="TEXT",
        help="Log prefix to look for, without the ': ' that Calico adds. Can be given several"
        " times.  [default: calico-packet]",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MOST):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _memory(text: str) -> int:
    number = _count(text)
    if not 1 <= number <= MEMORY_MOST:
        raise ArgumentTypeError(f"{text!r} is not a number of MiB from 1 to {MEMORY_MOST}")
    return number
