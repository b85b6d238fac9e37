"""`logwatch top`: live on a terminal, or once into a pipe."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from logwatch.cli.output import write_out
from logwatch.cli.prefixes import prefix_texts
from logwatch.top import Origin, Server

if TYPE_CHECKING:
    from logwatch.top.log import Log

URL = "http://127.0.0.1:9137"

WIDTH = 100
"""Where no terminal has a width."""


def run(  # noqa: PLR0913 - options are arguments
    *,
    path: str | None,
    url: str | None,
    token_file: str | None,
    ca: str | None,
    certificate: str | None,
    key: str | None,
    interval: float,
    once: bool,
    rules: str | None,
    prefix: list[str] | None,
) -> None:
    """Show until somebody ends it; once where nobody looks on."""
    if path is None:
        origin: Origin = Server(
            url or URL,
            token=_path(token_file),
            ca=_path(ca),
            certificate=_path(certificate),
            key=_path(key),
        )
    else:
        origin = log = _log(Path(path), rules, prefix)
    if once or not (sys.stdout.isatty() and sys.stdin.isatty()):
        if path is not None:
            log.catch_up()
        _show_once(origin)
        return
    from logwatch.top.screen import Top

    Top(origin, seconds=interval).run(mouse=False)


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given)


def _log(path: Path, rules: str | None, prefix: list[str] | None) -> "Log":
    from logwatch.config import Prefix
    from logwatch.offenders import read_rules
    from logwatch.top.log import Log

    prefixes = tuple(Prefix(text=text) for text in prefix_texts(prefix))
    return Log(path, prefixes, tuple(read_rules(_path(rules)).rules))


def _show_once(origin: Origin) -> None:
    """Write what there is now. Raises AwayError."""
    import io

    from rich.console import Console

    from logwatch.top.snapshot import ROWS, show

    summary = origin.summary(top=ROWS, order="packets", query="")
    origin.close()
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(summary.now))
    if sys.stdout.isatty():
        show(Console(), summary, clock)
        return
    written = io.StringIO()
    show(Console(file=written, width=WIDTH), summary, clock)
    write_out("".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines()))
