"""The whole of the live page, as JSON: what agent and escalator answer at `/api/summary`.

Times are Unix seconds, counts are packets since the counters began where nothing else is said.
"""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nlargest
from typing import Literal

import msgspec

from logwatch.export import Asked, View
from logwatch.ledger import Count, Family, Labels, Snapshot
from logwatch.live.facts import Decided
from logwatch.live.health import Finding, Health, health_of
from logwatch.live.history import POLICIES, Growth, History, Row, by_policy, other_policies, summed
from logwatch.live.services import service
from logwatch.offenders import Ban
from logwatch.printable import printable

NONE: Family = Family()


class Host(msgspec.Struct, frozen=True):
    """Who answers."""

    role: Literal["agent", "escalator"]
    version: str
    started: float
    name: str = msgspec.field(default_factory=socket.gethostname)


class Input(msgspec.Struct, frozen=True):
    """An input as it is read now."""

    path: str
    readable: bool
    behind_bytes: int | None
    behind_seconds: float | None
    last_packet: float | None
    rotations: int
    truncations: int


class Lost(msgspec.Struct, frozen=True):
    """Messages that somebody said were lost."""

    by: str
    input: str
    messages: int


class TotalsOf(msgspec.Struct, frozen=True):
    """Everything that was counted."""

    packets: int
    bytes: int
    logged: int
    sources: int
    """Distinct ones in the last 5 minutes, estimated."""


class Line(msgspec.Struct, frozen=True):
    """A policy's line in the chart."""

    policy: str
    action: str
    packets: list[int | None]


class Chart(msgspec.Struct, frozen=True):
    """Packets in steps of `step` seconds from `start` on; the last step is running.

    Null before the process began.
    """

    start: float
    step: float
    series: list[Line]


class Interface(msgspec.Struct, frozen=True):
    """Denied packets that came in by one interface."""

    interface: str
    packets: int


class Source(msgspec.Struct, frozen=True):
    """Denied packets of one source."""

    source: str
    packets: int
    bytes: int
    recent: list[int | None]
    """By minute; the last one is running."""
    last: float | None
    """To the minute; null when that is more than an hour ago."""
    phase: str | None
    rule: str | None


class Other(msgspec.Struct, frozen=True):
    """What has no series of its own."""

    packets: int


class Port(msgspec.Struct, frozen=True):
    """Denied packets to one port; `port` is null where packets have none."""

    protocol: str | None
    port: int | None
    service: str | None
    packets: int
    recent: list[int | None]


class Offender(msgspec.Struct, frozen=True):
    """A source that is not banned, and the rule that it is nearest to."""

    source: str
    rule: str
    measure: str
    has: int
    needs: int
    window: int
    share: float


class Entry(msgspec.Struct, frozen=True):
    """A ban."""

    cidr: str
    phase: str
    rule: str
    by: str
    reason: str
    since: float
    expires: float
    offence: int
    enforced: bool
    undo: str


class Refused(msgspec.Struct, frozen=True):
    """Bans that were not decided, by reason."""

    reason: str
    count: int


NODES = 1000
"""Nodes on one page, the first of those that are given."""

NodeState = Literal["reporting", "silent", "gone"]
"""Gone: its report is there still, but no such node."""


class Node(msgspec.Struct, frozen=True):
    """A node that reports to an escalator."""

    node: str
    reported: float
    sources: int
    cut: int
    age: float
    state: NodeState


class Summary(msgspec.Struct, frozen=True):
    """See docs/page.md."""

    schema: int
    role: str
    name: str
    version: str
    started: float
    now: float
    mode: str
    health: Health
    inputs: list[Input]
    lost: list[Lost]
    lines: dict[str, int]
    totals: TotalsOf
    history: Chart
    interfaces: list[Interface]
    sources: list[Source]
    other_sources: Other
    ports: list[Port]
    offenders: list[Offender]
    blacklist: list[Entry]
    networks: Mapping[str, int]
    frozen: str | None
    held: int
    refused: list[Refused]
    nodes: Sequence[Node]
    node_states: Mapping[str, int]


