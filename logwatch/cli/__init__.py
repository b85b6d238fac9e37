"""The command `logwatch`: one file per command; parses arguments, prints, exits; no logic.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. stdout is the result, stderr is for
people.
"""

import os
import sys

from logwatch.cli.application import application
from logwatch.errors import LogwatchError

__all__ = ["main"]


def main() -> None:
    """Run the command line; never shows a traceback for what a person can put right."""
    try:
        application()
    except LogwatchError as error:
        text = str(error).encode("utf-8", "backslashreplace").decode()
        sys.stderr.write(f"logwatch: {text}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be written to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
