"""What changed since an earlier period: totals side by side, and who is new, gone, more or less.

Numbers are packets of each period as they are; periods of different lengths are not made alike.
"""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from logwatch.packets import Scanner, Summary
from logwatch.report.read import Counted
from logwatch.report.report import InputEntry, Totals, moment, policy_packets

Key = TypeVar("Key")

NO_PREFIX = "any"
"""A scanner needs one, also where it reads nothing."""


class Period(NamedTuple):
    """What was counted in all inputs of a period; times are of its packets."""

    totals: Totals
    sources: int
    """Distinct ones; what found no room counts as one."""
    ports: int
    """Distinct pairs of port and protocol."""
    first: str | None
    last: str | None

    @classmethod
    def of(cls, summary: Summary) -> "Period":
        """Add up a summary."""
        nothing = Scanner([NO_PREFIX]).drain()  # compared with it, all are new
        (sources, _, _, _), _ = summary.source_changes(nothing, 1)
        (ports, _, _, _), _ = summary.port_changes(nothing, 1)
        return cls(Totals.of(summary), sources, ports, moment(summary.first), moment(summary.last))


class Change(NamedTuple, Generic[Key]):
    """Packets for one source, port or policy in both periods, which differ."""

    key: Key
    packets: int
    before: int

    @property
    def kind(self) -> str:
        """One of `new`, `gone`, `more`, `less`."""
        if not self.before:
            return "new"
        if not self.packets:
            return "gone"
        return "more" if self.packets > self.before else "less"


class Changes(NamedTuple, Generic[Key]):
    """How many are new, gone, more and less, and those that changed most."""

    new: int
    gone: int
    more: int
    less: int
    most: tuple[Change[Key], ...]


class Comparison(NamedTuple):
    """A period beside an earlier one."""

    now: Period
    before: Period
    sources: Changes[str]
    ports: Changes[tuple[int | None, str | None]]
    policies: Changes[str]
    inputs: tuple[InputEntry, ...]
    """Of the earlier period."""


def compare(now: Counted, before: Counted, prefixes: Sequence[str], top: int) -> Comparison:
    """Compare; `top` of each list, all for 0."""
    source_kinds, sources = now.summary.source_changes(before.summary, top)
    port_kinds, ports = now.summary.port_changes(before.summary, top)
    return Comparison(
        now=Period.of(now.summary),
        before=Period.of(before.summary),
        sources=Changes(*source_kinds, tuple(Change(*change) for change in sources)),
        ports=Changes(
            *port_kinds,
            tuple(
                Change((port, protocol), packets, earlier)
                for port, protocol, packets, earlier in ports
            ),
        ),
        policies=_policies(
            policy_packets(now.summary, prefixes), policy_packets(before.summary, prefixes), top
        ),
        inputs=before.inputs,
    )


def _policies(now: dict[str, int], before: dict[str, int], top: int) -> Changes[str]:
    changes = [
        Change(name, now.get(name, 0), before.get(name, 0)) for name in sorted({*now, *before})
    ]
    changes = [change for change in changes if change.packets != change.before]
    changes.sort(key=lambda change: -abs(change.packets - change.before))
    kinds = [change.kind for change in changes]
    new, gone, more, less = (kinds.count(kind) for kind in ("new", "gone", "more", "less"))
    return Changes(new, gone, more, less, tuple(changes[: top or None]))
