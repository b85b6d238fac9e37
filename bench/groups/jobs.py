"""Two files at a time against one after the other."""

import tables
from corpora import STORM, make, make_again
from peer import in_turn, report, warm

GOAL = 1.8


def run(rounds: int) -> None:
    """Time the storm and its second name with one job and with two."""
    paths = [make(STORM), make_again(STORM)]
    warm(*paths)
    one, two = (
        report(
            f"`logwatch report A B --jobs {jobs}`",
            paths,
            2 * STORM.lines,
            2 * STORM.packets,
            ("--jobs", str(jobs)),
        )
        for jobs in (1, 2)
    )
    in_turn([one, two], rounds)
    tables.print_table(
        f"jobs: the storm file twice, {one.lines:,} lines; {rounds} rounds in turn",
        [*tables.TIMES, "times as fast (median)", "goal"],
        [
            [*tables.times(one), "1.00", ""],
            [*tables.times(two), *tables.at_least(one.ratio(two), GOAL)],
        ],
    )
