"""All that is known of one source, as JSON: the answer at `/api/sources/ADDRESS`."""

import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address

import msgspec

from logwatch.blacklist import Network, parse_network
from logwatch.errors import UsageError
from logwatch.export import BadRequestError, View
from logwatch.ledger import Family
from logwatch.live.facts import Known
from logwatch.live.history import History, summed
from logwatch.live.services import service
from logwatch.live.summary import Entry, entry_of, last_seen, recent
from logwatch.offenders import read_target
from logwatch.printable import printable

PORTS = 100


class Timeline(msgspec.Struct, frozen=True):
    """Packets in steps of `step` seconds from `start` on; the last step is running."""

    start: float
    step: float
    packets: list[int | None]


class PortOfSource(msgspec.Struct, frozen=True):
    """Packets of the source to one port; `port` is null where packets have none.

    `protocol` and `packets` are null where the evidence alone tells of the port.
    """

    protocol: str | None
    port: int | None
    service: str | None
    packets: int | None


class NodeOfSource(msgspec.Struct, frozen=True):
    """Packets of the source that one node saw."""

    node: str
    packets: int


class RuleOfSource(msgspec.Struct, frozen=True):
    """How near the source is to one rule."""

    rule: str
    measure: str
    has: int
    needs: int
    window: int
    share: float
    hindrance: str | None


class Commands(msgspec.Struct, frozen=True):
    """What a person may run."""

    ban: str
    undo: str | None
    why: str


class SourcePage(msgspec.Struct, frozen=True):
    """See docs/page.md."""

    schema: int
    source: str
    packets: int
    bytes: int
    first: float | None
    last: float | None
    timeline: Timeline
    ports: list[PortOfSource]
    ports_counted: int | None
    """How many there are; null where they are those of the evidence."""
    nodes: list[NodeOfSource]
    rules: list[RuleOfSource]
    verdict: str
    stops: tuple[str, ...]
    protected: str | None
    ban: Entry | None
    samples: list[str]
    commands: Commands


def source_page(  # noqa: PLR0913 - what is known at one moment
    address: str,
    view: View,
    history: History,
    known: Known,
    commands: Commands,
    *,
    nodes: Mapping[str, int] | None = None,
) -> bytes | None:
    """Make the answer; None where nothing is known of the source.

    `address` is an address or a network, however it is written: what was counted of a network is
    the sum of its addresses.
    """
    now, moment = time.time(), time.monotonic()
    network = parse_network(address)
    families = view.snapshot.families
    series = families.get("source", Family()).series
    is_of = counted_as(network)
    shown = [(labels, count) for labels, count in series.items() if is_of(labels[0])]
    packets, size = (sum(count[part] for _, count in shown) for part in (0, 1))
    if not (packets or known.ban or nodes or any(rule.reached for rule in known.explained.rules)):
        return None
    row = summed(recent(history.sources, [*shown, ((), (0, 0))]).values())
    ports = sorted(
        _ports(families.get("flow", Family()), {source for (source,), _ in shown}).items(),
        key=lambda item: (-item[1], len(item[0][1]), item[0]),  # ports as numbers
    )
    stops = known.explained.stops
    evidence = None if known.ban is None else known.ban.evidence
    has_times = evidence is not None and evidence.packets > 0
    page = SourcePage(
        schema=1,
        source=str(network).removesuffix(f"/{network.max_prefixlen}"),
        packets=packets,
        bytes=size,
        first=evidence.first if evidence is not None and has_times else None,
        last=last_seen(history.sources, row, now, moment)
        or (evidence.last if evidence is not None and has_times else None),
        timeline=Timeline(
            now - history.sources.start(moment) + history.sources.seconds,
            history.sources.seconds,
            row,
        ),
        ports=[
            PortOfSource(
                protocol or None,
                int(port) if port.isdecimal() else None,
                service(protocol, port),
                number,
            )
            for (protocol, port), number in ports[:PORTS]
        ]
        # What listens there is told for TCP, which most of it is.
        or [PortOfSource(None, port, service("tcp", str(port)), None) for port in known.ports],
        ports_counted=len(ports) if ports or not known.ports else None,
        nodes=[NodeOfSource(node, number) for node, number in (nodes or {}).items()],
        rules=[
            RuleOfSource(
                rule.rule,
                rule.measure,
                rule.reached,
                rule.threshold,
                rule.within,
                round(rule.reached / rule.threshold, 3),
                stops[0] if stops else None,
            )
            for rule in known.explained.rules
        ],
        verdict=known.explained.verdict,
        stops=stops,
        protected=known.protection,
        ban=None
        if known.ban is None
        else entry_of(known.ban, commands.undo or "", enforced=known.is_enforced),
        samples=[printable(sample) for sample in known.samples],
        commands=commands,
    )
    return msgspec.json.encode(page)


def target_of(address: str) -> Network:
    """Read the address of a request. Raises BadRequestError."""
    try:
        return read_target(address)
    except UsageError as error:
        raise BadRequestError(str(error)) from None


def commands_of(network: str, *, is_banned: bool) -> Commands:
    """Give the commands beside an agent's state."""
    target = str(parse_network(network)).removesuffix("/32")
    return Commands(
        ban=f"logwatch blacklist add {target} --for 1d --reason '...'",
        undo=f"logwatch blacklist remove {target}" if is_banned else None,
        why=f"logwatch blacklist why {target}",
    )


def counted_as(network: Network) -> Callable[[str], bool]:
    """Give what tells whether a source is of a network, by its address as the core writes it."""
    if network.prefixlen == network.max_prefixlen:
        address = str(network.network_address)
        return {address, f"::ffff:{address}"}.__contains__
    return lambda source: _lies_in(source, network)


def _lies_in(source: str, network: Network) -> bool:
    try:
        return ip_address(source) in network
    except ValueError:
        return False


def _ports(flows: Family, sources: set[str]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for (source, protocol, port), (packets, _) in flows.series.items():
        if source in sources:
            sums[protocol, port] = sums.get((protocol, port), 0) + packets
    return sums
