"""A progress bar on stderr, for a person who waits for a report."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress

from logwatch.printable import printable
from logwatch.report import Progress

NAME_MOST = 32
"""Letters of a path, its last ones: with them all columns have room in 80."""


@contextmanager
def bar() -> Iterator[Progress]:
    """Show a bar for each file while it is read; it is gone afterwards."""
    with RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as rich:
        yield _Bar(rich)


class _Bar(Progress):
    def __init__(self, rich: RichProgress) -> None:
        self._rich = rich

    def started(self, path: str, size: int | None) -> Callable[[int], None]:
        for done in self._rich.tasks:
            if done.finished:
                self._rich.update(done.id, visible=False)
        task = self._rich.add_task(_name(path), total=size)
        return lambda read_bytes: self._rich.update(task, completed=read_bytes)


def _name(path: str) -> str:
    """Shorten a path; what is in it can't steer the terminal."""
    text = printable(path)
    return text if len(text) <= NAME_MOST else f"…{text[1 - NAME_MOST :]}"
