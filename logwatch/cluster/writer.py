"""What brings decided networks into Calico, whatever their shape: sets, or rules of the policy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from logwatch.blacklist import (
    FLOOR,
    Enforced,
    NetworkError,
    Span,
    Spans,
    TooWideError,
    disjoint,
)

Fence = Callable[[], object]
"""Called before each call that changes something; what it raises ends the writing."""

ATTEMPTS = 5
"""How often a write that lost a race reads again before it leaves the rest to the next write."""

NAMED = 5
"""Networks that a sentence names; of more it tells the number."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What somebody else did to what is ours, and what was put right."""

    kind: str
    """Of the object, such as `GlobalNetworkSet`."""
    name: str
    text: str
    """A sentence without the object's name."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write changed, in canonical text.

    A network that only moved from one set to another is in neither of the first two.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    left_out: tuple[str, ...] = ()
    """Networks for which there was no room, of those that were asked for last."""
    problems: tuple[str, ...] = ()
    """A sentence for each thing that was not done."""


class Writer(Protocol):
    """Keeps what Calico denies at what was decided. Used from one thread at a time.

    - `write` makes exactly these networks ours. It compares and swaps, so that a change of somebody
      else is never overwritten unread, and writes nothing where all is right.
    - It raises what `fence` raises, and nothing else: what fails is a problem in its answer, and is
      tried again by the next write. What was changed before a fence refused is not told.
    - The networks that matter most come first: where there is no room for all, the last are left
      out. What is no network, or wider than may be denied, is left out, too.
    - `enforced` is what was read back, never what was sent.
    - `forget` is for who begins to lead: what others wrote until then is no drift.
    """

    def start(self) -> None:
        """Begin to watch, where there is something to watch."""

    def stop(self) -> None:
        """End within a second."""

    def write(self, networks: Sequence[str], fence: Fence) -> Written:
        """Make exactly `networks` ours."""

    def enforced(self) -> Enforced:
        """Tell what is denied: of the networks written last, and of those of others."""

    def forget(self) -> None:
        """Forget what this process left behind."""

    @property
    def problem(self) -> str | None:
        """Why not all is as it was decided, in a sentence."""


@dataclass(slots=True)
class Tally:
    """What a write has changed so far."""

    gone_in: set[str] = field(default_factory=set)
    gone_out: set[str] = field(default_factory=set)
    drift: list[Drift] = field(default_factory=list)
    left_out: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    def count(self, before: frozenset[str], after: frozenset[str]) -> None:
        """Add what the change of one object put in and took out."""
        self.gone_in |= after - before
        self.gone_out |= before - after

    def tell(self, problem: str) -> None:
        """Add a problem, once however often it was met."""
        if problem not in self.problems:
            self.problems.append(problem)

    def written(self) -> Written:
        """Give it as the answer."""
        return Written(
            added=_sorted(self.gone_in - self.gone_out),
            removed=_sorted(self.gone_out - self.gone_in),
            drift=tuple(self.drift),
            left_out=self.left_out,
            problems=tuple(self.problems),
        )


def accepted(
    spans: Spans, networks: Sequence[str], most: int, where: str, tally: Tally
) -> list[Span]:
    """Give those that can be written, disjoint and sorted; the others are told in `tally`."""
    try:
        read = spans.of(networks)
    except (NetworkError, TooWideError):
        read = spans.of(_good(networks, tally))
    kept = disjoint(read)
    if len(kept) > most:
        place = {span.text: place for place, span in reversed(list(enumerate(read)))}
        chosen = sorted(kept, key=lambda span: place[span.text])
        tally.left_out = tuple(span.text for span in chosen[most:])
        tally.tell(
            f"{len(kept)} networks are too many for {where}: it takes {most}, the other"
            f" {len(kept) - most} are not denied"
        )
        kept = sorted(chosen[:most])
    return kept


def counted(networks: Sequence[str]) -> str:
    """Give the number of networks and the first few of them, for a sentence."""
    number = len(networks)
    more = f" and {number - NAMED} more" if number > NAMED else ""
    return f"{number} network{'' if number == 1 else 's'} ({', '.join(networks[:NAMED])}{more})"


def _good(networks: Sequence[str], tally: Tally) -> list[str]:
    good: list[str] = []
    for text in networks:
        try:
            span = Span.read(text)
        except NetworkError as error:
            tally.tell(f"{error}: it is not denied")
            continue
        if span.is_wider_than_floor:
            widest = FLOOR[span.version]
            tally.tell(f"{text} is too wide to be denied; the widest is /{widest}")
            continue
        good.append(text)
    return good


def _sorted(networks: set[str]) -> tuple[str, ...]:
    """Sort texts as networks; those that are none, which somebody else wrote, come last."""
    spans: list[Span] = []
    others: list[str] = []
    for text in networks:
        try:
            spans.append(Span.read(text)._replace(text=text))
        except NetworkError:
            others.append(text)
    return (*(span.text for span in sorted(spans)), *sorted(others))
