"""What a replay found, as a value."""

from typing import NamedTuple

from logwatch.report.replay.difference import Difference
from logwatch.report.replay.judge import Decisions
from logwatch.report.report import InputEntry

SCHEMA = 1


class NeverBanned(NamedTuple):
    """What the rules could not ban, beside addresses that can't be offenders."""

    listed: tuple[str, ...]
    """The operator's networks."""
    own: tuple[str, ...] | None
    """This host's addresses; None where they were not asked for."""


class Totals(NamedTuple):
    """Sums over all logs."""

    lines: int
    packets: int
    """Repeats included."""
    odd: int
    forged: int
    overlong_lines: int
    undated: int
    """Packets that no time is known of: not judged."""


class Outcome(NamedTuple):
    """Who would have been banned, and all that says how far it can be believed."""

    rules: str
    """Name of the file."""
    decisions: Decisions
    never_banned: NeverBanned
    prefixes: tuple[str, ...]
    totals: Totals
    first: int | None
    """Unix seconds of the earliest and latest packet that was judged."""
    last: int | None
    inputs: tuple[InputEntry, ...]
    notes: tuple[str, ...]
    """Sentences about what is odd with the logs."""
    is_interrupted: bool = False
    against: str | None = None
    """Name of the other file of rules."""
    other: Decisions | None = None
    difference: Difference | None = None
