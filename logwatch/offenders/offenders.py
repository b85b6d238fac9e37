"""Who offends, who is banned for it, and until when.

Evidence is judged by the time of the events, bans end by the wall clock. Everything is kept in
memory; the ledger saves `documents` and gives them back to `restore`. One thread at a time.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from msgspec.structs import replace

from logwatch._core import Evidence as Trails
from logwatch.blacklist import FLOOR, Network, is_too_wide, parse_network
from logwatch.offenders.ban import Ban, Evidence, Mode
from logwatch.offenders.book import Book
from logwatch.offenders.language import Rule, format_duration
from logwatch.offenders.plan import plan
from logwatch.offenders.protected import Kind, Protected

if TYPE_CHECKING:
    from logwatch.packets import Summary

Fulfilled = tuple[
    str, int, int, tuple[int, tuple[int, ...], tuple[str, ...], float, float, tuple[str, ...]]
]
"""Who fulfils a rule: see `logwatch._core.Evidence`."""

CAPACITY = 10_000
"""Sources whose trails are kept; a million that come once each push none of them out."""

DOUBLINGS_MOST = 32
"""A second doubled so often is more than any rule allows."""

MOMENT = 0.001
"""Seconds: the core's resolution of time."""

EXTENSION_STEP = 60
"""An extension is worth saving from a sixtieth of the ban on: a flood must not write each tick."""


RefusalReason = Kind | Literal["limit", "too wide", "past"]

