"""The bans that hold and the ended ones, by network, as they are saved and restored.

Bans end by the wall clock. Who decides a ban is `Offenders`; here it is kept.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec.structs import replace

from logwatch.blacklist import NetworkError, collapse, is_too_wide, parse_network
from logwatch.offenders.ban import Ban, Mode
from logwatch.offenders.protected import Protected

RECALL = 7 * 86_400.0
"""Seconds for which an ended ban is remembered, so that the next one is a repeated offence."""

MAX_RECALLED = 4096
"""Ended bans remembered at most; 400 bytes each in the ledger."""


class Book:
    """Bans, and their documents for the ledger. One thread at a time."""

    def __init__(self, protected: Protected) -> None:
        self._protected = protected
        self._bans: dict[str, Ban] = {}
        self._ended: dict[str, Ban] = {}
        """In the order in which they ended."""
        self._documents: dict[str, bytes] = {}
        self._checked_revision = -1
        """Of the protected list, when the bans were last held against it."""
        self._changes = 0
        self._listed: dict[Mode, tuple[int, tuple[str, ...]]] = {}
        """By phase: the revision at which its networks were listed, and these."""

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

    def networks_of(self, phase: Mode) -> tuple[str, ...]:
        """List the networks of the bans decided in a mode: canonical, disjoint, sorted.

        The same tuple is returned until `revision` grows.
        """
        revision, networks = self._listed.get(phase, (-1, ()))
        if revision != self.revision:
            networks = self._list_networks(phase)
            self._listed[phase] = (self.revision, networks)
        return networks

    def _list_networks(self, phase: Mode) -> tuple[str, ...]:
        networks = [parse_network(ban.network) for ban in self._bans.values() if ban.phase == phase]
        if self._checked_revision != self._protected.revision:
            networks = [each for each in networks if self._protected.reason(each) is None]
        return tuple(str(network) for network in collapse(networks))

    def next_offence(self, network: str) -> int:
        """Give the number of a network's next offence."""
        ended = self._ended.get(network)
        return 1 if ended is None else ended.offence + 1

    def keep(self, ban: Ban) -> None:
        """Take a ban in, in the place of an earlier one of its network."""
        self._changes += 1
        self._ended.pop(ban.network, None)
        self._bans[ban.network] = ban
        self._documents[ban.network] = ban.to_json()

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

    def expire(self, now: float) -> list[Ban]:
        """End the bans that are over, and those whose network came under protection.

        Returns them with `ended` and `ending` set. After a step back of the clock no ban lasts
        longer from now on than its rule says.
        """
        is_list_new = self._checked_revision != self._protected.revision
        self._checked_revision = self._protected.revision
        over: list[Ban] = []
        for ban in list(self._bans.values()):
            if is_list_new and self._protected.reason(parse_network(ban.network)) is not None:
                over.append(self._end(ban, now, "protected"))
            elif ban.expires <= now:
                over.append(self._end(ban, now, "expired"))
            elif ban.expires > now + ban.seconds:
                self.keep(replace(ban, expires=now + ban.seconds))
        while self._ended:
            oldest = next(iter(self._ended.values()))
            if now - (oldest.ended or 0.0) < RECALL and len(self._ended) <= MAX_RECALLED:
                break
            self._forget(oldest)
        return over

    def _end(self, ban: Ban, now: float, ending: Literal["expired", "protected"]) -> Ban:
        self._changes += 1
        del self._bans[ban.network]
        ended = replace(ban, ended=min(now, ban.expires), ending=ending)
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


def _restored(network: str, document: bytes) -> Ban | None:
    """Read a saved ban; None for anything that was not saved so."""
    try:
        ban = Ban.from_json(document)
        parsed = parse_network(ban.network)
    except (msgspec.DecodeError, UnicodeDecodeError, NetworkError):
        return None
    is_canonical = network == ban.network == str(parsed)
    return ban if is_canonical and not is_too_wide(parsed) else None
