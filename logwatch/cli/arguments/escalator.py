"""`logwatch escalator`: its arguments."""

from logwatch.cli.arguments.parser import Parser


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Parse the arguments, and run it."""
    parser = Parser(prog, about, "[OPTIONS]")
    add = parser.add_argument
    add("--config", metavar="FILE", help="Configuration in YAML.")
    add("--listen", metavar="ADDRESS:PORT", help="Where metrics are served.")
    add(
        "--mode",
        choices=("observe", "propose", "enforce"),
        help="What becomes of an offender.",
    )
    add("--rules", metavar="FILE", help="Rules by which offenders are found.")
    add("--state", metavar="DIR", help="Where the audit log is kept.")
    given = vars(parser.parse_args(arguments))

    from pathlib import Path

    from logwatch.cli.escalator import run

    config = given.pop("config")
    run(None if config is None else Path(config), given)
