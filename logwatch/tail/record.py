"""One record of /dev/kmsg, and the line of syslog that it becomes.

The format is that of Documentation/ABI/testing/dev-kmsg: `priority,sequence,microseconds,flags;`,
the text, and lines ` KEY=value` behind it, which are left out.
"""

import re
import time
from typing import NamedTuple, Self

_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")
_FACILITY_SHIFT = 3
_BLANK = 0x20

NOT_THE_KERNEL = b"process: "
"""In front of what isn't the kernel's own line: no header begins so, whatever the text is."""


class KernelRecord(NamedTuple):
    """A record, as far as it is needed."""

    sequence: int
    microseconds: int
    """On the kernel's clock, which starts with the boot and stands still in a suspend."""
    is_own: bool
    """The kernel wrote it, and as a line of its own."""
    text: bytes
    """Bytes below 0x20 stay escaped, so that a record is one line whatever was printed."""

    @classmethod
    def read(cls, data: bytes) -> Self | None:
        """Read what one system call gave; None for what no kernel writes."""
        head, _, rest = data.partition(b";")
        try:
            priority, sequence, microseconds, flags, *_ = head.split(b",")
            # Facility 0 is out of reach of processes: devkmsg_write() in kernel/printk/printk.c
            # makes it 1. Flag c is the rest of a line that another one cut off (KERN_CONT), and
            # may begin with anything; netfilter's lines are whole.
            is_own = int(priority) >> _FACILITY_SHIFT == 0 and flags != b"c"
            numbers = int(sequence), int(microseconds)
        except ValueError:
            return None
        text = rest.partition(b"\n")[0]
        if b"\\" in text:
            text = _ESCAPE.sub(_unescaped, text)
        return cls(*numbers, is_own, text)


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16)
    return match[0] if code < _BLANK else bytes([code])


class Lines:
    """Makes lines of records: RFC 3339 to the second, no host, the kernel's tag."""

    def __init__(self) -> None:
        self._second = -1
        self._stamp = b""

    def line(self, record: KernelRecord, booted: float) -> bytes:
        """Write the line, with its LF; `booted` is the unix time at 0 on the kernel's clock."""
        if not record.is_own:
            return b"%b%b\n" % (NOT_THE_KERNEL, record.text)
        second = int(booted + record.microseconds / 1e6)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)).encode()
        return b"%b kernel: %b\n" % (self._stamp, record.text)
