"""What only the loop knows: bans, and who is near one. Taken at one moment, as values.

The functions are called on the loop and take about a millisecond a thousand bans; what becomes of
the values is another thread's work.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest

from logwatch.blacklist import Network, NetworkError, network_of, overlap, parse_network
from logwatch.control import Explained
from logwatch.live.explain import explained
from logwatch.offenders import Ban, Near, Offenders

HOSTS = ("/32", "/64", "/128")
"""Endings of the networks that a rule bans; the few wider ones were banned by hand."""

BANNED = 1000
"""Banned sources among the nearest that are passed over: their evidence rests, so they are few."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Who is banned, and who is near it."""

    bans: tuple[Ban, ...] = ()
    """The newest that were asked for."""
    enforced: frozenset[str] = frozenset()
    """Networks of `bans` that are known to be denied now."""
    holding: Mapping[str, Ban] | None = None
    """By source: the ban that holds it; of the sources that were asked for."""
    nearest: tuple[tuple[str, Near], ...] = ()
    """Networks that are not banned, nearest to a rule first."""
    frozen: str | None = None
    """Why rules decide nothing."""
    held: int = 0
    """Offenders whose bans a brake holds back."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one source."""

    explained: Explained
    ban: Ban | None
    is_enforced: bool
    protection: str | None
    """Why it is never banned."""
    ports: tuple[int, ...]
    """The latest that it tried."""
    samples: tuple[str, ...]


def decided(  # noqa: PLR0913 - what is asked for
    offenders: Offenders,
    *,
    most: int,
    query: str,
    sources: Iterable[str],
    now: float,
    is_enforced: Callable[[Ban], bool],
) -> Decided:
    """Take it; `query` is a part of what bans are to hold, in lower case."""
    bans = offenders.bans
    found = [ban for ban in bans.values() if query in _text(ban)] if query else bans.values()
    newest = tuple(nlargest(most, found, key=lambda ban: ban.since))
    wide = [parse_network(network) for network in bans if not network.endswith(HOSTS)]
    nearest = (
        (network, near)
        for network, near in offenders.nearest(most + min(len(bans), BANNED), now)
        if network not in bans and query in network
    )
    return Decided(
        bans=newest,
        enforced=frozenset(ban.network for ban in newest if is_enforced(ban)),
        holding=dict(_held(bans, wide, sources)),
        nearest=tuple(near for near, _ in zip(nearest, range(most), strict=False)),
        frozen=offenders.freeze_text() if offenders.frozen is not None else None,
        held=offenders.held,
    )


def known(
    offenders: Offenders, network: Network, now: float, is_enforced: Callable[[Ban], bool]
) -> Known:
    """Take what is known of the source that a network stands for."""
    why = offenders.why(network, now)
    kept = () if why.ban is None else why.ban.evidence.samples
    protection = offenders.protection(parse_network(why.network))
    return Known(
        explained=explained(offenders, network, now),
        ban=why.ban,
        is_enforced=why.ban is not None and is_enforced(why.ban),
        protection=None if protection is None else protection.text,
        ports=why.ports,
        samples=tuple(offenders.samples(network)) or kept,
    )


def _text(ban: Ban) -> str:
    return f"{ban.network} {ban.rule} {ban.reason}".lower()


def _held(
    bans: Mapping[str, Ban], wide: list[Network], sources: Iterable[str]
) -> Iterable[tuple[str, Ban]]:
    for source in sources:
        try:
            network = network_of(source)
        except NetworkError:  # the family's series of what has none of its own
            continue
        around = next((each for each in wide if overlap(each, network)), None)
        ban = bans.get(str(network)) or (None if around is None else bans[str(around)])
        if ban is not None:
            yield source, ban
