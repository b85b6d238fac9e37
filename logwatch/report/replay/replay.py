"""Runs logs through rules at their own time, once for as many files of rules as are asked for."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from logwatch.config import Brakes, Prefix
from logwatch.errors import UsageError
from logwatch.offenders import Protected
from logwatch.offenders.language import Rule
from logwatch.packets import PolicyRow, Summary
from logwatch.report.read import Progress
from logwatch.report.replay.difference import difference
from logwatch.report.replay.judge import Judge
from logwatch.report.replay.log import Batch, Log, Start
from logwatch.report.replay.notes import notes
from logwatch.report.replay.order import in_time, same_lines
from logwatch.report.replay.outcome import NeverBanned, Outcome, Totals


class ReplayError(UsageError):
    """Logs that can't be replayed together."""


class Rules(NamedTuple):
    """A file of rules, read."""

    name: str
    rules: tuple[Rule, ...]


class Judges(NamedTuple):
    """By what the log is judged."""

    rules: Rules
    against: Rules | None
    protected: Protected
    never_banned: NeverBanned
    """What `protected` holds beside addresses that can't be offenders."""
    limits: Brakes


def replay(
    paths: Sequence[str],
    prefixes: Sequence[Prefix],
    judges: Judges,
    *,
    progress: Progress | None = None,
) -> Outcome:
    """Judge all packets of the logs (plain, .gz, .zst, "-"), in the order of their times.

    What can't be read is told in the outcome's `inputs`; an interrupt ends it with what was judged
    before. Raises ReplayError for logs that hold the same lines.
    """
    texts = [prefix.text for prefix in prefixes]
    logs = [Log(path, texts, progress or Progress()) for path in paths]
    # Alone it needs no look ahead.
    starts = [(log, log.start() if len(logs) > 1 else Start()) for log in logs]
    if (same := same_lines(starts)) is not None:
        raise ReplayError(
            f"{same.log.name} begins with the same lines as {same.other.name}, so that its packets"
            " would count twice; name one of the two"
        )
    judge = Judge(judges.rules.rules, judges.protected, limits=judges.limits)
    other = None
    if judges.against is not None:
        other = Judge(judges.against.rules, judges.protected, limits=judges.limits)
    course = _Course([judge, *([] if other is None else [other])], prefixes)
    is_interrupted = False
    try:
        course.run(in_time(starts))
    except KeyboardInterrupt:
        is_interrupted = True
    decided = judge.decisions()
    decided_otherwise = None if other is None else other.decisions()
    return Outcome(
        rules=judges.rules.name,
        decisions=decided,
        never_banned=judges.never_banned,
        prefixes=tuple(texts),
        totals=_totals(logs),
        first=course.first,
        last=course.last,
        inputs=tuple(log.entry for log in logs),
        notes=tuple(chain.from_iterable(notes(log) for log in logs)),
        is_interrupted=is_interrupted,
        against=None if judges.against is None else judges.against.name,
        other=decided_otherwise,
        difference=None
        if decided_otherwise is None
        else difference(decided.bans, decided_otherwise.bans),
    )


class _Course:
    """Batches on their way to all judges."""

    def __init__(self, judges: Sequence[Judge], prefixes: Sequence[Prefix]) -> None:
        self._judges = judges
        self._prefixes = prefixes
        self._policies: dict[tuple[object, ...], list[tuple[str, str]]] = {}
        self.first: int | None = None
        self.last: int | None = None

    def run(self, batches: Iterable[Batch]) -> None:
        """Judge them all."""
        for batch in batches:
            if not batch.summary.packets or batch.at is None:
                continue
            policies = self._named(batch.summary)
            for judge in self._judges:
                judge.see(batch.summary, batch.at, policies)
            self.first = batch.at if self.first is None else min(self.first, batch.at)
            self.last = batch.at if self.last is None else max(self.last, batch.at)

    def _named(self, summary: Summary) -> list[tuple[str, str]]:
        """Name and verdict of each policy: as the kernel printed it, else as its prefix is called.

        They are the same for most batches, which are many.
        """
        fields = tuple(summary.policies())
        named = self._policies.get(fields)
        if named is None:
            rows = [PolicyRow(*each) for each in fields]
            prefixes = [self._prefixes[row.prefix] for row in rows]
            named = [
                (row.name or prefix.name, prefix.verdict)
                for row, prefix in zip(rows, prefixes, strict=True)
            ]
            self._policies[fields] = named
        return named


def _totals(logs: Iterable[Log]) -> Totals:
    logs = list(logs)

    def lines(*kinds: str) -> int:
        return sum(log.lines.get(kind, 0) for log in logs for kind in kinds)

    return Totals(
        lines=sum(sum(log.lines.values()) for log in logs),
        packets=sum(log.packets for log in logs),
        odd=lines("odd"),
        forged=lines("forged"),
        overlong_lines=sum(log.overlong_lines for log in logs),
        undated=sum(log.undated for log in logs),
    )
