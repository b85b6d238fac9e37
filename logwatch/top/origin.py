"""The seam between the page and where its numbers come from."""

from typing import Protocol

from logwatch.errors import LogwatchError
from logwatch.top.summary import Details, Order, Summary


class AwayError(LogwatchError):
    """There is no answer now; the next question may have one."""


class UnknownError(LogwatchError):
    """Nothing is known of what was asked for."""


class Origin(Protocol):
    """Tells what is denied now. One thread at a time."""

    def summary(self, *, top: int, order: Order, query: str) -> Summary:
        """Tell all at once, of `top` sources whose text holds `query`. Raises AwayError."""

    def details(self, source: str) -> Details:
        """Tell all of one source. Raises UnknownError and AwayError."""

    def close(self) -> None:
        """Give up what is open."""
