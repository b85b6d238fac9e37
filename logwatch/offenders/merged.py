"""The reports of all nodes, merged into the evidence that is judged.

Each node tells all that it keeps, again and again: so all of it is merged anew each time, without
what was dealt with. What led to a ban is told by its times, so that nothing of it is kept here.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from msgspec.structs import replace

from logwatch._core import Evidence as Trails
from logwatch.blacklist import parse_network
from logwatch.offenders.ban import Evidence
from logwatch.offenders.book import Book
from logwatch.offenders.dealt import Dealt
from logwatch.offenders.offence import Fulfilled

NO_CLOCKS: Mapping[str, float] = MappingProxyType({})
"""Nothing is known of any clock."""

NO_LINES: Mapping[str, tuple[str, ...]] = MappingProxyType({})
"""Reports that bring no lines along."""

LINES_MOST = 5
"""Of one source, as many as the core keeps of it where it reads the log."""


class Reports:
    """Merges reports and judges by them. One thread at a time."""

    def __init__(self, trails: Trails, make_alone: Callable[[], Trails], book: Book) -> None:
        """Merge into `trails`, without what the book's bans were decided by.

        `make_alone` makes some with the same rules, where each report is looked at by itself.
        """
        self._trails = trails
        self._make_alone = make_alone
        self._made_alone: Trails | None = None
        self._book = book
        self._beyond: dict[str, float] = {}
        """By node: how much more its clock was ahead than was known, at most. It stays so while the
        node reports, so that no event is ever taken for later than before."""
        self._left_out: dict[str, str] = {}
        self._failures = 0
        self._nodes: dict[str, int] = {}
        self._lines = NO_LINES

    @property
    def _alone(self) -> Trails:
        """Made when there are reports: an agent on its own has none, and no memory for it."""
        if self._made_alone is None:
            self._made_alone = self._make_alone()
        return self._made_alone

    @property
    def left_out(self) -> Mapping[str, str]:
        """Nodes whose latest reports were not merged, and why."""
        return MappingProxyType(self._left_out)

    @property
    def failures(self) -> int:
        """How many times a report was left out so far."""
        return self._failures

    def complete(self, source: str, evidence: Evidence) -> Evidence:
        """Add what only reports tell: the nodes that saw what was found last, and lines."""
        lines = self._lines.get(str(parse_network(source)), ())
        return replace(
            evidence,
            nodes=self._nodes.get(source, 0),
            samples=evidence.samples or lines[:LINES_MOST],
        )

    def judge(  # noqa: PLR0913, PLR0917 - what is known at one moment
        self,
        reports: Sequence[tuple[str, bytes]],
        dealt_with: Mapping[str, float],
        at: float,
        now: float,
        ahead: Mapping[str, float],
        lines: Mapping[str, tuple[str, ...]],
    ) -> list[Fulfilled]:
        """Merge these reports, and nothing else; see `Offenders.judge_reports`.

        What one node saw suffices, whatever others saw later: in one window with that it may not
        be, as the clock of that node may be behind, or its report older than a window.
        """
        self._trails.forget_all()
        self._left_out = {}
        dealt = Dealt(chain(self._book.dealt_with(), dealt_with.items()))
        of_one: dict[str, Fulfilled] = {}
        beyond = {}
        for node, data in reports:
            known = ahead.get(node, 0.0)
            beyond[node] = self._beyond.get(node, 0.0)
            self._alone.forget_all()
            try:
                clock = self._alone.merge_report(data, node, ahead=known + beyond[node], now=now)
            except ValueError as error:
                self._left_out[node] = str(error)
                self._failures += 1
                continue
            self._trails.merge_report(data, node, ahead=clock, now=now)
            beyond[node] = clock - known
            dealt.forget(self._alone, [each[0] for each in self._alone.judge(at)])
            of_one |= {each[0]: each for each in self._alone.judge(at)}
        self._beyond = beyond
        dealt.forget(self._trails, None)
        found = self._trails.judge(at)
        for each in found:
            of_one.pop(each[0], None)
        found += [each for each in of_one.values() if not self._is_quiet(each, at)]
        self._lines = lines
        self._nodes = self._count(reports, found, dealt, at, now, ahead) if found else {}
        return found

    def _count(  # noqa: PLR0913, PLR0917 - what the reports were judged with
        self,
        reports: Sequence[tuple[str, bytes]],
        found: Sequence[Fulfilled],
        dealt: Dealt,
        at: float,
        now: float,
        ahead: Mapping[str, float],
    ) -> dict[str, int]:
        """Count the nodes by looking at their reports once more: sources are rarely found."""
        last = {source: max(at, evidence[4]) for source, *_, evidence in found}
        numbers = dict.fromkeys(last, 0)
        for node, data in reports:
            if node in self._left_out:
                continue
            self._alone.forget_all()
            clock = ahead.get(node, 0.0) + self._beyond[node]
            self._alone.merge_report(data, node, ahead=clock, now=now)
            dealt.forget(self._alone, list(last))
            for source, time in last.items():
                numbers[source] += any(n for n, _ in self._alone.nearness(source, time))
        return numbers

    def _is_quiet(self, found: Fulfilled, at: float) -> bool:
        source, *_, (*_, last, _, _) = found
        return self._trails.is_quiet(source, max(at, last))
