"""Any order of what writers and rotation do, with restarts and short polls in between.

The model is the list of what was written where nothing was destroyed; the follower must have seen
each line of it once.
"""

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import BinaryIO

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tail.recorder import Setting

ACTIONS = (
    "append",
    "partial",
    "rename",
    "create",
    "late",
    "truncate",
    "replace",
    "restart",
    "poll",
    "catch up",
    "settle",
)
ROTATIONS = 7  # a follower remembers the last eight that it has closed


class World:
    """One writer as rsyslog is one: it keeps its file until it is told to open the path anew."""

    def __init__(self, path: Path) -> None:
        self.setting = Setting(path)
        self.setting.poll()
        self.path = path
        self.expected: Counter[bytes] = Counter()
        self.count = 0
        self.rotations = 0
        self.begun = b""  # the unfinished line of the writer
        self.writer: BinaryIO = path.open("ab", buffering=0)
        self.earlier: BinaryIO | None = None  # the writer of the file before, not yet closed

    def act(self, action: str, size: int) -> None:
        actions = {
            "append": lambda: [self._write_line(self.writer) for _ in range(size)],
            "partial": lambda: self._begin_line(size),
            "rename": self._rename,
            "create": self._create,
            "late": lambda: self.earlier and self._write_line(self.earlier),
            "truncate": self._truncate,
            "replace": self._replace,
            "restart": self.setting.restart,
            "poll": lambda: self.setting.follower.poll(size * 40),
            "catch up": self.setting.poll,
            "settle": self._settle,
        }
        actions[action]()

    def finish(self) -> None:
        self._create()
        self._settle()
        self.setting.restart()
        self._settle()
        self.writer.close()
        self.setting.follower.close()

    def _line(self) -> bytes:
        self.count += 1
        return b"%06d %s" % (self.count, b"." * (self.count * 37 % 150))

    def _write_line(self, writer: BinaryIO) -> None:
        line = self._line()
        if writer is self.writer:
            self._end_line()
        writer.write(line + b"\n")
        self.expected[line] += 1

    def _begin_line(self, size: int) -> None:
        self._end_line()
        self.begun = self._line()[: 6 + size]
        self.writer.write(self.begun)

    def _end_line(self) -> None:
        if self.begun:
            self.writer.write(b" end\n")
            self.expected[self.begun + b" end"] += 1
            self.begun = b""

    def _rename(self) -> None:
        if self.path.exists() and self.rotations < ROTATIONS:
            for number in range(self.rotations, 0, -1):
                if self.setting.rotated(number).exists():
                    self.setting.rotated(number).rename(self.setting.rotated(number + 1))
            self.path.rename(self.setting.rotated())
            self.rotations += 1

    def _create(self) -> None:
        if not self.path.exists():
            self.earlier = self._closed(self.earlier)
            if self.begun:  # torn for good: counts when its file is closed
                self.expected[self.begun] += 1
                self.begun = b""
                self._closed(self.writer)
            else:
                self.earlier = self.writer
            self.writer = self.path.open("ab", buffering=0)

    def _truncate(self) -> None:
        """After everything was read, since what was not is destroyed."""
        if self.path.exists():
            self._end_line()
            self.setting.poll()
            os.ftruncate(self.writer.fileno(), 0)

    def _replace(self) -> None:
        if self.path.exists():
            self._end_line()
            self.setting.poll()
            self.path.unlink()
            self._create()
            self.earlier = self._closed(self.earlier)

    def _settle(self) -> None:
        """Long enough a silence that late writes would be lost: there are none any more."""
        self.earlier = self._closed(self.earlier)
        self.setting.settle()

    @staticmethod
    def _closed(writer: BinaryIO | None) -> None:
        if writer is not None:
            writer.close()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 12)), max_size=40))
@example([("append", 3), ("poll", 1), ("rename", 1), ("append", 2), ("create", 1), ("late", 1)])
@example([(a, 3) for a in ("append", "poll", "rename", "create", "append", "rename", "restart")])
@example(
    [(a, 1) for a in ("replace", "rename", "settle", "create", "append", "rename")]  # inode reused
)
@example([(a, 1) for a in ("replace", "restart", "append", "rename", "create", "rename", "poll")])
def test_every_line_is_seen_once(actions: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory) / "syslog")
        for action, size in actions:
            world.act(action, size)
        world.finish()
        seen = Counter(world.setting.lines)
        assert world.expected == seen, (world.expected - seen, seen - world.expected)
