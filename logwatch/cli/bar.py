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

from logwatch.report import Progress


@contextmanager
def bar() -> Iterator[Progress]:
    """Show a bar for each file while it is read; it is gone afterwards."""
    with RichProgress(
        TextColumn("{task.description}"),
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
        task = self._rich.add_task(path, total=size)
        return lambda read_bytes: self._rich.update(task, completed=read_bytes)
