"""The seams of a daemon: what it reads, and what it waits with.

A log file and the kernel's log are two inputs of one shape; each has a waiter that fits it.
"""

from typing import Protocol

from logwatch.tail.status import InputStatus


class Saved(Protocol):
    """How far an input was read, as a value."""

    def to_json(self) -> bytes:
        """Encode; the same value always gives the same bytes."""


class Input(Protocol):
    """Feeds sinks, and knows how far it has read. One thread at a time."""

    @property
    def status(self) -> InputStatus:
        """As of the last poll."""

    def poll(self) -> bool:
        """Read what there is, up to a bound; True when more is waiting.

        Costs next to nothing when nothing happened, and never raises for what the system refuses.
        """

    def checkpoint(self) -> Saved:
        """Tell the position up to which everything was fed."""

    def close(self) -> None:
        """Give up what is open; polling is over, the checkpoint stays what it was."""


class Waiter(Protocol):
    """Waits until an input may have more. `wait` is for one thread, the rest for any.

    A wake-up is only a hint: inputs are polled anyway.
    """

    @property
    def reason(self) -> str:
        """Why inputs are only looked at in turns, in one sentence; empty when they wake."""

    @property
    def alive(self) -> bool:
        """False when a part that it needs has died."""

    def wait(self, seconds: float) -> bool:
        """Sleep until there may be more or `wake` was called, at most so long; True when woken."""

    def wake(self) -> None:
        """End the present or the next `wait`."""

    def close(self) -> None:
        """Stop whatever watches."""
