"""The evidence of one process for the next one on the same host.

It is written in parts, as of some moments one after the other, and may be older than the bans that
are kept beside it: what these tell of is dealt with, and so is what a person undid meanwhile.
"""

import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from types import MappingProxyType

from logwatch._core import Evidence as Trails
from logwatch.blacklist import Network, NetworkError, parse_network
from logwatch.offenders.book import Book
from logwatch.offenders.dealt import Dealt
from logwatch.offenders.language import Rule
from logwatch.offenders.offence import quiet_until
from logwatch.offenders.waiting import Waiting

PART_SOURCES = 500
"""Sources of a part, some milliseconds' work at the most: who reads and bans waits for it."""

PARTS_MOST = 100
"""Beyond 50,000 sources parts are larger: each names what all of it is counted by anew."""


class Excerpt:
    """Evidence in the making, in at most so many bytes but for what parts are headed by."""

    def __init__(self, trails: Trails, size: int) -> None:
        self._trails = trails
        self._left = size
        self._next: int | None = 0
        self._salt = secrets.randbits(64)
        """Which of equally near sources find room: nobody can choose addresses that always do."""
        self.parts: list[bytes] = []
        self.cut = 0
        """Sources that found no room."""

    @property
    def is_whole(self) -> bool:
        """Whether there is no part left."""
        return self._next is None

    def go_on(self) -> None:
        """Write one more part."""
        if self._next is None:
            return
        places = max(len(self._trails) - self._next, 1)
        count = max(PART_SOURCES, -(-len(self._trails) // PARTS_MOST))
        size = self._left // -(-places // count)
        data, sources, cut, self._next = self._trails.part_to_bytes(
            size, self._next, count, salt=self._salt
        )
        self.cut += cut
        if sources:
            self._left = max(0, self._left - len(data))
            self.parts.append(data)


class Memory:
    """Gives evidence to be kept, and takes it over. One thread at a time."""

    def __init__(  # noqa: PLR0913 - the parts of Offenders that have to do with it
        self,
        trails: Trails,
        rules: Sequence[Rule],
        book: Book,
        waiting: Waiting,
        *,
        node: str,
        is_refused: Callable[[Network], bool],
    ) -> None:
        """`is_refused` tells whether a network is never banned."""
        self._trails = trails
        self._rules = rules
        self._book = book
        self._waiting = waiting
        self._node = node
        self._is_refused = is_refused
        self._undone: dict[str, float] = {}
        self.changes = 0
        """Grows whenever there is something new to be kept."""

    @property
    def undone(self) -> Mapping[str, float]:
        """When bans of networks were undone, as far as what is kept may be older."""
        return MappingProxyType(self._undone)

    def documents(self) -> dict[str, bytes]:
        """Give what is to be saved of `undone`, by network."""
        return {network: str(time).encode() for network, time in self._undone.items()}

    def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take over what was saved of `undone`; what is damaged is left out."""
        for network, time in documents.items():
            with suppress(ValueError, NetworkError):
                self._undone[str(parse_network(network))] = float(time)

    def note(self) -> None:
        """Take note that evidence has changed."""
        self.changes += 1

    def note_undone(self, network: Network, now: float) -> None:
        """Take note that a person undid the ban of a network."""
        since = now - max((rule.within for rule in self._rules), default=0)
        self._undone = {each: time for each, time in self._undone.items() if time > since}
        self._undone[str(network)] = now
        self.changes += 1

    def forget_undone(self, undone: Mapping[str, float]) -> None:
        """Forget those that evidence, begun when `undone` was as it is given, tells of by now."""
        self._undone = {
            each: time for each, time in self._undone.items() if undone.get(each) != time
        }

    def shift(self, seconds: float, now: float) -> None:
        """Move all times: the clock was set by so much, to `now`. Lines are forgotten."""
        self._undone = {each: time + seconds for each, time in self._undone.items()}
        excerpt = self.excerpt(sys.maxsize)
        while not excerpt.is_whole:
            excerpt.go_on()
        self._trails.forget_after(0.0)  # `forget_all` would keep who is quiet, by the old times
        for part in excerpt.parts:
            self._trails.merge_report(part, self._node, ahead=-seconds, now=now)
        self._quiet_offenders()
        self.changes += 1

    def excerpt(self, size: int) -> Excerpt:
        """Begin to write the evidence, the sources nearest to a rule first where room is scarce."""
        return Excerpt(self._trails, size)

    def take_over(self, parts: Iterable[bytes], *, ahead: float, now: float) -> int:
        """Take over what an earlier process kept; return how many sources it holds.

        Restore its bans first, and what was undone. `ahead` is by how much its clock was ahead of
        the present one. Who offended by it was told of then: those wait now for their bans, but who
        is never banned. Raises ValueError for what is no evidence, or of after now; there is none
        then.
        """
        try:
            for part in parts:
                self._trails.merge_report(part, self._node, ahead=ahead, now=now)
        except ValueError:
            self._trails.forget_all()
            raise
        Dealt(chain(self._book.dealt_with(), self._undone.items())).forget(self._trails, None)
        for source, excess in self._quiet_offenders():
            if not self._is_refused(parse_network(source)):
                self._waiting.add(source, excess)
        return len(self._trails)

    def _quiet_offenders(self) -> list[tuple[str, float]]:
        """Have nobody told of again who offended by now; return each, and how many times over."""
        offenders = []
        for source, index, number, (*_, last, _, _) in self._trails.judge(0.0):
            rule = self._rules[index]
            self._trails.quiet(source, quiet_until(rule, last))
            offenders.append((source, number / rule.threshold))
        return offenders
