"""`logwatch policy`: the arguments of its commands."""

from logwatch.cli.arguments.parser import Commands, Parser, add_format, group


def command(prog: str, about: str, arguments: list[str]) -> None:
    """Run the one of its commands that the first argument names."""
    group(prog, about, arguments, commands=_COMMANDS, usage="[OPTIONS] COMMAND [ARGUMENTS]...")


def _render(prog: str, about: str, arguments: list[str]) -> None:
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


def _list(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS]")
    add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.policy import show

    show(given.format)


def _check(prog: str, about: str, arguments: list[str]) -> None:
    parser = Parser(prog, about, "[OPTIONS] PATH...")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="YAML; - is standard input.")
    add_format(parser)
    given = parser.parse_args(arguments)

    from logwatch.cli.policy import check

    check(given.paths, given.format)


_COMMANDS: Commands = {
    "render": ("Write one of the tutorial's policies for your load balancers.", _render),
    "list": ("List the policies that can be rendered.", _list),
    "check": ("Tell what is wrong with the policies in YAML files.", _check),
}
