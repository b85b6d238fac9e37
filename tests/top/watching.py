"""The screen without a terminal: keys are pressed, and what it shows is read line by line."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from logwatch.top import Origin
from logwatch.top.screen import Top

SECONDS = 20.0
INTERVAL = 0.05


class Watching:
    """What a person sees and does."""

    def __init__(self, app: Top, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    def lines(self) -> list[str]:
        """Read the screen."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        return "\n".join(self.lines())

    def line(self, text: str) -> str:
        """Give the line that holds a text."""
        [found] = [line for line in self.lines() if text in line]
        return found

    def row(self, key: str) -> list[str]:
        """Give the words of the first line that begins with a source."""
        return next(line.split() for line in self.lines() if line.startswith(f"{key} "))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, what: Callable[[], object]) -> None:
        """Wait for what comes by itself."""
        end = time.monotonic() + SECONDS
        while not what():
            assert time.monotonic() < end, self.text()
            await self.pilot.pause(0.01)  # answers come on another thread: nothing tells when

    async def until_shown(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text() for text in texts))

    async def until_gone(self, text: str) -> None:
        await self.until(lambda: text not in self.text())


def watch(
    origin: Origin,
    do: Callable[[Watching], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
) -> None:
    """Start the screen, do something, and end it."""

    async def run() -> None:
        app = Top(origin, seconds=INTERVAL)
        async with app.run_test(size=size) as pilot:
            await do(Watching(app, pilot))

    asyncio.run(run())
