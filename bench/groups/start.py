"""How long a command takes that has nothing to do."""

import sys
import tempfile
from pathlib import Path

import tables
from peer import LOGWATCH, Peer, in_turn, report

GOAL_MILLISECONDS = 200
ROUNDS = 10
"""At least; each takes an eighth of a second, and start-up varies more than reading does."""


def run(rounds: int) -> None:
    """Time help and the report of an empty file against Python's own start."""
    rounds = max(rounds, ROUNDS)
    with tempfile.TemporaryDirectory() as directory:
        empty = Path(directory) / "empty.log"
        empty.touch()
        python = Peer("`python -c pass`", [sys.executable, "-c", "pass"], len, 0, 1)
        usage = Peer(
            "`logwatch --help`",
            [LOGWATCH, "--help"],
            lambda out: out.count(b"Usage: logwatch"),
            1,
            1,
        )
        nothing = report("`logwatch report`, empty file", [empty], 1, 0)
        in_turn([python, usage, nothing], rounds)
    rows = []
    for peer, goal in ((python, ""), (usage, _goal(usage)), (nothing, "")):
        best, median = peer.best * 1e3, peer.median * 1e3
        rows.append([peer.name, f"{best:.0f}", f"{median:.0f}", f"{peer.ratio(python):.2f}", goal])
    tables.print_table(
        f"start: {rounds} rounds in turn",
        ["command", "ms (min)", "ms (median)", "x `python -c pass` (median)", "goal"],
        rows,
    )


def _goal(peer: Peer) -> str:
    return tables.at_most(peer.median * 1e3, GOAL_MILLISECONDS)[1] + " ms"
