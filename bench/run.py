"""Times logwatch and its peers in one run, and prints a table for each group.

Whole processes, file in the page cache, the commands in turn, so that all of them see the same
machine. Each answer is checked before a figure is printed. Figures include start-up, except for
those of the group "pieces".
"""

import argparse
import shutil
import sys

from groups import GROUPS


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("group", nargs="*", help=f"only these of {', '.join(GROUPS)}")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error(f"--rounds {given.rounds}: at least 1")
    for name in given.group:
        if name not in GROUPS:
            parser.error(f"no group {name!r}; there are {', '.join(GROUPS)}")
    chosen = [group for name, group in GROUPS.items() if not given.group or name in given.group]
    for group in chosen:
        for command in group.needs:
            if not shutil.which(command):
                sys.exit(f"{command} is missing: run bench/install.sh")
    for group in chosen:
        group.run(given.rounds)


if __name__ == "__main__":
    main()
