"""Keeps the evidence over restarts: a scan of a day does not begin anew with an update.

1. Evidence is written some milliseconds at a time on the loop's thread, which alone may look at it,
   and only right behind a commit: it never tells of lines that will be read again. Between a write
   and `kill -9` up to a minute of evidence is lost; none counts twice.
2. The file is written on a thread of its own: a slow disk stops nothing.
3. While nothing is denied, nothing is written.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping

import structlog

from logwatch.agent.clock import STEP_SECONDS, Clock
from logwatch.agent.evidence_file import SIZE_MOST, EvidenceFile, EvidenceFileError, Kept
from logwatch.control import moment
from logwatch.offenders import Excerpt, Memory

EVERY_SECONDS = 60.0
"""From one write to the next."""

RETRY_SECONDS = 10.0
"""After one that failed."""

TURN_SECONDS = 0.003
"""Of a round for parts of the evidence; one is written in any case."""

STOP_SECONDS = 3.0
"""At the end, for a disk that does not answer."""


class Keeper:
    """`recall` once, then `turn` in each round, then `finish`; all on the loop's thread."""

    def __init__(
        self,
        file: EvidenceFile,
        memory: Memory,
        clock: Clock,
        log: structlog.typing.FilteringBoundLogger,
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._memory = memory
        self._clock = clock
        self._log = log
        self._steady = steady
        self._due = steady()
        self._kept_changes = 0
        """Of the memory, as far as they are in the file or on their way."""
        self._excerpt: Excerpt | None = None
        self._begun_by = b""
        """The clock as it was then: parts by two clocks don't belong together."""
        self._undone: Mapping[str, float] = {}
        """Those of when the excerpt was begun, or the one that is written."""
        self._writing: _Writing | None = None
        self._problem: str | None = None

    def recall(self, now: float, *, obstacle: str | None) -> None:
        """Take over what the file holds, and tell what became of it; an `obstacle` is why not."""
        try:
            recalled = self._recall(now, obstacle)
        except (EvidenceFileError, ValueError) as error:
            self._log.warning(
                "evidence left out",
                file=str(self._file.path),
                why=str(error),
                remedy="none needed: evidence begins anew",
            )
        else:
            if recalled is not None:
                sources, written = recalled
                self._log.info("evidence taken over", sources=sources, written=moment(written))

    def _recall(self, now: float, obstacle: str | None) -> tuple[int, float] | None:
        kept = self._file.read()
        if kept is None:
            return None
        if obstacle is not None:
            raise EvidenceFileError(obstacle)
        step = self._clock.moved_since(kept.clock)
        written = kept.written / 1e3 + step
        if written - now > STEP_SECONDS:
            raise EvidenceFileError(
                f"it is from {written - now:.0f} s after now: the clock was set back"
            )
        return self._memory.take_over(kept.parts, ahead=-step, now=now), written

    def turn(self, now: float, *, is_committed: bool) -> str | None:
        """Do a part of what is due; return what is wrong.

        `is_committed` is whether all that was counted by now is on the disk.
        """
        self._settle()
        is_due = self._memory.changes != self._kept_changes and self._steady() >= self._due
        if is_committed and self._writing is None and (is_due or self._excerpt is not None):
            self._go_on(now, self._steady() + TURN_SECONDS)
        return self._problem

    def finish(self, now: float) -> str | None:
        """Write what is new before the end, right behind the last commit; return what is wrong."""
        self.wait()
        if self._writing is None and (self._memory.changes != self._kept_changes or self._excerpt):
            self._excerpt = None
            self._go_on(now, float("inf"))
        self.wait()
        return self._problem

    def wait(self) -> None:
        """Wait for the file that is being written, but not for a disk that does not answer."""
        if self._writing is not None:
            self._writing.join(STOP_SECONDS)
            self._settle()

    def _go_on(self, now: float, until: float) -> None:
        """Write parts until a time (steady); the file, after the last one."""
        clock = self._clock.to_json()
        if self._excerpt is None or clock != self._begun_by:
            self._excerpt = self._memory.excerpt(SIZE_MOST)
            self._begun_by = clock
            self._undone = self._memory.undone
            self._kept_changes = self._memory.changes
        self._excerpt.go_on()
        while not self._excerpt.is_whole and self._steady() < until:
            self._excerpt.go_on()
        if self._excerpt.is_whole:
            kept = Kept(math.ceil(now * 1e3), clock, self._excerpt.parts)
            self._excerpt = None
            self._due = self._steady() + EVERY_SECONDS
            self._writing = _Writing(self._file, kept)
            self._writing.start()

    def _settle(self) -> None:
        """Take note of what became of the file, if it is known by now."""
        writing = self._writing
        if writing is None or writing.is_alive():
            return
        self._writing = None
        self._problem = writing.problem
        if writing.problem is None:
            self._memory.forget_undone(self._undone)
        else:
            self._kept_changes = -1
            self._due = self._steady() + RETRY_SECONDS


class _Writing(threading.Thread):
    """Writes the file once."""

    def __init__(self, file: EvidenceFile, kept: Kept) -> None:
        super().__init__(name="logwatch-evidence", daemon=True)
        self._file = file
        self._kept = kept
        self.problem: str | None = None

    def run(self) -> None:
        try:
            self._file.write(self._kept)
        except EvidenceFileError as error:
            self.problem = str(error)
