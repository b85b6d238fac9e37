"""The rules that a daemon judges by: the operator's file, or those that come with logwatch."""

from pathlib import Path

from logwatch.errors import UsageError
from logwatch.offenders.language import (
    DEFAULT_NAME,
    FILE_MOST,
    Reading,
    default_text,
    read,
    render,
)


class RulesError(UsageError):
    """A file of rules that can't be used."""


def read_rules(path: Path | None) -> Reading:
    """Read the rules of a file; None takes those by default.

    Raises RulesError with all that is wrong in it; warnings are in `Reading.problems`.
    """
    if path is None:
        return read(default_text(), DEFAULT_NAME)
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MOST + 1)
    except OSError as error:
        raise RulesError(
            f"can't read the rules {path}: {error.strerror}; name a file with --rules"
        ) from error
    reading = read(data, str(path))
    if reading.has_errors:
        errors = [render(each) for each in reading.problems if each.level == "error"]
        raise RulesError("\n".join([f"the rules {path} can't be used:", *errors]))
    return reading
