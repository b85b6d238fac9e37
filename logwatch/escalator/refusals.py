"""Entries that are not carried out: until they change, or what stood against them may have."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from logwatch.cluster import Entry


@dataclass(frozen=True, slots=True)
class _Refusal:
    network: str
    generation: int
    revision: int
    """Of the list of what is never banned."""
    why: str


class Refusals:
    """What is known of entries that are left alone. One thread at a time."""

    def __init__(self) -> None:
        self._by_uid: dict[str, _Refusal] = {}

    def __len__(self) -> int:
        """How many were refused; without those that are just over."""
        return sum(refusal.why != "" for refusal in self._by_uid.values())

    def hold(self, entry: Entry, revision: int) -> bool:
        """Whether an entry as it is need not be looked at again."""
        known = self._by_uid.get(entry.uid)
        if known is None or known.generation != entry.generation:
            return False
        return not known.why or known.revision == revision

    def is_told(self, entry: Entry, why: str) -> bool:
        """Whether this was told of an entry already."""
        known = self._by_uid.get(entry.uid)
        return known is not None and (known.generation, known.why) == (entry.generation, why)

    def add(self, entry: Entry, revision: int, why: str = "") -> None:
        """Leave an entry alone: it was refused for this, or it is over."""
        self._by_uid[entry.uid] = _Refusal(str(entry.network), entry.generation, revision, why)

    def forget(self, network: str) -> None:
        """Look at all entries of a network again."""
        for uid in [uid for uid, each in self._by_uid.items() if each.network == network]:
            del self._by_uid[uid]

    def drop(self, entry: Entry) -> None:
        """It is carried out now."""
        self._by_uid.pop(entry.uid, None)

    def keep(self, uids: AbstractSet[str]) -> None:
        """Forget those that are gone."""
        for uid in self._by_uid.keys() - uids:
            del self._by_uid[uid]
