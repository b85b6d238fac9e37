"""Sentences about what is odd with a log: each may make its evidence less than it was."""

from collections.abc import Iterator
from datetime import timedelta

from logwatch.report.replay.log import Log
from logwatch.report.report import moment


def notes(log: Log) -> Iterator[str]:
    """One sentence for each thing that a person should know."""
    entry = log.entry
    if not entry.bytes and entry.problem is None:
        yield f"{log.name} is empty."
    if log.undated:
        packets, were = ("packet", "was") if log.undated == 1 else ("packets", "were")
        yield (
            f"{log.name}: {log.undated:,} {packets} before the first that has a time {were} not"
            " judged."
        )
    if log.steps_back:
        first = log.steps_back[0]
        longest = max(step.before - step.after for step in log.steps_back)
        times = "once" if len(log.steps_back) == 1 else f"{len(log.steps_back):,} times"
        yield (
            f"{log.name} goes back in time {times}, by {timedelta(seconds=longest)} at most, first"
            f" from {moment(first.before)} to {moment(first.after)}: what came before was judged"
            " apart. Where it holds the lines of several hosts, replay each host's alone."
        )
    for by, (messages, reports) in log.losses.items():
        if reports:
            things = "message" if messages == 1 else "messages"
            number = f"{messages:,} {things}" if messages else "no number"
            yield f"{log.name}: {by} reports loss, {number}: there was more evidence than this."
    if log.overlong_lines:
        lines = "line was" if log.overlong_lines == 1 else "lines were"
        yield f"{log.name}: {log.overlong_lines:,} {lines} too long to be looked into."
