"""`logwatch blacklist`: the arguments of its commands."""

from functools import partial

from logwatch.cli.arguments.parser import Commands, Parser, group


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Run the one of its commands that the first argument names."""
    group(prog, about, arguments, commands=_COMMANDS, usage="[OPTIONS] COMMAND [CIDR]")


def _run(  # noqa: PLR0913 - what its commands differ in
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

_COMMANDS: Commands = {
    "list": ("List who is banned or proposed.", partial(_run, command="list")),
    "add": (
        "Ban a network by hand.",
        partial(_run, command="add", target="CIDR", meaning=_DENIED),
    ),
    "remove": (
        "Undo a ban: it ends now, and nothing of it is held against the network.",
        partial(_run, command="remove", target="CIDR", meaning=_DENIED),
    ),
    "approve": (
        "Enforce what is only proposed.",
        partial(_run, command="approve", target="CIDR", meaning=_DENIED),
    ),
    "why": (
        "Tell why an address is banned or not, and how near it is to each rule.",
        partial(_run, command="why", target="IP", meaning="Address, or network."),
    ),
}