REFUSALS: tuple[str, ...] = (*get_args(Kind), "limit", "too wide", "past")
"""All reasons for which an offender may not be banned."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an offender is not banned."""

    reason: RefusalReason
    """For metrics: a kind of protection; `limit`, as many bans as allowed; `too wide`; `past`, the
    ban would have ended before now."""
    text: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A source fulfilled a rule. Exactly one of `ban` and `refusal` is there."""

    network: str
    rule: str
    reason: str
    """What it did, for people."""
    evidence: Evidence
    at: float
    ban: Ban | None = None
    refusal: Refusal | None = None


class Offenders:
    """Judges denied packets by rules and keeps the bans.

    A banned source that fulfils a rule again (a policy may log before it denies) gets its ban
    extended: it ends the rule's ban after the last time, not after stray packets.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        protected: Protected,
        *,
        mode: Mode,
        capacity: int = CAPACITY,
        max_bans: int = 256,
    ) -> None:
        self._protected = protected
        self._mode: Mode = mode
        self._max_bans = max_bans
        self._book = Book(protected)
        self._now = 0.0
        self._rules = tuple(rules)
        self._trails = Trails([plan(rule) for rule in rules], capacity)
        self._limited: set[str] = set()
        """Sources that are quiet since there are bans enough; heard again when one ends."""

    @property
    def bans(self) -> Mapping[str, Ban]:
        """The bans that hold, by network."""
        return self._book.bans

    @property
    def revision(self) -> int:
        """Grows whenever bans, documents or the protected list change."""
        return self._book.revision

    def networks(self) -> tuple[str, ...]:
        """List the networks that belong into the policy now: canonical, disjoint, sorted.

        Only bans decided in mode enforce, while the mode is enforce, and never a protected one.
        """
        return self.networks_of("enforce") if self._mode == "enforce" else ()

    def networks_of(self, phase: Mode) -> tuple[str, ...]:
        """List the networks of the bans decided in a mode, whatever the mode is now.

        The same tuple is returned until `revision` grows.
        """
        return self._book.networks_of(phase)

    def documents(self) -> Mapping[str, bytes]:
        """Everything to be saved, by network: the bans that hold and the ended ones."""
        return self._book.documents

    def restore(self, documents: Mapping[str, bytes]) -> int:
        """Take over what was saved; return how many damaged documents were left out.

        Call `expire` next: it ends what ended meanwhile and what came under protection.
        """
        return self._book.restore(documents)

    def observe(
        self,
        summary: "Summary",
        at: float,
        now: float,
        policies: Sequence[tuple[str, str]],
    ) -> list[Offence]:
        """Take packets into evidence and return new offences.

        `at` is the time of the packets, `now` the wall clock; no event lies in the future.
        `policies` are the names and verdicts of the summary's policies: only `denied` counts.
        """
        self._set_clock(now)
        at = max(0.0, min(at, now))
        verdicts = [(name, verdict == "denied") for name, verdict in policies]
        if len(self.bans) < self._max_bans:
            for source in self._limited:
                self._trails.quiet(source, 0.0)
            self._limited.clear()
        judged = (
            self._judge(found, at, now) for found in self._trails.observe(summary, verdicts, at)
        )
        return [offence for offence in judged if offence is not None]

    def expire(self, now: float) -> list[Ban]:
        """End the bans that are over, and those whose network came under protection.

        Returns them with `ended` and `ending` set. After a step back of the clock no ban lasts
        longer from now on than its rule says.
        """
        self._set_clock(now)
        return self._book.expire(now)

    def _set_clock(self, now: float) -> None:
        if now < self._now:
            self._trails.forget_after(max(0.0, now))
            self._limited.clear()
        self._now = now

    def _judge(self, found: "Fulfilled", at: float, now: float) -> Offence | None:
        source, index, number, (packets, ports, destinations, first, last, shapes) = found
        rule = self._rules[index]
        network = parse_network(source)
        text = str(network)
        ban = self.bans.get(text)
        evidence = Evidence(packets, ports, first, last, destinations, shapes)
        if ban is not None and ban.phase == self._mode:
            self._trails.restart(source)
            self._extend(ban, rule, evidence)
            return None
        offence = Offence(text, rule.name, _reason(rule, number), evidence, at)
        is_full = ban is None and len(self.bans) >= self._max_bans
        refusal = self._refusal(network, rule, at, now, is_full=is_full)
        if refusal is not None:
            self._trails.quiet(source, at + rule.within - MOMENT)  # told once in a window
            if refusal.reason == "limit":
                self._limited.add(source)
            return dataclasses.replace(offence, refusal=refusal)
        self._trails.restart(source)
        new = self._ban(offence, rule, ban)
        self._book.keep(new)
        return dataclasses.replace(offence, ban=new)

    def _refusal(
        self, network: Network, rule: Rule, at: float, now: float, *, is_full: bool
    ) -> Refusal | None:
        protection = self._protected.reason(network)
        if protection is not None:
            return Refusal(protection.kind, protection.text)
        if is_too_wide(network):
            floor = FLOOR[network.version]
            return Refusal("too wide", f"{network} is wider than the floor, /{floor}")
        seconds = _seconds(rule, self._book.next_offence(str(network)))
        if at + seconds <= now:
            return Refusal("past", f"a ban of {seconds:g} s from then on would be over by now")
        if is_full:
            return Refusal(
                "limit", f"{self._max_bans} networks are banned already, the most allowed"
            )
        return None

    def _ban(self, offence: Offence, rule: Rule, earlier: Ban | None) -> Ban:
        """Make a new ban, or the one that takes an `earlier` one's place in another mode."""
        number = self._book.next_offence(offence.network) if earlier is None else earlier.offence
        seconds = _seconds(rule, number)
        return Ban(
            network=offence.network,
            rule=rule.name,
            reason=offence.reason,
            evidence=offence.evidence,
            since=offence.at,
            expires=offence.at + seconds,
            seconds=seconds,
            offence=number,
            phase=self._mode,
        )

    def _extend(self, ban: Ban, rule: Rule, evidence: Evidence) -> None:
        seconds = _seconds(rule, ban.offence)
        expires = evidence.last + seconds
        if expires - ban.expires >= seconds / EXTENSION_STEP:
            evidence = replace(ban.evidence, last=evidence.last)
            self._book.keep(replace(ban, expires=expires, seconds=seconds, evidence=evidence))


def _seconds(rule: Rule, offence: int) -> float:
    """Length of a ban: doubled with each offence, if the rule says so."""
    if rule.up_to is None:
        return float(rule.ban)
    return float(min(rule.ban << min(offence - 1, DOUBLINGS_MOST), rule.up_to))


def _reason(rule: Rule, number: int) -> str:
    """What a source did, in words."""
    things = rule.measure if rule.measure in {"packets", "bytes"} else f"distinct {rule.measure}"
    if number == 1:
        things = things.removesuffix("s")
    within = format_duration(rule.within)
    return f"{number} {things} within {within} (rule {rule.name}: {rule.threshold})"
