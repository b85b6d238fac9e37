"""Where a scenario plays: a log, its writer, the program that is tried, and what came of it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from torture.lines import Counts, counts_in, counts_of
from torture.programs import Program

ROTATED = 12
"""Rotated files that are kept. None is removed unless the program was at work since half of them
came: one that is killed each time before it has started can't read what is gone by then."""

QUIET_SECONDS = 4.0
"""When a program's counts have not changed for so long, it has read all that it is going to."""

PEER_QUIET_SECONDS = 12.0
"""The same for a peer: fail2ban looks for new lines less and less often when there are none."""

MAXIMUM_SECONDS = 120.0
"""Longest wait for a program that goes on counting."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how hard."""

    seconds: float
    rate: int
    """Lines a second."""
    kills: int = 0
    """At least so many in a scenario that kills, however long that takes."""
    pace: float = 1.0
    """How many times as long everything between two deeds takes."""
    spare_starts: bool = False
    """Kill only who has got to work: peers need longer for that."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the lines."""

    written: int
    kept: int
    """Written, and in a file that could be read: copytruncate destroys some lines itself."""
    counted: int
    lost: int
    """Of those kept, not counted."""
    doubled: int
    """Counted more often than written."""
    complaints: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether every line that could be read was counted, and none twice."""
        return not (self.lost or self.doubled or self.complaints)


@dataclass
class Stage:
    """A directory for one scenario; a context manager. Files and programs end with it."""

    directory: Path
    effort: Effort
    program: Program
    mode: str = "ab"
    """In which the writer opens its file."""
    kept: Counts | None = None
    """What of the lines could be read; None where it is all of them."""
    facts: dict[str, int] = field(default_factory=dict)
    """How often what was done, for the note."""

    def __post_init__(self) -> None:
        self.log = self.directory / "syslog"
        self.chance = random.Random(self.effort.seed)
        self._unfinished = Counts()
        self._writer: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self._rotations: list[float] = []  # when, on the monotonic clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._writer is not None and self._writer.poll() is None:
            self._writer.kill()
            self._writer.wait()
        self.program.end()

    def begin(self) -> None:
        """Start the program on an empty log, then the writer; the time runs from now."""
        self.log.touch()
        self.program.begin()
        self._writer = subprocess.Popen(
            [
                *(sys.executable, "-m", "torture.writer", str(self._target())),
                *("--rate", str(self.effort.rate), "--seed", str(self.effort.seed)),
                *("--mode", self.mode),
            ],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert self._writer.stdout is not None
        assert self._writer.stdout.readline() == b"ready\n"
        self._until = time.monotonic() + self.effort.seconds

    @property
    def is_over(self) -> bool:
        """Whether the time is."""
        return time.monotonic() >= self._until

    def wait(self, least: float, most: float) -> None:
        """Let the others work for a time that nobody can foresee."""
        time.sleep(self.chance.uniform(least, most) * self.effort.pace)

    def wait_for_program(self, since: float) -> None:
        """Return when the program was at work after a moment of the monotonic clock."""
        end = time.monotonic() + MAXIMUM_SECONDS
        while self.program.served_at <= since:
            if time.monotonic() > end:
                raise AssertionError(f"{self.program.name} does not serve")
            time.sleep(0.02)  # another process works meanwhile: nothing tells when it is done

    def did(self, what: str) -> None:
        """Count something for the note."""
        self.facts[what] = self.facts.get(what, 0) + 1

    def rename(self) -> None:
        """Rename the log as logrotate does; the writer goes on in it until `reopen`."""
        self._shift()
        self.log.rename(self.rotated(1))
        self.did("rotations")

    def reopen(self) -> None:
        """Have the writer open the path anew."""
        assert self._writer is not None
        self._writer.send_signal(signal.SIGHUP)
        self._wait_for_log()

    def _target(self) -> Path:
        return self.log

    def _wait_for_log(self) -> None:
        end = time.monotonic() + MAXIMUM_SECONDS
        while not self.log.exists():
            if time.monotonic() > end:
                raise AssertionError("the writer does not open its log")
            time.sleep(0.001)  # another process works meanwhile: nothing tells when it is done

    def copy_and_truncate(self) -> None:
        """Copy the log and cut it as logrotate's copytruncate does."""
        self._shift()
        shutil.copyfile(self.log, self.rotated(1))
        os.truncate(self.log, 0)
        self.keep(self.rotated(1))
        self.did("copies")

    def keep(self, copy: Path) -> None:
        """Note what a copy holds of a log that was cut."""
        whole, unfinished = counts_in(copy)
        self.kept = self.kept or Counts()
        self.kept.add(whole)
        self._unfinished.add(unfinished)

    def rotated(self, number: int) -> Path:
        """Give the path of a rotated file; 1 is the latest."""
        return self.log.with_name(f"{self.log.name}.{number}")

    def make_room(self, rotations: int) -> None:
        """Wait until so many rotations can be made of a program that is stopped."""
        if len(self._rotations) >= ROTATED - rotations:
            self.wait_for_program(self._rotations[rotations - 1 - ROTATED // 2])

    def _shift(self) -> None:
        if len(self._rotations) >= ROTATED:
            self.wait_for_program(self._rotations[-ROTATED // 2])
        self._rotations.append(time.monotonic())
        for number in range(ROTATED, 0, -1):
            if self.rotated(number).exists():
                self.rotated(number).rename(self.rotated(number + 1))
        self.rotated(ROTATED + 1).unlink(missing_ok=True)

    @contextmanager
    def meanwhile(self, action: Callable[[], None]) -> Iterator[None]:
        """Do something again and again on a thread of its own."""
        is_over = threading.Event()
        failures: list[BaseException] = []

        def repeat() -> None:
            try:
                while not is_over.is_set():
                    action()
            except BaseException as failure:  # noqa: BLE001 - raised again by the main thread
                failures.append(failure)

        thread = threading.Thread(target=repeat)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
        if failures:
            raise failures[0]

    def finish(self) -> Outcome:
        """End the writer, wait until the program has read all it is going to, and compare."""
        written = counts_of(range(self._end_writing()))
        kept = written
        if self.kept is not None:
            self.keep(self.log)
            kept = self.kept
        counted = self._settled(kept)
        most = Counts()
        most.add(written)
        most.add(self._unfinished)
        return Outcome(
            written=written.total,
            kept=kept.total,
            counted=counted.total,
            lost=kept.missing_from(counted),
            doubled=counted.missing_from(most),
            complaints=tuple(self.program.complaints()),
            note=", ".join(f"{number} {what}" for what, number in self.facts.items()),
        )

    def _end_writing(self) -> int:
        """End the writer after a whole line; how many it has written."""
        assert self._writer is not None
        self._writer.send_signal(signal.SIGTERM)
        output, _ = self._writer.communicate(timeout=MAXIMUM_SECONDS)
        return int(output)

    def _settled(self, kept: Counts) -> Counts:
        quiet = QUIET_SECONDS if self.program.keeps_counts else PEER_QUIET_SECONDS
        counted = self.program.counted()
        since = begun = time.monotonic()
        while time.monotonic() - begun < MAXIMUM_SECONDS:
            is_quiet = time.monotonic() - since >= quiet
            if is_quiet and self.program.served_at > since:  # one that only starts is not done
                break
            time.sleep(0.1)
            now = self.program.counted()
            if now != counted:
                counted, since = now, time.monotonic()
            if not kept.missing_from(counted):
                quiet = 1.0  # enough to see one that is counted twice
        return counted
