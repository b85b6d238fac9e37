"""Tells what was decided: in the log for people, in the audit log, and in counters.

Of many that a brake holds back only a sum is told, now and then.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from logwatch.audit.log import AuditLog
from logwatch.control import moment
from logwatch.ledger import Labels
from logwatch.offenders import BY_HAND, CALM_SECONDS, Ban, Frozen, Mode, Offence, Offenders

NETWORKS_TOLD = 10
"""Networks that a line of the log names; the rest is a number."""

TOLD_MOST = 100
"""Of what is decided at once, what the log tells of one by one: nothing is read meanwhile, and
thousands of lines would bury all else. The audit log has a line for each."""

HELD_SECONDS = 10.0
"""From one line of the log about bans that are held back to the next."""


class Teller:
    """Tells of one process's decisions. One thread at a time."""

    def __init__(
        self,
        offenders: Offenders,
        audit: AuditLog,
        log: structlog.typing.FilteringBoundLogger,
        count: Callable[[str, Labels], None],
    ) -> None:
        """`count` adds one to a counter."""
        self._offenders = offenders
        self._audit = audit
        self._log = log
        self._count = count
        self._frozen: Frozen | None = None
        """As it was told last."""
        self._held: dict[str, _Held] = {}
        self._held_told_at = -HELD_SECONDS

    def offences(self, offences: Iterable[Offence]) -> bool:
        """Tell of new offences; return whether anybody was banned for one."""
        is_anybody_banned = False
        decided = []
        for offence in offences:
            if not offence.has_waited:
                self._count("offences", (offence.rule,))
            if offence.refusal is not None:
                self._count("bans_refused", (offence.refusal.reason,))
            if offence.refusal is not None and offence.refusal.is_held:
                held = self._held.setdefault(offence.refusal.reason, _Held(offence.refusal.text))
                held.add(offence.network)
            else:
                self._note(offence)
                decided.append(offence)
                is_anybody_banned |= offence.ban is not None
        for offence in decided[:TOLD_MOST]:
            self._tell(offence)
        if more := tuple(offence.network for offence in decided[TOLD_MOST:]):
            self._log.warning(
                "more decided at once", number=len(more), networks=shortened(more, len(more))
            )
        return is_anybody_banned

    def _note(self, offence: Offence) -> None:
        if offence.refusal is not None:
            self._audit.note_refusal(offence, offence.refusal.text, time.time())
        if offence.ban is not None:
            self._count("bans", (offence.rule, offence.ban.phase))
            self._audit.note_ban(time.time(), _EVENTS[offence.ban.phase], offence.ban)

    def _tell(self, offence: Offence) -> None:
        evidence = offence.evidence
        event: dict[str, Any] = {
            "network": offence.network,
            "rule": offence.rule,
            "reason": offence.reason,
            "sent": ", ".join(evidence.shapes),
            "forgeable": ", ".join(evidence.forgeable),
        }
        if offence.refusal is not None:
            self._log.info("ban refused", **event, why=offence.refusal.text)
        if offence.ban is not None:
            self._log.warning(
                _DECIDED[offence.ban.phase],
                **event,
                offence=offence.ban.offence,
                expires=moment(offence.ban.expires),
            )

    def expire(self, now: float) -> list[Ban]:
        """End the bans that are over, and tell of those that would be, had they not been extended.

        Telling each extension would bury all else: a source that goes on has one each minute.
        Returns those that ended.
        """
        ended = self._offenders.expire(now)
        for ban in ended:
            self._log.info("ban ended", network=ban.network, rule=ban.rule, why=ban.ending)
            self._audit.note_ban(now, "ended", ban, why=ban.ending)
        for ban in self._offenders.extended:
            self._log.info(
                "ban extended", network=ban.network, rule=ban.rule, expires=moment(ban.expires)
            )
            self._audit.note_ban(now, "extended", ban)
        return ended

    def brakes(self, now: float) -> None:
        """Tell of a freeze and its end, and now and then of who was held back."""
        self._freeze(now)
        self._sum_up()

    def _freeze(self, now: float) -> None:
        frozen, before = self._offenders.frozen, self._frozen
        self._frozen = frozen
        if frozen is not None and before is None:
            # After a restart it is told again: `since` says that it is the same one.
            since, why = moment(frozen.since), self._offenders.freeze_text()
            self._log.warning("frozen", since=since, why=why)
            self._audit.note(now, "frozen", since=since, why=why)
        elif frozen is None and before is not None:
            why = f"it was calm for {CALM_SECONDS:.0f} s; rules decide again"
            self._audit.note(now, "thawed", why=why)
            self._log.warning(
                "thawed",
                why=why,
                seconds=round(now - before.since),
                waiting=self._offenders.held,
            )

    def _sum_up(self) -> None:
        """Sum up who was held back: in a flood it is thousands."""
        moment = time.monotonic()
        if not self._held or moment - self._held_told_at < HELD_SECONDS:
            return
        self._held_told_at = moment
        for reason, held in self._held.items():
            self._log.warning(
                "bans held back",
                reason=reason,
                number=held.number,
                networks=shortened(held.networks, held.number),
                why=held.text,
                waiting=self._offenders.held,
            )
            self._audit.note(
                time.time(),
                "held back",
                networks=shortened(held.networks, held.number),
                why=held.text,
                by="rule",
            )
        self._held.clear()


@dataclass(slots=True)
class _Held:
    """Offenders that one brake held back since that was told last."""

    text: str
    number: int = 0
    networks: tuple[str, ...] = ()
    """The first of them, as many as are told."""

    def add(self, network: str) -> None:
        self.number += 1
        if len(self.networks) < NETWORKS_TOLD:
            self.networks += (network,)


_DECIDED: Mapping[str, str] = {
    "observe": "would be banned",
    "propose": "ban proposed",
    "enforce": "ban decided",
}

_EVENTS: Mapping[str, str] = {"observe": "shown", "propose": "proposed", "enforce": "banned"}


def possible_bans(rules: tuple[str, ...], mode: Mode) -> tuple[tuple[str, str], ...]:
    """List rule and mode: a person bans, or approves of what a rule decided, unless it observes."""
    decided = [(rule, mode) for rule in rules]
    by_hand = [] if mode == "observe" else [(rule, "enforce") for rule in (*rules, BY_HAND)]
    return tuple(dict.fromkeys([*decided, *by_hand]))


def shortened(networks: tuple[str, ...], number: int) -> list[str]:
    """Name the first of so many networks, and how many more there are."""
    rest = number - NETWORKS_TOLD
    return [*networks[:NETWORKS_TOLD], *([f"and {rest} more"] if rest > 0 else [])]
