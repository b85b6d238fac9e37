"""`make torture`: plays all scenarios, or those named, and prints a line for each.

Exit 1 when a line was lost that could be read, or counted twice, or a counter went down. With
`--peers` the scenarios are played with peers as well, and printed as a table in Markdown.
"""

import argparse
import random
import shutil
import sys

from torture.scenarios import PROGRAMS, SCENARIOS, play
from torture.stage import Effort, Outcome

RATE = 10_000
PEER_RATE = 1_000
"""Lines a second where peers take part: fail2ban can't read many more."""
PEER_PACE = 3.0
"""How many times as long it is between two rotations and the like: they look four times a second,
and find a file no more that was renamed twice between two looks."""
KILLS = 110
"""In each scenario that kills: over 200 together."""

WIDTHS = (27, 10, 10, 10, 8, 8)
HEADER = ("scenario", "written", "kept", "counted", "lost", "doubled")


def main() -> None:
    """Parse the command line and play."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each scenario")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--peers", action="store_true", help="try mtail and fail2ban as well")
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(map(repr, SCENARIOS))}")
    given = parser.parse_args()
    for name in given.scenario:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name!r}")
    names = given.scenario or list(SCENARIOS)
    print(f"each scenario for {given.seconds:g} s, seed {given.seed}\n")
    if given.peers:
        effort = Effort(
            given.seconds, PEER_RATE, seed=given.seed, pace=PEER_PACE, spare_starts=True
        )
        sys.exit(not compare(names, effort))
    effort = Effort(given.seconds, RATE, KILLS, seed=given.seed)
    sys.exit(not torture(names, effort))


def torture(names: list[str], effort: Effort) -> bool:
    """Play with logwatch alone; True when it was exact throughout."""
    print(row(*HEADER), flush=True)
    is_exact = True
    for name in names:
        scenario = SCENARIOS[name]
        outcome = play(scenario, scenario.fitted(effort))
        is_exact &= outcome.is_exact
        line = row(name, *map(figure, numbers(outcome)))
        print("  ".join((line, outcome.note, *outcome.complaints[:3])).rstrip(), flush=True)
    return is_exact


def compare(names: list[str], effort: Effort) -> bool:
    """Play with every program; True when logwatch was exact throughout."""
    for peer in PROGRAMS[1:]:
        if not shutil.which(f"{peer}-server") and not shutil.which(peer):
            sys.exit(f"{peer} is missing: run bench/install.sh")
    print(f"| program | {' | '.join(HEADER)} |")
    print("|---" * (len(HEADER) + 1) + "|", flush=True)
    is_exact = True
    for name in names:
        scenario = SCENARIOS[name]
        for program in PROGRAMS if scenario.is_for_peers else ():
            outcome = play(scenario, scenario.fitted(effort), program)
            is_exact &= outcome.is_exact or program != PROGRAMS[0]
            cells = (program, name, *map(figure, numbers(outcome)))
            print(f"| {' | '.join(cells)} |", flush=True)
    return is_exact


def numbers(outcome: Outcome) -> tuple[int, ...]:
    """Give an outcome in the order of the header."""
    return (outcome.written, outcome.kept, outcome.counted, outcome.lost, outcome.doubled)


def figure(number: int) -> str:
    """Write a number for people."""
    return f"{number:,}"


def row(*cells: str) -> str:
    """Align cells under the header."""
    first, *others = (
        cell.ljust(width) if not index else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return " ".join((first, *others))


if __name__ == "__main__":
    main()
