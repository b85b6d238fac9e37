"""Compressed files, against the decompressor that logwatch replaces and a count of lines."""

import tables
from corpora import MIXED, STORM, make_archive
from peer import Peer, in_turn, report, warm

GOAL = 1.15
DECOMPRESSORS = {"gz": "zcat", "zst": "zstdcat"}


def run(suffix: str, rounds: int) -> None:
    """Time both corpora as archives of one kind."""
    rows = []
    for corpus in (STORM, MIXED):
        path = make_archive(corpus, suffix)
        warm(path)
        cat = DECOMPRESSORS[suffix]
        peer = Peer(
            f"`{cat} {corpus.name}.log.{suffix} \\| wc -l`",
            ["bash", "-o", "pipefail", "-c", f'{cat} "$1" | wc -l', "bash", str(path)],
            int,
            corpus.lines,
            corpus.lines,
        )
        name = f"`logwatch report {corpus.name}.log.{suffix}`"
        logwatch = report(name, [path], corpus.lines, corpus.packets)
        in_turn([peer, logwatch], rounds)
        rows.append([*tables.times(peer), "1.00", ""])
        rows.append([*tables.times(logwatch), *tables.at_most(logwatch.ratio(peer), GOAL)])
    tables.print_table(
        f"{suffix}: the storm and the mixed file as archives; {rounds} rounds in turn",
        [*tables.TIMES, f"x `{DECOMPRESSORS[suffix]} \\| wc -l` (median)", "goal"],
        rows,
    )
