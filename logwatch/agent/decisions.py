"""Who is banned, from a batch of packets to the policy: each step is counted and told.

What it raises is told by the daemon, which goes on counting.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import structlog

from logwatch.agent.enforcement import Enforcement
from logwatch.agent.intake import Batch
from logwatch.blacklist import PolicyError
from logwatch.config import Config
from logwatch.export import escalation_counts
from logwatch.ledger import Ledger
from logwatch.offenders import (
    AddressesError,
    Mode,
    Offence,
    Offenders,
    Protected,
    read_rules,
)

ADDRESSES_SECONDS = 60.0
"""How often the host's own addresses are read again."""

NETWORKS_TOLD = 10
"""Networks that a line of the log names; the rest is a number."""

BANS = "bans"
"""The ledger's collection of documents."""


class Decisions:
    """Judges, ends and enforces bans. One thread at a time; `restore` comes first."""

    def __init__(self, config: Config, log: structlog.typing.FilteringBoundLogger) -> None:
        """Find out what can fail at the start: PolicyError, AddressesError, RulesError."""
        self._log = log
        self._mode: Mode = config.mode
        self._protected = Protected(config.never_ban_networks)
        self._addresses_at = time.monotonic()
        reading = read_rules(None if config.rules is None else Path(config.rules))
        for problem in reading.problems:
            log.warning("rule", what=problem.what, file=problem.place.file, line=problem.place.line)
        self.rules = tuple(rule.name for rule in reading.rules)
        self._offenders = Offenders(
            reading.rules, self._protected, mode=config.mode, max_bans=config.max_bans
        )
        self._enforcement = Enforcement(config.mode, config.policy_file)
        self._enforcement.check()
        self._waits_since = 0.0
        """When a ban was decided that could not be written yet; 0 when there is none."""
        self.has_new_bans = False
        """Whether a ban was decided since `begin_round`."""
        self._committed_revision = -1
        """Of the offenders: thousands of documents need not be compared each second."""

    def restore(self, ledger: Ledger) -> None:
        """Take over the bans that the ledger keeps, and count into it from now on."""
        self._ledger = ledger
        damaged = self._offenders.restore(ledger.documents(BANS))
        if damaged:
            self._log.warning("damaged bans left out", number=damaged)

    def begin_round(self) -> None:
        """Forget that there were new bans: they are committed."""
        self.has_new_bans = False

    def judge(self, batch: Batch, now: float) -> None:
        """Take a batch into evidence and decide on those who offend by it."""
        for offence in self._offenders.observe(batch.summary, batch.at, now, batch.policies):
            self._tell(offence)

    def expire(self, now: float) -> None:
        """End the bans that are over."""
        for ban in self._offenders.expire(now):
            self._log.info("ban ended", network=ban.network, rule=ban.rule, why=ban.ending)

    def enforce(self, began: float) -> str | None:
        """Write the policy of a round that began then (monotonic); return what is wrong."""
        try:
            changes = self._enforcement.write(self._offenders)
        except PolicyError as error:
            self._waits_since = self._waits_since or (began if self.has_new_bans else 0.0)
            return str(error)
        since, self._waits_since = self._waits_since or began, 0.0
        for path, change in changes:
            if not change.written:
                continue
            self._log.info(
                "policy written",
                file=str(path),
                added=_shortened(change.added),
                removed=_shortened(change.removed),
            )
            if change.added and self._mode == "enforce":
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
        revision = self._offenders.revision
        is_new = revision != self._committed_revision
        self._ledger.commit(checkpoints, {BANS: self._offenders.documents()} if is_new else {})
        self._committed_revision = revision

    def entries(self) -> dict[str, int]:
        """How many bans there are by phase."""
        phases: dict[str, int] = dict.fromkeys(get_args(Mode), 0)
        for ban in self._offenders.bans.values():
            phases[ban.phase] += 1
        return phases

    def networks(self) -> dict[str, int]:
        """How many networks are decided, and how many of them enforced."""
        return self._enforcement.numbers(self._offenders)

    def _tell(self, offence: Offence) -> None:
        self._ledger.count("offences", (offence.rule,))
        event: dict[str, Any] = {
            "network": offence.network,
            "rule": offence.rule,
            "reason": offence.reason,
        }
        if offence.refusal is not None:
            self._ledger.count("bans_refused", (offence.refusal.reason,))
            self._log.info("ban refused", **event, why=offence.refusal.text)
        if offence.ban is not None:
            self.has_new_bans = True
            self._ledger.count("bans", (offence.rule, offence.ban.phase))
            self._log.warning(
                _DECIDED[offence.ban.phase],
                **event,
                offence=offence.ban.offence,
                expires=_moment(offence.ban.expires),
            )


_DECIDED: Mapping[str, str] = {
    "observe": "would be banned",
    "propose": "ban proposed",
    "enforce": "ban decided",
}


def _shortened(networks: tuple[str, ...]) -> list[str]:
    rest = len(networks) - NETWORKS_TOLD
    return [*networks[:NETWORKS_TOLD], *([f"and {rest} more"] if rest > 0 else [])]


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
