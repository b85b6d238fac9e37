"""The BlacklistEntries: where bans are kept, and where people make, change and undo them.

What people did is found by comparing an entry with what was written last. `metadata.generation`
grows with each change of a spec, so that a cache that lags behind is never taken for a person.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from logwatch.blacklist import Network, parse_network
from logwatch.cluster import (
    BLACKLIST_ENTRIES,
    Api,
    Conflict,
    Document,
    Entry,
    EntryStatus,
    Invalid,
    NotFound,
    Phase,
    entry_document,
    read_entry,
    status_document,
    time_of,
)
from logwatch.escalator.bans import FOREVER, NO_REASON, PHASES, ban_of, spec_of, status_of
from logwatch.escalator.state import Undone
from logwatch.offenders import Ban, ManualError, Mode, Offenders

MANAGER = "logwatch-escalator"


@dataclass(slots=True)
class _Kept:
    """The entry of one network, as it was read or written last."""

    entry: Entry
    document: bytes = b""
    """The ban that its status tells, as the book's document."""
    ban: Ban | None = None
    phase: Phase | None = None
    seen: bool = True
    """Whether the cache has shown it: from then on its absence is an undo."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person did by an entry."""

    event: str
    """`added`, `approved`, `changed`, `removed` or `refused`."""
    entry: str
    """Name of the object."""
    network: str
    ban: Ban | None = None
    why: str = ""
    """Of a refusal."""


