"""Which commands there are. Only the one that is named is imported."""

from importlib import import_module

from logwatch import __version__
from logwatch.cli.arguments.parser import Parser, show

COMMANDS = {
    "agent": "Follow the syslog of this node, export metrics, and decide who is blacklisted.",
    "escalator": "Judge what all nodes of a cluster saw, and keep Calico's blacklist.",
    "top": "Watch what is denied now, from a running agent or a log, in a terminal.",
    "report": "Count the denied packets in files: by source, port, flow and policy.",
    "replay": "Judge a log by rules: who would have been banned in it, and when.",
    "explain": "Show how each part of a line is read, by the grammar and by the fast path.",
    "policy": "Write the policies that block traffic in front of NAT, and check some.",
    "blacklist": "See who is banned and why, ban by hand, and undo a ban.",
    "rules": "Check the rules by which offenders are found, or tell them in words.",
}
"""What each command is for; its arguments are in the module of its name in `arguments`."""


def run(arguments: list[str]) -> None:
    """Run the command that the first argument names."""
    if arguments and arguments[0] in COMMANDS:
        name = arguments[0]
        module = import_module(f"logwatch.cli.arguments.{name}")
        module.command(f"logwatch {name}", COMMANDS[name], arguments[1:])
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
    show(parser, COMMANDS, arguments)
