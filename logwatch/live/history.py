"""How much was counted in each step of the last hour, by when it was counted here.

Differences of the exact totals by a clock that nobody sets. Nothing is saved: what was before the
process started is unknown, not zero. Memory is bounded: of each step the largest keys are kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from logwatch.ledger import Count, Family, Labels, Snapshot

STEP_SECONDS = 10.0
STEPS = 360
"""An hour."""

MINUTE = 60.0
MINUTES = 60

POLICIES = 20
"""Series of the chart; more are not told apart by anybody."""

TOP = 100
"""Sources and ports of a minute: 60 times so many are some 500 KiB."""

OTHER: Labels = ("other",)

Totals = Mapping[Labels, Count]

Row = list[int | None]
"""Packets of each step; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    packets: Mapping[Labels, int]


class Growth:
    """By how much packets grew in each step, for many keys.

    `see` is for one thread; the others are for any, and show what `see` knew last.
    """

    def __init__(  # noqa: PLR0913 - what bounds it
        self,
        seconds: float,
        steps: int,
        most: int,
        totals: Totals,
        now: float,
        *,
        rest: Callable[[Labels], Labels] = lambda _: OTHER,
    ) -> None:
        """Begin at `totals`; of each step the `most` largest keys are kept.

        `rest` gives the key under which any other one is summed up.
        """
        self.seconds = seconds
        self._most = most
        self._length = steps
        self._rest = rest
        self._totals = totals
        self._number = self._began = int(now // seconds)
        self._steps: tuple[_Step, ...] = ()

    def is_due(self, now: float) -> bool:
        """Whether a step has ended since `see`."""
        return int(now // self.seconds) > self._number

    def see(self, totals: Totals, now: float) -> None:
        """End the step that runs: what grew since the last one belongs to it."""
        packets = dict(_grown(self._totals, totals))
        if len(packets) > self._most:
            all_of_it = packets
            packets = dict(nlargest(self._most, packets.items(), key=lambda item: item[1]))
            for key in all_of_it.keys() - packets.keys():
                rest = self._rest(key)
                packets[rest] = packets.get(rest, 0) + all_of_it[key]
        first = int(now // self.seconds) - self._length
        kept = [step for step in self._steps if step.number >= first]
        if packets:
            kept.append(_Step(self._number, packets))
        self._steps = tuple(kept)
        self._totals = totals
        self._number = int(now // self.seconds)

    def start(self, now: float) -> float:
        """How many seconds before `now` (of the same clock) the oldest step began."""
        return now - (self._number - self._length) * self.seconds

    def sums(self) -> dict[Labels, int]:
        """By how much each key grew that did, the step that runs left out."""
        sums: dict[Labels, int] = {}
        for step in self._steps:
            for key, number in step.packets.items():
                sums[key] = sums.get(key, 0) + number
        return sums

    def latest(self) -> dict[Labels, int]:
        """Give the number of the step in which each key grew last."""
        return {key: step.number for step in self._steps for key in step.packets}

    def largest(self) -> list[Labels]:
        """List what grew, largest first."""
        sums = self.sums()
        return sorted(sums, key=lambda key: (-sums[key], key))

    def of(self, keys: Iterable[Labels]) -> dict[Labels, Row]:
        """Give each key's packets in each whole step, oldest first; None before the process."""
        first = self._number - self._length
        unknown = min(self._length, max(0, self._began - first))
        rows: dict[Labels, Row] = {
            key: [*[None] * unknown, *[0] * (self._length - unknown)] for key in keys
        }
        for step in self._steps:
            place = step.number - first
            if not 0 <= place < self._length:
                continue
            for key in rows.keys() & step.packets.keys():
                rows[key][place] = step.packets[key]
        return rows

    def moved(self, items: Iterable[tuple[Labels, Count]]) -> Iterator[tuple[Labels, Count]]:
        """Give those of the totals now that grew, also in the step that runs."""
        sums, totals = self.sums(), self._totals
        for key, count in items:
            if totals.get(key) is not count or key in sums:
                yield key, count

    def running(self, key: Labels, packets: int) -> int:
        """Give what a key grew in the step that runs, by its total now."""
        return max(0, packets - self._totals.get(key, (0, 0))[0])


def _grown(before: Totals, after: Totals) -> Iterator[tuple[Labels, int]]:
    for key, count in after.items():
        old = before.get(key)
        if old is count:  # most series stand still, and are the same object then
            continue
        packets = count[0] - (old[0] if old is not None and old[0] <= count[0] else 0)
        if packets:
            yield key, packets


class History:
    """The last hour of policies, sources, ports and losses."""

    def __init__(self, snapshot: Snapshot, now: float) -> None:
        """`now` is of a monotonic clock, as in all that follows."""
        self.policies = Growth(
            STEP_SECONDS, STEPS, POLICIES, by_policy(snapshot), now, rest=other_policies
        )
        self.sources = Growth(MINUTE, MINUTES, TOP, _series(snapshot, "source"), now)
        self.ports = Growth(MINUTE, MINUTES, TOP, _series(snapshot, "port"), now)
        self.counters = Growth(MINUTE, MINUTES, TOP, _counters(snapshot), now)

    def see(self, snapshot: Snapshot, now: float) -> None:
        """Look whether a step has ended; call it at least once in each."""
        if self.policies.is_due(now):
            self.policies.see(by_policy(snapshot), now)
        if self.sources.is_due(now):
            self.sources.see(_series(snapshot, "source"), now)
            self.ports.see(_series(snapshot, "port"), now)
            self.counters.see(_counters(snapshot), now)

    def lately(self, snapshot: Snapshot, name: str) -> int:
        """By how much the counters of a name have grown in the last hour."""
        counters = _counters(snapshot)
        keys = [key for key in counters if key[0] == name]
        whole = sum(number or 0 for row in self.counters.of(keys).values() for number in row)
        return whole + sum(self.counters.running(key, counters[key][0]) for key in keys)


def summed(rows: Iterable[Row]) -> Row:
    """Add rows of the same steps; what is unknown is so in all of them."""
    return [
        None if None in step else sum(number or 0 for number in step)
        for step in zip(*rows, strict=True)
    ]


def other_policies(key: Labels) -> Labels:
    """What is left of policies, by action: as the ledger has it of those without a series."""
    return ("other", key[1])


def by_policy(snapshot: Snapshot) -> dict[Labels, Count]:
    """Sum packets by (policy, action), where action is `denied` or `logged`."""
    sums: dict[Labels, Count] = {}
    for action in ("denied", "logged"):
        family = snapshot.families.get(action, Family())
        counts: Sequence[tuple[str, Count]] = [
            *((policy, count) for (policy, *_), count in family.series.items()),
            ("other", family.other),
        ]
        for policy, (packets, size) in counts:
            if packets:
                before = sums.get((policy, action), (0, 0))
                sums[policy, action] = (before[0] + packets, before[1] + size)
    return sums


def _series(snapshot: Snapshot, family: str) -> Totals:
    return snapshot.families.get(family, Family()).series


LATELY = frozenset(
    {
        "lines",
        "lost_messages",
        "loss_reports",
        "destroyed_bytes",
        "lost_files",
        "left_out_reports",
        "drift",
    }
)
"""Counters of which it matters whether they grew in the last hour."""


def _counters(snapshot: Snapshot) -> dict[Labels, Count]:
    return {
        (name, *labels): (number, 0)
        for (name, labels), number in snapshot.counters.items()
        if name in LATELY
    }
