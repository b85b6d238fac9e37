"""Rules decide nothing while many more sources offend than the brakes would let them ban.

Sources can be forged in bulk, and then whoever is banned is innocent: so nobody is, until it is
calm again. Offenders are counted by the time of their packets, so that a backlog that is read in a
second is no flood; calm is measured by the wall clock.
"""

from collections.abc import Iterable
from itertools import groupby

import msgspec

from logwatch.config import Brakes as Limits

MINUTE = 60.0

CALM_SECONDS = 300.0
"""So long no more than half as many as froze: a flood that comes in waves is one flood."""


class Frozen(msgspec.Struct, frozen=True):
    """Since when, and why. Unix seconds."""

    since: float
    flooded: float
    """When there were last more offenders than calm allows."""
    offenders: int
    """Within a minute, when it began."""

    def to_json(self) -> bytes:
        """Encode for the ledger."""
        return msgspec.json.encode(self)


class Freeze:
    """Sees who offends, and tells whether it is frozen."""

    def __init__(self, limits: Limits) -> None:
        self.threshold = limits.bans_per_minute * limits.freeze_factor
        """More offenders within a minute freeze."""
        self.frozen: Frozen | None = None
        self._limits = limits
        self._seen: dict[str, float] = {}
        """Offenders of the last minute of packets, in the order in which they came; never more
        than freeze."""
        self._latest = 0.0
        """Of the times given to `see_late`."""

    def see(self, networks: list[str], at: float, now: float) -> None:
        """See who offends by packets of a time and could be banned for it."""
        self._forget(at)
        for network in networks:
            if len(self._seen) > self.threshold:
                break
            self._seen.setdefault(network, at)
        if self.frozen is None and len(self._seen) > self.threshold:
            offenders = len(self._seen.keys() | set(networks))
            self.frozen = Frozen(now, now, offenders)
        elif self.frozen is not None and networks and not self._is_calm():
            self.frozen = msgspec.structs.replace(self.frozen, flooded=now)

    def see_late(self, networks: Iterable[tuple[str, float]], now: float) -> None:
        """See who offends by packets of different times, some from before those seen so far.

        These count as of the latest, for a time that lies back would forget those.
        """
        self._latest = min(self._latest, now)
        by_time = sorted(networks, key=lambda each: each[1])
        for _, minute in groupby(by_time, key=lambda each: each[1] // MINUTE):
            named = list(minute)
            self._latest = max(self._latest, named[-1][1])
            self.see([network for network, _ in named], self._latest, now)

    def thaw(self, now: float) -> None:
        """End it when it has been calm for long enough."""
        if self.frozen is not None and now - self.frozen.flooded >= CALM_SECONDS:
            self.frozen = None
            self._seen.clear()

    def text(self) -> str:
        """Tell why it is frozen and what to do about it, for people."""
        offenders = 0 if self.frozen is None else self.frozen.offenders
        limits = self._limits
        return (
            f"{offenders} sources offended within a minute, more than {self.threshold}"
            f" (bans_per_minute {limits.bans_per_minute} x freeze_factor {limits.freeze_factor});"
            " so many at once may be forged. Rules decide nothing until there were at most"
            f" {self.threshold // 2} a minute for {CALM_SECONDS / MINUTE:.0f} minutes; bans end at"
            " their time, and bans by hand are possible. If these offenders are real, raise"
            " bans_per_minute"
        )

    def shift(self, seconds: float) -> None:
        """Move all times: the clock was set by so much."""
        self._seen = {network: at + seconds for network, at in self._seen.items()}
        if self.frozen is not None:
            frozen = self.frozen
            self.frozen = msgspec.structs.replace(
                frozen, since=frozen.since + seconds, flooded=frozen.flooded + seconds
            )

    def restore(self, document: bytes | None, now: float) -> None:
        """Stay frozen over a restart. What is no document of ours, or lies ahead, is not taken."""
        try:
            frozen = None if document is None else msgspec.json.decode(document, type=Frozen)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if frozen is not None and frozen.flooded <= now:
            self.frozen = frozen

    def _is_calm(self) -> bool:
        return len(self._seen) <= self.threshold // 2

    def _forget(self, at: float) -> None:
        while self._seen:
            network, seen = next(iter(self._seen.items()))
            if abs(at - seen) < MINUTE:
                break
            del self._seen[network]
