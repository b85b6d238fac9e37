"""The outcome of a replay for people: each entry a row, and what it did in words below it.

A door of its own: Rich takes longer to import than a short log takes to judge.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from textwrap import wrap
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from logwatch.offenders import Ban, NearMiss, sent_in_words
from logwatch.offenders.language import Rule
from logwatch.report.replay.difference import Changed, Difference
from logwatch.report.replay.outcome import Outcome
from logwatch.report.report import moment
from logwatch.report.table import short

KINDS = "loopback, link-local, multicast, unspecified and broadcast addresses, and NAT64's network"
"""What is never banned whatever is configured; see `logwatch.offenders.Protected`."""

INDENT = "    "


class _Row(NamedTuple):
    cells: tuple[str, ...]
    words: str = ""
    """Below the cells."""


def render_table(outcome: Outcome, width: int, top: int) -> RenderableType:
    """Who would have been banned, who not and why, and who came near; `top` 0 shows all."""
    page = _Page(width, top)
    decisions = outcome.decisions
    parts = [
        _headline(outcome, width),
        page.table(
            "Bans",
            ("at (UTC)", "network", "until (UTC)", "offence"),
            [_Row(_ban_cells(ban), _did(ban)) for ban in decisions.bans],
            empty="Nobody would have been banned.",
        ),
        page.table(
            "Refused",
            ("at (UTC)", "network", "times"),
            [
                _Row(
                    (_when(each.first), each.cidr, f"{each.times:,}"),
                    f"{each.did}; not banned: {each.why}",
                )
                for each in decisions.refused
            ],
        ),
        page.table(
            "Near misses",
            ("at (UTC)", "network", "reached", "rule"),
            [
                _Row((_when(miss.at), miss.network, _reached(miss, decisions.rules), miss.rule))
                for miss in decisions.near
            ],
        ),
        _Page(width, 0).table("Rules", ("rule", "bans", "refused"), list(_by_rule(outcome))),
    ]
    if outcome.difference is not None:
        parts += _difference(outcome, outcome.difference, page)
    return Group(*(part for part in parts if part.plain))


def _headline(outcome: Outcome, width: int) -> Text:
    totals = outcome.totals
    text = Text()
    text.append(f"{totals.packets:,}", style="bold")
    text.append(f" {_word('packet', totals.packets)} in {totals.lines:,}")
    text.append(f" {_word('line', totals.lines)}")
    for number, name, style in (
        (totals.odd, "odd", "yellow"),
        (totals.forged, "forged (not counted)", "red"),
    ):
        if number:
            text.append(f", {number:,} {name}", style=style)
    if outcome.first is not None:
        text.append(f",\n{_when(outcome.first)} to {_when(outcome.last)} (UTC)")
    text.append("\n")
    if not totals.packets:
        prefixes = ", ".join(outcome.prefixes)
        text.append(f"No kernel line with the prefix {prefixes} was found; see --prefix.\n")
    sentence = f"Judged by {outcome.rules}. {_never_banned(outcome)}"
    text.append("\n".join(wrap(sentence, width)) + "\n", style="dim")
    for note in outcome.notes:
        text.append("\n".join(wrap(note, width)) + "\n", style="red")
    return text


def _never_banned(outcome: Outcome) -> str:
    never = outcome.never_banned
    listed = f"; {', '.join(never.listed)}" if never.listed else ""
    own = (
        ". This host's own addresses are not among these, since the log may be another's; see"
        " --config"
        if never.own is None
        else "; this host's own addresses"
    )
    return f"Never banned: {KINDS}{listed}{own}."


def _when(seconds: float | None) -> str:
    return "" if seconds is None else short(moment(int(seconds)))


def _ban_cells(ban: Ban) -> tuple[str, ...]:
    return _when(ban.since), ban.network, _when(ban.expires), str(ban.offence)


def _did(ban: Ban) -> str:
    """What the source did, with the evidence that is listed."""
    return f"{ban.reason}, {sent_in_words(ban.evidence)}"


def _reached(miss: NearMiss, rules: Iterable[Rule]) -> str:
    measures = {rule.name: rule.measure for rule in rules}
    return f"{miss.reached:,} of {miss.threshold:,} {measures[miss.rule]}"


def _by_rule(outcome: Outcome) -> Iterator[_Row]:
    decisions = outcome.decisions
    for rule in decisions.rules:
        bans = sum(ban.rule == rule.name for ban in decisions.bans)
        refused = sum(each.rule == rule.name for each in decisions.refused)
        yield _Row((rule.name, f"{bans:,}", f"{refused:,}"))


def _difference(outcome: Outcome, difference: Difference, page: "_Page") -> list[Text]:
    numbers = Text()
    numbers.append(f"Against {outcome.against}\n", style="bold")
    alike = "network is" if difference.same == 1 else "networks are"
    sentence = (
        f"{difference.same:,} {alike} banned alike, {len(difference.only):,} only by"
        f" {outcome.rules}, {len(difference.only_other):,} only by {outcome.against},"
        f" {len(difference.changed):,} by both but otherwise."
    )
    numbers.append("\n".join(wrap(sentence, page.width)) + "\n")
    columns = ("at (UTC)", "network", "until (UTC)", "offence")
    return [
        numbers,
        page.table(
            f"Only by {outcome.rules}",
            columns,
            [_Row(_ban_cells(ban), _did(ban)) for ban in difference.only],
        ),
        page.table(
            f"Only by {outcome.against}",
            columns,
            [_Row(_ban_cells(ban), _did(ban)) for ban in difference.only_other],
        ),
        page.table(
            f"By both, otherwise by {outcome.against}",
            ("network", "there"),
            [
                _Row((each.cidr, _otherwise(each)), _both(outcome, each))
                for each in difference.changed
            ],
        ),
    ]


def _otherwise(changed: Changed) -> str:
    """What is different in the other rules' ban."""
    ban, other = changed.ban, changed.other
    if ban is None or other is None:
        return "once more" if ban is None else "not again"
    parts = []
    if other.since != ban.since:
        later = other.since > ban.since
        apart = timedelta(seconds=abs(other.since - ban.since))
        parts.append(f"{apart} {'later' if later else 'earlier'}")
    if other.rule != ban.rule:
        parts.append("by another rule")
    if other.since == ban.since and other.expires != ban.expires:
        longer = other.expires > ban.expires
        apart = timedelta(seconds=abs(other.expires - ban.expires))
        parts.append(f"{apart} {'longer' if longer else 'shorter'}")
    return ", ".join(parts)


