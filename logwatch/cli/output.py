"""Standard output that can't be written any more."""

import os
import sys


def abandon_stdout() -> None:
    """Throw away what is left in its buffer, so that it is not tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
