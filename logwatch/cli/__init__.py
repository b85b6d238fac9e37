"""The command `logwatch`: one file per command; prints, exits; no logic. `arguments` parses.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 problems found, 130 interrupted.
stdout is the result, stderr is for people.
"""

import sys

from logwatch.cli.application import run
from logwatch.cli.output import INTERRUPTED, abandon_stdout
from logwatch.errors import LogwatchError

__all__ = ["main"]


def main() -> None:
    """Run the command line; never shows a traceback for what a person can put right."""
    try:
        run(sys.argv[1:])
    except LogwatchError as error:
        sys.stderr.write(f"logwatch: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        abandon_stdout()  # whoever read our output has seen enough
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
