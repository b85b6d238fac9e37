"""Find again the files of a checkpoint, wherever they were renamed or copied to.

Every descriptor is closed here unless it came from the caller, or is given back in a `Found` and
the search ends without an exception.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from logwatch.tail.checkpoint import FileMark
from logwatch.tail.identity import (
    SAMPLE,
    has_head,
    inode_of,
    is_copy,
    is_same_inode,
    mark_of,
    read_at,
    resume_position,
)
from logwatch.tail.opened import OpenFile
from logwatch.tail.place import OPEN_FLAGS, Opener
from logwatch.tail.rotated import rotated_files


@dataclass(frozen=True, slots=True)
class Found:
    """An open descriptor, and where to begin; `mark` is None for a file never read before."""

    descriptor: int
    position: int
    mark: FileMark | None


class Search:
    """The files at the path and beside it, open while the search lasts; a context manager."""

    def __init__(
        self,
        paths: Iterable[Path],
        descriptor: int | None,
        held: Iterable[OpenFile],
        opener: Opener,
    ) -> None:
        self._path_descriptor = descriptor
        self._held = tuple(held)
        self._open: dict[int, os.stat_result] = {}
        self._taken: list[int] = []
        self.copies: list[FileMark] = []
        """Of files that are held or known, as `missed` found them: not to be read."""
        self._inodes = {(file.device, file.inode) for file in self._held}
        if descriptor is not None:
            seen = self._open[descriptor] = os.fstat(descriptor)
            self._inodes.add(inode_of(seen))
        self._paths = tuple(paths)
        self._opener = opener
        self._open_rotated()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_exception: object) -> None:
        for descriptor in (*self._open, *(self._taken if failure else ())):
            if descriptor != self._path_descriptor:
                os.close(descriptor)
        self._open.clear()

    def marked(self, marks: Sequence[FileMark]) -> list[Found]:
        """Find the files of these marks, in the order of the marks; the others are left out.

        First by inode for all of them, so that a copy never takes the place of the file itself;
        and copies only once the path is open, since the file itself may be there.
        """
        found: dict[int, Found] = {}
        for by_inode in (True, False) if self._path_descriptor is not None else (True,):
            if not by_inode and len(found) < len(marks):
                self._open_rotated()  # a copy may have been made, and the log cut, only just now
            for index, mark in enumerate(marks):
                if index not in found:
                    match = self._match(mark, marks, by_inode=by_inode)
                    if match is not None:
                        found[index] = match
        return [found[index] for index in sorted(found)]

    def missed(self, newest: int, known: Sequence[FileMark]) -> list[Found]:
        """List rotated files, none of the known, written after `newest`; oldest first.

        What they hold came to the path and left it between two looks, so nothing of it was read.
        As long as the path is not open there are none: one of them may be a copy of what is there.
        """
        path = self._path_descriptor
        new = []
        for descriptor, seen in self._open.items():
            if descriptor == path or seen.st_mtime_ns < newest:
                continue
            if any(is_same_inode(mark, seen) and has_head(mark, descriptor) for mark in known):
                continue
            offset = self._head_of_original(descriptor, seen, known)
            if offset is not None:
                self.copies.append(mark_of(descriptor, seen, offset))
            elif path is not None and not self._is_copy_of_path(descriptor, seen, known):
                new.append((seen.st_mtime_ns, descriptor))
        return [self._take(descriptor, 0, None) for _, descriptor in sorted(new)]

    def copy_of(self, file: OpenFile) -> int | None:
        """Find a copy of this file that was made after all it held was read; its descriptor."""
        for descriptor, seen in self._open.items():
            if (
                descriptor != self._path_descriptor
                and seen.st_mtime_ns >= file.complete
                and file.is_kept_by(descriptor, seen.st_size)
            ):
                return self._take(descriptor, 0, None).descriptor
        return None

    @staticmethod
    def confirm(found: Sequence[Found]) -> None:
        """Raise OSError unless each file still is what it was found to be."""
        for each in found:
            if each.mark is not None:
                seen = os.fstat(each.descriptor)
                if resume_position(each.mark, each.descriptor, seen) != each.position:
                    raise OSError(errno.ESTALE, "it was cut while it was opened")

    def replaced(self, mark: FileMark) -> bool:
        """Tell whether the mark's inode is still at the path, emptied or written anew."""
        seen = None if self._path_descriptor is None else self._open.get(self._path_descriptor)
        return seen is not None and is_same_inode(mark, seen) and seen.st_size < mark.position

    def _head_of_original(
        self, descriptor: int, seen: os.stat_result, known: Sequence[FileMark]
    ) -> int | None:
        """Find the file that this one is a copy of, held or known; where its text begins."""
        for file in self._held:
            if file.begins_like(descriptor, seen.st_size):
                return file.head_offset
        if self._path_descriptor is not None:
            for mark in known:
                if is_copy(mark, descriptor):
                    return mark.head_offset
        return None

    def _is_copy_of_path(
        self, descriptor: int, seen: os.stat_result, known: Sequence[FileMark]
    ) -> bool:
        """Tell whether a copy was made, or is being made, of what is at the path uncut.

        One without a byte is a copy just begun where the path holds a known file: that was not
        renamed, so nothing was.
        """
        path = self._path_descriptor
        if path is None:
            return False
        size = seen.st_size
        if size == 0:
            return any(is_same_inode(mark, os.fstat(path)) for mark in known)
        sample = min(SAMPLE, size)
        return all(
            read_at(descriptor, sample, offset) == read_at(path, sample, offset)
            for offset in (0, size - sample)
        )

    def _open_rotated(self) -> None:
        """Open each rotated file once, also when they are renamed meanwhile.

        A rotation moves each of them to the next name, so one that was listed may be opened under
        its new name as well as under the old one, or not at all: until two listings agree.
        """
        before: list[tuple[Path, tuple[int, int]]] | None = None
        while True:
            listed = [(file.path, inode_of(file.seen)) for file in rotated_files(*self._paths)]
            if listed == before:
                break
            before = listed
            for path, inode in listed:
                if inode not in self._inodes:
                    self._add(path)
        # The path first, then the newest: a copy is likelier to be the latest one.
        self._open = dict(
            sorted(
                self._open.items(),
                key=lambda each: (each[0] != self._path_descriptor, -each[1].st_mtime_ns),
            )
        )

    def _add(self, path: Path) -> None:
        try:
            descriptor = self._opener(path, OPEN_FLAGS)
        except OSError:
            return  # renamed, removed or refused: as if it was not there
        try:
            seen = os.fstat(descriptor)
        except OSError:
            os.close(descriptor)  # stale: likewise
            return
        if inode_of(seen) in self._inodes:
            os.close(descriptor)
            return
        self._inodes.add(inode_of(seen))
        self._open[descriptor] = seen

    def _match(self, mark: FileMark, marks: Sequence[FileMark], *, by_inode: bool) -> Found | None:
        for descriptor, seen in self._open.items():
            if is_same_inode(mark, seen) is by_inode:
                if not mark.head_size and any(
                    other.head_size and has_head(other, descriptor) for other in marks
                ):
                    continue  # the inode of an empty file that was removed, used again by a copy
                position = resume_position(mark, descriptor, seen)
                if position is not None:
                    return self._take(descriptor, position, mark)
        return None

    def _take(self, descriptor: int, position: int, mark: FileMark | None) -> Found:
        del self._open[descriptor]
        self._taken.append(descriptor)
        return Found(descriptor, position, mark)
