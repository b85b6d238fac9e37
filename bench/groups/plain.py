"""Plain files: `logwatch report` and all its peers.

Slow peers read the beginning of the file only; figures are per line.
"""

import json
import re
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import tables
from corpora import Corpus, make
from peer import Peer, in_turn, report, warm

NEEDS = ("wc", "grep", "rg", "mtail", "fail2ban-regex")
RULES = Path(__file__).parents[1] / "peers"
"""What peers are told to look for."""
MTAIL_LINES = 100_000
FAIL2BAN_LINES = 20_000


def run(corpus: Corpus, rounds: int) -> None:
    """Time all commands on one corpus."""
    path = make(corpus)
    warm(path)
    with tempfile.TemporaryDirectory() as directory:
        peers = [*_whole(corpus, path), *_beginning(path, Path(directory))]
        in_turn(peers, rounds)
    base = peers[0]
    tables.print_table(
        f"{corpus.name}: {corpus.lines:,} lines, {corpus.packets:,} of them packets, "
        f"{path.stat().st_size / 1e9:.2f} GB; {rounds} rounds in turn",
        [*tables.TIMES, "x `wc -l` (median)", ""],
        ([*tables.times(peer), f"{peer.ratio(base):,.2f}", peer.note] for peer in peers),
    )


def _whole(corpus: Corpus, path: Path) -> Iterable[Peer]:
    """Give the commands that read the whole file; the first is what ratios refer to."""
    text, lines, packets = str(path), corpus.lines, corpus.packets
    yield Peer("`wc -l`", ["wc", "-l", text], lambda out: int(out.split()[0]), lines, lines)
    yield report("`logwatch report`", [path], lines, packets)
    grep = ["grep", "-c", "calico-packet", text]
    yield Peer("`LC_ALL=C grep -c`", grep, int, packets, lines)
    yield Peer("`rg -c`", ["rg", "-c", "calico-packet", text], int, packets, lines)


def _beginning(path: Path, directory: Path) -> Iterable[Peer]:
    """Give the commands that are too slow for the whole file."""
    few, packets = _first_lines(path, MTAIL_LINES, directory)
    yield Peer(
        "mtail",
        [
            *("mtail", "--one_shot", "--logtostderr"),
            *("--progs", str(RULES / "calico.mtail"), "--logs", str(few)),
        ],
        _mtail_packets,
        packets,
        MTAIL_LINES,
        f"first {MTAIL_LINES:,} lines",
    )
    few, packets = _first_lines(path, FAIL2BAN_LINES, directory)
    yield Peer(
        "fail2ban-regex",
        ["fail2ban-regex", "--print-no-missed", str(few), str(RULES / "calico.conf")],
        _fail2ban_matched,
        packets,
        FAIL2BAN_LINES,
        f"first {FAIL2BAN_LINES:,} lines",
    )


def _first_lines(path: Path, lines: int, directory: Path) -> tuple[Path, int]:
    """Return the first lines of a file as a file, and how many of them are packets."""
    part = directory / f"{path.stem}-{lines}.log"
    packets = 0
    with path.open("rb") as whole, part.open("wb") as file:
        for line in islice(whole, lines):
            file.write(line)
            packets += b"calico-packet" in line
    return part, packets


def _mtail_packets(output: bytes) -> int:
    """Sum of all series of mtail's one-shot output."""
    return sum(
        series["Value"]["Value"]
        for metric in json.loads(output)["denied_packets"]
        for series in metric.get("LabelValues") or ()
    )


def _fail2ban_matched(output: bytes) -> int:
    found = re.search(rb"Lines: \d+ lines, \d+ ignored, (\d+) matched", output)
    return int(found[1]) if found else -1
