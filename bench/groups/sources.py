"""How the number of distinct sources tells on time and memory."""

import json

import tables
from corpora import SOURCES, make
from peer import in_turn, report, warm

GOALS = {100_000: 2.5, 1_000_000: 4.0}


def run(rounds: int) -> None:
    """Time files that are alike but for the number of their sources."""
    peers = {}
    for count, corpus in SOURCES.items():
        path = make(corpus)
        warm(path)
        peer = report(f"`logwatch report`, {count:,} sources", [path], corpus.lines, corpus.packets)
        # Each source sends equally many packets, so the first tells how many sources there are.
        peer.answer = _packets_and_most
        peer.expected = corpus.packets, corpus.packets // count
        peers[count] = peer
    in_turn(list(peers.values()), rounds)
    base, *_ = peers.values()
    tables.print_table(
        f"sources: {base.lines:,} lines each, all packets, IPv4, one port a source; "
        f"{rounds} rounds in turn",
        [*tables.TIMES, "x 1,000 sources (median)", "goal", "peak MiB"],
        (
            [
                *tables.times(peer),
                *(
                    tables.at_most(peer.ratio(base), GOALS[count])
                    if peer is not base
                    else ["1.00", ""]
                ),
                f"{peer.peak / 2**20:,.0f}",
            ]
            for count, peer in peers.items()
        ),
    )


def _packets_and_most(output: bytes) -> object:
    answer = json.loads(output)
    return answer["totals"]["packets"], answer["sources"][0]["packets"]
