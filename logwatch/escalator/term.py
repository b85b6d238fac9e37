"""One term of leadership: from the entries that are there, round by round, to the policy.

A round never waits for the API server longer than one call; what is left over is done in the next.
The order makes a death at any moment harmless: what people want, decisions, their entries, the
policy, what is told of it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog

from logwatch.audit import AuditLog, Teller
from logwatch.blacklist import MOST, Enforced, Network, parse_network
from logwatch.cluster import (
    BLACKLIST_ENTRIES,
    About,
    Api,
    ClusterError,
    Entry,
    Events,
    NodeReport,
    Snapshot,
    Unreachable,
    Writer,
    Written,
    entry_name,
    lines_by_source,
)
from logwatch.config import Config
from logwatch.control import moment
from logwatch.escalator.counts import Counts
from logwatch.escalator.departed import Departed
from logwatch.escalator.entries import ByHand, Entries
from logwatch.escalator.state import NAME as STATE
from logwatch.escalator.state import State
from logwatch.export import Asked
from logwatch.live import Decided, Known, decided, known
from logwatch.offenders import Ban, Frozen, Mode, Offence, Offenders, Protected, Rule

WRITE_SECONDS = 0.5
"""What a round may spend on entries: a policy that waits for thousands of them is late."""

LATE_SECONDS = 900.0
"""What is older than rules look back, by so much, is of no use: clocks differ, reports are late."""

FREEZE_SECONDS = 10.0
"""How long what is saved of a freeze may be behind: a flood would have it saved each round."""

ENTRY = "BlacklistEntry"

PARTS = ("reading entries", "writing entries", "state", "policy", "removing reports")
"""What may fail by itself while a leader works."""


class Term:
    """Decides and writes while this replica leads. One thread at a time."""

    def __init__(  # noqa: PLR0913 - what a leader works with
        self,
        config: Config,
        rules: Sequence[Rule],
        protected: Protected,
        *,
        api: Api,
        writer: Writer,
        events: Events,
        counts: Counts,
        fence: Callable[[], None],
        log: structlog.typing.FilteringBoundLogger,
        audit: AuditLog,
        entries: Mapping[str, Entry],
    ) -> None:
        """Take over from the entries and the state of the last leader. Raises ClusterError."""
        self._mode = config.mode
        self._writer = writer
        self._events = events
        self._counts = counts
        self._fence = fence
        self._log = log
        self._audit = audit
        self._offenders = Offenders(
            rules,
            protected,
            mode=config.mode,
            limits=config.brakes,
            sources=lambda _: self._offenders.tracked,
            room=MOST[config.blacklist.shape],
            capacity=config.tracked_sources,
        )
        self._looks_back = max((rule.within for rule in rules), default=0) + LATE_SECONDS
        self._state = State(api, config.cluster.namespace, fence)
        now = time.time()
        saved = self._state.read(self._looks_back, now)
        self._undone = saved.undone
        self._departed = Departed(api, fence, self._looks_back)
        if not saved.is_readable:
            log.warning("damaged state left out", object="ConfigMap", remedy="it is written anew")
        there = {str(entry.network) for entry in entries.values()}
        for network in sorted(saved.banned - there):
            self._undone.add(network, now)
            log.warning("removed by hand while nobody led", network=network)
            audit.note(now, "removed", network=network, by="hand")
        self._entries = Entries(api, self._offenders, self._undone, config.mode, fence)
        self._offenders.restore(self._entries.restore(entries, now), freeze=saved.freeze, now=now)
        self._frozen: Frozen | None = None
        """As it was saved last."""
        self._is_frozen = False
        """As Events told last."""
        self._about = About("v1", "ConfigMap", STATE, config.cluster.namespace)
        self._teller = Teller(self._offenders, audit, log, counts.count)
        self._decided: list[tuple[str, str, str]] = []
        """Reason, note and network of Events that wait for the entries that they are about."""
        self._left_out: Mapping[str, str] = {}
        self._numbered: tuple[tuple[str, ...], Enforced] = ((), Enforced())
        self._enforced_number = 0
        self._since: dict[str, float] = {}
        """Networks that are to be written, and when their last packet was logged."""
        self.problems: dict[str, str] = {}
        """By part (`PARTS`), in a sentence."""
        self._failed: set[str] = set()
        """Parts that failed in this round: what they do later in it does not make that good."""
        self.is_behind = False
        """Whether entries are left to be written: come back at once."""
        self.judging_seconds = 0.0
        """What the last judgement of all reports took."""

    @property
    def offenders(self) -> Offenders:
        """Who is banned."""
        return self._offenders

    def phases(self) -> Mapping[str, int]:
        """How many entries there are by phase."""
        return self._entries.phases()

    def networks(self) -> Mapping[str, int]:
        """How many networks are decided, and how many of them the API shows as enforced."""
        wanted, enforced = self._wanted(), self._writer.enforced()
        if self._numbered != (wanted, enforced):  # equal at once where they are the same objects
            self._numbered = (wanted, enforced)
            self._enforced_number = sum(map(enforced.holds, wanted))
        return {"decided": len(wanted), "enforced": self._enforced_number}

    def decided(self, asked: Asked, sources: Sequence[str], now: float) -> Decided:
        """Tell who is banned, and who is near it, for the live page."""
        return decided(
            self._offenders,
            most=asked.top,
            query=asked.query,
            sources=sources,
            now=now,
            is_enforced=lambda ban: self._is_enforced(ban.network),
        )

    def known(self, network: Network, now: float) -> Known:
        """Tell what is known of one source, for the live page."""
        return known(self._offenders, network, now, lambda ban: self._is_enforced(ban.network))

    def round(  # noqa: PLR0913 - what is known at one moment
        self,
        entries: Mapping[str, Entry],
        reports: Mapping[str, NodeReport] | None,
        *,
        reached: str,
        now: float,
        at: float,
        ahead: Mapping[str, float],
    ) -> None:
        """Go round once; `reports` are None where none of them has changed since.

        `reached` is the resourceVersion up to which `entries` know all changes.
        Sources are judged as of `at` with clocks that are `ahead`, see `Offenders.judge_reports`.
        What the API server refuses is in `problems`, and holds up nothing else. Raises Unreachable
        and NotLeaderError: then the rest of the round was not done.
        """
        self.is_behind = False
        self._failed.clear()
        with self._part("reading entries"):
            for did in self._entries.take(entries, reached, now):
                self._tell_by_hand(did, now)
        if reports is not None:
            self._judge(reports, now, at, ahead)
        self._tell(self._offenders.decide(now))
        self._teller.brakes(now)
        self._tell_freeze()
        self._tell_ended(self._teller.expire(now))
        self._undone.forget(now)
        freeze = self._freeze()
        with self._part("state"):
            self._state.write(self._undone, freeze)
        until = time.monotonic() + WRITE_SECONDS
        self._write_entries(now, until)
        with self._part("state"):
            self._state.write(self._undone, freeze, self._entries.of_rules(now - self._looks_back))
        self._tell_decided()
        self._write_policy(now)
        self._write_entries(now, until)

    def remove_reports(
        self, nodes: frozenset[str] | None, reports: Snapshot[NodeReport], now: float
    ) -> None:
        """Delete what is left of nodes that are gone; see `Departed.remove`."""
        with self._part("removing reports"):
            for name in self._departed.remove(nodes, reports, now):
                self._log.info("report removed", node=name, why="its Node is gone")

    @contextmanager
    def _part(self, part: str) -> Iterator[None]:
        """Take a refusal of the API server for a problem of this part alone."""
        try:
            yield
        except Unreachable:
            raise
        except ClusterError as error:
            self._failed.add(part)
            self.problems[part] = str(error)
        else:
            if part not in self._failed:
                self.problems.pop(part, None)

    def _write_entries(self, now: float, until: float) -> None:
        with self._part("writing entries"):
            if not self._entries.write(self._is_enforced, now, until):
                self.is_behind = True

    def _judge(
        self, reports: Mapping[str, NodeReport], now: float, at: float, ahead: Mapping[str, float]
    ) -> None:
        """Judge all reports but old ones, such as those of nodes that are gone."""
        since = now - self._looks_back
        fresh = [report for report in reports.values() if report.time >= since]
        told = [(report.node, report.evidence) for report in fresh]
        lines = lines_by_source(fresh)
        began, failures = time.monotonic(), self._offenders.reports.failures
        evictions = self._offenders.evictions
        offences = self._offenders.judge_reports(
            told, self._undone, at, now, ahead=ahead, lines=lines
        )
        self._tell(offences)
        self.judging_seconds = time.monotonic() - began
        left_out = self._offenders.reports.left_out
        for node in left_out.keys() - self._left_out.keys():
            self._log.warning("report left out", node=node, why=left_out[node])
        if more := self._offenders.reports.failures - failures:
            self._counts.count("left_out_reports", by=more)
        if more := self._offenders.evictions - evictions:
            self._counts.count("evicted_sources", by=more)
        self._left_out = dict(left_out)

    def _tell(self, offences: Sequence[Offence]) -> None:
        self._teller.offences(offences)
        for offence in offences:
            if offence.ban is not None:
                if offence.ban.phase == "enforce":
                    self._since[offence.network] = offence.evidence.last
                note = f"{offence.network}: {offence.reason}, until {moment(offence.ban.expires)}"
                self._decided.append((_DECIDED[offence.ban.phase], note, offence.network))
            elif offence.refusal is not None and not offence.refusal.is_held:
                note = f"{offence.network}: {offence.reason}, not banned: {offence.refusal.text}"
                self._event("Refused", note, offence.network, action="Ban", warning=True)

    def _tell_by_hand(self, did: ByHand, now: float) -> None:
        if did.event == "refused":
            name = did.entry.name
            self._log.warning("entry refused", entry=name, network=did.network, why=did.why)
            self._audit.note(now, "refused", network=did.network, why=did.why, by="hand")
            self._counts.count("bans_refused", ("by hand",))
        elif did.ban is not None:
            self._log.warning(f"{did.event} by hand", entry=did.entry.name, network=did.network)
            self._audit.note_ban(now, did.event, did.ban)
            if did.event != "removed":
                self._counts.count("bans", (did.ban.rule, did.ban.phase))
        note = f"{did.network}: {did.why or did.event + ' by hand'}"
        is_refused = did.event == "refused"
        self._events.tell(
            did.event.capitalize(), note, _about(did.entry), action="ByHand", warning=is_refused
        )

    def _tell_decided(self) -> None:
        """Tell of bans by Events about their entries, as far as these have been made."""
        waiting = []
        for reason, note, network in self._decided:
            is_made = self._entries.of(network) is not None
            if is_made or network not in self._offenders.bans or network in self._entries.invalid:
                self._event(reason, note, network, action="Ban")
            else:
                waiting.append((reason, note, network))
        self._decided = waiting

    def _tell_ended(self, ended: Sequence[Ban]) -> None:
        for ban in ended:
            protection = self._offenders.protection(parse_network(ban.network))
            if ban.ending == "protected" and protection is not None:
                note = f"{ban.network}: banned no more: {protection.text}"
                self._event("Protected", note, ban.network, action="Unban", warning=True)

    def _tell_freeze(self) -> None:
        is_frozen = self._offenders.frozen is not None
        if is_frozen and not self._is_frozen:
            note = self._offenders.freeze_text()
            self._events.tell("Frozen", note, self._about, action="Freeze", warning=True)
        elif self._is_frozen and not is_frozen:
            note = "it was calm for long enough: rules decide again"
            self._events.tell("Thawed", note, self._about, action="Thaw")
        self._is_frozen = is_frozen

    def _freeze(self) -> bytes | None:
        """Give what is to be saved of a freeze: only now and then, how it goes on."""
        frozen, saved = self._offenders.frozen, self._frozen
        if (
            frozen is None
            or saved is None
            or frozen.since != saved.since
            or frozen.flooded - saved.flooded >= FREEZE_SECONDS
        ):
            self._frozen = frozen
        return None if self._frozen is None else self._frozen.to_json()

    def _event(
        self, reason: str, note: str, network: str, *, action: str, warning: bool = False
    ) -> None:
        entry = self._entries.of(network)
        about = About(BLACKLIST_ENTRIES.api_version, ENTRY, entry_name(network))
        if entry is not None:
            about = _about(entry)
        self._events.tell(reason, note, about, action=action, warning=warning)

    def _wanted(self) -> tuple[str, ...]:
        """What belongs into the policy: also what was enforced before the mode does less."""
        return self._offenders.networks_of("enforce")

    def _is_enforced(self, network: str) -> bool:
        return self._writer.enforced().holds(network)

    def _write_policy(self, now: float) -> None:
        written = self._writer.write(self._wanted(), self._fence)
        self._tell_written(written, now)
        problem = self._writer.problem
        if problem is None:
            self.problems.pop("policy", None)
        else:
            self.problems["policy"] = problem

    def _tell_written(self, written: Written, now: float) -> None:
        for network in written.added:
            since = self._since.pop(network, None)
            if since is not None:
                self._counts.escalated(max(0.0, now - since))
        for drift in written.drift:
            self._counts.count("drift")
            self._log.warning(
                "drift repaired", object=f"{drift.kind} {drift.name}", what=drift.text
            )
            self._audit.note(now, "drift", why=f"{drift.kind} {drift.name} {drift.text}")
            about = About("projectcalico.org/v3", drift.kind, drift.name)
            self._events.tell("Drift", drift.text, about, action="Repair", warning=True)
        if written.added or written.removed:
            self._log.info("policy written", added=len(written.added), removed=len(written.removed))
            self._audit.note(now, "policy written", added=written.added, removed=written.removed)


def _about(entry: Entry) -> About:
    """`kubectl describe` finds Events by the uid."""
    return About(BLACKLIST_ENTRIES.api_version, ENTRY, entry.name, uid=entry.uid)


_DECIDED: Mapping[Mode, str] = {
    "observe": "WouldBan",
    "propose": "Proposed",
    "enforce": "Banned",
}
