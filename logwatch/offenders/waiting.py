"""Offenders whose bans brakes hold back, until it is their turn.

Only who waits is kept here; what they did is in the core's trails, and whoever lost its trail or
stopped offending waits no longer. A bounded number: the least of them are let go.
"""

from heapq import nlargest

from logwatch._core import Evidence as Trails

WAITING_MOST = 1000
"""Four times as many as may be banned by default; in a flood more would only be forged."""

SPARE = WAITING_MOST // 4
"""So many more may be there before the least are let go: sorting them out at each offence of a
flood would cost as much as judging them."""


class Waiting:
    """Sources, each with how many times over it reached its rule's threshold."""

    def __init__(self, trails: Trails) -> None:
        self._trails = trails
        self._excess: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._excess)

    def __contains__(self, source: str) -> bool:
        return source in self._excess

    def add(self, source: str, excess: float) -> None:
        """Let a source wait, or know anew how bad it is."""
        self._excess[source] = excess
        if len(self._excess) > WAITING_MOST + SPARE:
            worst = nlargest(WAITING_MOST, self._excess.items(), key=lambda each: each[1])
            self._excess = dict(worst)

    def remove(self, source: str) -> None:
        """Let it wait no longer."""
        self._excess.pop(source, None)

    def clear(self) -> None:
        """Let nobody wait."""
        self._excess.clear()

    def worst(self, count: int, at: float) -> list[str]:
        """Judge all anew at a time, and return the worst; who offends no more is let go."""
        for source in list(self._excess):
            excess = self._judged(source, at)
            if excess >= 1.0:
                self._excess[source] = excess
            else:
                del self._excess[source]
        return nlargest(count, self._excess, key=self._excess.__getitem__)

    def _judged(self, source: str, at: float) -> float:
        near = self._trails.nearness(source, at)
        return max((reached / threshold for reached, threshold in near), default=0.0)
