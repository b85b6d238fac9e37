"""Times `logwatch report` and its peers in one run, and prints their table.

Whole processes, file in the page cache, the commands in turn, so that all of them see the same
machine. Each answer is checked before a figure is printed. Slow peers read the beginning of the
file only; all figures are per line, start-up included.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from corpora import MIXED, PREFIXES, STORM, Corpus, make

HERE = Path(__file__).parent
MTAIL_LINES = 100_000
FAIL2BAN_LINES = 20_000


@dataclass
class Peer:
    """A command that reads a file, and how its answer is read."""

    name: str
    command: list[str]
    answer: Callable[[bytes], int]
    expected: int
    lines: int
    """Lines of its file."""
    note: str = ""
    seconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run it once; ends the program when its answer is wrong."""
        started = time.perf_counter()
        done = subprocess.run(
            self.command,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        elapsed = time.perf_counter() - started
        found = self.answer(done.stdout)
        if found != self.expected:
            sys.exit(
                f"{self.name}: {found} instead of {self.expected}\n"
                f"{done.stderr[-2000:].decode(errors='replace')}"
            )
        self.seconds.append(elapsed)

    def per_line(self, pick: Callable[[list[float]], float]) -> float:
        """Nanoseconds a line."""
        return pick(self.seconds) / self.lines * 1e9


def beginning(path: Path, lines: int, directory: Path) -> tuple[Path, int]:
    """The first lines of a file as a file, and how many of them are packets."""
    part = directory / f"{path.stem}-{lines}.log"
    with path.open("rb") as whole, part.open("wb") as file:
        text = list(islice(whole, lines))
        file.writelines(text)
    return part, sum(b"calico-packet" in line for line in text)


def mtail_packets(output: bytes) -> int:
    """Sum of all series of mtail's one-shot output."""
    return sum(
        series["Value"]["Value"]
        for metric in json.loads(output)["denied_packets"]
        for series in metric.get("LabelValues") or ()
    )


def fail2ban_matched(output: bytes) -> int:
    """Matched lines of fail2ban-regex."""
    found = re.search(rb"Lines: \d+ lines, \d+ ignored, (\d+) matched", output)
    return int(found[1]) if found else -1


def peers(corpus: Corpus, path: Path, directory: Path) -> list[Peer]:
    """All commands for one corpus; the first is what ratios refer to."""
    report = [sys.executable, "-m", "logwatch", "report", str(path), "--format", "json"]
    report += ["--top", "20", *(word for prefix in PREFIXES for word in ("--prefix", prefix))]
    few, few_packets = beginning(path, MTAIL_LINES, directory)
    fewer, fewer_packets = beginning(path, FAIL2BAN_LINES, directory)
    text, whole = str(path), corpus.lines
    return [
        Peer("`wc -l`", ["wc", "-l", text], lambda out: int(out.split()[0]), whole, whole),
        Peer(
            "`logwatch report`",
            report,
            lambda out: json.loads(out)["totals"]["packets"],
            corpus.packets,
            whole,
        ),
        Peer(
            "`LC_ALL=C grep -c`", ["grep", "-c", "calico-packet", text], int, corpus.packets, whole
        ),
        Peer("`rg -c`", ["rg", "-c", "calico-packet", text], int, corpus.packets, whole),
        Peer(
            "mtail",
            [
                *("mtail", "--one_shot", "--logtostderr"),
                *("--progs", str(HERE / "peers/calico.mtail"), "--logs", str(few)),
            ],
            mtail_packets,
            few_packets,
            MTAIL_LINES,
            f"first {MTAIL_LINES:,} lines",
        ),
        Peer(
            "fail2ban-regex",
            ["fail2ban-regex", "--print-no-missed", str(fewer), str(HERE / "peers/calico.conf")],
            fail2ban_matched,
            fewer_packets,
            FAIL2BAN_LINES,
            f"first {FAIL2BAN_LINES:,} lines",
        ),
    ]


def bench(corpus: Corpus, rounds: int, directory: Path) -> None:
    """Run all commands in turn and print their table."""
    path = make(corpus)
    commands = [each for each in peers(corpus, path, directory) if shutil.which(each.command[0])]
    with path.open("rb") as file:  # into the page cache
        while file.read(1 << 24):
            pass
    for _ in range(rounds):
        for command in commands:
            command.run()
    size = path.stat().st_size
    print(f"\n{corpus.name}: {corpus.lines:,} lines, {corpus.packets:,} of them packets, ", end="")
    print(f"{size / 1e9:.2f} GB; {rounds} rounds in turn\n")
    print("| command | s (min) | s (median) | ns a line | x `wc -l` (median) | |")
    print("|---|---|---|---|---|---|")
    base = commands[0]
    for command in commands:
        ratio = command.per_line(statistics.median) / base.per_line(statistics.median)
        print(
            f"| {command.name} | {min(command.seconds):.3f}"
            f" | {statistics.median(command.seconds):.3f}"
            f" | {command.per_line(min):,.0f} | {ratio:,.2f} | {command.note} |"
        )


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for name in ("wc", "grep", "rg", "mtail", "fail2ban-regex"):
        if not shutil.which(name):
            sys.exit(f"{name} is missing: run bench/install.sh")
    with tempfile.TemporaryDirectory() as directory:
        for corpus in (STORM, MIXED):
            bench(corpus, rounds, Path(directory))


if __name__ == "__main__":
    main()
