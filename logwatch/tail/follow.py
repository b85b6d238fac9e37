"""Follow one path, and every file that was renamed away from it, until each is read to its end.

`poll` is the only place where anything is read, and everything is decided from what it finds, so
a missed wake-up costs time and never a line. Lost is what was written to a file and cut away (or
written to one that was deleted and closed) between two polls. One thread at a time.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from logwatch.tail.checkpoint import Checkpoint, FileMark
from logwatch.tail.identity import is_same_inode, line_start, resume_position
from logwatch.tail.opened import OpenFile
from logwatch.tail.place import OPEN_FLAGS, Opener, Place, judge, look_at, refused
from logwatch.tail.resume import Search
from logwatch.tail.rotated import rotated_files
from logwatch.tail.sink import Sink
from logwatch.tail.status import FollowerStatus

GRACE = 5.0
"""Seconds without a byte before a renamed file with a successor is closed: its writer goes on until
it is told (rsyslog until SIGHUP), and fluent-bit's default for the same wait is 5 s."""

DELETED_GRACE = 60.0
"""Seconds without a byte before a deleted file with no successor is closed. Its writer may still
use it, but holding it keeps its space on the disk."""

LIMIT = 64 * 1024 * 1024
"""Bytes per poll: some tens of milliseconds, after which the caller can commit or stop."""

FINISHED = 8
"""Closed files that are remembered; only ones written at the very moment of a rotation matter."""


@dataclass(slots=True)
class _Counts:
    read_bytes: int = 0
    rotations: int = 0
    truncations: int = 0
    destroyed_bytes: int = 0
    lost_files: int = 0
    read_errors: int = 0


