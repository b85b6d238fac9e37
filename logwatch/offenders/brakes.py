"""How many bans rules may decide now, whatever they find.

Counts the decisions of the last five minutes, at most as many as the brakes let through. Times are
those of the wall clock; who sets it calls `shift`.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

from logwatch.config import Brakes as Limits

Hold = Literal["limit", "rate", "share", "frozen"]
"""Why a ban has to wait: as many as may hold; as many as a minute allows; too large a share of the
sources seen lately; frozen."""

MINUTE = 60.0

WHOLE = 100
"""Percent."""

SHARE_SECONDS = 300.0
"""The time over which distinct sources are estimated."""

SHARE_FREE = 20
"""Bans in that time that no share holds back: where few knock, all of them may be offenders."""


class Brakes:
    """Tells whether one more ban may be decided, and why not."""

    def __init__(self, limits: Limits, sources: Callable[[float], int] | None = None) -> None:
        """`sources` estimates the distinct sources of the last five minutes at a time.

        Without it there is no brake by share.
        """
        self.limits = limits
        self._sources = sources
        self._minute: deque[float] = deque()
        self._lately: deque[float] = deque()

    def restore(self, decided: Iterable[float]) -> None:
        """Take over when the bans were decided that hold, so that no restart lets more through."""
        for time in sorted(decided):
            self.count(time)

    def count(self, now: float) -> None:
        """A ban was decided."""
        self._minute.append(now)
        self._lately.append(now)

    def room(self, now: float, bans: int) -> tuple[int, Hold | None]:
        """How many bans may be decided now while so many hold, and what holds back more.

        The reason is the brake that leaves least; None only while all of them leave something.
        """
        _forget(self._minute, now, MINUTE)
        _forget(self._lately, now, SHARE_SECONDS)
        rooms: list[tuple[int, Hold]] = [
            (self.limits.bans - bans, "limit"),
            (self.limits.bans_per_minute - len(self._minute), "rate"),
        ]
        if self._sources is not None and self.limits.share_percent < WHOLE:
            rooms.append((self._share(now) - len(self._lately), "share"))
        room, hold = min(rooms, key=lambda each: each[0])
        return max(room, 0), hold if room <= 0 else None

    def text(self, hold: Hold, now: float) -> str:
        """Tell what a brake holds back, for people."""
        limits = self.limits
        match hold:
            case "limit":
                return f"{limits.bans} networks are banned already, the most allowed (bans)"
            case "rate":
                most = f"{limits.bans_per_minute} bans were decided within the last minute"
                return f"{most}, the most allowed (bans_per_minute)"
            case "share":
                return (
                    f"{len(self._lately)} bans were decided within 5 minutes, the most allowed:"
                    f" {SHARE_FREE}, or {limits.share_percent} % of the about"
                    f" {self._estimate(now)} sources seen then (share_percent)"
                )
            case "frozen":
                return "rules decide nothing now: too many offend at once (freeze_factor)"

    def shift(self, seconds: float) -> None:
        """Move all times: the clock was set by so much."""
        self._minute = deque(time + seconds for time in self._minute)
        self._lately = deque(time + seconds for time in self._lately)

    def _share(self, now: float) -> int:
        """Bans within five minutes that the share allows; not estimated while few suffice."""
        if len(self._lately) < SHARE_FREE:
            return SHARE_FREE
        return max(SHARE_FREE, self._estimate(now) * self.limits.share_percent // 100)

    def _estimate(self, now: float) -> int:
        return 0 if self._sources is None else self._sources(now)


def _forget(times: deque[float], now: float, seconds: float) -> None:
    """Drop what is too old; what lies ahead of a clock that was set back counts as of now."""
    while times and times[0] <= now - seconds:
        times.popleft()
    while times and times[-1] > now:
        ahead = len([time for time in times if time > now])
        for _ in range(ahead):
            times.pop()
        times.extend([now] * ahead)
