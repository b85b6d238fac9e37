"""How far the reading of files is: shown to a person on stderr, nothing for a program."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from logwatch.report import Progress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def progress() -> "AbstractContextManager[Progress]":
    """Hear a reading; Rich is imported only where a person looks on."""
    if not sys.stderr.isatty():
        return nullcontext(Progress())
    from logwatch.cli.bar import bar

    return bar()
