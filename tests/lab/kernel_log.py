"""Reads /dev/kmsg from a marked place on: every record with its sequence number, every gap.

Readers of /dev/kmsg don't disturb each other. As a script it is the relay that feeds a private
rsyslogd: it writes records into a FIFO as /proc/kmsg would (printk_time, PRINTK_CALLER).
"""

import argparse
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

STATUS = b"%20d %20d"  # passed on, lost; of one length, so that a reader never sees half of it
RECORD_BYTES = 8192  # one read() is one record; a shorter buffer is refused with EINVAL
_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Record:
    """One record (Documentation/ABI/testing/dev-kmsg). `text` is without the kernel's escapes."""

    priority: int  # facility << 3 | level
    sequence: int
    microseconds: int  # since boot
    text: bytes


class KernelLog:
    """The records after the place where it was opened: the log's end, or a sequence number."""

    def __init__(self, sequence: int | None = None) -> None:
        self._file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self._file, 0, os.SEEK_SET)
        self.lost = 0  # records that were overwritten before they were read
        self.gaps = 0  # how often that was noticed (EPIPE)
        self._from = self._next = sequence or 0
        if sequence is None:
            # Read up to the end, not SEEK_END: only a record tells the number of the next.
            for record in self.read():
                self._next = record.sequence + 1
            self.lost = self.gaps = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._file)

    def fileno(self) -> int:
        return self._file

    def read(self) -> Iterator[Record]:
        """Yield the records that are there now."""
        while True:
            try:
                data = os.read(self._file, RECORD_BYTES)
            except BlockingIOError:
                return
            except BrokenPipeError:
                self.gaps += 1
                continue
            record = parse(data)
            if record.sequence < self._from:
                continue
            self.lost += record.sequence - self._next
            self._next = record.sequence + 1
            yield record

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to read; False when the time is over."""
        return bool(select.select([self._file], [], [], seconds)[0])

    def collect(self, count: int, *, containing: bytes = b"", seconds: float = 5.0) -> list[Record]:
        """Return the next `count` records that contain a text; fewer when the time is over."""
        records: list[Record] = []
        until = time.monotonic() + seconds
        while len(records) < count and self.wait(max(0.0, until - time.monotonic())):
            records += [record for record in self.read() if containing in record.text]
        return records


def parse(data: bytes) -> Record:
    """Read one record as /dev/kmsg hands it out."""
    head, _, rest = data.partition(b";")
    priority, sequence, microseconds = (int(part) for part in head.split(b",")[:3])
    text = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), rest.partition(b"\n")[0])
    return Record(priority, sequence, microseconds, text)


def proc_kmsg(record: Record, *, caller: str | None = None) -> bytes:
    """Return the record as /proc/kmsg prints it (kernel/printk: print_syslog, print_time)."""
    seconds, fraction = divmod(record.microseconds, 1_000_000)
    by = b"[%6s]" % caller.encode() if caller else b""
    return b"<%d>[%5d.%06d]%b %b\n" % (record.priority, seconds, fraction, by, record.text)


def relay(fifo: Path, status: Path, log: KernelLog, *, caller: str | None) -> None:
    """Pass records on until SIGTERM, then what is left; keep `passed lost` in the status file."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    os.setpriority(os.PRIO_PROCESS, 0, -20)  # the ring is small: about 450 lines
    passed = 0
    output, counts = os.open(fifo, os.O_WRONLY), os.open(status, os.O_WRONLY)
    while True:
        ended = bool(stopping)
        for record in log.read():
            os.write(output, proc_kmsg(record, caller=caller))
            passed += 1
        os.pwrite(counts, STATUS % (passed, log.lost), 0)
        if ended:
            return
        log.wait(0.05)


def main() -> None:
    """Run the relay: it says `ready` once its place in the log is marked."""
    arguments = argparse.ArgumentParser(description="relay /dev/kmsg into a FIFO like /proc/kmsg")
    arguments.add_argument("fifo", type=Path)
    arguments.add_argument("status", type=Path)
    arguments.add_argument("--caller")
    given = arguments.parse_args()
    with KernelLog() as log:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        relay(given.fifo, given.status, log, caller=given.caller)


if __name__ == "__main__":
    main()
