"""Plays the recorded lines of `fixtures/` into a file, as if they were written now.

The lines are a real kernel's; only their times are new. Ends with the process that started it.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = ("scan", "mixed-syslog", "iptables-tcp-flags", "ip6tables-tcp-udp", "iptables-icmp")
LINES_PER_SECOND = 25


def lines() -> Iterator[bytes]:
    """Yield the recorded lines without their stamps, over and over."""
    while True:
        for case in CASES:
            path = FIXTURES / case / "lines.log"
            for line in path.read_bytes().splitlines():
                # Each case is written with one stamp or the other: find the host behind it.
                yield line.split(b" ", 1)[1] if line[:1].isdigit() else line[16:]


def main() -> None:
    """Append a line at a time until the parent is gone."""
    parent = os.getppid()
    with Path(sys.argv[1]).open("ab", buffering=0) as file:
        for line in lines():
            stamp = time.strftime("%b %e %H:%M:%S", time.localtime()).encode()
            file.write(stamp + b" " + line + b"\n")
            time.sleep(1 / LINES_PER_SECOND)
            if os.getppid() != parent:
                return


if __name__ == "__main__":
    main()
