"""Draws docs/top.svg: the screen of `logwatch top` over recorded lines, as if they came now."""

import asyncio
import os
import re
import sys
import tempfile
import time
from datetime import UTC, datetime
from heapq import merge
from itertools import takewhile
from pathlib import Path

from logwatch.config import Prefix
from logwatch.offenders import read_rules
from logwatch.top.log import Log
from logwatch.top.screen import Top

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "deploy" / "local" / "demo"))

from recordings import ALWAYS, one_after_the_other, over_and_over  # noqa: E402 - in that folder

SIZE = (120, 34)
MINUTES = 40
PREFIXES = {
    "calico-packet": "deny-lb-port-80",
    "cp deny-nodeports": "deny-nodeports",
    "cp deny-nodeports-all": "deny-nodeports-all",
}


def write(path: Path) -> None:
    """Write the lines of so many minutes, up to now."""
    begin = time.time() - MINUTES * 60
    lines = merge(*map(over_and_over, ALWAYS), one_after_the_other())
    with path.open("wb") as file:
        for at, rest in takewhile(lambda line: line[0] < MINUTES * 60, lines):
            stamp = datetime.fromtimestamp(begin + at, UTC).isoformat(timespec="microseconds")
            file.write(f"{stamp} ".encode() + rest + b"\n")


async def draw(path: Path) -> str:
    """Show the log, and give the picture of it."""
    prefixes = tuple(Prefix(text=text, policy=policy) for text, policy in PREFIXES.items())
    log = Log(path, prefixes, tuple(read_rules(None).rules))
    log.catch_up()
    app = Top(log, seconds=1.0)
    async with app.run_test(size=SIZE) as pilot:
        while app.screen.query_one("#sources").size.height < 1:
            await pilot.pause(0.1)
        await pilot.pause(2.0)
        return app.export_screenshot(title="logwatch top syslog")


def main() -> None:
    """Draw it."""
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        path = Path("syslog")
        write(path)
        drawn = asyncio.run(draw(path))
    # Whoever looks at it has a monospaced font; none is to be fetched from elsewhere.
    drawn = re.sub(r"\s*@font-face \{.*?\n    \}", "", drawn, flags=re.DOTALL)
    (ROOT / "docs" / "top.svg").write_text(drawn.replace("Fira Code, ", ""))


if __name__ == "__main__":
    main()
