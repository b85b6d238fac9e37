"""One file of rules at work on a log: what it decides, at the log's own time."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from logwatch.config import Brakes
from logwatch.offenders import Ban, NearMiss, Offence, Offenders, Protected
from logwatch.offenders.language import Rule
from logwatch.packets import Summary

NEAR_KEPT = 1_000
"""Near misses that are followed; some of them become offenders, more than one lists."""

NEAR_MOST = 100
"""Near misses that are told."""

NEAR_PART = 3
"""A third of the way has to be reached: who sent one packet of ten did not miss a rule nearly."""

EXPIRY_SECONDS = 60
"""How often bans are looked at when none ends: what ended a week ago is forgotten then."""


class Refused(NamedTuple):
    """An offender that may not be banned; told again in each window that it fills."""

    cidr: str
    rule: str
    reason: str
    """A word for programs, one of `logwatch.offenders.REFUSALS`."""
    why: str
    """For people."""
    did: str
    """What the source did the first time."""
    first: float
    last: float
    times: int


class Decisions(NamedTuple):
    """What rules would have done."""

    rules: tuple[Rule, ...]
    bans: tuple[Ban, ...]
    """In the order of their beginnings; `expires` is what it came to be."""
    refused: tuple[Refused, ...]
    near: tuple[NearMiss, ...]
    """The nearest first, without those that were banned or refused at any time."""


class Judge:
    """Judges batches in the order in which they come."""

    def __init__(self, rules: Iterable[Rule], protected: Protected, *, limits: Brakes) -> None:
        self._rules = tuple(rules)
        self._offenders = Offenders(
            self._rules, protected, mode="observe", limits=limits, near_misses=NEAR_KEPT
        )
        self._bans: list[Ban] = []
        self._running: dict[str, int] = {}
        """The place in `_bans` of the ban that holds, by network."""
        self._refused: dict[tuple[str, str, str], Refused] = {}
        self._now = 0.0
        self._looked_at = 0.0
        self._next_end = float("inf")
        """No ban ends before that."""

    def see(self, summary: Summary, at: int, policies: Sequence[tuple[str, str]]) -> None:
        """Judge what was counted at a time; `policies` are the names and verdicts in `summary`."""
        now = float(at)
        is_due = now >= self._next_end or now - self._looked_at >= EXPIRY_SECONDS
        if is_due or now < self._now:
            self._end_bans(now)
        self._now = now
        for offence in self._offenders.observe(summary, now, now, policies):
            self._take(offence)
        for offence in self._offenders.decide(now):
            self._take(offence)

    def _end_bans(self, now: float) -> None:
        self._looked_at = now
        for ban in self._offenders.expire(now):
            if (place := self._running.pop(ban.network, None)) is not None:
                # An ended ban has no lines any more.
                samples = self._bans[place].evidence.samples
                evidence = replace(ban.evidence, samples=samples)
                self._bans[place] = replace(ban, evidence=evidence)
        ends = (ban.expires for ban in self._offenders.bans.values())
        self._next_end = min(ends, default=float("inf"))

    def _take(self, offence: Offence) -> None:
        if offence.ban is not None:
            self._running[offence.network] = len(self._bans)
            self._bans.append(offence.ban)
            self._next_end = min(self._next_end, offence.ban.expires)
        if offence.refusal is not None:
            key = (offence.network, offence.rule, offence.refusal.reason)
            known = self._refused.get(key)
            if known is None:
                first, times, did = offence.at, 1, offence.reason
            else:
                first, times, did = known.first, known.times + 1, known.did
            self._refused[key] = Refused(*key, offence.refusal.text, did, first, offence.at, times)

    def decisions(self) -> Decisions:
        """Return all that was decided so far."""
        bans = list(self._bans)
        for network, place in self._running.items():
            bans[place] = self._offenders.bans.get(network, bans[place])
        bans.sort(key=lambda ban: (ban.since, ban.network))
        refused = sorted(self._refused.values(), key=lambda each: (each.first, *each[:3]))
        offenders = {ban.network for ban in bans} | {key[0] for key in self._refused}
        near = [
            miss
            for miss in self._offenders.near_misses()
            if miss.network not in offenders and NEAR_PART * miss.reached >= miss.threshold
        ]
        return Decisions(self._rules, tuple(bans), tuple(refused), tuple(near[:NEAR_MOST]))
