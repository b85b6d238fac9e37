"""How many distinct sources there were lately: one sketch a minute, 24 KiB in all."""

from logwatch.packets import SourceSketch, Summary

MINUTES = 5


class RecentSources:
    """Estimates the distinct sources of the last five minutes, to the minute."""

    def __init__(self) -> None:
        self._sketches: dict[int, SourceSketch] = {}
        self._estimate: tuple[int, int] | None = None

    def see(self, summary: Summary, now: float) -> None:
        """See the sources of a batch at `now` (unix seconds)."""
        minute = int(now // 60)
        self._forget(minute)
        self._sketches.setdefault(minute, SourceSketch()).see(summary)
        self._estimate = None

    def estimate(self, now: float) -> int:
        """Estimate the number; standard error 1.6 %."""
        minute = int(now // 60)
        if self._estimate is None or self._estimate[0] != minute:
            self._forget(minute)
            whole = SourceSketch()
            for sketch in self._sketches.values():
                whole.merge(sketch)
            self._estimate = (minute, whole.estimate())
        return self._estimate[1]

    def _forget(self, minute: int) -> None:
        # A clock set back leaves minutes in the future: they are forgotten as well.
        for key in [key for key in self._sketches if not minute - MINUTES < key <= minute]:
            del self._sketches[key]
