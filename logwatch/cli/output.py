"""What commands say when they end: a result on standard output, or why it can't be told there."""

import os
import sys

from logwatch.errors import LogwatchError

PROBLEMS_FOUND = 3
"""The exit code of a check that found problems."""

INTERRUPTED = 128 + 2
"""The exit code by which a shell says that SIGINT has ended a command."""


class OutputError(LogwatchError):
    """The result can't be written."""


def is_on_terminal() -> bool:
    """Whether a person looks at the result as it comes."""
    return sys.stdout is not None and sys.stdout.isatty()


def write_out(text: str) -> None:
    """Write the result; BrokenPipeError when nobody reads it any more.

    What standard output can't show, such as bytes of a file's name, is escaped.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed; there is nowhere to write the result")
    try:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding, "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_stdout()
        raise OutputError(f"can't write the result: {error.strerror}") from None


def abandon_stdout() -> None:
    """Throw away what is left in its buffer, so that it is not tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
