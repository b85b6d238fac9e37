"""By how much the wall clock was set, told by a clock that nobody sets.

CLOCK_BOOTTIME goes on while the machine sleeps, and NTP's corrections of speed change both clocks
alike (clock_gettime(2)), so their distance changes only when the wall clock is set. Another boot
has another distance: over a reboot only the wall clock is there.
"""

import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

STEP_SECONDS = 2.0
"""What is less is no step: bans are no shorter than 1 s, and both clocks are not read at once."""

CLOCK_MOST = 1e11
"""Seconds: 3,000 years. What is beyond is no document of ours."""


class Distance(msgspec.Struct, frozen=True):
    """Seconds from the clock that nobody sets to the wall clock, in one boot."""

    seconds: Annotated[float, Meta(gt=-CLOCK_MOST, lt=CLOCK_MOST)]
    boot_id: str


def boottime() -> float:
    """Seconds since the boot, with those of sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock:
    """The wall clock, and its steps."""

    def __init__(
        self,
        boot_id: str,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = boottime,
    ) -> None:
        self._boot_id = boot_id
        self._wall = wall
        self._steady = steady
        self._distance = wall() - steady()

    def look(self) -> tuple[float, float]:
        """Return what the wall clock says, and by how much it was set since the last look."""
        steady, now = self._steady(), self._wall()
        step = now - steady - self._distance
        if abs(step) < STEP_SECONDS:
            return now, 0.0
        self._distance += step
        return now, step

    def to_json(self) -> bytes:
        """Encode for the ledger what a later process of the same boot compares with."""
        return msgspec.json.encode(Distance(self._distance, self._boot_id))

    def restore(self, document: bytes | None) -> None:
        """Take over an earlier process's distance, so that the next look tells a step since then.

        Not one of another boot, nor what is no document of ours.
        """
        saved = self._saved(document)
        if saved is not None:
            self._distance = saved.seconds

    def moved_since(self, document: bytes) -> float:
        """By how much it was set since a process made this of it; 0 where nobody can know."""
        saved = self._saved(document)
        return 0.0 if saved is None else self._distance - saved.seconds

    def _saved(self, document: bytes | None) -> Distance | None:
        try:
            saved = None if document is None else msgspec.json.decode(document, type=Distance)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        is_of_this_boot = saved is not None and self._boot_id and saved.boot_id == self._boot_id
        return saved if is_of_this_boot else None
