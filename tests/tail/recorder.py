"""A sink that records whole lines, and a follower with everything it needs around it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from logwatch.tail import Checkpoint, Follower, read_checkpoint


class LineSink:
    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._unfinished = b""

    @property
    def pending(self) -> int:
        return len(self._unfinished)

    def feed(self, data: bytes) -> None:
        *whole, self._unfinished = (self._unfinished + data).split(b"\n")
        self._lines.extend(whole)

    def finish(self) -> None:
        if self._unfinished:
            self._lines.append(self._unfinished)
        self._unfinished = b""

    def abandon(self) -> int:
        size, self._unfinished = len(self._unfinished), b""
        return size


class Refuser:
    """An opener that refuses while `error` is set: root is never refused by the file system."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.opened = 0

    def __call__(self, path: Path, flags: int) -> int:
        if self.error is not None:
            raise self.error
        self.opened += 1
        return os.open(path, flags)


class Setting:
    """A follower of `path`, the lines it saw, and a clock that stands still by itself."""

    def __init__(self, path: Path, start: Literal["start", "end"] = "start") -> None:
        self.path = path
        self.start: Literal["start", "end"] = start
        self.now = 1000.0
        self.lines: list[bytes] = []
        self.opener = Refuser()
        self.follower = self._new(None)

    def poll(self, limit: int = 1 << 20) -> list[bytes]:
        """Poll until nothing waits; the lines that this gave."""
        known = len(self.lines)
        for _ in range(10_000):
            if not self.follower.poll(limit):
                return self.lines[known:]
        raise AssertionError("polling does not end")

    def settle(self) -> list[bytes]:
        """Poll after long enough a silence that renamed files are closed."""
        lines = self.poll() + self.poll()
        self.now += 100.0
        return lines + self.poll()

    def stop(self) -> bytes:
        saved = self.follower.checkpoint().to_json()
        self.follower.close()
        return saved

    def go_on(self, saved: bytes) -> None:
        self.follower = self._new(read_checkpoint(saved))

    def restart(self) -> None:
        self.go_on(self.stop())

    def rotated(self, number: int = 1) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _new(self, checkpoint: Checkpoint | None) -> Follower:
        return Follower(
            self.path,
            lambda: LineSink(self.lines),
            checkpoint=checkpoint,
            start=self.start,
            clock=lambda: self.now,
            opener=self.opener,
        )


def append(path: Path, data: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(data)


def numbered(first: int, count: int) -> bytes:
    """Lines of 64 bytes, no two alike."""
    return b"".join(b"line %08d %s\n" % (each, b"." * 49) for each in range(first, first + count))


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines()


def open_descriptors() -> set[int]:
    """Those of this process; the one that lists them is gone by then."""
    descriptors = {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}
    return {each for each in descriptors if Path(f"/proc/self/fd/{each}").is_symlink()}


def open_files(directory: Path) -> list[str]:
    """Those of this process in a directory: a thread of an earlier test may open something else."""
    targets = []
    for each in open_descriptors():
        with suppress(FileNotFoundError):  # that thread may have closed it
            targets.append(str(Path(f"/proc/self/fd/{each}").readlink()))
    return sorted(target for target in targets if target.startswith(f"{directory}/"))
