"""The BlacklistEntries: where bans are kept, and where people make, change and undo them.

What people did is found by comparing an entry with what was written last. `metadata.generation`
grows with each change of a spec, so that a cache that lags behind is never taken for a person.
A status is written only over what was known of the entry: one that arrives late, of a leader that
was cut off, changes nothing.

Of several entries for one network one counts: one that is not over before one that is, one by hand
before a rule's, an older one before a newer one. A rule's that gives way to one by hand is deleted.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import msgspec
from msgspec.structs import replace

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
    NotServed,
    Phase,
    bounded,
    entry_document,
    entry_name,
    is_reached,
    read_entry,
    status_document,
    time_of,
)
from logwatch.escalator.bans import FOREVER, NO_REASON, PHASES, ban_of, spec_of, status_of
from logwatch.escalator.refusals import Refusals
from logwatch.escalator.state import Undone
from logwatch.offenders import BY_HAND, Ban, ManualError, Mode, Offenders

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
    is_checked: bool = True
    """Whether what its spec asks for was looked at in this term."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person did by an entry."""

    event: str
    """`added`, `approved`, `changed`, `removed` or `refused`."""
    entry: Entry
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
        self._refusals = Refusals()
        self._superseded: dict[str, Entry] = {}
        """Rules' entries that are to be deleted, since one by hand counts instead; by uid."""
        self._deleted: set[str] = set()
        """Uids of entries that were deleted here, while the cache still shows them."""
        self._names: frozenset[str] = frozenset()
        """Of all entries, as the cache showed them."""
        self._looked: tuple[Mapping[str, Entry] | None, int] = (None, 0)
        """The entries that were taken last, and the revision of what is never banned."""
        self.invalid: dict[str, str] = {}
        """Networks whose entries the API server does not take, and why."""

    def restore(self, entries: Mapping[str, Entry], now: float) -> dict[str, bytes]:
        """Take over the bans that entries keep; return them for `Offenders.restore`."""
        documents = {}
        for entry in sorted(entries.values(), key=lambda entry: _order(entry, now)):
            ban = None if entry.status.phase == "Refused" else ban_of(entry, self._mode, now)
            if ban is not None and ban.network not in self._kept and not entry.is_going:
                documents[ban.network] = ban.to_json()
                phase = entry.status.phase
                self._kept[ban.network] = _Kept(entry, phase=phase, is_checked=False)
        return documents

    def take(self, entries: Mapping[str, Entry], reached: str, now: float) -> Iterator[ByHand]:
        """Carry out what people did, and say what that was, one by one.

        `reached` is the resourceVersion up to which `entries` know all changes. What is not asked
        for any more is taken up by the next call, as it is after an error.
        """
        looked = (entries, self._offenders.protected_revision)
        if self._looked[0] is entries and self._looked == looked:
            return
        self._names = frozenset(entries)
        there = [entry for entry in entries.values() if not entry.is_going]
        uids = {entry.uid for entry in there}
        self._deleted &= {entry.uid for entry in entries.values()}
        self._refusals.keep(uids)
        missing = self._missing(uids, reached)
        if missing and self._are_all_going():
            for network in missing:
                del self._kept[network]  # made anew as soon as that is possible
            missing = []
        for network in missing:
            yield from self._undo(network, now)
        for entry in sorted(there, key=lambda entry: _order(entry, now)):
            if entry.uid not in self._deleted and entry.uid not in self._superseded:
                yield from self._take(entry, now)
        self._looked = looked

    def _missing(self, uids: set[str], reached: str) -> list[str]:
        """List the networks whose entries are gone, also before the cache had shown them."""
        return [
            network
            for network, kept in self._kept.items()
            if kept.entry.uid not in uids
            and (kept.seen or is_reached(kept.entry.resource_version, reached))
        ]

    def _are_all_going(self) -> bool:
        """Whether the definition of entries is being deleted, and all entries with it.

        That undoes no ban: who updates definitions in this way doesn't mean to.
        """
        return "create" not in self._api.verbs(BLACKLIST_ENTRIES)

    def _undo(self, network: str, now: float) -> Iterator[ByHand]:
        kept = self._kept.pop(network)
        self._refusals.forget(network)
        if network not in self._offenders.documents():
            return  # it was to be deleted
        self._undone.add(network, now)
        ban = kept.ban
        try:
            ban = self._offenders.remove(parse_network(network), now).ban
        except ManualError:  # it has ended: its offences are forgiven
            self._offenders.by_hand.forgive(network)
        yield ByHand("removed", kept.entry, network, ban)

    def _take(self, entry: Entry, now: float) -> Iterator[ByHand]:
        if entry.network is None:
            yield from self._refuse(entry, entry.problem or "cidr is no network")
            return
        network = str(entry.network)
        kept = self._kept.get(network)
        if kept is None:
            yield from self._adopt(entry, entry.network, now)
        elif kept.entry.uid == entry.uid:
            kept.seen = True
            if entry.generation > kept.entry.generation or not kept.is_checked:
                yield from self._change(kept, entry, entry.network, now)
            elif _is_newer(entry, kept.entry):
                kept.entry = entry
                if kept.phase not in {None, entry.status.phase}:  # somebody wrote another status
                    kept.document = b""
        elif _rank(entry, now) < (network not in self._offenders.bans, bool(kept.entry.spec.rule)):
            yield from self._adopt(entry, entry.network, now)
        elif _rank(entry, now)[0]:
            self._refusals.add(entry, self._offenders.protected_revision)
        else:
            yield from self._refuse(entry, f"{network} has an entry already, {kept.entry.name}")

    def _adopt(self, entry: Entry, network: Network, now: float) -> Iterator[ByHand]:
        """Take in an entry that was made since: by hand, or by another escalator for a rule."""
        if self._refusals.hold(entry, self._offenders.protected_revision):
            return
        if entry.problem is not None:
            yield from self._refuse(entry, entry.problem)
            return
        if not entry.spec.rule:
            yield from self._ban(entry, network, "added", now)
            return
        ban = self._offenders.bans.get(str(network)) or ban_of(entry, self._mode, now)
        refusal = None if ban is None else self._offenders.by_hand.adopt(ban)
        if refusal is not None:
            yield from self._refuse(entry, refusal.text)
            return
        self._keep(entry, network)
        yield from self._approve(entry, network)

    def _change(self, kept: _Kept, entry: Entry, network: Network, now: float) -> Iterator[ByHand]:
        """Carry out a change of a spec."""
        before, spec = kept.entry.spec, entry.spec
        kept.entry, kept.is_checked = entry, True
        ban = self._offenders.bans.get(str(network))
        is_reworded = not spec.rule and before.reason != spec.reason and ban is not None
        if (before.expires, before.force) == (spec.expires, spec.force) and not is_reworded:
            yield from self._approve(entry, network)
        elif ban is not None and entry.expires is not None and entry.expires.timestamp() <= now:
            self._offenders.by_hand.adopt(replace(ban, expires=now))  # this round ends it
            yield ByHand("changed", entry, str(network), ban)
        else:
            yield from self._ban(entry, network, "changed", now)

    def _approve(self, entry: Entry, network: Network) -> Iterator[ByHand]:
        ban = self._offenders.bans.get(str(network))
        if ban is None or not entry.spec.approved or ban.phase == "enforce":
            return
        try:
            approved = self._offenders.by_hand.approve(network).ban
        except ManualError as error:
            yield ByHand("refused", entry, str(network), ban, str(error))
        else:
            yield ByHand("approved", entry, str(network), approved)

    def _ban(self, entry: Entry, network: Network, event: str, now: float) -> Iterator[ByHand]:
        """Ban as an entry asks for; where that can't be, its ban so far ends, too."""
        expires = FOREVER if entry.expires is None else entry.expires.timestamp()
        if expires <= now and entry.status.phase == "Ended":
            self._refusals.add(entry, self._offenders.protected_revision)
            return
        earlier = self._offenders.bans.get(str(network))
        reason = entry.spec.reason or (earlier.reason if earlier is not None else NO_REASON)
        try:
            if expires <= now:
                raise ManualError(f"expires {entry.spec.expires} is over")  # noqa: TRY301
            ban = self._offenders.by_hand.add(
                network, now, seconds=expires - now, reason=reason, force=entry.spec.force
            ).ban
        except ManualError as error:
            kept = self._kept.get(str(network))
            if kept is not None and kept.entry.uid == entry.uid:
                yield from self._undo(str(network), now)
            text = str(error).replace("--force bans it anyway", "force: true bans it anyway")
            yield from self._refuse(entry, text)
            return
        if earlier is not None and event == "changed":
            ban = replace(ban, rule=earlier.rule, since=earlier.since)
            self._offenders.by_hand.adopt(ban)
        self._keep(entry, network)
        yield ByHand(event, entry, str(network), ban)

    def _keep(self, entry: Entry, network: Network) -> None:
        """Have an entry count for its network, in the place of another one."""
        kept = self._kept.get(str(network))
        self._refusals.drop(entry)
        if kept is not None and kept.entry.uid == entry.uid:
            return
        if kept is not None and kept.entry.spec.rule:
            self._superseded[kept.entry.uid] = kept.entry
        elif kept is not None:
            self._refusals.add(kept.entry, self._offenders.protected_revision)
        self._kept[str(network)] = _Kept(entry, phase=entry.status.phase)

    def _refuse(self, entry: Entry, why: str) -> Iterator[ByHand]:
        revision = self._offenders.protected_revision
        if self._refusals.hold(entry, revision):
            return
        status = EntryStatus(phase="Refused", by="hand", message=why)
        is_told = entry.status == status or self._refusals.is_told(entry, why)
        if not is_told:
            self._apply_status(entry.name, status)
        self._refusals.add(entry, revision, why)
        if not is_told:
            yield ByHand("refused", entry, entry.spec.cidr, None, why)

    def write(self, enforced: Callable[[str], bool], now: float, until: float) -> bool:
        """Bring the entries to the bans; False when that is not done `until` then (monotonic).

        `enforced` tells whether a network is denied by what was read back of the policy. Decisions
        come first, then what is told of them. Raises the errors of `Api`.
        """
        return all(time.monotonic() < until for _ in self._write(enforced, now))

    def _write(self, enforced: Callable[[str], bool], now: float) -> Iterator[None]:
        """Do it in pieces, each after it was asked for."""
        documents = self._offenders.documents()
        changed = []
        for network, document in documents.items():
            kept = self._kept.get(network)
            if kept is None or kept.document is not document or kept.phase == "Pending":
                changed.append(network)
        for network in changed:
            yield
            self._create(network, documents[network])
        for network in changed:
            yield
            self._tell(network, documents[network], enforced, now)
        for uid, entry in [*self._superseded.items()]:
            yield
            self._delete(entry)
            del self._superseded[uid]
        for network in [each for each in self._kept if each not in documents]:
            yield
            self._end(network)

    def phases(self) -> dict[str, int]:
        """How many entries there are by phase."""
        numbers: dict[str, int] = {}
        for kept in self._kept.values():
            numbers[kept.phase or "Pending"] = numbers.get(kept.phase or "Pending", 0) + 1
        if self._refusals:
            numbers["Refused"] = numbers.get("Refused", 0) + len(self._refusals)
        return numbers

    def of_rules(self, since: float) -> list[str]:
        """List the networks of the entries that rules made, by what came after a time."""
        return [
            network
            for network, kept in self._kept.items()
            if kept.entry.spec.rule and (kept.ban is None or kept.ban.evidence.last >= since)
        ]

    def of(self, network: str) -> Entry | None:
        """Give the entry that keeps a network's ban."""
        kept = self._kept.get(network)
        return None if kept is None else kept.entry

    def _create(self, network: str, document: bytes) -> None:
        """Make the entry of a new ban, or put off the end of one that was extended."""
        kept = self._kept.get(network)
        if kept is not None and kept.document is document:
            return
        ban = Ban.from_json(document)
        if kept is not None and not kept.entry.spec.rule and ban.rule != BY_HAND:
            # A person's entry that is over is theirs: a rule bans by one of its own.
            self._refusals.add(kept.entry, self._offenders.protected_revision)
            del self._kept[network]
            kept = None
        if kept is None:
            self._create_entry(network, ban)
        elif ban.by == "rule" and ban.ended is None:
            self._extend(kept, ban)

    def _create_entry(self, network: str, ban: Ban) -> None:
        self._fence()
        name = entry_name(network)
        names = (f"{name}-{number}" if number else name for number in count())
        free = next(each for each in names if each not in self._names)
        try:
            made = self._api.create(BLACKLIST_ENTRIES, entry_document(spec_of(ban), free))
        except Conflict:
            return  # somebody made one of this name: the cache will show whose it is
        except Invalid as error:
            self.invalid[network] = str(error)
            return
        self.invalid.pop(network, None)
        self._kept[network] = _Kept(_entry(made), seen=False)

    def _extend(self, kept: _Kept, ban: Ban) -> None:
        expires = spec_of(ban).expires
        spec = kept.entry.spec
        if expires == spec.expires:
            return
        operations: list[Document] = [
            {"op": "test", "path": "/metadata/uid", "value": kept.entry.uid},
            # A person's change that was not seen yet must not be taken for this one.
            {"op": "test", "path": "/metadata/generation", "value": kept.entry.generation},
            {"op": "add", "path": "/spec/expires", "value": expires},
        ]
        if spec.approved and ban.phase == "propose":  # of an earlier ban that has ended
            operations.append({"op": "remove", "path": "/spec/approved"})
        self._fence()
        try:
            made = self._api.json_patch(BLACKLIST_ENTRIES, kept.entry.name, operations)
        except NotServed:
            raise
        except (Conflict, NotFound):
            return  # somebody changed or undid it: the cache will show that
        kept.entry = _entry(made)

    def _tell(
        self, network: str, document: bytes, enforced: Callable[[str], bool], now: float
    ) -> None:
        kept = self._kept.get(network)
        if kept is None:
            return
        ban = kept.ban if kept.document is document else Ban.from_json(document)
        phase = _phase(ban, kept.phase, enforced) if ban is not None else None
        if ban is None or phase is None or (kept.document is document and phase == kept.phase):
            return
        since = kept.entry.status.enforced if kept.phase == "Enforced" else None
        at = since or (time_of(now) if phase == "Enforced" else None)
        status = bounded(status_of(ban, phase, at))
        if status != kept.entry.status:
            try:
                applied = self._apply_status(kept.entry.name, status, kept.entry.resource_version)
            except Conflict:
                return  # somebody changed it: the cache will show how
            if applied is None:  # gone: where the cache never showed it, it is an undo all the same
                kept.seen = True
                self._looked = (None, 0)
            else:
                kept.entry = _entry(applied)
        kept.document, kept.ban, kept.phase = document, ban, phase

    def _end(self, network: str) -> None:
        """End the entry of a ban that is not kept any more: it faded, or came under protection.

        A person's entry is theirs: what became of it is told when it is looked at again.
        """
        entry = self._kept[network].entry
        if entry.spec.rule:
            self._delete(entry)
        else:
            self._looked = (None, 0)
        del self._kept[network]

    def _delete(self, entry: Entry) -> None:
        self._fence()
        try:
            self._api.delete(BLACKLIST_ENTRIES, entry.name)
        except NotServed:
            raise
        except NotFound:
            pass
        self._deleted.add(entry.uid)

    def _apply_status(self, name: str, status: EntryStatus, version: str = "") -> Document | None:
        """Write a status; None where the entry is gone. Conflict where `version` is over."""
        self._fence()
        try:
            return self._api.apply(
                BLACKLIST_ENTRIES,
                name,
                status_document(name, status, version),
                manager=MANAGER,
                subresource="status",
            )
        except NotServed:
            raise
        except NotFound:
            return None
        except Invalid as error:
            self.invalid[name] = str(error)
            return None


def _is_newer(entry: Entry, known: Entry) -> bool:
    """Whether an entry was read after another state of it: versions are numbers that grow."""
    return int(entry.resource_version) > int(known.resource_version)


def _phase(ban: Ban, before: Phase | None, enforced: Callable[[str], bool]) -> Phase:
    """Tell a ban's phase. Whoever leads next has not read the policy yet: enforced stays so."""
    if ban.ended is not None:
        return "Ended"
    if ban.phase == "enforce" and (before == "Enforced" or enforced(ban.network)):
        return "Enforced"
    return PHASES[ban.phase]


def _entry(document: Document) -> Entry:
    return read_entry(msgspec.json.encode(document))


def _rank(entry: Entry, now: float) -> tuple[bool, bool]:
    """Tell which of two entries for one network counts, the lower one: see the head."""
    is_over = entry.expires is not None and entry.expires.timestamp() <= now
    return is_over, bool(entry.spec.rule)


def _order(entry: Entry, now: float) -> tuple[bool, bool, str, str]:
    return (*_rank(entry, now), str(entry.created), entry.name)
