"""The commands and their options.

Each command imports its work when it runs, so that `--help` stays quick.
"""

from pathlib import Path
from typing import Annotated

import typer

from logwatch.cli.choices import Format, Mode, Start

application = typer.Typer(
    name="logwatch",
    help="Counts the packets that Calico denies, exports metrics, and escalates repeat offenders"
    " to the blacklist policy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Prefixes = Annotated[
    list[str] | None,
    typer.Option(
        "--prefix",
        metavar="TEXT",
        help="Log prefix to look for, without the ': ' that Calico adds. Can be given several"
        " times.  [default: calico-packet]",
        show_default=False,
    ),
]


def _version(*, value: bool) -> None:
    if value:
        from logwatch import __version__

        typer.echo(f"logwatch {__version__}")
        raise typer.Exit


@application.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@application.command()
def agent(
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Configuration in YAML.")
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="File to follow. Can be given several times."),
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where counts and positions are kept.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="ADDRESS:PORT", help="Where metrics are served.")
    ] = None,
    mode: Annotated[Mode | None, typer.Option(help="What becomes of an offender.")] = None,
    policy_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="The blacklist policy as YAML.")
    ] = None,
    start: Annotated[
        Start | None,
        typer.Option("--from", help="Where to begin in a file that was never read before."),
    ] = None,
) -> None:
    """Follow the syslog of this node, export metrics, and decide who is blacklisted."""
    from logwatch.cli.agent import run

    run(
        config,
        {
            "logs": tuple(log) if log else None,
            "state": state,
            "listen": listen,
            "mode": mode.value if mode else None,
            "policy_file": policy_file,
            "start": start.value if start else None,
        },
    )


@application.command()
def report(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Syslog files, also .gz and .zst; - is standard input."
        ),
    ],
    output_format: Annotated[
        Format,
        typer.Option("--format", help="How the result is written; csv holds the flows only."),
    ] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write here instead of standard output.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Entries of each list; 0 means all.  [default: 20 in a table, else all]",
            show_default=False,
        ),
    ] = None,
    prefix: Prefixes = None,
) -> None:
    """Count the denied packets in files: by source, port, flow and policy."""
    from logwatch.cli.report import run

    run(paths, output_format, output, top, prefix)


@application.command()
def explain(
    line: Annotated[
        str | None, typer.Argument(help="A line of syslog; without it, lines of standard input.")
    ] = None,
    prefix: Prefixes = None,
) -> None:
    """Show how each part of a line is read, by the grammar and by the fast path."""
    from logwatch.cli.explain import run

    run(line, prefix)