class Follower:
    """Feeds what is written to `path` to sinks, each line of it once.

    With a checkpoint it goes on where that was made, and reads whatever took the path since from
    0. Without one, `start` decides about the file that is there at the first poll: "end" begins
    with the first line that is not finished then; a file that appears later is read from 0.
    """

    def __init__(  # noqa: PLR0913 - three seams and two waits, each with a default
        self,
        path: Path,
        open_sink: Callable[[], Sink],
        *,
        checkpoint: Checkpoint | None = None,
        start: Literal["start", "end"] = "end",
        clock: Callable[[], float] = time.monotonic,
        grace: float = GRACE,
        deleted_grace: float = DELETED_GRACE,
        opener: Opener = os.open,
    ) -> None:
        if checkpoint is not None and not checkpoint.settled:
            checkpoint = None
        self.path = path
        self._open_sink = open_sink
        self._clock = clock
        self._grace = grace
        self._deleted_grace = deleted_grace
        self._opener = opener
        self._resumes = checkpoint is not None
        self._wanted = checkpoint.files if checkpoint else ()  # not found again so far
        self._finished = checkpoint.finished if checkpoint else ()
        self._newest = checkpoint.newest if checkpoint else 0
        self._start = start
        self._looked = False
        self._followed = bool(self._wanted)  # there was a file at the path before
        self._real_path = Path(os.path.realpath(path))
        self._skip: os.stat_result | None = None  # what is in it is not to be read
        self._files: list[OpenFile] = []  # oldest first
        self._current: OpenFile | None = None  # came last from the path; one of the files
        self._counts = _Counts()
        self._status = FollowerStatus("missing", f"{path} was not looked for yet.")

    @property
    def status(self) -> FollowerStatus:
        """As of the last poll."""
        return self._status

    def poll(self, limit: int = LIMIT) -> bool:
        """Look at the path, read at most `limit` bytes; True when more is waiting to be read.

        Costs one stat when nothing happened. Never raises for what is or is not in the file
        system; what was refused is told by `status`.
        """
        now = self._clock()
        newest = self._newest
        place = look_at(self.path)
        first = not self._looked
        if first and not self._resumes:
            self._begin(place)
        place = self._enter(place, newest)
        self._looked = True
        if first and self._resumes:
            place = self._enter_renamed(place, newest)
        for file in list(self._files):
            seen = place.seen if place.seen is not None and file.is_at(place.seen) else None
            limit -= self._advance(file, seen, limit, now)
        if place.state == "reading":
            # Not while the path is empty: what comes and goes there meanwhile may be older than
            # the last line of the renamed file, and must still be found.
            read = (file.modified for file in self._files if file.has_text)
            self._newest = max(newest, self._newest, *read)
        self._drop(now)
        self._status = self._describe(place)
        return any(not file.at_end and not file.error for file in self._files)

    def checkpoint(self) -> Checkpoint:
        """How far all files are read, at line ends; reads nothing from the disk."""
        return Checkpoint(
            files=(*self._wanted, *(file.mark() for file in self._files)),
            finished=self._finished,
            newest=self._newest,
            settled=self._resumes or (self._looked and self._skip is None),
        )

    def close(self) -> None:
        """Close the files; unfinished lines stay unfinished and are read again after a restart.

        The checkpoint stays what it was; polling is over.
        """
        self._wanted = (*self._wanted, *(file.mark() for file in self._files))
        for file in self._files:
            file.close()
        self._files.clear()
        self._current = None

    def _begin(self, place: Place) -> None:
        if self._start == "end":
            self._skip = place.seen
        # Whatever is beside the path by now was written before anything that is to be read.
        beside = rotated_files(self.path, self._real_path)
        self._newest = max((file.seen.st_mtime_ns + 1 for file in beside), default=0)

    def _enter(self, place: Place, newest: int) -> Place:
        """Open the file at the path unless it is open; the place as it then turned out to be."""
        if place.seen is None:
            return place
        file = next((file for file in self._files if file.is_at(place.seen)), None)
        if file is None:
            try:
                descriptor = self._opener(self.path, OPEN_FLAGS)
            except FileNotFoundError as error:
                return Place("missing", f"{self.path} vanished: {error.strerror}.")
            except OSError as error:
                return refused(self.path, error, place.seen)
            try:
                seen = os.fstat(descriptor)
                place = judge(self.path, seen)
                if place.seen is None or any(file.is_at(seen) for file in self._files):
                    os.close(descriptor)  # replaced while it was looked at: the next poll sees it
                    return place
                file = self._admit(descriptor, seen, newest)
            except OSError as error:
                os.close(descriptor)
                self._counts.read_errors += 1
                return refused(self.path, error, place.seen)
        if self._current is not None and self._current is not file:
            self._current.ends = 0  # its grace begins when it has a successor
        self._current = file
        return place

    def _enter_renamed(self, place: Place, newest: int) -> Place:
        """Open the files of the checkpoint that were renamed, while the path can't be opened."""
        try:
            self._restore(None, newest)
        except OSError as error:
            self._looked = False  # the next poll is the first again
            self._counts.read_errors += 1
            cause = (error.strerror or str(error)).lower()
            reason = f"A rotated file of {self.path} can't be read: {cause}; it is tried again."
            return Place("unreadable", reason, place.seen)
        self._current = self._files[-1] if self._files else None
        return place

    def _admit(self, descriptor: int, seen: os.stat_result, newest: int) -> OpenFile:
        """Take in the file that is new at the path, and those that passed there unseen."""
        file = None
        if self._looked or self._resumes:
            file = self._restore(descriptor, newest)
        if file is None:
            position = self._first_position(descriptor, seen)
            file = self._add(OpenFile(descriptor, self._open_sink, position))
            self._counts.rotations += self._followed
        self._skip = None
        self._resumes = False
        self._followed = True
        self._real_path = Path(os.path.realpath(self.path))
        return file

    def _first_position(self, descriptor: int, seen: os.stat_result) -> int:
        skip = self._skip
        if skip is not None and (skip.st_dev, skip.st_ino) == (seen.st_dev, seen.st_ino):
            return line_start(descriptor, min(skip.st_size, seen.st_size))
        for mark in self._finished:  # renamed back after it was closed
            if is_same_inode(mark, seen):
                position = resume_position(mark, descriptor, seen)
                if position is not None:
                    return position
        return 0

    def _restore(self, descriptor: int | None, newest: int) -> OpenFile | None:
        """Open what the checkpoint still wants and what nobody has read; the path's if among them.

        What is not found is given up once the path can be opened.
        """
        paths = (self.path, self._real_path)
        with Search(paths, descriptor, self._files, self._opener) as search:
            found = search.marked(self._wanted)
            missed = search.missed(newest, (*self._finished, *self._wanted))
            # All that may fail comes before the first change, so that it can be tried again.
            files = {
                each.descriptor: OpenFile(each.descriptor, self._open_sink, each.position)
                for each in (*found, *missed)
            }
            search.confirm(found)  # what was sampled of them is what was found
            marks = {each.mark for each in found}
            leftover = tuple(mark for mark in self._wanted if mark not in marks)
            if descriptor is not None:
                self._counts.truncations += sum(map(search.replaced, self._wanted))
                self._counts.lost_files += sum(not search.replaced(mark) for mark in leftover)
                # If one turns up, what was read of it is not read again.
                self._remember([mark for mark in leftover if mark.head_size])
                leftover = ()
        self._counts.rotations += len(missed)
        self._remember(search.copies)
        self._wanted = leftover
        at_path = None if descriptor is None else files.pop(descriptor, None)
        for file in files.values():
            self._add(file)
        # Last, as it is the youngest, wherever it was found: its inode may be that of an old mark.
        return None if at_path is None else self._add(at_path)

    def _add(self, file: OpenFile) -> OpenFile:
        file.quiet_since = self._clock()
        self._files.append(file)
        return file

    def _advance(self, file: OpenFile, seen: os.stat_result | None, limit: int, now: float) -> int:
        done = 0
        try:
            # While no text was fed, a cut of what was there in between would not be seen.
            is_unknown = seen is not None and not file.has_text and file.has_changed(seen)
            if not file.look(seen or os.fstat(file.descriptor)):
                self._truncated(file, is_at_path=seen is not None)
            elif is_unknown:
                self._recover(file, is_at_path=True, is_cut=False)
            done = file.read(limit)
            file.error = ""
        except OSError as error:
            self._failed(file, error)
        self._counts.read_bytes += done
        left = file.was_at_path and seen is None
        file.was_at_path = seen is not None
        if left or done or not (file.at_end or file.error):
            file.ends = 0  # one that was quiet before it was renamed gets its grace all the same
        else:
            file.ends += 1
        if file.ends <= 1:
            file.quiet_since = now
        return done

    def _failed(self, file: OpenFile, error: OSError) -> None:
        file.error = (error.strerror or str(error)).lower()
        self._counts.read_errors += 1

    def _truncated(self, file: OpenFile, *, is_at_path: bool) -> None:
        """Read the file from 0; and what copies kept of it (copytruncate), from where it was."""
        # Before the search: what is cut after it began is seen to be cut when it is read.
        glance = file.glance(os.fstat(file.descriptor))
        copied = self._recover(file, is_at_path=is_at_path, is_cut=True)
        self._counts.truncations += 1
        self._counts.destroyed_bytes += file.start_over(glance, copied)

    def _recover(self, file: OpenFile, *, is_at_path: bool, is_cut: bool) -> int | None:
        """Open what nobody read of the copies of this file; the size of one that goes on with it.

        Only once the file is cut does a copy go on: until then it is read itself.
        """
        known = (*self._finished, *self._wanted)
        paths = (self.path, self._real_path)
        at_path = file.descriptor if is_at_path else None
        with Search(paths, at_path, self._files, self._opener) as search:
            copied = search.copy_of(file) if is_cut else None
            missed = search.missed(self._newest, known)
            copies = [OpenFile(each.descriptor, self._open_sink) for each in missed]
            if copied is not None:
                copies.insert(0, file.moved_to(copied))
        self._counts.truncations += len(missed)
        self._remember(search.copies)
        place = self._files.index(file)
        self._files[place:place] = copies
        for copy in copies:
            self._advance(copy, None, 0, self._clock())
        return None if copied is None else copies[0].size

    def _drop(self, now: float) -> None:
        """Close what is over: read to its end twice, quiet for the grace, and not the current."""
        for file in list(self._files):
            quiet = now - file.quiet_since if file.ends > 1 else -1.0
            if file is self._current:
                over = quiet >= self._deleted_grace and self._is_deleted(file)
            else:
                over = quiet >= self._grace
            if over:
                file.sink.finish()
                file.close()
                self._counts.lost_files += not file.at_end
                self._files.remove(file)
                if file.has_text:  # of an empty one nothing is known, nor was anything read
                    self._remember([file.mark()])
                self._current = None if file is self._current else self._current

    def _remember(self, marks: Sequence[FileMark]) -> None:
        self._finished = (*self._finished, *marks)[-FINISHED:]

    def _is_deleted(self, file: OpenFile) -> bool:
        try:
            return os.fstat(file.descriptor).st_nlink == 0
        except OSError as error:
            self._failed(file, error)
            return False  # asked again at the next poll

    def _describe(self, place: Place) -> FollowerStatus:
        state, reason = place.state, place.reason
        if state != "reading" and self._current is not None:
            reason += " What was there before is still read."
        failed = next((file.error for file in self._files if file.error), "")
        if state in ("reading", "missing") and failed:
            state, reason = (
                "unreadable",
                f"Reading {self.path} failed: {failed}; it is tried again.",
            )
        behind = sum(file.size - file.fed for file in self._files if not file.at_end)
        if state == "unreadable" and place.seen is not None and not failed:
            behind += place.seen.st_size
        return FollowerStatus(
            state=state,
            reason=reason,
            at_end=state != "unreadable" and all(file.at_end for file in self._files),
            open_files=len(self._files),
            read_bytes=self._counts.read_bytes,
            behind_bytes=behind,
            rotations=self._counts.rotations,
            truncations=self._counts.truncations,
            destroyed_bytes=self._counts.destroyed_bytes,
            lost_files=self._counts.lost_files,
            read_errors=self._counts.read_errors,
        )