def _both(outcome: Outcome, changed: Changed) -> str:
    told = [
        f"{name}: {ban.rule}, {_when(ban.since)} to {_when(ban.expires)}"
        for name, ban in ((outcome.rules, changed.ban), (outcome.against, changed.other))
        if ban is not None
    ]
    return "; ".join(told)


NUMBERS = frozenset({"offence", "times", "bans", "refused"})
"""Columns that are right-aligned."""


class _Page:
    """How wide it is, and how much of each list it shows."""

    def __init__(self, width: int, top: int) -> None:
        self.width = width
        self._top = top

    def table(
        self, title: str, columns: tuple[str, ...], rows: Sequence[_Row], *, empty: str = ""
    ) -> Text:
        """A title, a head, and the rows; a sentence or nothing when there are none."""
        text = Text(no_wrap=False)
        if not rows:
            return text.append(f"{empty}\n" if empty else "")
        shown = rows[: self._top or None]
        widths = [
            max(len(cells[index]) for cells in (columns, *(row.cells for row in shown)))
            for index in range(len(columns))
        ]
        text.append(f"{title}\n\n", style="bold")
        text.append(f"{_line(columns, columns, widths)}\n", style="bold")
        text.append(f" {'─' * (sum(widths) + 2 * len(widths))}\n")
        for row in shown:
            text.append(f"{_line(row.cells, columns, widths)}\n")
            for words in wrap(row.words, self.width - len(INDENT)):
                text.append(f"{INDENT}{words}\n", style="dim")
        if len(shown) < len(rows):
            text.append(f"  and {len(rows) - len(shown):,} more, see --top\n", style="dim")
        return text


def _line(cells: Iterable[str], columns: Iterable[str], widths: Iterable[int]) -> str:
    padded = [
        cell.rjust(width) if column in NUMBERS else cell.ljust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return f"  {'  '.join(padded)}".rstrip()


def _word(thing: str, number: int) -> str:
    return thing if number == 1 else f"{thing}s"
