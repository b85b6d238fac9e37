"""Who offends, who is banned for it, and until when.

Evidence is judged by the time of the events, bans end by the wall clock. Everything is kept in
memory; the ledger saves `documents` and gives them back to `restore`. One thread at a time.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from logwatch._core import Evidence as Trails
from logwatch.blacklist import (
    MOST,
    Network,
    overlap,
    parse_network,
)
from logwatch.config import Brakes as Limits
from logwatch.config import Config
from logwatch.offenders.ban import EXTENSION_STEP, Ban, Evidence, Mode
from logwatch.offenders.book import Book
from logwatch.offenders.brakes import Brakes, Hold
from logwatch.offenders.freeze import Freeze, Frozen
from logwatch.offenders.hurdles import Hurdles
from logwatch.offenders.inquiry import Inquiry
from logwatch.offenders.language import Rule
from logwatch.offenders.manual import Decided, Manual
from logwatch.offenders.memory import Memory
from logwatch.offenders.merged import NO_CLOCKS, NO_LINES, Reports
from logwatch.offenders.offence import (
    Candidate,
    Fulfilled,
    NearMiss,
    Offence,
    ban_seconds,
    evidence_of,
    quiet_until,
    reason,
)
from logwatch.offenders.plan import plan
from logwatch.offenders.protected import Protected, Protection
from logwatch.offenders.refusal import Refusal
from logwatch.offenders.source import source_of
from logwatch.offenders.waiting import Waiting
from logwatch.offenders.why import Near, Why
from logwatch.offenders.witness import Witness

if TYPE_CHECKING:
    from logwatch.packets import Summary

JUDGING_SECONDS = 1.0
"""Those who wait are judged anew not more often than this, while there is room."""

STALE_SECONDS = 60.0
"""And as often as this while there is none, so that nobody waits who stopped."""


class Offenders:
    """Judges denied packets by rules and keeps the bans.

    A banned source that fulfils a rule again (a policy may log before it denies) gets its ban
    extended: it ends the rule's ban after the last time, not after stray packets. A ban that a
    person decided, or a mode that does more than the present one, is left as it is. An offender
    that a brake holds back waits: call `decide` often, which judges it anew when its turn comes.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        rules: Sequence[Rule],
        protected: Protected,
        *,
        mode: Mode,
        limits: Limits,
        sources: Callable[[float], int] | None = None,
        capacity: int = Config().tracked_sources,
        near_misses: int = 0,
        node: str = "",
        room: int = MOST["policy"],
    ) -> None:
        """Start without bans and evidence.

        `sources` estimates the distinct sources of the last five minutes, for the brake by share;
        without it there is none. Of `capacity` sources the evidence is kept; a million that come
        once each push none of them out. So many near misses are remembered for `near_misses`.
        `node` is the name that this node's evidence is counted by. `room` is the number of networks
        that the policy takes; only bans by hand meet it.
        """
        self._protected = protected
        self._mode: Mode = mode
        self._book = Book(protected)
        self._manual = Manual(self._book, protected, mode, room=room)
        self._brakes = Brakes(limits, sources)
        self._freeze = Freeze(limits)
        self._hurdles = Hurdles(self._book, protected, self._brakes, self._freeze, mode)
        self._now = 0.0
        self._lag = math.inf
        """How far the latest packets are behind the clock."""
        self._rules = tuple(rules)
        plans = [plan(rule) for rule in rules]
        self._trails = Trails(plans, capacity, node=node, near_misses=near_misses)
        self._reports = Reports(self._trails, lambda: Trails(plans, capacity), self._book)
        self._waiting = Waiting(self._trails)
        self._inquiry = Inquiry(self._trails, self._rules, self._book, self._waiting, self._hurdles)
        self._witness = Witness(self._trails, self._rules, protected)
        self._memory = Memory(
            self._trails,
            self._rules,
            self._book,
            self._waiting,
            node=node,
            is_refused=lambda network: self._hurdles.never(network) is not None,
        )
        self._judged_at = 0.0
        """When those who wait were last judged."""

    @property
    def bans(self) -> Mapping[str, Ban]:
        """The bans that hold, by network."""
        return self._book.bans

    @property
    def revision(self) -> int:
        """Grows whenever bans, documents or the protected list change."""
        return self._book.revision

    @property
    def frozen(self) -> Frozen | None:
        """Since when rules decide nothing; None while they decide."""
        return self._freeze.frozen

    @property
    def held(self) -> int:
        """How many offenders wait, their bans held back by a brake; at most 1,250 are kept."""
        return len(self._waiting)

    @property
    def tracked(self) -> int:
        """Sources whose evidence is kept now."""
        return len(self._trails)

    @property
    def evictions(self) -> int:
        """Sources that gave up their places to others so far."""
        return self._trails.evictions

    def entries(self) -> dict[Mode, int]:
        """How many bans hold, by the mode in which they were decided."""
        return self._book.entries()

    def networks(self) -> tuple[str, ...]:
        """List the networks that belong into the policy now: canonical, disjoint, sorted.

        Only bans decided in mode enforce, while the mode is enforce, and never a protected one.
        """
        return self.networks_of("enforce") if self._mode == "enforce" else ()

    def networks_of(self, phase: Mode) -> tuple[str, ...]:
        """List the networks of the bans decided in a mode, whatever the mode is now.

        The same tuple is returned until a ban begins or ends, or the protected list changes.
        """
        return self._book.networks_of(phase)

    def documents(self) -> Mapping[str, bytes]:
        """Everything to be saved, by network: the bans that hold and the ended ones."""
        return self._book.documents

    def freeze_document(self) -> bytes | None:
        """Give what is to be saved of a freeze; None while nothing is frozen."""
        return None if self.frozen is None else self.frozen.to_json()

    def restore(
        self, documents: Mapping[str, bytes], *, freeze: bytes | None = None, now: float = 0.0
    ) -> int:
        """Take over what was saved; return how many damaged documents were left out.

        Call `expire` next: it ends what ended meanwhile and what came under protection.
        """
        damaged = self._book.restore(documents)
        self._brakes.restore(self._book.decided())
        self._freeze.restore(freeze, now)
        return damaged

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
        self._lag = min(self._lag, now - at)
        verdicts = [(name, verdict == "denied") for name, verdict in policies]
        found = self._trails.observe(summary, verdicts, at)
        self._memory.note()
        told, candidates = self._sift(found, at, now)
        self._freeze.see([each.offence.network for each in candidates], at, now)
        return [*told, *self._decide(candidates, now)]

    def judge_reports(  # noqa: PLR0913 - what is known at one moment
        self,
        reports: Sequence[tuple[str, bytes]],
        dealt_with: Mapping[str, float],
        at: float,
        now: float,
        *,
        ahead: Mapping[str, float] = NO_CLOCKS,
        lines: Mapping[str, tuple[str, ...]] = NO_LINES,
    ) -> list[Offence]:
        """Judge the merged evidence of nodes, in the place of all evidence so far.

        `reports` are names of nodes and the latest `to_bytes` of each. What led to a ban does not
        count again, nor what a source or network of `dealt_with` did up to its time: give those
        that were undone, for as long as rules look back. Sources are judged as of `at`, or of
        their last packet if that is later: let `at` be before `now` by as much as a report may be
        old. `ahead` tells by how many seconds clocks of nodes are ahead (or behind, below 0), as
        far as that is known; `lines` are those of the log that are to be shown, by network. See
        `reports` for those that were left out.
        """
        self._set_clock(now)
        at = max(0.0, min(at, now))
        self._lag = now - at
        found = self._reports.judge(reports, dealt_with, at, now, ahead, lines)
        self._trails.note_near_misses(at)
        told, candidates = self._sift(found, at, now)
        self._freeze.see_late(((each.offence.network, each.last) for each in candidates), now)
        return [*told, *self._decide(candidates, now)]

    @property
    def reports(self) -> Reports:
        """What became of the reports that were given last."""
        return self._reports

    def decide(self, now: float) -> list[Offence]:
        """Ban those who wait, as brakes let them and if they still offend; end a freeze.

        Costs nothing while nobody waits. Returns the offences of those who are banned.
        """
        self._set_clock(now)
        return self._decide([], now)

    def near_misses(self) -> list[NearMiss]:
        """List who came near to a rule, nearest first; at most `near_misses` of the constructor.

        Who was told of as an offender is there only with what came after that.
        """
        return self._inquiry.near_misses()

    def expire(self, now: float) -> list[Ban]:
        """End the bans that are over, and those whose network came under protection.

        Returns them with `ended` and `ending` set. After a step back of the clock no ban lasts
        longer from now on than its rule says.
        """
        self._set_clock(now)
        ended = self._book.expire(now)
        for ban in ended:
            if (source := source_of(parse_network(ban.network))) is not None:
                self._trails.quiet(source, 0.0)
        return ended

    @property
    def extended(self) -> Sequence[Ban]:
        """Bans that go on beyond the end that was told of them, as the last `expire` found."""
        return self._book.extended

    def shift(self, seconds: float) -> None:
        """Move all that is kept: the clock was set by so much, and no time has passed.

        Without it a clock set ahead ends bans at once, and one set back makes old evidence new.
        """
        self._book.shift(seconds)
        self._brakes.shift(seconds)
        self._freeze.shift(seconds)
        self._now += seconds
        self._memory.shift(seconds, self._now)
        self._judged_at = 0.0

    @property
    def by_hand(self) -> Manual:
        """What a person decides; an undo is `remove`."""
        return self._manual

    def remove(self, network: Network, now: float) -> Decided:
        """Undo a ban: the evidence so far is forgotten too. Raises ManualError."""
        decided = self._manual.remove(network, now)
        self._memory.note_undone(network, now)
        if (source := source_of(network)) is not None:
            self._start_anew(source)
        for source, *_ in self._trails.top(len(self._trails), now):
            if overlap(parse_network(source), network):
                self._start_anew(source)
        return decided

    def protection(self, network: Network) -> Protection | None:
        """Tell why a network is never banned; None when it may be."""
        return self._protected.reason(network)

    @property
    def protected_revision(self) -> int:
        """Grows whenever the list of what is never banned changes."""
        return self._protected.revision

    @property
    def witness(self) -> Witness:
        """The same evidence for somebody else to judge; `observe` is not used then."""
        return self._witness

    @property
    def memory(self) -> Memory:
        """The evidence as it is kept over a restart; to be taken over after `restore`."""
        return self._memory

    def freeze_text(self) -> str:
        """Tell why it is frozen, and what to do about it."""
        return self._freeze.text()

    def nearest(self, count: int, now: float) -> list[tuple[str, Near]]:
        """List the sources nearest to a rule as networks, with how near; banned ones too."""
        return self._inquiry.nearest(count, self._seen_until(now))

    def samples(self, network: Network) -> list[str]:
        """Give up to 5 lines of a source as they were written; none of several sources."""
        return self._inquiry.samples(network)

    def why(self, network: Network, now: float) -> Why:
        """Tell how near a network is to each rule, and what would stop a ban of it now."""
        return self._inquiry.why(network, self._seen_until(now), now)

    def _seen_until(self, now: float) -> float:
        """Give the time of the latest packets: windows end there for who looks."""
        return now if math.isinf(self._lag) else max(0.0, now - self._lag)

    def _set_clock(self, now: float) -> None:
        if now < self._now:
            self._go_back(now)
        self._now = now
        self._freeze.thaw(now)

    def _go_back(self, now: float) -> None:
        """Forget what is known of the time after now: it has not come yet."""
        self._trails.forget_after(max(0.0, now))
        self._waiting.clear()
        self._judged_at = 0.0

    def _sift(
        self, found: Iterable[Fulfilled], at: float, now: float
    ) -> tuple[list[Offence], list[Candidate]]:
        """Extend bans, refuse what is never banned; return the refused and who may be banned."""
        told, candidates = [], []
        for source, index, number, evidence in found:
            rule = self._rules[index]
            network = parse_network(source)
            seen = self._reports.complete(source, evidence_of(evidence))
            when = min(max(at, seen.last), now)
            offence = Offence(str(network), rule.name, reason(rule, number), seen, when)
            ban = self.bans.get(offence.network)
            is_over_the_mode = ban is not None and ban.does_more_than(self._mode)
            if is_over_the_mode or self._book.is_by_hand(network):
                self._start_anew(source)
                continue
            if ban is not None and ban.phase == self._mode:
                self._extend(ban, rule, offence.evidence)
                self._rest(source, self.bans[offence.network])
                continue
            refusal = self._hurdles.never(network) or self._past(offence, rule, now)
            if refusal is None:
                candidates.append(Candidate(source, rule, number / rule.threshold, offence))
                continue
            self._trails.quiet(source, quiet_until(rule, when))
            self._waiting.remove(source)
            told.append(dataclasses.replace(offence, refusal=refusal))
        return told, candidates

    def _start_anew(self, source: str) -> None:
        """Forget what a source did, and that it waits."""
        self._trails.restart(source)
        self._waiting.remove(source)

    def _past(self, offence: Offence, rule: Rule, now: float) -> Refusal | None:
        seconds = ban_seconds(rule, self._book.next_offence(offence.network))
        if offence.at + seconds > now:
            return None
        return Refusal("past", f"a ban of {seconds:g} s from then on would be over by now")

    def _decide(self, candidates: list[Candidate], now: float) -> list[Offence]:
        """Ban candidates and those who wait, the worst first, as long as brakes let them."""
        told, called = self._call(now, {each.source for each in candidates})
        texts: dict[Hold, str] = {}
        for each in sorted([*candidates, *called], key=lambda each: (-each.excess, each.source)):
            offence = dataclasses.replace(each.offence, has_waited=each.source in self._waiting)
            earlier = self.bans.get(offence.network)
            hold = self._hurdles.hold(now, earlier)
            if hold is None:
                self._start_anew(each.source)
                self._brakes.count(now)
                ban = self._ban(offence, each.rule, earlier, now)
                self._book.keep(ban)
                told.append(dataclasses.replace(offence, ban=ban))
                continue
            self._trails.quiet(each.source, quiet_until(each.rule, offence.at))
            self._waiting.add(each.source, each.excess)
            if not offence.has_waited:
                text = texts.get(hold) or self._hurdles.text(hold, now)
                texts[hold] = text
                told.append(dataclasses.replace(offence, refusal=Refusal(hold, text)))
        return told

    def _call(self, now: float, known: set[str]) -> tuple[list[Offence], list[Candidate]]:
        """Judge those who wait anew, and return the worst of them, as many as may be banned.

        Without those who are known to offend now.
        """
        # Without a packet since the start nobody who waited before it offends any more.
        is_nothing_seen = math.isinf(self._lag)
        if not self._waiting or is_nothing_seen or now - self._judged_at < JUDGING_SECONDS:
            return [], []
        room = 0 if self.frozen else self._brakes.room(now, len(self.bans))[0]
        if room == 0 and now - self._judged_at < STALE_SECONDS:
            return [], []
        self._judged_at = now
        at = max(0.0, now - self._lag)
        called = self._waiting.worst(room, at)
        for source in called:
            self._trails.quiet(source, 0.0)
        wanted = frozenset(called) - known
        found = [each for each in self._trails.judge(at) if each[0] in wanted] if called else []
        return self._sift(found, at, now)

    def _ban(self, offence: Offence, rule: Rule, earlier: Ban | None, now: float) -> Ban:
        """Make a new ban, or the one that takes an `earlier` one's place in another mode."""
        number = self._book.next_offence(offence.network) if earlier is None else earlier.offence
        seconds = ban_seconds(rule, number)
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
            decided=now,
        )

    def _extend(self, ban: Ban, rule: Rule, evidence: Evidence) -> None:
        seconds = ban_seconds(rule, ban.offence)
        expires = evidence.last + seconds
        if expires - ban.expires >= seconds / EXTENSION_STEP:
            evidence = replace(ban.evidence, last=evidence.last)
            self._book.keep(
                replace(
                    ban,
                    expires=expires,
                    seconds=seconds,
                    evidence=evidence,
                    announced=ban.announced or ban.expires,
                )
            )

    def _rest(self, source: str, ban: Ban) -> None:
        """Count nothing of a banned source until its ban is worth extending: it may flood."""
        self._trails.rest(source, ban.rests_until)
