"""The audit log: a JSON line for each decision and for what became of it, in their order.

A line waits in the ledger, in the transaction of what it tells of, until it is in the file: no kill
loses it, and none doubles it. The file is only appended to and opened for each writing, so whoever
rotates it, by renaming or by copytruncate, is followed.
"""

import os
import stat
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from logwatch.control import Proof, moment, proof_of
from logwatch.errors import LogwatchError
from logwatch.offenders import Ban, Offence

WAITING_MOST = 10_000
"""Lines that wait for a disk with room, of some 500 bytes each."""

SIZE_MOST = 64 << 20
"""Bytes from which on the file is renamed to NAME.1, in the place of an earlier one: who makes
decisions happen must not fill the disk by them."""

TAIL = 65_536
"""Bytes at the file's end in which its last line is looked for; a line has far less."""

MODE = 0o640

NUMBER = "number"
"""The document that holds the number of the last line."""


class AuditError(LogwatchError):
    """Lines wait for the file."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line; what does not apply is absent."""

    number: int
    """Grows by one with each line, over restarts: a gap is a loss."""
    time: str
    event: str
    mode: str
    """The agent's."""
    network: str = ""
    networks: Sequence[str] = ()
    """Of many that a brake holds back: the first, and how many more."""
    phase: str = ""
    """The mode by which the ban was decided."""
    rule: str = ""
    reason: str = ""
    """What the source did, or what the person wrote."""
    why: str = ""
    """Of a refusal, of an end, of a freeze."""
    by: str = ""
    """`rule` or `hand`."""
    forced: bool = False
    offence: int = 0
    since: str = ""
    expires: str = ""
    evidence: Proof | None = None
    uid: int | None = None
    """Of the process that asked for it, as the kernel says."""
    pid: int | None = None
    file: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lines: int = 0
    """How many were dropped in front of this one."""
    version: str = ""


class AuditLog:
    """The file, and the lines on their way into it. One thread at a time.

    `documents` go into each commit of the ledger; `write` comes behind it, whether or not it
    succeeded. Without a path nothing is kept or written.
    """

    def __init__(
        self,
        path: Path | None,
        saved: Mapping[str, bytes],
        mode: str,
        *,
        size_most: int = SIZE_MOST,
        waiting_most: int = WAITING_MOST,
    ) -> None:
        """Go on from the documents of the last run: what is in the file by now is not repeated."""
        self._path = path
        self._mode = mode
        self._size_most = size_most
        self._waiting_most = waiting_most
        waiting = sorted((int(name), body) for name, body in saved.items() if name.isdigit())
        written = 0 if path is None else _last_number(_tail(path))
        numbers = [int(saved.get(NUMBER, b"0")), written, *(number for number, _ in waiting)]
        self._number = max(numbers)
        self._waiting = deque(each for each in waiting if each[0] > written)
        self._begun = b""
        """What the file has of the first line that waits."""
        self._gap = 0
        """Lines dropped since the last one that was taken in."""
        self.dropped = 0
        """Lines dropped since the start."""
        self.revision = 0
        """Grows whenever the documents change."""

    @property
    def waiting(self) -> int:
        """Lines that are not in the file yet."""
        return len(self._waiting)

    def note(self, now: float, event: str, **fields: Any) -> None:  # noqa: ANN401 - those of Line
        """Take a line in. When too many wait, it is dropped, and counted in a later line."""
        if self._path is None:
            return
        self.revision += 1
        if self.waiting >= self._waiting_most:
            self._number += 1
            self._gap += 1
            self.dropped += 1
            return
        if self._gap:
            self._append(now, "dropped", lines=self._gap)
            self._gap = 0
        self._append(now, event, **fields)

    def note_ban(self, now: float, event: str, ban: Ban, **fields: Any) -> None:  # noqa: ANN401
        """Take a line about a ban in."""
        self.note(
            now,
            event,
            network=ban.network,
            phase=ban.phase,
            rule=ban.rule,
            reason=ban.reason,
            by=ban.by,
            forced=ban.forced,
            offence=ban.offence,
            since=moment(ban.since),
            expires=moment(ban.expires),
            evidence=proof_of(ban.evidence, samples=True),
            **fields,
        )

    def note_refusal(self, offence: Offence, why: str, now: float) -> None:
        """Take a line about an offender in that is not banned."""
        self.note(
            now,
            "refused",
            network=offence.network,
            rule=offence.rule,
            reason=offence.reason,
            why=why,
            by="rule",
            evidence=proof_of(offence.evidence),
        )

    def documents(self) -> dict[str, bytes]:
        """Give what the ledger is to keep: the lines that wait, and the last number."""
        if self._path is None:
            return {}
        numbered = {str(number): body for number, body in self._waiting}
        return {NUMBER: str(self._number).encode(), **numbered}

    def write(self) -> None:
        """Bring what waits into the file and onto the disk. Raises AuditError; it can be repeated.

        A line that found half of its room is completed by the next call.
        """
        if self._path is None or not self._waiting:
            return
        try:
            self._write(self._path)
        except OSError as error:
            raise AuditError(
                f"{self.waiting} lines wait for {self._path} ({error.strerror}), and"
                f" {self.dropped} were dropped: make room, or name another file with `audit:`"
            ) from None

    def _append(self, now: float, event: str, **fields: Any) -> None:  # noqa: ANN401
        self._number += 1
        line = Line(self._number, moment(now), event, self._mode, **fields)
        self._waiting.append((self._number, msgspec.json.encode(line)))

    def _write(self, path: Path) -> None:
        descriptor = _opened(path)
        try:
            if os.fstat(descriptor).st_size >= self._size_most:
                os.close(descriptor)
                path.replace(path.with_name(f"{path.name}.1"))
                descriptor = _opened(path)
            begun = _torn(_end_of(descriptor))
            before = self.waiting
            try:
                while self._waiting:
                    line = self._waiting[0][1] + b"\n"
                    if not line.startswith(begun):  # somebody else's, or of a line that is gone
                        os.write(descriptor, b"\n")
                        begun = b""
                    begun += line[len(begun) :][: os.write(descriptor, line[len(begun) :])]
                    if begun == line:
                        begun = b""
                        self._waiting.popleft()
            finally:
                self.revision += before != self.waiting
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


_QUIETLY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def _opened(path: Path) -> int:
    """Open for appending; anything but a file is refused, and a pipe keeps nobody waiting."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _QUIETLY, MODE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(0, "not a file")


def _tail(path: Path) -> bytes:
    """Read the end of a file; nothing where it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _QUIETLY)
    except OSError:
        return b""
    try:
        return _end_of(descriptor)
    except OSError:  # no file
        return b""
    finally:
        os.close(descriptor)


def _end_of(descriptor: int) -> bytes:
    return os.pread(descriptor, TAIL, max(0, os.fstat(descriptor).st_size - TAIL))


def _torn(tail: bytes) -> bytes:
    """What stands behind the last line feed."""
    return tail[tail.rfind(b"\n") + 1 :]


class _Numbered(msgspec.Struct):
    number: int


def _last_number(tail: bytes) -> int:
    """Give the number of the last whole line, 0 where there is none."""
    for line in reversed(tail.split(b"\n")[:-1]):
        try:
            return msgspec.json.decode(line, type=_Numbered).number
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # somebody else's, or torn by a power cut
    return 0
