"""What one node of a cluster saw, for whoever judges what all of them saw.

Nothing is decided here, and nothing that was seen is forgotten because of a rule.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from logwatch._core import Evidence as Trails
from logwatch.blacklist import parse_network
from logwatch.offenders.language import Rule
from logwatch.offenders.offence import quiet_until
from logwatch.offenders.protected import Protected

if TYPE_CHECKING:
    from logwatch.packets import Summary


class Nearest(NamedTuple):
    """How near a source is to the rule that it is nearest to."""

    network: str
    rule: str
    reached: int
    threshold: int
    samples: tuple[str, ...]
    """Lines of it as they were written; none where it did not come near."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """Evidence, and what people are shown of it."""

    evidence: bytes
    """As `logwatch._core.Evidence.to_bytes` gives it."""
    sources: int
    """How many there are in it."""
    cut: int
    """How many had no room."""
    top: tuple[Nearest, ...]


class Witness:
    """Keeps evidence; tells when a source fulfils a rule by what was seen here alone."""

    def __init__(self, trails: Trails, rules: Sequence[Rule], protected: Protected) -> None:
        self._trails = trails
        self._rules = rules
        self._protected = protected
        self._has_news = False
        self._salt = secrets.randbits(64)
        """Which of equally near sources find room in a report: nobody knows it, and so nobody can
        choose addresses that always do."""

    def observe(
        self, summary: "Summary", at: float, now: float, policies: Sequence[tuple[str, str]]
    ) -> list[str]:
        """Take packets into evidence; return the rules that sources newly fulfil.

        A source is told of once in the window of its rule, and never if it is never banned. The
        arguments are those of `Offenders.observe`.
        """
        at = max(0.0, min(at, now))
        verdicts = [(name, verdict == "denied") for name, verdict in policies]
        told = []
        for source, index, *_ in self._trails.observe(summary, verdicts, at):
            rule = self._rules[index]
            self._trails.quiet(source, quiet_until(rule, at))
            if self._protected.reason(parse_network(source)) is None:
                told.append(rule.name)
        self._has_news = self._has_news or bool(told)
        return told

    def take_news(self) -> bool:
        """Whether a source newly fulfilled a rule since this was asked last."""
        has_news, self._has_news = self._has_news, False
        return has_news

    def testify(self, size: int, *, top: int, at: float) -> Testimony:
        """Give the evidence in at most `size` bytes, and the `top` sources nearest to a rule."""
        evidence, sources, cut = self._trails.to_bytes(size, salt=self._salt)
        nearest = tuple(
            Nearest(
                network=str(parse_network(source)),
                rule=self._rules[index].name,
                reached=reached,
                threshold=threshold,
                samples=tuple(self._trails.samples(source)),
            )
            for source, index, reached, threshold in self._trails.top(top, at)
            if reached
        )
        return Testimony(evidence, sources, cut, nearest)

    def recall(self, evidence: bytes, now: float) -> int:
        """Take over what was told before a restart; return how many sources it holds.

        Raises ValueError for what is no evidence. What lies after `now` was told by a wrong clock.
        """
        sources = self._trails.merge_bytes(evidence)
        self._trails.forget_after(now)
        return sources
