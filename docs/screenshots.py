"""Makes the pictures of the live page: an hour of recorded lines, played in two minutes.

The agent runs with a clock that is thirty times as fast (faketime). The lines are a real kernel's,
with other addresses and ports, so that there is a story: noise, a wave, scanners who are banned.
"""

import math
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from lab.agent import RunningAgent  # noqa: E402 - found only now
from lab.browser import chromium  # noqa: E402 - found only now

BEGIN = datetime(2026, 11, 24, 2, 4, tzinfo=UTC)
SPEED = 30
TICK_SECONDS = 0.08
MINUTES = 61

RECORDED = ROOT / "fixtures/scan/lines.log"
CONFIG = """
prefixes:
  - {text: deny-nodeports}
  - {text: deny-lb-port-80}
  - {text: blacklist}
  - {text: log-denied-packets, verdict: logged}
never_ban: [192.0.2.0/28]
series: {flows: 5000}
"""

NODE = ("unshare", "--uts", "sh", "-c", 'hostname worker-1 && exec "$@"', "sh")
"""A host name to show."""

SCANNERS = {"203.0.113.66": 9, "198.51.100.23": 24, "203.0.113.140": 31, "192.0.2.201": 52}
"""And the minute that each begins with."""

WANTED = (22, 23, 445, 3389, 30080, 8080, 5432, 6379, 2375, 30443)

VIEW = {"width": 1360, "height": 1180}


def packets(minute: float, chance: random.Random) -> Iterator[tuple[str, str, int, int]]:
    """Yield policy, source, destination's last byte and port of what came in one tick."""
    for _ in range(chance.randrange(1, 4)):
        number = min(60, int(chance.paretovariate(0.7)))
        source = f"198.51.100.{100 + number}" if number % 5 else f"2001:db8:5:{number:x}::9"
        yield "deny-nodeports", source, 10, chance.choice(WANTED[: 3 + number % 8])
    for _ in range(int(1.6 + 1.4 * math.sin(minute / 7) + chance.random())):
        yield "deny-lb-port-80", f"192.0.2.{64 + chance.randrange(40)}", 20, 80
    if 43 < minute < 47:
        for _ in range(chance.randrange(8, 11)):
            yield "deny-lb-port-80", f"192.0.2.{chance.randrange(6, 12)}", 20, 80
    yield from scans(minute, chance)
    if chance.random() < 0.12:
        yield "log-denied-packets", "192.0.2.9", 10, 443


def scans(minute: float, chance: random.Random) -> Iterator[tuple[str, str, int, int]]:
    """Yield what scanners sent in one tick: quick ones, who are banned, and slow ones."""
    for source, begin in SCANNERS.items():
        if begin < minute < begin + 6:
            for _ in range(chance.randrange(2, 4)):
                policy = "deny-nodeports" if minute < begin + 0.5 else "blacklist"
                yield policy, source, 10, 30_000 + chance.randrange(2768)
    for source, most in (("203.0.113.9", 26), ("203.0.113.31", 19), ("203.0.113.77", 13)):
        if chance.random() < most / 1200:
            yield "deny-nodeports", source, 10, 30_000 + chance.randrange(most)


def line(template: str, at: datetime, packet: tuple[str, str, int, int]) -> str:
    """Give a recorded line a time, a policy, a source and a port."""
    policy, source, destination, port = packet
    text = template.replace("calico-packet:", f"{policy}:")
    text = re.sub(r"DPT=\d+", f"DPT={port}", text)
    text = re.sub(r"DST=\S+", f"DST=198.51.100.{destination}", text)
    if ":" in source:
        text = re.sub(r"TOS=.*?(?= PROTO)", "TC=0 HOPLIMIT=52 FLOWLBL=0", text)
        text = re.sub(r"DST=\S+", "DST=2001:db8::10", text)
    text = re.sub(r"SRC=\S+", f"SRC={source}", text)
    return f"{at.isoformat()} worker-1 {text}\n"


def play(log: Path, launched: float, done: threading.Event) -> None:
    """Write lines until it is done, with the time that the agent has."""
    templates = [each[each.index("kernel:") :] for each in RECORDED.read_text().splitlines()]
    templates = [each for each in templates if "PROTO=TCP" in each and "SYN" in each]
    chance = random.Random(7)
    with log.open("a") as file:
        while not done.wait(TICK_SECONDS):
            elapsed = time.monotonic() - launched
            minute = elapsed * SPEED / 60
            at = datetime.fromtimestamp(BEGIN.timestamp() + elapsed * SPEED, UTC)
            for packet in packets(minute, chance):
                file.write(line(chance.choice(templates), at, packet))
            file.flush()


def scrape(agent: RunningAgent, done: threading.Event) -> None:
    """Scrape until it is done: that wakes the loop where faketime would have it wait for minutes.

    Python's timed waits end by the real monotonic clock, which is behind the one of the agent.
    """
    while not done.wait(TICK_SECONDS):
        with suppress(OSError, HTTPException):
            agent.get("/metrics")


def take(page: Page, url: str, place: Path, look: str) -> None:
    """Wait until the page shows what `look` finds, and keep a picture of it."""
    page.goto(url)
    page.locator(look).first.wait_for()
    page.evaluate("document.fonts.ready")
    page.screenshot(path=place, animations="disabled")
    print(f"{place.relative_to(ROOT)}: {place.stat().st_size / 1024:.0f} KiB")


def main() -> None:
    """Play, and take the pictures."""
    directory = Path(tempfile.mkdtemp())
    log, config = directory / "syslog", directory / "agent.yaml"
    log.touch()
    config.write_text(CONFIG)
    options = ("--config", str(config), "--mode", "enforce")
    policy = ("--policy-file", str(directory / "blacklist.yaml"))
    # The command faketime would stay in front of the agent, and end without it.
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clock = ("env", f"LD_PRELOAD={library}", f"FAKETIME=@{BEGIN:%Y-%m-%d %H:%M:%S} x{SPEED}")
    launched = time.monotonic()
    agent = RunningAgent(directory / "agent", *options, *policy, log=log, through=(*NODE, *clock))
    done = threading.Event()
    with agent, chromium() as browser:
        player = threading.Thread(target=play, args=(log, launched, done), daemon=True)
        scraper = threading.Thread(target=scrape, args=(agent, done), daemon=True)
        player.start()
        scraper.start()
        time.sleep(MINUTES * 60 / SPEED)
        for name, colours, path, look in (
            ("page.png", "light", "/", ".legend-entry"),
            ("page-dark.png", "dark", "/", ".legend-entry"),
            ("source.png", "light", "/#/source/192.0.2.201", ".samples li"),
        ):
            context = browser.new_context(viewport=VIEW, color_scheme=colours, timezone_id="UTC")
            take(context.new_page(), f"{agent.url}{path}", ROOT / "docs" / name, look)
            context.close()
        done.set()
        player.join()
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
