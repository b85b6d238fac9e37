"""The rules that hold where nobody wrote others: `default.rules` beside this file."""

from importlib.resources import files
from typing import Final

from logwatch.offenders.language.read import read
from logwatch.offenders.language.rule import Rule

DEFAULT_NAME: Final = "default.rules"


def default_text() -> bytes:
    """Return the file as it is, with its comments."""
    return files(__package__).joinpath(DEFAULT_NAME).read_bytes()


def default_rules() -> tuple[Rule, ...]:
    """Read the file."""
    return read(default_text(), DEFAULT_NAME).rules
