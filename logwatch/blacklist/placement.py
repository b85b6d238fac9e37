"""Which of our sets a network stands in: the one it is in, else the first that has room.

So a ban changes one set, and its end the set that holds it. Networks move only out of a set that is
too full, and out of a second set that holds them as well.
"""

from collections.abc import Mapping, Sequence
from itertools import count

from logwatch.blacklist.policy import MAX_NETWORKS_PER_SET

Placement = dict[int, frozenset[str]]
"""By the number of a set, what it is to hold."""


def placed(
    held: Mapping[int, frozenset[str]],
    networks: Sequence[str],
    *,
    size: int = MAX_NETWORKS_PER_SET,
) -> Placement:
    """Place `networks` (canonical, disjoint, sorted) in the sets that there are, and in new ones.

    Every set of `held` is in the answer, without networks when none is left for it.
    """
    wanted = frozenset(networks)
    taken: set[str] = set()
    result: Placement = {}
    rank: dict[str, int] = {}
    for number, mine in held.items():
        if not (mine <= wanted and taken.isdisjoint(mine)):
            mine = (mine & wanted) - taken  # noqa: PLW2901 - what is left of it
        if len(mine) > size:
            rank = rank or ranks(networks)
            mine = frozenset(sorted(mine, key=rank.__getitem__)[:size])  # noqa: PLW2901
        result[number] = mine
        taken |= mine
    new = [network for network in networks if network not in taken]
    for number in count():
        if not new:
            break
        inside = result.get(number, frozenset())
        room = size - len(inside)
        if room > 0:
            result[number] = inside.union(new[:room])
            new = new[room:]
    return result


def ranks(networks: Sequence[str]) -> dict[str, int]:
    """Give each network its place in the order."""
    return {network: place for place, network in enumerate(networks)}
