"""What is wrong, in sentences for somebody who was woken by it."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from logwatch.export import View
from logwatch.live.history import History
from logwatch.printable import printable

Level = Literal["ok", "warning", "problem"]

BEHIND_SECONDS = 60.0
"""As the alert: a reader that is a minute behind does not catch up by itself soon."""

BLIND_LINES = 1000
"""Lines of the last hour among which there should be one about a packet."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    level: Level
    check: str
    """What was looked at: a word that does not change."""
    what: str
    """A sentence: what, and what to do."""


class Health(msgspec.Struct, frozen=True):
    """The worst of the findings, and all of them, worst first."""

    level: Level
    findings: tuple[Finding, ...]


def health_of(findings: Iterator[Finding]) -> Health:
    """Sort findings; none is `ok`."""
    found = sorted(findings, key=lambda finding: finding.level != "problem")
    return Health(found[0].level if found else "ok", tuple(found))


def findings_of(
    view: View, history: History, problems: Mapping[str, str], notes: Mapping[str, str]
) -> Iterator[Finding]:
    """Find what is wrong with an agent by what it shows; problems and notes are by part."""
    for part, text in problems.items():
        yield Finding("problem", _check(part), printable(text))
    for part, text in notes.items():
        yield Finding("warning", _check(part), printable(text))
    yield from decision_findings(view)
    yield from _behind(view)
    yield from _lost(view, history)
    yield from _blind(view, history)


def decision_findings(view: View) -> Iterator[Finding]:
    """Find why offenders are not banned, for whoever decides."""
    if view.frozen:
        yield Finding(
            "problem",
            "frozen",
            "rules decide nothing, since many times more sources offend than the brakes let them"
            " ban, and such a flood may be forged: ban by hand what is real, or raise"
            " bans_per_minute",
        )
    elif view.held:
        yield Finding(
            "warning",
            "held",
            f"a brake holds back the bans of {view.held:,} offenders: see the refusals by reason,"
            " and raise that brake if these offenders are real",
        )


def _check(part: str) -> str:
    """Name what was looked at by the part that tells of it: by the first of its words."""
    kind, *_ = part.split(" ")
    return {"input": "reading", "node": "reports"}.get(kind, kind)


def _behind(view: View) -> Iterator[Finding]:
    for shown in view.inputs:
        if (shown.behind_seconds or 0.0) > BEHIND_SECONDS:
            yield Finding(
                "warning",
                "behind",
                f"{printable(shown.path)} is read {shown.behind_seconds:,.0f} s late"
                f" ({shown.behind_bytes or 0:,} bytes): what is shown is of then; see whether this"
                " process gets its processor time",
            )


def _lost(view: View, history: History) -> Iterator[Finding]:
    messages = history.lately(view.snapshot, "lost_messages")
    reports = history.lately(view.snapshot, "loss_reports")
    if reports or messages:
        number = (
            f"at least {messages:,} messages" if messages else "messages, nobody knows how many"
        )
        yield Finding(
            "warning",
            "lost",
            f"in the last hour {number} were lost before the log: the counts are lower bounds; see"
            " docs/losses.md for the limits of the kernel, journald and rsyslog",
        )
    if destroyed := history.lately(view.snapshot, "destroyed_bytes"):
        yield Finding(
            "warning",
            "lost",
            f"in the last hour {destroyed:,} bytes of the log were cut away unread: rotate by"
            " renaming instead of copytruncate",
        )
    if files := history.lately(view.snapshot, "lost_files"):
        yield Finding(
            "warning",
            "lost",
            f"in the last hour {files:,} files were gone before they were read to their end",
        )


def _blind(view: View, history: History) -> Iterator[Finding]:
    lines = view.snapshot.counter
    if lines("lines", "packet") or lines("lines", "repeated"):
        return
    if lines("lines", "odd"):
        yield Finding(
            "problem",
            "blind",
            f"{lines('lines', 'odd'):,} lines have the prefix of packets, but none can be read:"
            " try one with `logwatch explain`",
        )
    elif history.lately(view.snapshot, "lines") >= BLIND_LINES:
        yield Finding(
            "warning",
            "blind",
            "lines are read, but none is of a packet: see that a rule with the action Log stands in"
            " front of what denies, and that `prefixes` in the configuration are of its lines",
        )
