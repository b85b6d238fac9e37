"""The kernel's own log, /dev/kmsg: the input that no process can forge.

The kernel keeps a ring of some hundred lines and numbers them: what was overwritten before it was
read is lost, and it is known how much. Every reader has all of it, none disturbs another.
"""

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from logwatch.tail.checkpoint import CheckpointError
from logwatch.tail.record import NOT_THE_KERNEL, KernelRecord, Lines
from logwatch.tail.sink import Sink
from logwatch.tail.status import InputState, InputStatus

KERNEL_LOG = Path("/dev/kmsg")
DEVICE = (1, 11)
"""Documentation/admin-guide/devices.txt. Containers may have something else of that name."""

RECORD_MOST = 8192
"""CONSOLE_EXT_LOG_MAX in kernel/printk: one read gives one record, never longer than this."""

RECORDS = 10_000
"""Per poll: some tens of milliseconds, after which the caller can commit or stop."""

VERSION = 1


class KernelLogCheckpoint(msgspec.Struct, frozen=True):
    """What a reader needs to go on exactly where it was."""

    boot_id: str
    sequence: int | None
    """Of the next record; None until it is known where to begin, and a restart decides anew."""
    version: int = VERSION

    def to_json(self) -> bytes:
        """Encode; the same value always gives the same bytes."""
        return msgspec.json.encode(self)


def read_kernel_log_checkpoint(data: bytes) -> KernelLogCheckpoint:
    """Decode what `to_json` gave; CheckpointError when it is anything else."""
    try:
        checkpoint = msgspec.json.decode(data, type=KernelLogCheckpoint)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"The saved place in {KERNEL_LOG} is damaged ({error}); remove it to begin anew.",
        ) from error
    if checkpoint.version != VERSION:
        raise CheckpointError(
            f"The saved place in {KERNEL_LOG} has version {checkpoint.version}, this logwatch"
            f" reads version {VERSION}; use the logwatch that wrote it, or remove it.",
        )
    return checkpoint


def open_kernel_log() -> int:
    """Open the device without blocking; OSError when there is none, or no right to read it."""
    descriptor = os.open(KERNEL_LOG, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    seen = os.fstat(descriptor)
    if not stat.S_ISCHR(seen.st_mode) or seen.st_rdev != os.makedev(*DEVICE):
        os.close(descriptor)
        raise OSError(errno.ENODEV, f"it is not the kernel's log (character device {DEVICE})")
    return descriptor


def boot_time() -> float:
    """Unix time at 0 on the kernel's clock: printk's stamps keep step with CLOCK_MONOTONIC."""
    return time.time() - time.monotonic()


class KernelLog:
    """Feeds the kernel's records to a sink as lines of syslog, each once.

    With a checkpoint of the same boot it goes on there; after another boot, with what the kernel
    still holds of it. Without one, `start` decides: "end" passes over what is there now, already
    in the constructor. Lines of processes are fed as such, never as the kernel's.
    """

    def __init__(  # noqa: PLR0913 - two seams, each with a default
        self,
        open_sink: Callable[[], Sink],
        *,
        boot_id: str,
        checkpoint: KernelLogCheckpoint | None = None,
        start: Literal["start", "end"] = "end",
        opener: Callable[[], int] = open_kernel_log,
        booted: Callable[[], float] = boot_time,
    ) -> None:
        self._sink = open_sink()
        self._boot_id = boot_id
        self._opener = opener
        self._booted = booted
        self._lines = Lines()
        self._descriptor: int | None = None
        self._next: int | None = None  # number of the next record, once it is known
        if checkpoint is not None and checkpoint.sequence is not None:
            self._next = checkpoint.sequence if checkpoint.boot_id == boot_id else 0
        self._passes_over = self._next is None and start == "end"
        self._read_bytes = 0
        self._lost = 0
        self._status = InputStatus("missing", f"{KERNEL_LOG} was not looked for yet.")
        while self._passes_over and self.poll():
            pass

    @property
    def status(self) -> InputStatus:
        """As of the last poll; bytes are those of records as the kernel hands them out."""
        return self._status

    def fileno(self) -> int | None:
        """Give the descriptor that becomes readable with the next record; None when not open."""
        return self._descriptor

    def poll(self, limit: int = RECORDS) -> bool:
        """Read at most `limit` records; True when more may be waiting.

        Never raises for what the system refuses: that is told by `status`, and tried again.
        """
        lines: list[bytes] = []
        is_more = False
        try:
            if self._descriptor is None:
                self._descriptor = self._opener()
            is_more = self._read(self._descriptor, limit, lines)
            self._status = self._described("reading", at_end=not is_more)
        except OSError as error:
            self.close()
            self._status = self._described(*_refused(error))
        if lines:
            self._sink.feed(b"".join(lines))
        return is_more

    def checkpoint(self) -> KernelLogCheckpoint:
        """Tell the number of the next record; reads nothing."""
        return KernelLogCheckpoint(self._boot_id, None if self._passes_over else self._next)

    def close(self) -> None:
        """Close the device; the checkpoint stays what it was."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _read(self, descriptor: int, limit: int, lines: list[bytes]) -> bool:
        booted = self._booted()
        try:
            for _ in range(limit):
                try:
                    data = os.read(descriptor, RECORD_MOST)
                except BrokenPipeError:
                    continue  # overwritten: the next record's number tells how many were
                line = self._line(data, booted)
                if line is not None:
                    lines.append(line)
        except BlockingIOError:
            self._passes_over = False
            self._next = self._next or 0
            return False
        return True

    def _line(self, data: bytes, booted: float) -> bytes | None:
        """Count a record; its line, unless it was read before or is passed over."""
        record = KernelRecord.read(data)
        if record is None:
            return NOT_THE_KERNEL + data.replace(b"\n", b" ") + b"\n"
        if self._next is not None and record.sequence < self._next:
            return None
        if self._next is not None and not self._passes_over:
            self._lost += record.sequence - self._next
        self._next = record.sequence + 1
        if self._passes_over:
            return None
        self._read_bytes += len(data)
        return self._lines.line(record, booted)

    def _described(
        self, state: InputState, reason: str = "", *, at_end: bool = False
    ) -> InputStatus:
        return InputStatus(
            state=state,
            reason=reason,
            at_end=at_end,
            read_bytes=self._read_bytes,
            lost_records=self._lost,
        )


def _refused(error: OSError) -> tuple[InputState, str]:
    """Say that the system said no, and what would be right; it is asked again at each poll."""
    cause = (error.strerror or str(error)).lower()
    if isinstance(error, FileNotFoundError):
        return "missing", (
            f"{KERNEL_LOG} does not exist; in a container, mount the host's device there."
        )
    if error.errno == errno.ENODEV:
        return "unsuitable", (
            f"{KERNEL_LOG} can't be read: {cause}; in a container, mount the host's device there."
        )
    if isinstance(error, PermissionError):
        return "unreadable", (
            f"{KERNEL_LOG} can't be read: {cause}; run logwatch as root or with CAP_SYSLOG, and in"
            " a container allow it the device."
        )
    return "unreadable", f"{KERNEL_LOG} can't be read: {cause}; it is tried again."
