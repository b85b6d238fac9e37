"""Plays recordings of a real kernel's log into a file: as fast as they were made, without an end.

Only the times are new. Some are played all the time, the others one after the other. The file is
rotated now and then, as logrotate does.
"""

import gzip
import heapq
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"

ALWAYS = ("mixed-syslog", "prefixes", "scans/health-check", "scans/retrying-clients")

SCENES = (
    "scan",
    "scans/nmap-connect",
    "scans/replies",
    "scans/one-source-floods",
    "losses-by-hand",
    "scans/nmap-ipv6",
    "scans/late-replies",
    "scans/nmap-udp",
    "scans/scanner-in-flood",
    "scans/nmap-sweep",
    "scans/nmap-odd-flags",
    "scans/icmp-flood",
    "scans/nmap-ping-sweep",
)

PAUSE_SECONDS = 10.0
"""Between two scenes."""

GAP_SECONDS = 0.25
"""Between two lines of a recording that was made in a moment, each by a packet of its own."""

MOMENT_SECONDS = 1.0

ROTATED_SECONDS = 300.0

LOST = b"rsyslogd[812]: imklog: 9 messages lost"
"""What is played of the texts about losses: the one that fits behind a flood."""

Timed = tuple[float, bytes]
"""Seconds since the first line, and a line without its time."""


def recording(case: str) -> list[Timed]:
    """Read a recording."""
    path = FIXTURES / case / "lines.log"
    data = path.read_bytes() if path.exists() else gzip.decompress(read_packed(path))
    lines = data.splitlines()
    if case == "losses-by-hand":
        lines = [line for line in lines if LOST in line][:1]
    split = [_split(line) for line in lines]
    begin = min(at for at, _ in split)
    if max(at for at, _ in split) - begin < MOMENT_SECONDS:
        return [(place * GAP_SECONDS, rest) for place, (_, rest) in enumerate(split)]
    return [(at - begin, rest) for at, rest in split]


def read_packed(path: Path) -> bytes:
    """Read a recording that is kept compressed."""
    return path.with_name(f"{path.name}.gz").read_bytes()


def _split(line: bytes) -> Timed:
    """Take the time from a line: RFC 3339, or the 15 letters of RFC 3164, which tell seconds."""
    if line[:1].isdigit():
        stamp, rest = line.split(b" ", 1)
        return datetime.fromisoformat(stamp.decode()).timestamp(), rest
    return 0.0, line[16:]


def over_and_over(case: str) -> Iterator[Timed]:
    """Give a recording's lines with their times from now on, again and again."""
    lines = recording(case)
    length = lines[-1][0] + GAP_SECONDS
    begin = 0.0
    while True:
        for at, rest in lines:
            yield begin + at, rest
        begin += length


def one_after_the_other() -> Iterator[Timed]:
    """Give the scenes, and then all of them again."""
    begin = 0.0
    while True:
        for case in SCENES:
            lines = recording(case)
            for at, rest in lines:
                yield begin + at, rest
            begin += lines[-1][0] + PAUSE_SECONDS


def main() -> None:
    """Append the lines that are due."""
    path = Path(sys.argv[1])
    begin = rotated = time.monotonic()
    file = path.open("ab", buffering=0)
    for at, rest in heapq.merge(*map(over_and_over, ALWAYS), one_after_the_other()):
        time.sleep(max(begin + at - time.monotonic(), 0))
        stamp = datetime.now().astimezone().isoformat(timespec="microseconds")
        file.write(f"{stamp} ".encode() + rest + b"\n")
        if time.monotonic() - rotated > ROTATED_SECONDS:
            file.close()
            path.replace(path.with_name(f"{path.name}.1"))
            file = path.open("ab", buffering=0)
            rotated = time.monotonic()


if __name__ == "__main__":
    main()
