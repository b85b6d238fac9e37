"""When a node's report is due, so that thousands of nodes are a load that an API server bears.

Of n nodes: ordinary reports come at most every n/15 s each, so 15 a second in all; after a new
offender, which all nodes may see at once, they are spread over n/60 s, so 60 a second.
"""

import random
from collections.abc import Callable

INTERVAL_SECONDS = 10.0
"""From one report to the next, on the average, where there are few nodes."""

REPORTS_PER_SECOND = 15.0
"""Of all nodes together, at the most, where nothing else is configured."""

HURRY = 4.0
"""So many times as many after a new offender. With ordinary reports that are still due these are 75
a second at first, and chance makes 95 of them in the busiest second: below 100 requests."""

LEAST_SECONDS = 1.0
"""Between two reports, however many offenders come."""

FIRST_PAUSE_SECONDS = 0.5
"""After a failure; doubled with each further one."""

JITTER = 0.2
"""Part by which an interval is shorter or longer."""

NEVER = float("inf")


class Schedule:
    """Times are seconds of a monotonic clock. Not for several threads at once."""

    def __init__(
        self,
        now: float,
        uniform: Callable[[float, float], float] = random.uniform,
        *,
        rate: float = REPORTS_PER_SECOND,
    ) -> None:
        """`rate` is how many reports all nodes together write in a second."""
        self._rate = rate
        self.nodes = 1
        """How many nodes report."""
        self._uniform = uniform
        self._last = now - LEAST_SECONDS
        self._due = now
        self._not_before = now
        self._is_hurried = True
        self._failures = 0

    @property
    def interval(self) -> float:
        """Seconds from one report to the next, on the average."""
        return max(INTERVAL_SECONDS, self.nodes / self._rate)

    @property
    def due(self) -> float:
        """When the next report is due."""
        return max(self._due, self._not_before)

    def hurry(self, now: float) -> None:
        """There is a new offender."""
        if not self._is_hurried:
            self._is_hurried = True
            spread = self._uniform(0.0, self.nodes / (HURRY * self._rate))
            self._due = min(self._due, max(now + spread, self._last + LEAST_SECONDS))

    def begin(self, now: float) -> None:
        """The evidence of a report was taken: what comes later needs another one."""
        self._last = now
        self._due = now + self.interval * self._uniform(1 - JITTER, 1 + JITTER)
        self._is_hurried = False

    def succeed(self) -> None:
        """It was written, or there was nothing new to write."""
        self._failures = 0

    def fail(self, now: float, at_least: float = 0.0) -> None:
        """It was not written: try again after a pause, which no offender makes shorter.

        `at_least` are the seconds that the API server wants to be left alone.
        """
        at_least = min(at_least, self.interval)
        pause = min(self.interval, FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self._not_before = now + max(at_least, pause * self._uniform(0.5, 1.0))
        self._due = self._not_before
        self._is_hurried = True
