"""How the decided networks stand in our sets, and what somebody else did to them; without any API.

Sets named `logwatch-blacklist-N` are ours as a whole. A set that was made stays, without networks
in the end: an empty one denies nobody, so there is nothing to delete, no right to delete is needed,
and a delete can't race with a network that is just being put in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logwatch.blacklist import MAX_NETWORKS_PER_SET, SET_KIND, SET_PREFIX, placed, ranks
from logwatch.cluster.writer import Drift, counted

Left = Mapping[int, frozenset[str]]
"""By the number of a set, what we left in it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A global network set as the API has it.

    number      None of a set that is not ours
    is_denied   whether it bears the label by which the policy denies it
    networks    as they are written; of others' sets only where they are denied
    labels, spec, nets   whether the object has these fields at all
    """

    name: str
    number: int | None
    version: str
    is_denied: bool
    networks: tuple[str, ...]
    labels: bool = True
    spec: bool = True
    nets: bool = True

    @property
    def members(self) -> frozenset[str]:
        """Its networks, each once."""
        return frozenset(self.networks)


@dataclass(frozen=True, slots=True)
class Change:
    """What one of our sets is to hold; `shard` is None where it has to be made."""

    number: int
    shard: Shard | None
    networks: tuple[str, ...]
    drift: Drift | None = None

    @property
    def name(self) -> str:
        """The name of the set."""
        return f"{SET_PREFIX}{self.number}"


def changes(
    shards: Mapping[int, Shard],
    networks: Sequence[str],
    left: Left | None = None,
    *,
    size: int = MAX_NETWORKS_PER_SET,
) -> list[Change]:
    """List what brings our sets to `networks` (canonical, disjoint, sorted), in the order to write.

    What somebody took out goes back to where we left it. Without `left` nobody knows who wrote
    what: then only what we never leave is drift (a network in two sets or twice in one, no label).

    Sets that lose what is no longer decided come first, those that get nothing before the others:
    some releases of Felix stop when a network and one inside it are denied at once. Those from
    which networks move come last, so that these are denied all the while.
    """
    members = {number: shards[number].members for number in sorted(shards)}
    target = placed(_at_home(members, networks, left), networks, size=size)
    wanted = frozenset(networks)
    rank: dict[str, int] = {}
    found: list[tuple[tuple[bool, bool], Change]] = []
    for number, inside in sorted(target.items()):
        shard = shards.get(number)
        if inside == frozenset() if shard is None else _holds(shard, inside):
            continue
        rank = rank or ranks(networks)
        before = members.get(number, frozenset())
        is_kept = before <= wanted
        order = (is_kept, bool(before - inside if is_kept else inside - before))
        drift = _drift(number, shards, inside, wanted, left)
        change = Change(number, shard, tuple(sorted(inside, key=rank.__getitem__)), drift)
        found.append((order, change))
    return [change for _, change in sorted(found, key=lambda each: each[0])]


def _at_home(
    members: Mapping[int, frozenset[str]], networks: Sequence[str], left: Left | None
) -> Mapping[int, frozenset[str]]:
    """Tell what stands where, as if nobody had moved or removed what we left."""
    if left is None or all(members.get(number) == inside for number, inside in left.items()):
        return members
    present = frozenset().union(*members.values())
    wanted = frozenset(networks)
    result = dict(members)
    for number, inside in members.items():
        for other, theirs in left.items():
            if other != number and other in members:
                copies = (inside & theirs & members[other]) - left.get(number, frozenset())
                result[number] -= copies
    for number, inside in left.items():
        lost = (inside & wanted) - present
        if lost:
            result[number] = result.get(number, frozenset()) | lost
    return {number: result[number] for number in sorted(result)}


def _holds(shard: Shard, inside: frozenset[str]) -> bool:
    return (
        shard.is_denied and len(shard.networks) == len(inside) and inside.issuperset(shard.networks)
    )


def _drift(
    number: int,
    shards: Mapping[int, Shard],
    inside: frozenset[str],
    wanted: frozenset[str],
    left: Left | None,
) -> Drift | None:
    """Tell what somebody did to one of our sets that has to be put right."""
    shard = shards.get(number)
    ours = frozenset() if left is None else left.get(number, frozenset())
    if shard is None:
        if not ours & inside:
            return None
        what = [f"it was deleted with {counted(sorted(ours))}"]
    else:
        members = shard.members
        what = []
        if not shard.is_denied:
            what.append("its label was removed")
        doubled = len(shard.networks) - len(members)
        doubled += sum(
            not (members & wanted).isdisjoint(other.members)
            for each, other in shards.items()
            if each < number
        )
        if doubled:
            what.append("networks stood in it twice, or in another set as well")
        if left is not None:
            strange = members - ours - inside
            missing = (ours & inside) - members
            if strange:
                what.append(f"{counted(sorted(strange))} put in")
            if missing:
                what.append(f"{counted(sorted(missing))} taken out")
    if not what:
        return None
    return Drift(SET_KIND, f"{SET_PREFIX}{number}", f"put right: {', '.join(what)}")
