"""`logwatch top`: its arguments."""

from argparse import ArgumentTypeError

from logwatch.cli.arguments.parser import Parser, add_prefix

SECONDS_LEAST, SECONDS_MOST = 0.5, 3600.0
"""More often a person sees nothing more of it, and an agent commits for each answer."""

_OF_A_SERVER = ("url", "token_file", "ca", "certificate", "key")


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Parse the arguments, and run it."""
    parser = Parser(prog, about, "[OPTIONS] [PATH]")
    add = parser.add_argument
    add(
        "path",
        nargs="?",
        metavar="PATH",
        help="A log to follow here, from its beginning on.  [default: ask an agent instead]",
    )
    add(
        "--url",
        metavar="URL",
        help="A running agent or escalator.  [default: http://127.0.0.1:9137]",
    )
    add("--token-file", metavar="FILE", help="File with the bearer token that --url wants.")
    add("--ca", metavar="FILE", help="Certificates that are trusted for https.")
    add("--certificate", metavar="FILE", help="Certificate to show where --url asks for one.")
    add("--key", metavar="FILE", help="Its key.  [default: in the same file]")
    add(
        "--interval",
        type=_seconds,
        default=2.0,
        metavar="SECONDS",
        help="Time between two looks.  [default: 2]",
    )
    add("--once", action="store_true", help="Show it once and end, as into a pipe.")
    add("--rules", metavar="FILE", help="Rules to judge PATH by.  [default: those of logwatch]")
    add_prefix(parser)
    given = vars(parser.parse_args(arguments))
    if given["path"] is not None and any(given[name] for name in _OF_A_SERVER):
        parser.error("a PATH is read here; --url and what belongs to it are to ask somebody else")
    if given["key"] and not given["certificate"]:
        parser.error("--key belongs to a --certificate")
    if given["path"] is None and (given["rules"] or given["prefix"]):
        parser.error("--rules and --prefix are for a PATH; an agent has its own")

    from logwatch.cli.top import run as run_top

    run_top(**given)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not SECONDS_LEAST <= seconds <= SECONDS_MOST:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 0.5 to 3600")
    return seconds
