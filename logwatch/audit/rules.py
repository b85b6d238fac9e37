"""The rules that a program decides by, read at its start."""

from pathlib import Path

import structlog

from logwatch.offenders import Rule, read_rules


def rules_in_force(
    path: str | None, log: structlog.typing.FilteringBoundLogger
) -> tuple[Rule, ...]:
    """Read the rules of a file, or those that come with logwatch; what is odd in them is logged.

    Raises RulesError.
    """
    reading = read_rules(None if path is None else Path(path))
    for problem in reading.problems:
        log.warning("rule", what=problem.what, file=problem.place.file, line=problem.place.line)
    return tuple(reading.rules)
