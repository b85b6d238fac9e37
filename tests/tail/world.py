"""A model of a log, its writer and its rotation, played beside a real follower.

Each line is one of three: it must be seen once; it is fragile, which is the same until the follower
is killed, since only the follower still has it; or it may be seen or not, since it was cut away or
removed before it was certainly read. Nothing is ever seen twice.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Literal

from tail.recorder import Setting

Fate = Literal["must", "fragile", "may"]
ROTATIONS = 7  # a follower remembers the last eight that it has closed
SAMPLE = 256  # a copy of fewer bytes is not known again by its content


@dataclass
class Log:
    """One file as its writer has it open."""

    file: BinaryIO
    lines: list[bytes] = field(default_factory=list)
    """Whole lines in it since it was last cut."""
    begun: bytes = b""
    """The unfinished line, as far as it is in the file."""
    is_torn: bool = False
    """The unfinished line was cut away; its end is still to be written."""
    hole: int = 0
    """NUL bytes that it begins with, since its writer went on where it was when it was cut."""
    is_removed: bool = False
    is_held: bool = False
    """The follower has it open, too."""


class World:
    """One writer as rsyslog is one: it keeps its file until it is told to open the path anew.

    One that does not append goes on where it was after a cut: then a log begins with a hole.
    """

    def __init__(self, path: Path, *, appends: bool = True) -> None:
        self.path = path
        self._mode: Literal["ab", "wb"] = "ab" if appends else "wb"
        self.setting = Setting(path)
        self.fates: dict[bytes, Fate] = {}
        self._count = 0
        self._rotations = 0
        self.log = self._open()
        self.earlier: Log | None = None  # the writer's file before, not yet closed
        self._copying = -1  # bytes of the log that the copy in the making has; -1 without one
        self._is_amid = False
        self._poll()
        self.commit()

    @property
    def seen(self) -> list[bytes]:
        """What the follower saw, without the holes in front of it."""
        return [line.lstrip(b"\0") for line in self.setting.lines]

    def amid(self, moment: int, action: Callable[["World", int], None], size: int) -> None:
        """Do something in the midst of a look, in front of its system call of that number."""
        calls = 0

        def count(_frame: FrameType, event: str, called: object) -> None:
            nonlocal calls
            if event == "c_call" and getattr(called, "__module__", None) == "posix":
                calls += 1
                if calls == moment:
                    sys.setprofile(None)
                    action(self, size)

        self._is_amid = True
        sys.setprofile(count)
        try:
            self.setting.follower.poll()
        finally:
            sys.setprofile(None)
        if calls < moment:
            action(self, size)
        self._is_amid = False

    def append(self, size: int) -> None:
        for _ in range(size):
            self._write_line(self.log)

    def partial(self, size: int) -> None:
        """Begin a line that the next one finishes."""
        self._end_line(self.log)
        self.log.begun = self._line()[: 6 + size]
        self.log.file.write(self.log.begun)

    def late(self, _size: int) -> None:
        """Write to the file before, as a writer does that was not told yet."""
        if self.earlier is not None:
            self._write_line(self.earlier)

    def rename(self, _size: int) -> None:
        if self.path.exists() and self._rotations < ROTATIONS and self._copying < 0:
            self._shift()
            self.path.rename(self.setting.rotated())

    def create(self, _size: int) -> None:
        if self.path.exists():
            return
        self._close(self.earlier)
        if self.log.begun:  # torn for good: counts when its file is closed
            self.fates[self.log.begun] = self._fate(self.log)
            self.log.begun = b""
            self._close(self.log)
            self.earlier = None
        else:
            self.earlier = self.log
        self.log = self._open()

    def copy(self, size: int) -> None:
        """Begin a copy, or go on with it; what is written meanwhile can get into it."""
        if not self.path.exists():
            return
        if self._copying < 0:
            if self._rotations >= ROTATIONS or not self._is_known_again():
                return
            self._shift()
            self.setting.rotated().touch()
            self._copying = 0
        self._copy(size * 100)

    def copytruncate(self, size: int) -> None:
        """Copy and cut; of the larger sizes, something is written and perhaps read in between."""
        if not self.path.exists():
            return
        if self._copying < 0:
            if self._rotations >= ROTATIONS:
                return
            self._shift()
            self._copying = 0
        self._copy(self.path.stat().st_size)
        self._copying = -1
        copied = set(self.log.lines)
        if self.log.begun:
            self.fates[self.log.begun] = "may"  # the copy ends with it
        if size > 6 and self._is_known_again():
            self.append(size - 6)
            if size % 2 and not self._is_amid:
                self._poll()
        self._cut(copied)

    def outgrow(self, size: int) -> None:
        """Copy and cut, once or twice, and write more than there was, all in one moment."""
        for _ in range(1 + size % 2):
            self.copytruncate(1)
            self.append(size)

    def truncate(self, _size: int) -> None:
        """Cut without a copy, whatever was not read."""
        if self.path.exists() and self._copying < 0:
            self._cut(set())

    def remove(self, _size: int) -> None:
        """Remove the log; what the follower holds of it is still read."""
        if self.path.exists() and self._copying < 0:
            self.path.unlink()
            self.log.is_removed = True
            self._endanger(self.log)

    def poll(self, size: int) -> None:
        self.setting.follower.poll(size * 40)
        self._hold()

    def catch_up(self, _size: int) -> None:
        self._poll()

    def settle(self, _size: int) -> None:
        """Long enough a silence that late writes would be lost: there are none any more."""
        self._close(self.earlier)
        self.earlier = None
        self.setting.settle()
        self._hold()
        if self.log.is_removed:
            self.log.is_held = False
            self._tear()

    def commit(self, _size: int = 0) -> None:
        """Save the position and, in the same step, what was seen up to it."""
        self._saved = self.setting.follower.checkpoint().to_json()
        self._committed = len(self.setting.lines)

    def kill(self, _size: int) -> None:
        """Go on from what was saved last; what was seen since then is forgotten."""
        self.setting.follower.close()
        del self.setting.lines[self._committed :]
        kept = set(self.seen)
        for line, fate in self.fates.items():
            if fate == "fragile" and line not in kept:
                self.fates[line] = "may"
        for log in (self.log, self.earlier):
            if log is not None:
                log.is_held = False
        self.setting.go_on(self._saved)

    def restart(self, size: int) -> None:
        self.commit()
        self.kill(size)

    def finish(self) -> None:
        """Let the follower read all there is, over one more restart."""
        self.create(0)
        if self._copying >= 0:
            self.copytruncate(0)
        self.settle(0)
        self.restart(0)
        self.settle(0)
        self._close(self.log)
        self.setting.follower.close()

    def _open(self) -> Log:
        return Log(self.path.open(self._mode, buffering=0))

    def _is_known_again(self) -> bool:
        return self.path.stat().st_size - self.log.hole > SAMPLE

    def _copy(self, size: int) -> None:
        with self.path.open("rb") as log, self.setting.rotated().open("ab") as copy:
            log.seek(self._copying)
            self._copying += copy.write(log.read(size))

    def _line(self) -> bytes:
        self._count += 1
        return b"%06d %s" % (self._count, b"." * (self._count * 37 % 150))

    def _write_line(self, log: Log) -> None:
        self._end_line(log)
        line = self._line()
        log.file.write(line + b"\n")
        self._put(log, line)

    def _end_line(self, log: Log) -> None:
        if log.begun or log.is_torn:
            self._count += 1
            end = b" end %06d" % self._count
            log.file.write(end + b"\n")
            self._put(log, log.begun + end)
            log.begun, log.is_torn = b"", False

    def _put(self, log: Log, line: bytes) -> None:
        log.lines.append(line)
        self.fates[line] = self._fate(log)

    @staticmethod
    def _fate(log: Log) -> Fate:
        if not log.is_removed:
            return "must"
        return "fragile" if log.is_held else "may"

    def _shift(self) -> None:
        for number in range(self._rotations, 0, -1):
            if self.setting.rotated(number).exists():
                self.setting.rotated(number).rename(self.setting.rotated(number + 1))
        self._rotations += 1

    def _cut(self, copied: set[bytes]) -> None:
        seen = set(self.seen)
        committed = set(self.seen[: self._committed])
        for line in self.log.lines:
            if line not in copied | committed:
                self.fates[line] = "fragile" if line in seen else "may"
        self._tear()
        self.log.lines.clear()
        self.log.hole = 0 if self._mode == "ab" else self.log.file.tell()
        os.ftruncate(self.log.file.fileno(), 0)

    def _tear(self) -> None:
        """What there is of the unfinished line may count as a line, in a copy or at the end."""
        if self.log.begun:
            self.fates[self.log.begun] = "may"
            self.log.begun, self.log.is_torn = b"", True

    def _endanger(self, log: Log) -> None:
        committed = set(self.seen[: self._committed])
        for line in log.lines:
            if line not in committed:
                self.fates[line] = self._fate(log)

    def _poll(self) -> None:
        self.setting.poll()
        self._hold()

    def _hold(self) -> None:
        """A look at the path opens the file that is there."""
        self.log.is_held |= self.path.exists()

    @staticmethod
    def _close(log: Log | None) -> None:
        if log is not None:
            log.file.close()
