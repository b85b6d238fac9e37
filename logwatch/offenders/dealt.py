"""What was dealt with: up to when what sources did is no evidence any more.

A ban, an extension and an undo begin anew; but evidence of before comes back with the report of a
node, and with what an earlier process saved.
"""

from collections.abc import Iterable

from logwatch._core import Evidence as Trails
from logwatch.blacklist import Network, overlap, parse_network
from logwatch.offenders.source import banned_as, source_of


class Dealt:
    """Up to when what sources did is dealt with."""

    def __init__(self, dealt_with: Iterable[tuple[str, float]]) -> None:
        self._sources: dict[str, float] = {}
        self._wide: list[tuple[Network, float]] = []
        for text, time in dealt_with:
            network = banned_as(parse_network(text))
            source = source_of(network)
            if source is None:
                self._wide.append((network, time))
            else:
                self._sources[source] = max(time, self._sources.get(source, 0.0))

    def forget(self, trails: Trails, sources: list[str] | None) -> None:
        """Forget it of these sources, or of all."""
        if sources is None and self._wide:
            sources = [source for source, *_ in trails.top(len(trails), 0.0)]
        for source in self._sources if sources is None else sources:
            time = self._until(source)
            if time > 0.0:
                trails.forget_before(source, time)

    def _until(self, source: str) -> float:
        until = self._sources.get(source, 0.0)
        if self._wide:
            network = parse_network(source)
            until = max(until, *(time for each, time in self._wide if overlap(each, network)), 0.0)
        return until
