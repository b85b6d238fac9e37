"""A log that is followed here: no agent, no state, nothing written.

It is read from its beginning, by the stamps of its lines, and then as it grows, over rotations too.
What rules would decide is shown, as in mode observe. A new start begins anew.
"""

import time
from pathlib import Path

from logwatch.agent.intake import Batch, Intake
from logwatch.blacklist import Network, network_of, parse_network
from logwatch.config import Config, Prefix
from logwatch.live import service
from logwatch.offenders import Ban as Decided
from logwatch.offenders import Offenders, Protected, Rule, resolvers
from logwatch.top.minutes import Minute, Minutes, Where
from logwatch.top.origin import UnknownError
from logwatch.top.steps import Steps
from logwatch.top.summary import (
    Ban,
    Details,
    Finding,
    Health,
    Input,
    Lost,
    Nearness,
    Networks,
    Offender,
    Order,
    Port,
    Rest,
    Source,
    Summary,
    Timeline,
    Totals,
    Tried,
)

READ_SECONDS = 1.0
"""How long it is read at a time while there is more; then what was read so far is shown."""

SORTED = 10_000
"""Sources among which those that hold a text, or sent last, are looked for: those with most."""

PORTS = 100
OFFENDERS = 100
SCHEMA = 1


class Log:
    """Counts a log's packets in memory. Not for two threads at once."""

    def __init__(self, path: Path, prefixes: tuple[Prefix, ...], rules: tuple[Rule, ...]) -> None:
        """Open it; one that is not there yet is waited for. Raises AddressesError."""
        config = Config(prefixes=prefixes, start="start")
        self._path = path
        self._rules = {rule.name: rule for rule in rules}
        self._minutes = Minutes([prefix.text for prefix in prefixes])
        self._steps = Steps()
        self._lost: dict[str, int] = {}
        self._offenders = Offenders(
            rules, Protected(resolvers=resolvers), mode="observe", limits=config.brakes
        )
        self._now = time.time()
        self._intake = Intake(path, config, None, self._take)

    def close(self) -> None:
        """Close the file."""
        self._intake.close()

    def summary(self, *, top: int, order: Order, query: str) -> Summary:
        """Read what is new, and tell all."""
        self._read()
        now = self._now
        hour = self._minutes.hour(now)
        total = self._minutes.total
        sources = self._sources(top, order, query, hour)
        near = self._offenders.witness.testify(0, top=OFFENDERS, at=now).top
        bans = [self._ban(each) for each in self._offenders.bans.values() if query in each.network]
        return Summary(
            schema=SCHEMA,
            name=str(self._path),
            mode="observe",
            now=now,
            health=self._health(),
            inputs=(self._input(),),
            lost=tuple(Lost(by, messages) for by, messages in self._lost.items()),
            totals=Totals(packets=total.packets, sources=self._minutes.distinct(now)),
            history=self._steps.history(now),
            sources=sources,
            other_sources=Rest(total.packets - sum(each.packets for each in sources)),
            ports=self._ports(query, hour),
            offenders=tuple(
                Offender(
                    source=_address(each.network),
                    rule=each.rule,
                    has=each.reached,
                    needs=each.threshold,
                    measure=_measure(self._rules[each.rule]),
                    window=self._rules[each.rule].within,
                    share=each.reached / each.threshold,
                )
                for each in near
                if each.network not in self._offenders.bans
            ),
            blacklist=tuple(sorted(bans, key=lambda ban: (-(ban.since or 0.0), ban.cidr))),
            networks=Networks(decided=len(self._offenders.bans)),
            frozen=None if self._offenders.frozen is None else self._offenders.freeze_text(),
            held=self._offenders.held,
        )

    def details(self, source: str) -> Details:
        """Tell all of one source. Raises UnknownError."""
        network = parse_network(source)
        of = [each for each in self._minutes.total.flows() if _is_of(each[0], source, network)]
        if not of:
            raise UnknownError(f"no packet of {source} was read")
        hour = self._minutes.hour(self._now)
        why = self._offenders.why(network, self._now)
        protection = self._offenders.protection(network)
        return Details(
            schema=SCHEMA,
            source=source,
            packets=sum(packets for _, _, _, packets, *_ in of),
            first=min((float(each[5]) for each in of if each[5]), default=None),
            last=max((float(each[6]) for each in of if each[6]), default=None),
            timeline=Timeline(tuple(_packets(each, {row[0] for row in of}) for each in hour)),
            ports=tuple(
                Tried(protocol, port, _service(protocol, port), packets)
                for _, port, protocol, packets, *_ in of
            ),
            rules=tuple(
                Nearness(
                    rule=near.rule,
                    measure=_measure(self._rules[near.rule]),
                    has=near.reached,
                    needs=near.threshold,
                    window=near.within,
                )
                for near in why.near
            ),
            verdict="would not be banned now" if why.ban is None else "would be banned",
            protected=None if protection is None else protection.text,
            ban=None if why.ban is None else self._ban(why.ban),
            samples=() if why.ban is None else why.ban.evidence.samples,
        )

    def catch_up(self) -> None:
        """Read all that is there."""
        self._read()
        while self._intake.is_more:
            self._read()

    def _read(self) -> None:
        """Read on, and judge what was read."""
        end = time.monotonic() + READ_SECONDS
        is_more = True
        while is_more and time.monotonic() < end:
            self._now = time.time()
            self._intake.read(self._now)
            is_more = self._intake.is_more
        for name, labels, amount in self._intake.take_counts():
            if name == "lost_messages":
                self._lost[labels[0]] = self._lost.get(labels[0], 0) + amount
        self._offenders.expire(self._now)
        self._offenders.decide(self._now)

    def _take(self, batch: Batch) -> None:
        self._minutes.add(batch.summary, batch.at, self._now)
        packets = [0] * len(batch.policies)
        for place, _, _, _, number, _ in batch.summary.links():
            packets[place] += number
        for (policy, verdict), number in zip(batch.policies, packets, strict=True):
            self._steps.add(policy, verdict, number, batch.at)
        self._offenders.observe(batch.summary, batch.at, self._now, batch.policies)

    def _health(self) -> Health:
        problem = self._intake.problem
        if problem is None:
            return Health()
        return Health("problem", (Finding("problem", problem),))

    def _input(self) -> Input:
        return Input(
            path=str(self._path),
            readable=self._intake.problem is None,
            behind_bytes=self._intake.behind_bytes,
            behind_seconds=self._intake.behind_seconds(self._now),
            last_packet=self._intake.last_packet,
        )

    def _sources(
        self, top: int, order: Order, query: str, hour: list[Minute]
    ) -> tuple[Source, ...]:
        many = top if order == "packets" and not query else SORTED
        rows = [row for row in self._minutes.total.sources(many) if row[0] and query in row[0]]
        if order == "last":
            rows.sort(key=lambda row: -row[6])
        elif order == "recent":
            rows.sort(key=lambda row: -sum(each.sources.get(row[0], 0) for each in hour[-5:]))
        bans = self._offenders.bans
        return tuple(
            Source(
                source=source,
                packets=packets,
                recent=tuple(each.sources.get(source, 0) for each in hour),
                last=float(last) or None,
                phase="observe" if (ban := bans.get(str(network_of(source)))) else None,
                rule=ban.rule if ban else None,
            )
            for source, packets, _, _, _, _, last in rows[:top]
        )

    def _ports(self, query: str, hour: list[Minute]) -> tuple[Port, ...]:
        found = []
        for port, protocol, packets, _ in self._minutes.total.ports(PORTS):
            where: Where = (protocol, port)
            if query and query not in f"{port}/{protocol}":
                continue
            recent = tuple(each.ports.get(where, 0) for each in hour)
            found.append(Port(protocol, port, _service(protocol, port), packets, recent))
        return tuple(found)

    def _ban(self, ban: Decided) -> Ban:
        return Ban(
            cidr=ban.network,
            phase="observe",
            rule=ban.rule,
            by="rule",
            reason=ban.reason,
            since=ban.since,
            expires=ban.expires,
            offence=ban.offence,
        )


def _is_of(address: str, source: str, network: Network) -> bool:
    """Whether a packet's source is meant; IPv6 is judged by /64."""
    is_wide = source.endswith("/64")
    return address == source or (is_wide and address != "" and network_of(address) == network)


def _packets(minute: Minute, sources: set[str]) -> int:
    return sum(minute.sources.get(each, 0) for each in sources)


def _measure(rule: Rule) -> str:
    is_sum = rule.measure in {"packets", "bytes"}
    return rule.measure if is_sum else f"distinct {rule.measure}"


def _address(network: str) -> str:
    """Write one address without its length."""
    return network.removesuffix("/32")


def _service(protocol: str | None, port: int | None) -> str | None:
    return None if protocol is None or port is None else service(protocol, str(port))
