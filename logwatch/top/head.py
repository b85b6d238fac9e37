"""The first lines: whose counts these are, and whether they are all that there is."""

from rich.text import Text

from logwatch.top.summary import Input, Summary
from logwatch.top.words import STYLES, age, number, size, text

MODES = {"enforce": "bold", "propose": "", "observe": ""}


def title(summary: Summary, clock: str, width: int) -> Text:
    """Name the program and its host, the mode and the time."""
    left = Text.assemble(
        (" logwatch ", "bold reverse"),
        " ",
        text(summary.name, "bold"),
        f"  {'escalator' if summary.role == 'escalator' else ''}".rstrip(),
        "  mode ",
        text(summary.mode, MODES.get(summary.mode, "")),
    )
    totals = summary.totals
    left.append(f"  {number(totals.packets)} denied")
    if totals.logged:
        left.append(f", {number(totals.logged)} logged")
    if summary.role == "escalator":
        states = summary.node_states
        there = sum(count for state, count in states.items() if state != "gone")
        left.append(f"  {number(there)} nodes")
        if silent := states.get("silent"):
            left.append(f", {number(silent)} silent", "yellow")
    left.truncate(max(0, width - len(clock) - 1), overflow="ellipsis", pad=True)
    return Text.assemble(left, " ", clock, no_wrap=True)


def health(summary: Summary, most: int) -> list[Text]:
    """Tell what is wrong, at most so many lines; what is read where all is well."""
    findings = sorted(summary.health.findings, key=lambda finding: finding.level != "problem")
    lines = [
        Text.assemble(("● ", STYLES[each.level]), text(each.what, STYLES[each.level]), no_wrap=True)
        for each in findings[:most]
    ]
    if more := len(findings) - len(lines):
        lines[-1].append(f"  (and {more} more)", "dim")
    if not findings:
        lines.append(_well(summary))
    return lines


def _well(summary: Summary) -> Text:
    line = Text("● ", STYLES[summary.health.level], no_wrap=True)
    told = [_input(each, summary.now) for each in summary.inputs]
    if summary.role == "escalator":
        told.append(Text(f"reports of {number(summary.node_states.get('reporting', 0))} nodes"))
    line.append_text(Text("; ").join(told))
    lost = sum(each.messages for each in summary.lost)
    if lost:
        line.append(f"; {number(lost)} messages lost before the log", "yellow")
    return line


def _input(source: Input, now: float) -> Text:
    line = Text.assemble("reads ", text(source.path))
    if source.behind_bytes:
        line.append(f", {size(source.behind_bytes)} behind")
    if source.last_packet is None:
        line.append(", no packet yet")
    else:
        line.append(f", last packet {age(max(0.0, now - source.last_packet))} ago")
    return line
