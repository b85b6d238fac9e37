"""A ban as a BlacklistEntry tells it, and back: the entries are where bans are kept.

An entry without an end is a ban until somebody deletes it; for the book it ends in 9999.
"""

from datetime import UTC, datetime

from logwatch.cluster import Entry, EntryEvidence, EntrySpec, EntryStatus, Phase, time_of
from logwatch.offenders import BY_HAND, Ban, Evidence, Mode

FOREVER = datetime(9999, 12, 31, tzinfo=UTC).timestamp()

NO_REASON = "no reason given"

ROUNDED = 1.0
"""Seconds by which the end of a ban and the end that its entry asks for may differ."""

PHASES: dict[Mode, Phase] = {"observe": "Observed", "propose": "Proposed", "enforce": "Pending"}


def ban_of(entry: Entry, mode: Mode, now: float) -> Ban | None:
    """Read the ban that an entry keeps; None where nothing was decided about it yet.

    One that a person made longer while nobody led is as long as they want it.
    """
    status, spec = entry.status, entry.spec
    if entry.network is None or entry.problem is not None:
        return None
    if status.decided is None and not spec.rule:
        return None
    created = entry.created or datetime.now(UTC)
    decided = (status.decided or created).timestamp()
    expires = FOREVER if entry.expires is None else entry.expires.timestamp()
    ended, offence = status.ended, max(1, status.offences)
    if ended is not None and expires > ended.timestamp() + ROUNDED:
        # Decided anew or put off by hand, and whoever led then ended before telling so here.
        decided, ended, offence = ended.timestamp(), None, offence + 1
    ending = status.ending if status.ending in {"expired", "protected", "removed"} else "expired"
    is_by_hand = status.by == "hand" or not spec.rule
    return Ban(
        network=str(entry.network),
        rule=spec.rule or BY_HAND,
        reason=status.message or spec.reason or NO_REASON,
        evidence=_evidence_of(status.evidence, decided),
        since=decided,
        expires=expires,
        seconds=max(1.0, float(status.seconds), expires - now),
        offence=offence,
        phase=status.mode or mode,
        decided=0.0 if is_by_hand else decided,
        ended=None if ended is None else ended.timestamp(),
        ending="" if ended is None else ending,  # type: ignore[arg-type]
        by="hand" if is_by_hand else "rule",
        forced=spec.force,
    )


def spec_of(ban: Ban) -> EntrySpec:
    """Make what a rule's entry asks for."""
    return EntrySpec(
        cidr=ban.network,
        rule="" if ban.rule == BY_HAND else ban.rule,
        expires=None if ban.expires >= FOREVER else _text(ban.expires),
        force=ban.forced,
        reason=ban.reason if ban.rule == BY_HAND and ban.reason != NO_REASON else "",
    )


def status_of(ban: Ban, phase: Phase, enforced: datetime | None) -> EntryStatus:
    """Make what an entry tells of a ban."""
    return EntryStatus(
        phase=phase,
        mode=ban.phase,
        by=ban.by,
        offences=0 if ban.rule == BY_HAND else ban.offence,
        decided=time_of(ban.decided or ban.since),
        enforced=enforced,
        ended=None if ban.ended is None else time_of(ban.ended),
        ending=ban.ending,
        seconds=0 if ban.expires >= FOREVER else round(ban.seconds),
        message=ban.reason,
        evidence=_told(ban.evidence),
    )


def _told(evidence: Evidence) -> EntryEvidence | None:
    if not evidence.packets:
        return None
    return EntryEvidence(
        packets=evidence.packets,
        ports=evidence.ports,
        destinations=evidence.destinations,
        first=time_of(evidence.first),
        last=time_of(evidence.last),
        shapes=evidence.shapes,
        forgeable=evidence.forgeable,
        samples=evidence.samples,
        nodes=evidence.nodes,
    )


def _evidence_of(told: EntryEvidence | None, decided: float) -> Evidence:
    if told is None:
        return Evidence(0, (), decided, decided)
    return Evidence(
        packets=told.packets,
        ports=told.ports,
        first=decided if told.first is None else told.first.timestamp(),
        last=decided if told.last is None else told.last.timestamp(),
        destinations=told.destinations,
        shapes=told.shapes,
        samples=told.samples,
        nodes=told.nodes,
    )


def _text(seconds: float) -> str:
    text: str = time_of(seconds).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
