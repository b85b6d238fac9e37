"""Wake the reader when a descriptor has something to read; while nothing comes, nothing runs."""

import os
import select
import time
from collections.abc import Callable, Sequence

SETTLE = 0.01
"""Seconds between two wake-ups at least: one read takes in all that came meanwhile. The kernel
keeps 450 to 1,000 packets, so that a pause loses none below 45,000 a second."""


class ReadableWaiter:
    """Waits for these descriptors, each given by a function: None while it is not open."""

    def __init__(
        self, descriptors: Sequence[Callable[[], int | None]], *, settle: float = SETTLE
    ) -> None:
        self._descriptors = descriptors
        self._settle = settle
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._woken = time.monotonic() - settle
        self._closed = False

    @property
    def reason(self) -> str:
        """Why inputs are only looked at in turns; empty, since poll(2) always works."""
        return ""

    @property
    def alive(self) -> bool:
        """True: there is no thread that could die."""
        return True

    def wait(self, seconds: float) -> bool:
        """Sleep until one has something to read or `wake` was called, at most so long."""
        waiting = select.poll()
        waiting.register(self._event, select.POLLIN)
        for give in self._descriptors:
            if (descriptor := give()) is not None:
                waiting.register(descriptor, select.POLLIN)
        found = waiting.poll(seconds * 1000)
        if not found:
            return False
        rest = min(self._settle, seconds) - (time.monotonic() - self._woken)
        if rest > 0:
            time.sleep(rest)  # SETTLE
        if any(descriptor == self._event for descriptor, _ in found):
            os.eventfd_read(self._event)
        self._woken = time.monotonic()
        return True

    def wake(self) -> None:
        """End the present or the next `wait`."""
        if not self._closed:
            os.eventfd_write(self._event, 1)

    def close(self) -> None:
        """Close what `wake` uses; no `wait` after it."""
        self._closed = True
        os.close(self._event)
