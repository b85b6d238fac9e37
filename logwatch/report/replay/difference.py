"""What two files of rules do differently with the same log."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from logwatch.offenders import Ban


class Changed(NamedTuple):
    """A network that both ban, but not alike: where their bans part for the first time."""

    cidr: str
    ban: Ban | None
    """None where this one has fewer bans."""
    other: Ban | None


class Difference(NamedTuple):
    """By networks: who is banned by one alone, or by both at other times or by other rules."""

    only: tuple[Ban, ...]
    """The first ban of each network that only these rules ban."""
    only_other: tuple[Ban, ...]
    changed: tuple[Changed, ...]
    same: int
    """Networks with the same bans."""


def difference(bans: Iterable[Ban], others: Iterable[Ban]) -> Difference:
    """Compare what was banned: networks are alike with the same rules, beginnings and ends."""
    these, those = _by_network(bans), _by_network(others)
    both = [network for network in these if network in those]
    changed = [
        changed for network in both if (changed := _parting(network, these, those)) is not None
    ]
    return Difference(
        tuple(each[0] for network, each in these.items() if network not in those),
        tuple(each[0] for network, each in those.items() if network not in these),
        tuple(changed),
        len(both) - len(changed),
    )


def _by_network(bans: Iterable[Ban]) -> dict[str, list[Ban]]:
    found: dict[str, list[Ban]] = {}
    for ban in bans:
        found.setdefault(ban.network, []).append(ban)
    return found


def _parting(
    network: str, these: dict[str, list[Ban]], those: dict[str, list[Ban]]
) -> Changed | None:
    for ban, other in zip_longest(these[network], those[network]):
        if ban is None or other is None or _told(ban) != _told(other):
            return Changed(network, ban, other)
    return None


def _told(ban: Ban) -> tuple[str, float, float]:
    return ban.rule, ban.since, ban.expires
