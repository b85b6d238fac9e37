"""The tables: sources, ports, who comes near to a rule, who is banned, and which nodes report."""

from rich.text import Text

from logwatch.top.summary import Offender, Order, Port, Source, Summary
from logwatch.top.table import Column, Listing, Row
from logwatch.top.words import PHASES, age, number, port, text

ORDERS: dict[Order, str] = {
    "packets": "all packets",
    "recent": "packets of the last five minutes",
    "last": "the last packet",
}
"""By what sources can be sorted."""

HALF = 0.5
"""From this share of a rule on a source is worth a look."""

FIVE_MINUTES = 5
"""Numbers of `recent`, one a minute."""


def sources(summary: Summary, order: Order) -> Listing:
    """List who was denied."""
    titles = {"packets": "packets", "recent": "5 min", "last": "last"}
    titles[order] += " ▼"
    rest = summary.other_sources.packets
    about = Text(f"{number(summary.totals.sources)} in 5 min")
    if rest:
        about.append(f", {number(rest)} packets of others")
    return Listing(
        "Sources",
        about,
        (
            Column("source"),
            Column(titles["packets"], right=True),
            Column(titles["recent"], right=True, rank=1),
            Column("last hour", is_trend=True, rank=3),
            Column(titles["last"], right=True, rank=2),
            Column("phase", rank=1),
            Column("rule", least=6, most=20, rank=4),
        ),
        tuple(_source(each, summary.now) for each in summary.sources),
        "nobody was denied",
    )


def _source(source: Source, now: float) -> Row:
    ago = None if source.last is None else max(0.0, now - source.last)
    return Row(
        source.source,
        (
            text(source.source),
            Text(number(source.packets)),
            Text(number(_recent(source))),
            source.recent,
            Text(age(ago)),
            phase(source.phase),
            text(source.rule or ""),
        ),
    )


def phase(mode: str | None) -> Text:
    """Tell what became of a ban, in its colour; nothing where there is none."""
    name, style = PHASES.get(mode or "", (mode or "", ""))
    return text(name, style)


def _recent(counted: Source | Port) -> float:
    return sum(filter(None, counted.recent[-FIVE_MINUTES:]))


def ports(summary: Summary) -> Listing:
    """List where it was sent to."""
    return Listing(
        "Ports",
        Text(),
        (
            Column("port", most=24),
            Column("packets", right=True),
            Column("5 min", right=True, rank=1),
            Column("last hour", is_trend=True, rank=2),
        ),
        tuple(
            Row(
                port(each.protocol, each.port),
                (
                    text(port(each.protocol, each.port, each.service)),
                    Text(number(each.packets)),
                    Text(number(_recent(each))),
                    each.recent,
                ),
            )
            for each in summary.ports
        ),
        "no port was tried",
    )


def offenders(summary: Summary) -> Listing:
    """List who comes near to a rule, and is not banned yet."""
    about = (
        Text(f"{number(summary.held)} held back by a brake", "yellow") if summary.held else Text()
    )
    return Listing(
        "Near a rule",
        about,
        (
            Column("source"),
            Column("near", right=True),
            Column("has", rank=1),
            Column("rule", least=6, most=20, rank=2),
        ),
        tuple(_offender(each) for each in summary.offenders),
        "nobody is near to a rule",
    )


def _offender(offender: Offender) -> Row:
    things = offender.measure.removeprefix("distinct ")
    return Row(
        offender.source,
        (
            text(offender.source),
            Text(f"{offender.share:.0%}", "yellow" if offender.share >= HALF else ""),
            text(f"{number(offender.has)}/{number(offender.needs)} {things}"),
            text(offender.rule),
        ),
    )


def blacklist(summary: Summary) -> Listing:
    """List who is banned, or would be."""
    networks = summary.networks
    about = Text(f"{number(networks.decided)} decided, ")
    late = networks.decided != networks.enforced and summary.mode == "enforce"
    about.append(f"{number(networks.enforced)} enforced", "yellow" if late else "")
    if summary.frozen is not None:
        about.append(", frozen", "bold red")
    return Listing(
        "Blacklist",
        about,
        (
            Column("network", most=43),
            Column("ends in", right=True),
            Column("phase", rank=1),
            Column("rule", least=6, most=20, rank=2),
            Column("reason", least=8, most=80, rank=3),
        ),
        tuple(
            Row(
                each.cidr,
                (
                    text(each.cidr),
                    Text(
                        "-" if each.expires is None else age(max(0.0, each.expires - summary.now))
                    ),
                    phase(each.phase),
                    text(each.rule),
                    text(each.reason),
                ),
            )
            for each in summary.blacklist
        ),
        "nobody is banned",
    )


def nodes(summary: Summary, query: str) -> Listing:
    """List the nodes whose name holds a text, as an escalator knows them."""
    return Listing(
        "Nodes",
        Text(),
        (
            Column("node", least=8, most=60),
            Column("report", right=True),
            Column("sources", right=True, rank=2),
            Column("cut", right=True, rank=3),
            Column("state", rank=1),
        ),
        tuple(
            Row(
                each.node,
                (
                    text(each.node),
                    Text(age(each.age)),
                    Text(number(each.sources)),
                    Text(number(each.cut)),
                    text(each.state, "yellow" if each.state == "silent" else ""),
                ),
            )
            for each in summary.nodes
            if query.lower() in each.node.lower()
        ),
        "no node reports",
    )
