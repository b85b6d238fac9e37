"""What commands say when they end: standard output that is gone, and problems that were found."""

import os
import sys

PROBLEMS_FOUND = 3
"""The exit code of a check that found problems."""


def abandon_stdout() -> None:
    """Throw away what is left in its buffer, so that it is not tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
