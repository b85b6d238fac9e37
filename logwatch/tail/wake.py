"""Wake the reader when something happens beside the files it follows.

A wake-up is only a hint: the reader polls anyway, and finds what no event told. The directory is
watched, never the file, since a watch on a file follows it when it is renamed. While a file grows
all the time nothing is watched: each event would cost three threads a moment to tell what is known.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from watchdog.events import (
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import ObservedWatch
from watchdog.observers.inotify import InotifyObserver

RETRY = 10.0
"""Seconds between attempts to watch a directory again: it costs a stat each, and polling goes on
meanwhile."""

BUSY_WAITS = 20
"""So many waits in a row that ended at once by an event: then the files are looked at in turns."""

TURN = 0.05
"""Seconds from one such look to the next: as long as the daemon takes at least between two rounds,
so that nothing is read later for it."""

QUIET_TURNS = 20
"""So many looks in a row that found nothing new: then the directories are watched again."""

# Without a filter the kernel also tells of openings and readings, so reading would wake itself.
_EVENTS: list[type[FileSystemEvent]] = [
    FileModifiedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileDeletedEvent,
]


@dataclass(frozen=True, slots=True)
class _Watched:
    watch: ObservedWatch
    inode: tuple[int, int]

    def is_at(self, directory: Path) -> bool:
        """Tell whether the directory is still the watched one, not a new one of the same name."""
        try:
            return _inode(directory) == self.inode
        except OSError:
            return False


class Waker:
    """Wakes on changes of these paths and of names that begin like them (`syslog.1`).

    `wait` is for one thread; `wake` and the properties for any. Nothing raises for a directory
    that is missing, or for inotify or threads that are exhausted: `mode` is then "polling", and
    `reason` says why, until a later attempt succeeds.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        clock: Callable[[], float] = time.monotonic,
        retry: float = RETRY,
        new_observer: Callable[[], InotifyObserver] = InotifyObserver,
    ) -> None:
        self._paths = tuple(paths)
        self._clock = clock
        self._retry = retry
        self._new_observer = new_observer
        self._flag = threading.Event()
        self._is_changed = False
        """Whether it was an event that raised the flag last."""
        self._busy_waits = 0
        self._resting: _Resting | None = None
        """While nothing is watched since the files grow all the time."""
        self._observer: InotifyObserver | None = None
        self._watched: dict[Path, _Watched] = {}
        self._reason = ""
        self._closed = False
        self._tended = clock()
        self._tend()

    @property
    def mode(self) -> Literal["inotify", "polling"]:
        """Whether every directory is watched."""
        return "polling" if self._reason else "inotify"

    @property
    def reason(self) -> str:
        """Why it is polling, in one sentence; empty when it is not."""
        return self._reason

    @property
    def alive(self) -> bool:
        """False when a thread that watches has died; `wait` starts it anew within `retry`."""
        observer = self._observer
        if observer is None:
            return True
        reader = observer._inotify_fd  # noqa: SLF001 - nothing public tells of the thread
        # A copy, since `wait` may add to them meanwhile; and first whether it lives, since one
        # that is ended on purpose is told to stop before it dies.
        emitters = observer.emitters.copy()
        return all(thread.is_alive() for thread in (observer, reader)) and all(
            each.is_alive() or each.stopped_event.is_set() for each in emitters
        )

    def wait(self, seconds: float) -> bool:
        """Sleep until something changed or `wake` was called, at most so long; True when woken."""
        if self._resting is not None:
            return self._wait_in_turns(self._resting, seconds)
        if not self._closed and self._clock() - self._tended >= self._retry:
            self._tended = self._clock()
            self._tend()
        is_busy = self._is_changed
        woken = self._flag.wait(seconds)
        self._lower()
        self._busy_waits = self._busy_waits + 1 if is_busy else 0
        if self._busy_waits >= BUSY_WAITS and not self._closed:
            self._stop()
            self._resting = _Resting(self._state())
        return woken

    def _wait_in_turns(self, resting: "_Resting", seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self._flag.wait(min(TURN, max(0.0, end - time.monotonic()))):
            if resting.look(self._state()):
                return True
            if resting.turns >= QUIET_TURNS:
                self._resting, self._busy_waits = None, 0
                self._tend()
                break  # for what happened before the watch began
            if time.monotonic() >= end:
                return False
        self._lower()
        return True

    def _state(self) -> tuple[tuple[int, ...] | None, ...]:
        return tuple(_state(path) for path in self._paths)

    def _lower(self) -> None:
        self._is_changed = False
        self._flag.clear()

    def wake(self) -> None:
        """End the present or the next `wait`."""
        self._flag.set()

    def _change(self) -> None:
        self._is_changed = True
        self._flag.set()

    def close(self) -> None:
        """Stop all threads; `wait` goes on as a plain sleep."""
        self._closed = True
        self._resting = None
        self._reason = "Watching has ended."
        self._stop()

    def _stop(self) -> None:
        observer, self._observer = self._observer, None
        self._watched.clear()
        if observer is not None:
            observer.stop()
            observer.join()

    def _tend(self) -> None:
        """Watch what is not watched, or not any more; say why where that fails."""
        if not self.alive:
            self._stop()
        refusals = []
        for directory in sorted(self._directories()):
            try:
                self._watch(directory)
            except Exception as error:  # noqa: BLE001 - no thread left, or watchdog's own: polling
                strerror = error.strerror if isinstance(error, OSError) else None
                cause = (strerror or str(error) or type(error).__name__).lower()
                refusals.append(f"{directory} can't be watched ({cause})")
        self._reason = f"{'; '.join(refusals)}: looking in turns instead." if refusals else ""

    def _directories(self) -> set[Path]:
        real = {Path(os.path.realpath(path)).parent for path in self._paths}
        return real | {Path(os.path.realpath(path.parent)) for path in self._paths}

    def _watch(self, directory: Path) -> None:
        if self._observer is None:
            observer = self._new_observer()
            try:
                observer.start()
            except BaseException:
                observer.stop()  # its reader runs already
                raise
            self._observer = observer
        watched = self._watched.get(directory)
        if watched is not None:
            if watched.is_at(directory) and self._is_running(watched.watch):
                return
            del self._watched[directory]
            self._observer.unschedule(watched.watch)
        inode = _inode(directory)
        if not os.access(directory, os.R_OK):
            # watchdog takes this refusal of the kernel for a success.
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(directory))
        watch = self._observer.schedule(
            _Handler(self._names(), self._change),
            str(directory),
            event_filter=_EVENTS,
        )
        self._watched[directory] = _Watched(watch, inode)
        self.wake()  # for what happened before the watch began

    def _is_running(self, watch: ObservedWatch) -> bool:
        """Tell whether it still watches: it ends by itself when its directory is deleted."""
        emitters = () if self._observer is None else self._observer.emitters
        return any(each.watch == watch and not each.stopped_event.is_set() for each in emitters)

    def _names(self) -> tuple[str, ...]:
        real = {Path(os.path.realpath(path)).name for path in self._paths}
        return tuple(real | {path.name for path in self._paths})


class _Resting:
    """Looks at files in turns: at what `stat` tells of them."""

    def __init__(self, state: tuple[tuple[int, ...] | None, ...]) -> None:
        self._state = state
        self.turns = 0
        """Looks in a row that found nothing new."""

    def look(self, state: tuple[tuple[int, ...] | None, ...]) -> bool:
        """Tell whether this differs from the look before."""
        is_new = state != self._state
        self._state = state
        self.turns = 0 if is_new else self.turns + 1
        return is_new


class _Handler(FileSystemEventHandler):
    """Lets through what concerns the followed names: /var/log is busy with others."""

    def __init__(self, names: tuple[str, ...], wake: Callable[[], None]) -> None:
        self._names = names
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if os.path.basename(os.fsdecode(path)).startswith(self._names):  # noqa: PTH119 - hot
                self._wake()
                return


def _inode(directory: Path) -> tuple[int, int]:
    seen = directory.stat()
    return (seen.st_dev, seen.st_ino)


def _state(path: Path) -> tuple[int, ...] | None:
    """Tell one state of a file from the next; None where it can't be looked at."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)
