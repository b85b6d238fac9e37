"""Why a network is banned or is not, in sentences; the answer of `logwatch blacklist why`."""

from logwatch.blacklist import Network, parse_network
from logwatch.control import Explained, RuleNearness, entries_of, entry_of, moment
from logwatch.offenders import Offenders, Why, lie, named
from logwatch.offenders.language import format_duration


def explained(offenders: Offenders, network: Network, now: float) -> Explained:
    """Tell how a network stands, what stops a ban of it, and how near it is to each rule."""
    why = offenders.why(network, now)
    around = offenders.by_hand.around(parse_network(why.network))
    inside = offenders.by_hand.inside(parse_network(why.network))
    bans = offenders.bans
    holding = [bans[each] for each in (why.network, *around) if each in bans]
    return Explained(
        cidr=why.network,
        verdict=_verdict(why, inside),
        stops=tuple(stop.text for stop in why.stops if stop.reason != "banned"),
        entries=entries_of(holding, samples=True),
        rules=tuple(
            RuleNearness(each.rule, each.measure, each.reached, each.threshold, each.within)
            for each in why.near
        ),
        ended=None if why.ended is None else entry_of(why.ended),
        next_offence=why.next_offence,
    )


def _verdict(why: Why, inside: list[str]) -> str:
    """Tell in one sentence how it stands; `inside` are the entries that lie in it."""
    if why.ban is not None:
        ban = why.ban
        within = "" if ban.network == why.network else f" with {ban.network}"
        return f"{why.network} {_STANDS[ban.phase]}{within} until {moment(ban.expires)}"
    if why.is_waiting:
        return f"{why.network} offends, but is not banned yet"
    if inside:
        return f"{why.network} is not banned itself; in it {lie(inside)} {named(inside)}"
    if why.is_of_several:
        return (
            f"{why.network} is not banned: rules judge each address (IPv6: each /64) by itself, so"
            " ask for one of those in it"
        )
    if not any(each.reached for each in why.near):
        return (
            f"{why.network} is not banned: nothing that counts was seen of it lately (answers, UDP"
            " and ICMP only count for rules that say so)"
        )
    near = max(why.near, key=lambda each: each.reached / each.threshold)
    return (
        f"{why.network} is not banned: nearest is rule {near.rule} with {near.reached} of"
        f" {near.threshold} {near.measure} within {format_duration(near.within)}"
    )


_STANDS = {
    "observe": "would be banned",
    "propose": "is proposed, and not denied,",
    "enforce": "is banned",
}
