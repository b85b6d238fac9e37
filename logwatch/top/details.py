"""One source: what it did, which rules it comes near to, and what a person can do."""

from rich.text import Text

from logwatch.top.lists import phase
from logwatch.top.summary import Details
from logwatch.top.words import age, number, port, text, trend

PORTS = 200
"""Ports that are listed."""

KEPT = "\N{NO-BREAK SPACE}"
"""Keeps a port and its number on one line."""


def details(of: Details, now: float, width: int) -> list[Text]:
    """Draw all that is known."""
    lines = [
        Text.assemble((" source ", "bold reverse"), " ", text(of.source, "bold")),
        Text(),
        text(of.verdict, "bold"),
    ]
    if of.protected is not None:
        lines.append(text(of.protected, "yellow"))
    if of.ban is not None:
        left = None if of.ban.expires is None else max(0.0, of.ban.expires - now)
        lines.append(
            Text.assemble(
                phase(of.ban.phase),
                f": ends in {age(left)}, offence {of.ban.offence}, rule ",
                text(of.ban.rule),
                ": ",
                text(of.ban.reason),
            )
        )
    lines += [
        *_section("Commands", _commands(of)),
        Text(),
        Text(
            f"{number(of.packets)} packets, the first {_ago(of.first, now)},"
            f" the last {_ago(of.last, now)}; those of the last hour:"
        ),
        Text(trend(of.timeline.packets, min(60, width)), "cyan"),
        *_section("Rules", _rules(of)),
        *_section("Ports", _ports(of)),
        *_section("Nodes", [_line(each.packets, text(each.node)) for each in of.nodes]),
        *_section("Lines", [text(line, "dim") for line in of.samples]),
    ]
    return lines


def _ago(moment: float | None, now: float) -> str:
    return "at an unknown time" if moment is None else f"{age(max(0.0, now - moment))} ago"


def _section(title: str, lines: list[Text]) -> list[Text]:
    return [Text(), Text(title, "bold"), *lines] if lines else []


def _line(packets: int, what: Text) -> Text:
    return Text(f"{number(packets):>10}  ") + what


def _ports(of: Details) -> list[Text]:
    """Write them one behind the other: a scan has hundreds."""
    if not of.ports:
        return []
    told = [
        _kept(port(each.protocol, each.port, each.service))
        + Text("" if each.packets is None else f"{KEPT}{number(each.packets)}", "dim")
        for each in of.ports[:PORTS]
    ]
    if len(of.ports) > PORTS:
        told.append(Text(f"and {number(len(of.ports) - PORTS)} more", "dim"))
    return [Text("   ").join(told)]


def _kept(content: str) -> Text:
    return Text(KEPT).join(text(word) for word in content.split(" "))


def _rules(of: Details) -> list[Text]:
    lines = []
    for each in of.rules:
        reached = f"{number(each.has)} of {number(each.needs)} "
        line = Text(f"{reached:>16}") + text(
            f"{each.measure} within {age(each.window)}: {each.rule}"
        )
        if each.hindrance is not None:
            line.append_text(text(f" ({each.hindrance})", "yellow"))
        lines.append(line)
    return lines


def _commands(of: Details) -> list[Text]:
    told = (("ban", of.commands.ban), ("undo", of.commands.undo), ("why", of.commands.why))
    return [Text(f"{name:>10}  ") + text(line) for name, line in told if line]
