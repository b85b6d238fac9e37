"""What people decide: carried out on the offenders, told in the log and in the audit log."""

import time
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from logwatch.audit import AuditLog
from logwatch.blacklist import parse_network
from logwatch.control import (
    Add,
    Answer,
    Approve,
    Done,
    Entries,
    Explained,
    List,
    Refused,
    Remove,
    Request,
    Why,
    entries_of,
    entry_of,
    moment,
)
from logwatch.control.server import Peer
from logwatch.errors import LogwatchError, UsageError
from logwatch.ledger import Labels
from logwatch.live import explained
from logwatch.offenders import Ban, Offenders, check_request, lie, named, read_target


class ByHand:
    """Carries out one request at a time, on the loop."""

    def __init__(
        self,
        offenders: Offenders,
        audit: AuditLog,
        log: structlog.typing.FilteringBoundLogger,
        count: Callable[[str, Labels], None],
    ) -> None:
        """`count` is the ledger's."""
        self._offenders = offenders
        self._audit = audit
        self._log = log
        self._count = count

    def carry_out(self, request: Request, peer: Peer) -> Answer:
        """Do what is asked for; what can't be done is an answer too."""
        now = time.time()
        try:
            return self._answer(request, peer, now)
        except UsageError as error:
            return Refused(str(error), "usage")
        except LogwatchError as error:
            target = "" if isinstance(request, List) else request.cidr
            self._audit.note(
                now,
                "refused",
                network=target,
                why=str(error),
                by="hand",
                uid=peer.uid,
                pid=peer.pid,
            )
            return Refused(str(error))

    def _answer(self, request: Request, peer: Peer, now: float) -> Answer:
        match request:
            case List():
                return self._list()
            case Add():
                return self._add(request, peer, now)
            case Remove():
                return self._remove(request, peer, now)
            case Approve():
                return self._approve(request, peer, now)
            case Why():
                return self._why(request, now)

    def _list(self) -> Entries:
        return Entries(entries_of(self._offenders.bans.values()))

    def _add(self, request: Add, peer: Peer, now: float) -> Done:
        network = read_target(request.cidr)
        check_request(request.seconds, request.reason)
        by_hand = self._offenders.by_hand
        decided = by_hand.add(
            network,
            now,
            seconds=float(request.seconds),
            reason=request.reason,
            force=request.force,
        )
        self._count("bans", (decided.ban.rule, decided.ban.phase))
        notes = []
        if decided.earlier is not None:
            before = decided.earlier
            notes.append(
                f"it takes the place of the ban of {before.rule} until {moment(before.expires)}"
            )
        notes += self._around(decided.ban)
        notes += self._inside(decided.ban)
        outcome = f"{network} is banned until {moment(decided.ban.expires)}"
        return self._done("added", outcome, decided.ban, peer, now, notes)

    def _remove(self, request: Remove, peer: Peer, now: float) -> Done:
        ban = self._offenders.remove(read_target(request.cidr), now).ban
        notes = [*self._around(ban), *self._inside(ban)]
        notes.append("a new offence bans it again, unless never_ban in the configuration holds it")
        return self._done("removed", f"the ban of {ban.network} is undone", ban, peer, now, notes)

    def _approve(self, request: Approve, peer: Peer, now: float) -> Done:
        ban = self._offenders.by_hand.approve(read_target(request.cidr)).ban
        self._count("bans", (ban.rule, ban.phase))
        outcome = f"{ban.network} is enforced until {moment(ban.expires)}"
        return self._done("approved", outcome, ban, peer, now, self._around(ban))

    def _around(self, ban: Ban) -> list[str]:
        around = self._offenders.by_hand.around(parse_network(ban.network))
        return [f"it lies in {named(around)}, an entry of its own"] if around else []

    def _inside(self, ban: Ban) -> list[str]:
        inside = self._offenders.by_hand.inside(parse_network(ban.network))
        if not inside:
            return []
        stay = "stays an entry of its own" if len(inside) == 1 else "stay entries of their own"
        return [f"{named(inside)} {lie(inside)} in it, and {stay}"]

    def _done(  # noqa: PLR0913, PLR0917 - what is told of a decision
        self, event: str, outcome: str, ban: Ban, peer: Peer, now: float, notes: list[str]
    ) -> Done:
        self._audit.note_ban(now, event, replace(ban, by="hand"), uid=peer.uid, pid=peer.pid)
        self._log.warning(
            f"{event} by hand",
            network=ban.network,
            reason=ban.reason,
            uid=peer.uid,
            pid=peer.pid,
            expires=moment(ban.expires),
        )
        return Done(outcome, entry_of(ban), tuple(notes))

    def _why(self, request: Why, now: float) -> Explained:
        return explained(self._offenders, read_target(request.cidr), now)
