"""IPv6 against IPv4."""

import tables
from corpora import V4, V6, make
from peer import in_turn, report, warm

GOAL = 1.5


def run(rounds: int) -> None:
    """Time two files that are alike but for the family of their packets."""
    paths = [make(corpus) for corpus in (V4, V6)]
    warm(*paths)
    v4, v6 = (
        report(f"`logwatch report`, {family}", [path], corpus.lines, corpus.packets)
        for family, path, corpus in zip(("IPv4", "IPv6"), paths, (V4, V6), strict=True)
    )
    in_turn([v4, v6], rounds)
    tables.print_table(
        f"families: {v4.lines:,} lines each, all packets, 20,000 sources; {rounds} rounds in turn",
        [*tables.TIMES, "x IPv4 (median)", "goal"],
        [
            [*tables.times(v4), "1.00", ""],
            [*tables.times(v6), *tables.at_most(v6.ratio(v4), GOAL)],
        ],
    )
