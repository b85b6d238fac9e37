"""Takes docs/report.png: the page of a report, of made-up traffic of two days and the two before.

Scanners come and go, a flood comes on the second day; all addresses are of documentation.
"""

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import cos, pi
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # where `lab` is found

from lab.browser import Visit, chromium  # noqa: E402 - behind the path

POLICIES = ("calico-packet", "calico-packet-nodeports", "calico-packet-lb")
PORTS = (22, 23, 80, 443, 445, 1433, 3306, 3389, 5432, 6379, 8080, 9200, 30080, 32443)
START = datetime(2026, 11, 24, tzinfo=UTC)
HOURS = 48
FLOOD = range(1990, 2110)
"""Minutes."""

PAGE = (1200, 1120)


def lines(start: datetime, sources: list[str], *, flood: bool) -> Iterator[str]:
    """Make a log: more by day than by night, few sources with most of it."""
    chance = random.Random(start.isoformat())
    for minute in range(HOURS * 60):
        count = 4 - 3 * cos(minute / 720 * pi) + chance.expovariate(0.7)
        is_flood = flood and minute in FLOOD
        for number in range(round(count * (5 if is_flood else 1))):
            policy = chance.choices(POLICIES, (6, 3, 1))[0]
            source = sources[min(int(chance.expovariate(0.12)), len(sources) - 1)]
            port = chance.choices(PORTS, range(len(PORTS), 0, -1))[0]
            if is_flood and number:
                policy, source, port = POLICIES[1], "203.0.113.66", chance.choice((30080, 32443))
            at = start + timedelta(minutes=minute, seconds=number * 5 % 60)
            yield (
                f"{at:%Y-%m-%dT%H:%M:%SZ} worker-1 kernel: {policy}: IN=eth1 OUT= MAC="
                f" SRC={source} DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP"
                f" SPT=40000 DPT={port} WINDOW=64240 RES=0x00 SYN URGP=0 \n"
            )


def main() -> None:
    """Make the logs, their report, and the picture."""
    sources = [f"192.0.2.{number}" for number in range(1, 60)]
    with tempfile.TemporaryDirectory() as directory:
        now, before, page = (Path(directory) / name for name in ("now", "before", "page.html"))
        now.write_text("".join(lines(START, sources[8:], flood=True)))
        before.write_text("".join(lines(START - timedelta(hours=HOURS), sources, flood=False)))
        subprocess.run(
            [
                *(sys.executable, "-m", "logwatch", "report", now, "--compare", before),
                *("--format", "html", "--output", page),
                *(word for policy in POLICIES for word in ("--prefix", policy)),
            ],
            check=True,
        )
        with chromium() as browser:
            visit = Visit(browser, page.as_uri(), width=PAGE[0])
            visit.page.set_viewport_size({"width": PAGE[0], "height": PAGE[1]})
            visit.page.screenshot(path=ROOT / "docs" / "report.png")


if __name__ == "__main__":
    main()
