"""The bans that hold and the ended ones, by network, as they are saved and restored.

Bans end by the wall clock. Who decides a ban is `Offenders`; here it is kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain
from types import MappingProxyType
from typing import Literal, get_args

import msgspec
from msgspec.structs import replace

from logwatch.blacklist import (
    Cover,
    Network,
    NetworkError,
    collapse,
    is_too_wide,
    overlap,
    parse_network,
)
from logwatch.offenders.ban import Ban, Mode
from logwatch.offenders.protected import Protected

RECALL = 7 * 86_400.0
"""Seconds for which an ended ban is remembered, so that the next one is a repeated offence."""

MAX_RECALLED = 4096
"""Ended bans remembered at most; 400 bytes each in the ledger."""


BANS = "bans"
"""The collection of the ledger that holds the documents."""

ENDS_SPARE = 64
"""Entries of the heap beyond two for each ban; then it is made anew."""


class Book:
    """Bans, and their documents for the ledger. One thread at a time."""

    def __init__(self, protected: Protected) -> None:
        self._protected = protected
        self._bans: dict[str, Ban] = {}
        self._ended: dict[str, Ban] = {}
        """In the order in which they ended."""
        self._networks: dict[str, Network] = {}
        """Of the bans that hold, as they were read."""
        self._ends: list[tuple[float, str]] = []
        """A heap of when bans are due; an entry counts only while its ban still is."""
        self._extended: list[Ban] = []
        self._phases: Counter[Mode] = Counter()
        self._looked_at = 0.0
        """Time of the last `expire`."""
        self._covered = (0, Cover(()))
        """The members for which it was made, and what people banned among them."""
        self._documents: dict[str, bytes] = {}
        self._checked_revision = -1
        """Of the protected list, when the bans were last held against it."""
        self._changes = 0
        self._members = 0
        """Grows whenever a ban begins or ends; not when one is extended."""
        self._listed: dict[Mode, tuple[tuple[int, int], tuple[str, ...]]] = {}
        """By phase: the members and the protected list of which its networks were listed, and
        these."""

    @property
    def bans(self) -> Mapping[str, Ban]:
        """The bans that hold."""
        return MappingProxyType(self._bans)

    @property
    def documents(self) -> Mapping[str, bytes]:
        """Everything to be saved, by network."""
        return MappingProxyType(self._documents)

    @property
    def revision(self) -> int:
        """Grows whenever bans, documents or the protected list change."""
        return self._changes + self._protected.revision

    def entries(self) -> dict[Mode, int]:
        """How many bans hold, by the mode in which they were decided."""
        return {mode: self._phases[mode] for mode in get_args(Mode)}

    def networks_of(self, phase: Mode) -> tuple[str, ...]:
        """List the networks of the bans decided in a mode: canonical, disjoint, sorted.

        The same tuple is returned until a ban begins or ends, or the protected list changes.
        """
        current = (self._members, self._protected.revision)
        listed, networks = self._listed.get(phase, (None, ()))
        if listed != current:
            networks = self._list_networks(phase)
            self._listed[phase] = (current, networks)
        return networks

    def _list_networks(self, phase: Mode) -> tuple[str, ...]:
        networks = [
            self._networks[ban.network] for ban in self._bans.values() if ban.phase == phase
        ]
        if self._checked_revision != self._protected.revision:
            networks = [
                each
                for each in networks
                if self._bans[str(each)].forced or self._protected.reason(each) is None
            ]
        return tuple(str(network) for network in collapse(networks))

    def covering(self, network: Network) -> Ban | None:
        """Give the ban of a network or of one around it; looks at each, which is for people."""
        around = (
            self._bans[text]
            for text, each in self._networks.items()
            if each.prefixlen <= network.prefixlen and overlap(each, network)
        )
        return self._bans.get(str(network)) or next(around, None)

    def is_by_hand(self, network: Network) -> bool:
        """Whether a person banned all of a network, or approved of its ban."""
        if self._covered[0] != self._members:
            by_hand = [
                self._networks[ban.network] for ban in self._bans.values() if ban.by == "hand"
            ]
            self._covered = (self._members, Cover(by_hand))
        return self._covered[1].holds(network)

    def ended(self, network: str) -> Ban | None:
        """Give the last ban of a network that ended, while it is remembered."""
        return self._ended.get(network)

    def next_offence(self, network: str) -> int:
        """Give the number of a network's next offence."""
        ended = self._ended.get(network)
        return 1 if ended is None else ended.offence + 1

    def keep(self, ban: Ban) -> None:
        """Take a ban in, in the place of an earlier one of its network."""
        self._ended.pop(ban.network, None)
        earlier = self._bans.get(ban.network)
        if earlier is None or (earlier.phase, earlier.by) != (ban.phase, ban.by):
            self._members += 1
            self._phases[ban.phase] += 1
            self._networks[ban.network] = parse_network(ban.network)
            if earlier is not None:
                self._phases[earlier.phase] -= 1
        self._put(ban)
        if earlier is None or earlier.due != ban.due:
            heappush(self._ends, (ban.due, ban.network))
        if len(self._ends) > 2 * len(self._bans) + ENDS_SPARE:
            self._sort_ends()

    def _put(self, ban: Ban) -> None:
        self._changes += 1
        self._bans[ban.network] = ban
        self._documents[ban.network] = ban.to_json()

    def _sort_ends(self) -> None:
        self._ends = [(ban.due, ban.network) for ban in self._bans.values()]
        heapify(self._ends)

    def restore(self, documents: Mapping[str, bytes]) -> int:
        """Take over what was saved; return how many damaged documents were left out.

        Call `expire` next: it ends what ended meanwhile and what came under protection.
        """
        damaged = 0
        ended: list[Ban] = []
        for network, document in documents.items():
            ban = _restored(network, document)
            if ban is None:
                damaged += 1
            elif ban.ended is None:
                self.keep(ban)
            else:
                ended.append(ban)
        for ban in sorted(ended, key=lambda ban: ban.ended or 0.0):
            self._recall(ban)
        self._checked_revision = -1
        return damaged

    def decided(self) -> Iterator[float]:
        """Tell when rules decided the bans that are kept, also those that ended."""
        kept = chain(self._bans.values(), self._ended.values())
        return (ban.decided for ban in kept if ban.decided)

    def dealt_with(self) -> Iterator[tuple[str, float]]:
        """Give the networks with bans that are kept, and up to when what each did is dealt with.

        That is all that the ban was decided or extended by, and while nothing of it counted.
        """
        for ban in chain(self._bans.values(), self._ended.values()):
            until = ban.rests_until if ban.by == "rule" else ban.ended or ban.since
            yield ban.network, max(until, ban.decided, ban.evidence.last)

    def expire(self, now: float) -> list[Ban]:
        """End the bans that are over, and those whose network came under protection.

        Returns them with `ended` and `ending` set. After a step back of the clock no ban lasts
        longer from now on than its rule says.
        """
        over: list[Ban] = []
        if self._checked_revision != self._protected.revision or now < self._looked_at:
            over = self._check_all(now)
        self._looked_at = now
        self._extended = []
        while self._ends and self._ends[0][0] <= now:
            due, network = heappop(self._ends)
            ban = self._bans.get(network)
            if ban is None or ban.due != due:
                continue
            if ban.expires <= now:
                over.append(self._end(ban, now, "expired"))
                continue
            ban = replace(ban, announced=0.0)
            self.keep(ban)
            self._extended.append(ban)
        while self._ended:
            oldest = next(iter(self._ended.values()))
            if now - (oldest.ended or 0.0) < RECALL and len(self._ended) <= MAX_RECALLED:
                break
            self._forget(oldest)
        return over

    @property
    def extended(self) -> Sequence[Ban]:
        """Bans that go on beyond the end that was told of them, as the last `expire` found."""
        return self._extended

    def _check_all(self, now: float) -> list[Ban]:
        """Hold each ban against the protected list and the clock; return those that ended."""
        self._checked_revision = self._protected.revision
        over = []
        for ban in list(self._bans.values()):
            reason = self._protected.reason(self._networks[ban.network])
            if reason is not None and not ban.forced:
                over.append(self._end(ban, now, "protected"))
            elif ban.expires > now + ban.seconds:
                self.keep(replace(ban, expires=now + ban.seconds))
        return over

    def shift(self, seconds: float) -> None:
        """Move all times: the clock was set by so much, and no ban is longer or shorter for it."""
        for ban in list(self._bans.values()):
            self._put(ban.shifted(seconds))
        self._sort_ends()
        for ban in list(self._ended.values()):
            self._recall(ban.shifted(seconds))

    def forgive(self, network: str) -> None:
        """Forget that a network was banned, where no ban of it holds."""
        if network in self._ended:
            self._forget(self._ended[network])

    def remove(self, ban: Ban, now: float) -> Ban:
        """End a ban by hand: nothing of it is held against its network. Returns it as it ended."""
        return self._end(ban, now, "removed")

    def _end(self, ban: Ban, now: float, ending: Literal["expired", "protected", "removed"]) -> Ban:
        self._changes += 1
        self._members += 1
        self._phases[ban.phase] -= 1
        del self._bans[ban.network], self._networks[ban.network]
        evidence = replace(ban.evidence, samples=())
        ended = replace(
            ban,
            evidence=evidence,
            ended=min(now, ban.expires),
            ending=ending,
            announced=0.0,
        )
        if ending == "expired":
            self._recall(ended)
        else:
            del self._documents[ban.network]
        return ended

    def _recall(self, ban: Ban) -> None:
        self._changes += 1
        self._ended[ban.network] = ban
        self._documents[ban.network] = ban.to_json()

    def _forget(self, ban: Ban) -> None:
        self._changes += 1
        del self._ended[ban.network]
        del self._documents[ban.network]


def open_bans(documents: Mapping[str, bytes], now: float) -> list[Ban]:
    """Return those of saved bans that hold at a time; damaged ones are left out."""
    restored = [_restored(network, document) for network, document in documents.items()]
    return [ban for ban in restored if ban and ban.ended is None and ban.expires > now]


def _restored(network: str, document: bytes) -> Ban | None:
    """Read a saved ban; None for anything that was not saved so."""
    try:
        ban = Ban.from_json(document)
        parsed = parse_network(ban.network)
    except (msgspec.DecodeError, UnicodeDecodeError, NetworkError):
        return None
    is_canonical = network == ban.network == str(parsed)
    return ban if is_canonical and not is_too_wide(parsed) else None