def summary_page(  # noqa: PLR0913 - what is known at one moment
    host: Host,
    view: View,
    history: History,
    asked: Asked,
    *,
    decide: Callable[[Sequence[str]], Decided],
    findings: Iterator[Finding],
    nodes: Sequence[Node] = (),
    undo: Callable[[Ban], str],
) -> bytes:
    """Make the answer; `decide` gives what is decided, with the bans of the sources shown."""
    now, moment = time.time(), time.monotonic()
    families = view.snapshot.families
    denied = families.get("denied", NONE)
    sources = top(families.get("source", NONE), asked, history.sources)
    facts = decide([source for (source,), _ in sources])
    packets, size = denied.total
    summary = Summary(
        schema=1,
        role=host.role,
        name=host.name,
        version=host.version,
        started=host.started,
        now=now,
        mode=view.mode,
        health=health_of(findings),
        inputs=[*_inputs(view)],
        lost=[*_lost(view)],
        lines={kind: view.snapshot.counter("lines", kind) for kind in KINDS},
        totals=TotalsOf(packets, size, families.get("logged", NONE).total[0], view.sources),
        history=chart(history.policies, view.snapshot, now, moment),
        interfaces=[*_interfaces(denied)],
        sources=[*_sources(sources, facts, history.sources, now, moment)],
        other_sources=Other(families.get("source", NONE).other[0]),
        ports=[*_ports(top(families.get("port", NONE), asked, history.ports), history.ports)],
        offenders=[
            Offender(
                network.removesuffix("/32"),
                near.rule,
                near.measure,
                near.reached,
                near.threshold,
                near.within,
                round(near.reached / near.threshold, 3),
            )
            for network, near in facts.nearest
        ],
        blacklist=[
            entry_of(ban, undo(ban), enforced=ban.network in facts.enforced) for ban in facts.bans
        ],
        networks=dict(view.networks),
        frozen=facts.frozen,
        held=facts.held,
        refused=[*_refused(view.snapshot)],
        nodes=nodes[:NODES],
        node_states=Counter(node.state for node in nodes),
    )
    return msgspec.json.encode(summary)


KINDS = ("packet", "repeated", "odd", "forged", "other")


def top(family: Family, asked: Asked, growth: Growth) -> list[tuple[Labels, Count]]:
    """Choose the series to show: those with the query in a label, the first by `asked.sort`."""
    found = family.series.items()
    if asked.query:
        found = [  # type: ignore[assignment]  # a view or a list, both are gone through once
            (labels, count) for labels, count in found if asked.query in " ".join(labels).lower()
        ]
    if asked.sort == "packets":
        shown = nlargest(asked.top, found, key=lambda item: item[1][0])
        # Those with as many each time in the same order, ports by their numbers.
        return sorted(shown, key=lambda item: (-item[1][0], len(item[0][-1]), item[0]))
    sums, latest = growth.sums(), growth.latest()

    def lately(item: tuple[Labels, Count]) -> tuple[float, int]:
        labels, (packets, _) = item
        running = growth.running(labels, packets)
        if asked.sort == "recent":
            return sums.get(labels, 0) + running, packets
        return float("inf") if running else latest.get(labels, -1), packets

    moved = [*growth.moved(found)]
    shown = nlargest(asked.top, moved, key=lately)
    if len(shown) < asked.top:
        names = {labels for labels, _ in moved}
        quiet = (item for item in found if item[0] not in names)
        shown += nlargest(asked.top - len(shown), quiet, key=lambda item: item[1][0])
    return shown


