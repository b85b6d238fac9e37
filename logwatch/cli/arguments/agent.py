"""`logwatch agent`: its arguments."""

from logwatch.cli.arguments.parser import Parser


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Parse the arguments, and run it."""
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
