"""Answers about sources, for people: how near they are to a ban. Changes nothing."""

from collections.abc import Sequence

from logwatch._core import Evidence as Trails
from logwatch.blacklist import Network, parse_network, unmapped
from logwatch.offenders.book import Book
from logwatch.offenders.hurdles import Hurdles
from logwatch.offenders.language import Rule
from logwatch.offenders.offence import NearMiss
from logwatch.offenders.source import banned_as, source_of
from logwatch.offenders.waiting import Waiting
from logwatch.offenders.why import Near, Why


class Inquiry:
    """Looks at evidence, bans and hurdles; times are seconds. `at` is where windows end."""

    def __init__(
        self,
        trails: Trails,
        rules: Sequence[Rule],
        book: Book,
        waiting: Waiting,
        hurdles: Hurdles,
    ) -> None:
        self._trails = trails
        self._rules = rules
        self._book = book
        self._waiting = waiting
        self._hurdles = hurdles

    def near_misses(self) -> list[NearMiss]:
        """List who came near to a rule, nearest first."""
        return [
            NearMiss(str(parse_network(source)), self._rules[index].name, reached, threshold, at)
            for source, index, reached, threshold, at in self._trails.near_misses()
        ]

    def nearest(self, count: int, at: float) -> list[tuple[str, Near]]:
        """List the sources nearest to a rule as networks, with how near."""
        return [
            (str(parse_network(source)), self._near(index, reached, threshold))
            for source, index, reached, threshold in self._trails.top(count, at)
            if reached
        ]

    def samples(self, network: Network) -> list[str]:
        """Give lines of a source as they were written; none of several sources."""
        source = source_of(banned_as(unmapped(network)))
        return [] if source is None else self._trails.samples(source)

    def why(self, network: Network, at: float, now: float) -> Why:
        """Tell how near a network is to each rule, and what would stop a ban of it now."""
        network = banned_as(unmapped(network))
        text = str(network)
        ban = self._book.covering(network)
        source = source_of(network)
        reached = [] if source is None else self._trails.nearness(source, at)
        ports = [] if source is None else self._trails.ports(source, at)
        return Why(
            network=text,
            ban=ban,
            ended=self._book.ended(text),
            is_of_several=source is None,
            is_waiting=source is not None and source in self._waiting,
            near=tuple(
                self._near(index, number, threshold)
                for index, (number, threshold) in enumerate(reached)
            ),
            ports=tuple(ports) or (() if ban is None else ban.evidence.ports),
            stops=tuple(self._hurdles.stops(network, ban, now)),
            next_offence=self._next_offence(text),
        )

    def _next_offence(self, network: str) -> int:
        ban = self._book.bans.get(network)
        return self._book.next_offence(network) if ban is None else ban.offence + 1

    def _near(self, index: int, reached: int, threshold: int) -> Near:
        rule = self._rules[index]
        return Near(rule.name, rule.measure, reached, threshold, rule.within)
