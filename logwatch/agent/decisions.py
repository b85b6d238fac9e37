"""Who is banned, from a batch of packets to the policy: each step is counted and told.

What it raises is told by the daemon, which goes on counting.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from logwatch import __version__
from logwatch.agent.by_hand import ByHand
from logwatch.agent.clock import Clock
from logwatch.agent.enforcement import Enforcement
from logwatch.agent.intake import Batch
from logwatch.audit import AuditError, AuditLog, Teller, possible_bans, rules_in_force, shortened
from logwatch.blacklist import MOST, Network, PolicyError
from logwatch.config import Config
from logwatch.export import Asked, escalation_counts
from logwatch.ledger import Ledger
from logwatch.live import Decided, Known, decided, known
from logwatch.offenders import (
    BANS,
    AddressesError,
    Memory,
    Mode,
    Offenders,
    Protected,
    Witness,
    resolvers,
)

ADDRESSES_SECONDS = 60.0
"""How often the host's own addresses are read again."""

BRAKES, AUDIT, UNDONE = "brakes", "audit", "undone"
"""The ledger's collections of documents."""

FREEZE, CLOCK = "freeze", "clock"
"""Documents among the brakes."""


class Decisions:
    """Judges, ends and enforces bans. One thread at a time; `restore` comes first."""

    def __init__(
        self,
        config: Config,
        log: structlog.typing.FilteringBoundLogger,
        sources: Callable[[float], int],
    ) -> None:
        """Find out what can fail at the start: PolicyError, AddressesError, RulesError.

        `sources` estimates the distinct sources of the last five minutes at a time.
        """
        self._log = log
        self._mode: Mode = config.mode
        self._is_witness = config.cluster.enabled
        self._protected = Protected(config.never_ban_networks, resolvers=resolvers)
        self._addresses_at = time.monotonic()
        rules = rules_in_force(config.rules, log)
        self.rules = tuple(rule.name for rule in rules)
        self.possible_bans = possible_bans(self.rules, config.mode)
        """Rule and mode of each."""
        self._offenders = Offenders(
            rules,
            self._protected,
            mode=config.mode,
            limits=config.brakes,
            sources=sources,
            room=MOST[config.blacklist.shape],
            capacity=config.tracked_sources,
            node=config.cluster.node,
        )
        self._enforcement = Enforcement(config.mode, config.policy_file, config.blacklist.shape)
        self._enforcement.check()
        self._waits_since = 0.0
        """When a ban was decided that could not be written yet; 0 when there is none."""
        self.has_new_bans = False
        """Whether a ban was decided since `begin_round`."""
        self._committed_revision = -1
        """Of the offenders: thousands of documents need not be compared each second."""
        self._audit_path = config.audit_path
        self._committed_lines = -1
        """Revision of the audit log's documents."""
        self._counted_dropped = 0
        """Dropped lines of the audit log that are in the ledger."""

    def restore(self, ledger: Ledger, clock: Clock) -> None:
        """Take over what the ledger keeps, and count into it from now on.

        A clock that was set since it was committed, in the same boot, changes no ban's length.
        """
        self._ledger, self._clock = ledger, clock
        self.audit = AuditLog(self._audit_path, ledger.documents(AUDIT), self._mode)
        self._teller = Teller(self._offenders, self.audit, self._log, ledger.count)
        self.by_hand = ByHand(self._offenders, self.audit, self._log, ledger.count)
        kept = ledger.documents(BRAKES)
        clock.restore(kept.get(CLOCK))
        now, step = clock.look()
        damaged = self._offenders.restore(
            ledger.documents(BANS), freeze=kept.get(FREEZE), now=now - step
        )
        if damaged:
            self._log.warning("damaged bans left out", number=damaged)
        self.memory.restore(ledger.documents(UNDONE))
        self._shift(step)

    def begin(self) -> None:
        """Tell in the audit log in what mode it is decided from now on."""
        self.audit.note(time.time(), "started", version=__version__)

    def begin_round(self, step: float) -> None:
        """Begin a round, in front of which the clock was set by so much.

        New bans of the round before are committed, so there are none.
        """
        self.has_new_bans = False
        self._shift(step)

    def _shift(self, step: float) -> None:
        if step:
            self._offenders.shift(step)
            self._log.warning(
                "clock was set", seconds=round(step, 3), remedy="none needed: bans go on as long"
            )

    def judge(self, batch: Batch, now: float) -> None:
        """Take a batch into evidence and decide on those who offend by it.

        In a cluster the escalator decides: here offences are counted alone.
        """
        before = self._offenders.evictions
        if self._is_witness:
            told = self.witness.observe(batch.summary, batch.at, now, batch.policies)
            for rule in told:
                self._ledger.count("offences", (rule,))
        else:
            offences = self._offenders.observe(batch.summary, batch.at, now, batch.policies)
            self.has_new_bans |= self._teller.offences(offences)
        if evicted := self._offenders.evictions - before:
            self._ledger.count("evicted_sources", by=evicted)

    def decide(self, now: float) -> None:
        """Decide on those whose bans were held back; tell of a freeze, and of who was held."""
        self.has_new_bans |= self._teller.offences(self._offenders.decide(now))
        self._teller.brakes(now)

    @property
    def witness(self) -> Witness:
        """What this node saw, for the escalator of a cluster."""
        return self._offenders.witness

    @property
    def memory(self) -> Memory:
        """The evidence as it is kept over a restart; to be taken over after `restore`."""
        return self._offenders.memory

    @property
    def is_frozen(self) -> bool:
        """Whether rules decide nothing."""
        return self._offenders.frozen is not None

    @property
    def tracked(self) -> int:
        """Sources whose evidence is kept now."""
        return self._offenders.tracked

    @property
    def held(self) -> int:
        """How many offenders wait, their bans held back by a brake."""
        return self._offenders.held

    def expire(self, now: float) -> None:
        """End the bans that are over."""
        self._teller.expire(now)

    def enforce(self, began: float) -> str | None:
        """Write the policy of a round that began then (monotonic); return what is wrong."""
        since = self._waits_since or (began if self.has_new_bans else 0.0)
        try:
            changes = self._enforcement.write(self._offenders)
        except PolicyError as error:
            self._waits_since = since
            return str(error)
        self._waits_since = 0.0
        for path, change in changes:
            if not change.written:
                continue
            self._log.info(
                "policy written",
                file=str(path),
                added=shortened(change.added, len(change.added)),
                removed=shortened(change.removed, len(change.removed)),
            )
            self.audit.note(
                time.time(),
                "policy written",
                file=str(path),
                added=change.added,
                removed=change.removed,
            )
            if change.added and since and self._mode == "enforce":
                for name, labels, amount in escalation_counts(time.monotonic() - since):
                    self._ledger.count(name, labels, amount)
        return None

    def refresh_addresses(self, now: float) -> str | None:
        """Read the host's own addresses again when it is time (monotonic); return what is wrong."""
        self._addresses_at = now
        try:
            self._protected.refresh()
        except AddressesError as error:
            return str(error)
        return None

    def is_refresh_due(self, now: float) -> bool:
        """Whether the host's addresses were read too long ago (monotonic)."""
        return now - self._addresses_at >= ADDRESSES_SECONDS

    def commit(self, checkpoints: Mapping[str, bytes]) -> None:
        """Commit the ledger with the bans. Raises StateError."""
        revision, lines = self._offenders.revision, self.audit.revision
        if dropped := self.audit.dropped - self._counted_dropped:
            self._ledger.count("dropped_audit_lines", by=dropped)
            self._counted_dropped += dropped
        freeze = self._offenders.freeze_document()
        kept = {CLOCK: self._clock.to_json()} | ({} if freeze is None else {FREEZE: freeze})
        documents: dict[str, Mapping[str, bytes]] = {BRAKES: kept, UNDONE: self.memory.documents()}
        if revision != self._committed_revision:
            documents[BANS] = self._offenders.documents()
        if lines != self._committed_lines:
            documents[AUDIT] = self.audit.documents()
        self._ledger.commit(checkpoints, documents)
        self._committed_revision, self._committed_lines = revision, lines

    def write_audit(self) -> str | None:
        """Bring what was decided into the audit log, after the commit; return what is wrong."""
        try:
            self.audit.write()
        except AuditError as error:
            return str(error)
        return None

    def decided(self, asked: Asked, sources: Sequence[str], now: float) -> Decided:
        """Tell who is banned, and who is near it, for the live page."""
        return decided(
            self._offenders,
            most=asked.top,
            query=asked.query,
            sources=sources,
            now=now,
            is_enforced=self._enforcement.holds,
        )

    def known(self, network: Network, now: float) -> Known:
        """Tell what is known of one source, for the live page."""
        return known(self._offenders, network, now, self._enforcement.holds)

    def entries(self) -> Mapping[str, int]:
        """How many bans there are by phase."""
        return {str(phase): number for phase, number in self._offenders.entries().items()}

    def networks(self) -> dict[str, int]:
        """How many networks are decided, and how many of them enforced."""
        return self._enforcement.numbers(self._offenders)
