"""The root of the errors that are told to a person.

Each room derives its own from `LogwatchError`; the message is one sentence that says what, where,
and what would be right. The command line prints it and exits with the error's `exit_code`.
"""


class LogwatchError(Exception):
    """Something a person can put right."""

    exit_code = 1


class UsageError(LogwatchError):
    """Wrong usage or configuration."""

    exit_code = 2