class Entries:
    """Keeps bans in entries, for one term of leadership. One thread at a time."""

    def __init__(
        self,
        api: Api,
        offenders: Offenders,
        undone: Undone,
        mode: Mode,
        fence: Callable[[], None],
    ) -> None:
        """`fence` raises in front of a write that may not be."""
        self._api = api
        self._offenders = offenders
        self._undone = undone
        self._mode: Mode = mode
        self._fence = fence
        self._kept: dict[str, _Kept] = {}
        """By network."""
        self._refused: dict[str, tuple[str, int, int]] = {}
        """Entries that were refused, by name: uid, generation, and the revision of what is never
        banned."""
        self._deleted: set[str] = set()
        """Uids of entries that were deleted here, while the cache still shows them."""
        self.invalid: dict[str, str] = {}
        """Networks whose entries the API server does not take, and why."""

    def restore(self, entries: Mapping[str, Entry]) -> dict[str, bytes]:
        """Take over the bans that entries keep; return them for `Offenders.restore`."""
        documents = {}
        for entry in _oldest_first(entries.values()):
            ban = ban_of(entry, self._mode)
            if ban is not None and ban.network not in self._kept and not entry.is_going:
                documents[ban.network] = ban.to_json()
                self._kept[ban.network] = _Kept(entry, phase=entry.status.phase)
        return documents

    def take(self, entries: Mapping[str, Entry], now: float) -> list[ByHand]:
        """Carry out what people did, and say what that was."""
        uids = {entry.uid for entry in entries.values()}
        self._deleted &= uids
        told = [self._undo(network, now) for network in self._missing(uids)]
        for entry in _oldest_first(entries.values()):
            if not entry.is_going and entry.uid not in self._deleted:
                told += self._take(entry, now)
        for name in self._refused.keys() - entries.keys():
            del self._refused[name]
        return told

    def _missing(self, uids: set[str]) -> list[str]:
        return [
            network
            for network, kept in self._kept.items()
            if kept.seen and kept.entry.uid not in uids
        ]

    def _undo(self, network: str, now: float) -> ByHand:
        kept = self._kept.pop(network)
        self._undone.add(network, now)
        ban = kept.ban
        try:
            ban = self._offenders.remove(parse_network(network), now).ban
        except ManualError:  # it has ended: its offences are forgiven
            self._offenders.forgive(network)
        return ByHand("removed", kept.entry.name, network, ban)

    def _take(self, entry: Entry, now: float) -> Iterator[ByHand]:
        if entry.network is None or entry.problem is not None:
            yield from self._refuse(entry, entry.problem or "cidr is no network")
            return
        network = str(entry.network)
        kept = self._kept.get(network)
        if kept is not None and kept.entry.name != entry.name:
            yield from self._refuse(entry, f"{network} has an entry already, {kept.entry.name}")
        elif kept is None:
            yield from self._adopt(entry, entry.network, now)
        else:
            kept.seen = True
            if entry.generation > kept.entry.generation:
                yield from self._change(kept, entry, entry.network, now)

    def _adopt(self, entry: Entry, network: Network, now: float) -> Iterator[ByHand]:
        """Take in an entry that was made since: by hand, or by another escalator for a rule."""
        if self._is_refused(entry):
            return
        ban = self._offenders.bans.get(str(network))
        if not entry.spec.rule:
            yield from self._ban(entry, network, "added", now)
            return
        ban = ban or ban_of(entry, self._mode)
        refusal = None if ban is None else self._offenders.adopt(ban)
        if refusal is not None:
            yield from self._refuse(entry, refusal.text)
        else:
            self._kept[str(network)] = _Kept(entry, phase=entry.status.phase)

    def _change(self, kept: _Kept, entry: Entry, network: Network, now: float) -> Iterator[ByHand]:
        """Carry out a change of a spec."""
        before, spec = kept.entry.spec, entry.spec
        kept.entry = entry
        ban = self._offenders.bans.get(str(network))
        if (before.expires, before.force) != (spec.expires, spec.force) or ban is None:
            yield from self._ban(entry, network, "changed", now)
        elif spec.approved and ban.phase != "enforce":
            try:
                approved = self._offenders.by_hand.approve(network).ban
            except ManualError as error:
                yield ByHand("refused", entry.name, str(network), ban, str(error))
            else:
                yield ByHand("approved", entry.name, str(network), approved)

    def _ban(self, entry: Entry, network: Network, event: str, now: float) -> Iterator[ByHand]:
        expires = FOREVER if entry.expires is None else entry.expires.timestamp()
        if expires <= now:
            yield from self._refuse(entry, f"expires {entry.spec.expires} is over")
            return
        earlier = self._offenders.bans.get(str(network))
        reason = entry.spec.reason or (earlier.reason if earlier is not None else NO_REASON)
        try:
            ban = self._offenders.by_hand.add(
                network, now, seconds=expires - now, reason=reason, force=entry.spec.force
            ).ban
        except ManualError as error:
            text = str(error).replace("--force bans it anyway", "force: true bans it anyway")
            yield from self._refuse(entry, text)
            return
        self._kept[str(network)] = _Kept(entry)
        self._refused.pop(entry.name, None)
        yield ByHand(event, entry.name, str(network), ban)

    def _is_refused(self, entry: Entry) -> bool:
        return self._refused.get(entry.name) == self._refusal_of(entry)

    def _refusal_of(self, entry: Entry) -> tuple[str, int, int]:
        return (entry.uid, entry.generation, self._offenders.protected_revision)

    def _refuse(self, entry: Entry, why: str) -> Iterator[ByHand]:
        if self._is_refused(entry):
            return
        self._refused[entry.name] = self._refusal_of(entry)
        status = EntryStatus(phase="Refused", by="hand", message=why)
        if entry.status != status:
            self._apply_status(entry.name, status)
        yield ByHand("refused", entry.name, entry.spec.cidr, None, why)

    def write(self, enforced: Callable[[str], bool], now: float, until: float) -> bool:
        """Bring the entries to the bans; False when that is not done `until` then (monotonic).

        `enforced` tells whether a network is denied by what was read back of the policy. Decisions
        come first, then what is told of them. Raises the errors of `Api`.
        """
        documents = self._offenders.documents()
        changed = []
        for network, document in documents.items():
            kept = self._kept.get(network)
            if kept is None or kept.document is not document or kept.phase == "Pending":
                changed.append(network)
        for network in changed:
            if time.monotonic() >= until:
                return False
            self._create(network, documents[network])
        for network in changed:
            if time.monotonic() >= until:
                return False
            self._tell(network, documents[network], enforced, now)
        for network in [each for each in self._kept if each not in documents]:
            if time.monotonic() >= until:
                return False
            self._end(network)
        return True

    def phases(self) -> dict[str, int]:
        """How many entries there are by phase."""
        numbers: dict[str, int] = {}
        for kept in self._kept.values():
            numbers[kept.phase or "Pending"] = numbers.get(kept.phase or "Pending", 0) + 1
        if self._refused:
            numbers["Refused"] = numbers.get("Refused", 0) + len(self._refused)
        return numbers

    def name_of(self, network: str) -> str | None:
        """Give the name of the entry that keeps a network's ban."""
        kept = self._kept.get(network)
        return None if kept is None else kept.entry.name

    def _create(self, network: str, document: bytes) -> None:
        """Make the entry of a new ban, or put off the end of one that was extended."""
        kept = self._kept.get(network)
        if kept is not None and kept.document is document:
            return
        ban = Ban.from_json(document)
        if kept is None:
            self._create_entry(network, ban)
        elif ban.by == "rule" and ban.ended is None:
            self._extend(kept, ban)

    def _create_entry(self, network: str, ban: Ban) -> None:
        self._fence()
        try:
            made = self._api.create(BLACKLIST_ENTRIES, entry_document(spec_of(ban)))
        except Conflict:
            return  # somebody made one of this name: the cache will show whose it is
        except Invalid as error:
            self.invalid[network] = str(error)
            return
        self.invalid.pop(network, None)
        self._kept[network] = _Kept(_entry(made), seen=False)

    def _extend(self, kept: _Kept, ban: Ban) -> None:
        expires = spec_of(ban).expires
        if expires == kept.entry.spec.expires:
            return
        self._fence()
        test = {"op": "test", "path": "/metadata/uid", "value": kept.entry.uid}
        put = {"op": "add", "path": "/spec/expires", "value": expires}
        try:
            made = self._api.json_patch(BLACKLIST_ENTRIES, kept.entry.name, [test, put])
        except (Conflict, NotFound):
            return  # somebody undid it: the cache will show that
        kept.entry = _entry(made)

    def _tell(
        self, network: str, document: bytes, enforced: Callable[[str], bool], now: float
    ) -> None:
        kept = self._kept.get(network)
        if kept is None:
            return
        ban = kept.ban if kept.document is document else Ban.from_json(document)
        phase = _phase(ban, enforced) if ban is not None else None
        if ban is None or phase is None or (kept.document is document and phase == kept.phase):
            return
        since = kept.entry.status.enforced if kept.phase == "Enforced" else None
        at = since or (time_of(now) if phase == "Enforced" else None)
        applied = self._apply_status(kept.entry.name, status_of(ban, phase, at))
        if applied is not None:
            kept.entry = replace_status(kept.entry, applied)
        kept.document, kept.ban, kept.phase = document, ban, phase

    def _end(self, network: str) -> None:
        """End the entry of a ban that is not kept any more: it faded, or came under protection."""
        kept = self._kept.pop(network)
        entry = kept.entry
        if not entry.spec.rule:
            protection = self._offenders.protection(parse_network(network))
            why = "it is over" if protection is None else protection.text
            self._refused[entry.name] = self._refusal_of(entry)
            self._apply_status(entry.name, EntryStatus(phase="Refused", by="hand", message=why))
            return
        self._fence()
        self._deleted.add(entry.uid)
        try:
            self._api.delete(BLACKLIST_ENTRIES, entry.name)
        except NotFound:
            return

    def _apply_status(self, name: str, status: EntryStatus) -> Document | None:
        self._fence()
        try:
            return self._api.apply(
                BLACKLIST_ENTRIES,
                name,
                status_document(name, status),
                manager=MANAGER,
                subresource="status",
            )
        except (NotFound, Conflict):
            return None  # somebody deleted it: the cache will show that
        except Invalid as error:
            self.invalid[name] = str(error)
            return None


def replace_status(entry: Entry, applied: Document) -> Entry:
    """Take over the status that was applied; the rest may be newer than what is known."""
    return msgspec.structs.replace(entry, status=_entry(applied).status)


def _phase(ban: Ban, enforced: Callable[[str], bool]) -> Phase:
    if ban.ended is not None:
        return "Ended"
    if ban.phase == "enforce" and enforced(ban.network):
        return "Enforced"
    return PHASES[ban.phase]


def _entry(document: Document) -> Entry:
    return read_entry(msgspec.json.encode(document))


def _oldest_first(entries: Iterable[Entry]) -> list[Entry]:
    """Of two entries for one network the older one counts."""
    return sorted(entries, key=lambda entry: (str(entry.created), entry.name))