def chart(growth: Growth, snapshot: Snapshot, now: float, moment: float) -> Chart:
    """Draw the last hour of the largest policies, and of the others of an action as one.

    A policy that was quiet in it has a line of zeros.
    """
    totals = by_policy(snapshot)
    keys = [*dict.fromkeys([*growth.largest(), *totals])]
    shown = [key for key in keys if key != other_policies(key)][:POLICIES]
    rows = recent(growth, [(key, totals.get(key, (0, 0))) for key in keys])
    rest: dict[Labels, list[Row]] = {}
    for key in keys:
        if key not in shown:
            rest.setdefault(other_policies(key), []).append(rows[key])
    lines = {key: rows[key] for key in shown} | {key: summed(each) for key, each in rest.items()}
    return Chart(
        now - growth.start(moment) + growth.seconds,
        growth.seconds,
        [Line(printable(policy), action, row) for (policy, action), row in lines.items()],
    )


def recent(growth: Growth, shown: Sequence[tuple[Labels, Count]]) -> dict[Labels, Row]:
    """Give the last hour of these series, the running step at the end."""
    rows = growth.of(labels for labels, _ in shown)
    return {
        labels: [*rows[labels][1:], growth.running(labels, packets)]
        for labels, (packets, _) in shown
    }


def last_seen(growth: Growth, row: Sequence[int | None], now: float, moment: float) -> float | None:
    """Tell when a row of `recent` last had a packet, to the end of its step."""
    latest = max((place for place, number in enumerate(row) if number), default=None)
    if latest is None:
        return None
    begins = now - growth.start(moment) + growth.seconds
    return min(now, begins + (latest + 1) * growth.seconds)


def entry_of(ban: Ban, undo: str, *, enforced: bool) -> Entry:
    """Show a ban."""
    return Entry(
        ban.network,
        ban.phase,
        ban.rule,
        ban.by,
        printable(ban.reason),
        ban.since,
        ban.expires,
        ban.offence,
        enforced,
        undo,
    )


def _sources(
    sources: Sequence[tuple[Labels, Count]],
    facts: Decided,
    growth: Growth,
    now: float,
    moment: float,
) -> Iterator[Source]:
    rows = recent(growth, sources)
    for labels, (packets, size) in sources:
        row = rows[labels]
        ban = (facts.holding or {}).get(labels[0])
        yield Source(
            printable(labels[0]),
            packets,
            size,
            row,
            last_seen(growth, row, now, moment),
            None if ban is None else ban.phase,
            None if ban is None else ban.rule,
        )


def _ports(ports: Sequence[tuple[Labels, Count]], growth: Growth) -> Iterator[Port]:
    rows = recent(growth, ports)
    for labels, (packets, _) in ports:
        protocol, port = labels
        number = int(port) if port.isdecimal() else None
        name = service(protocol, port)
        yield Port(printable(protocol) or None, number, name, packets, rows[labels])


def _inputs(view: View) -> Iterator[Input]:
    counter = view.snapshot.counter
    for shown in view.inputs:
        yield Input(
            printable(shown.path),
            shown.is_readable,
            shown.behind_bytes,
            shown.behind_seconds,
            shown.last_packet,
            counter("rotations", shown.path),
            counter("truncations", shown.path),
        )


def _lost(view: View) -> Iterator[Lost]:
    for (name, labels), number in sorted(view.snapshot.counters.items()):
        if name == "lost_messages" and number:
            by, path = labels
            yield Lost(by, printable(path), number)


def _interfaces(denied: Family) -> Iterator[Interface]:
    sums: dict[str, int] = {}
    for (_, interface, *_), (packets, _) in denied.series.items():
        if interface:  # a report of a node does not tell it
            sums[interface] = sums.get(interface, 0) + packets
    for interface in sorted(sums, key=lambda each: (-sums[each], each)):
        yield Interface(printable(interface), sums[interface])


def _refused(snapshot: Snapshot) -> Iterator[Refused]:
    for (name, labels), number in sorted(snapshot.counters.items()):
        if name == "bans_refused" and number:
            yield Refused(printable(labels[0]), number)
