"""Makes syslog lines of what `journalctl -o export` prints.

The format is https://systemd.io/JOURNAL_EXPORT_FORMATS. Each entry becomes one line: line feeds in
its message become blanks, since only the text at its start was put there by the kernel (rsyslog
keeps such a message on one line as well). A field above 1 MiB is left out of its entry. Less
than 16 MiB are held.
"""

import re
from collections.abc import Iterator

from logwatch.report.archive import ArchiveError
from logwatch.report.report import moment

FIELD_MOST = 1024 * 1024
"""Bytes of a field that is looked into. The kernel's messages have less than 2 KiB."""

_LENGTH_MOST = 768 * 1024 * 1024
"""Bytes of the largest field that systemd takes (DATA_SIZE_MAX in its journal-importer.h)."""

_USED = frozenset(
    (
        b"MESSAGE",
        b"SYSLOG_FACILITY",
        b"SYSLOG_IDENTIFIER",
        b"_HOSTNAME",
        b"_PID",
        b"_TRANSPORT",
        b"__CURSOR",  # of each entry, so that none is without a field
        b"__REALTIME_TIMESTAMP",
    )
)
_LINE_FEED = 0x0A
_UNKNOWN = "1970-01-01T00:00:00Z"
_NAME = re.compile(rb"[A-Z0-9_]+")
_NOT_OF_A_WORD = re.compile(rb"[^!-9;-~]")
_WORD_MOST = 255  # of a host name, in the header that the scanner reads
_MICROSECONDS = re.compile(rb"[0-9]{1,16}")  # 17 digits are years with five

Fields = dict[bytes, bytes]


def export_lines(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the lines of an export that comes in pieces cut anywhere.

    `name` tells in errors where they are from. ArchiveError when the export is damaged or ends
    within an entry; what stands in front of that comes first.
    """
    return _Export(name).lines(pieces)


class _Export:
    """An export, read up to some place."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._fields: Fields = {}
        """Those used of the entry that is being read; none between entries."""
        self._rest = b""
        """The beginning of a field."""
        self._place = 0
        """Bytes of the export in front of it."""
        self._left_out = 0
        """Bytes to come of a field that is left out."""
        self._leaves_out_line = False
        """Whether the line goes on with a field that is left out."""

    def lines(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the lines whose entries end in a piece, for each piece."""
        for piece in pieces:
            lines: list[bytes] = []
            try:
                self._read(self._rest + piece, lines)
            except ArchiveError:
                yield b"".join(lines)
                raise
            yield b"".join(lines)
        if self._fields or self._rest:
            raise ArchiveError(
                f"{self._name} is cut off: its last journal entry is unfinished after"
                f" {self._place + len(self._rest)} bytes; get a complete copy, or export it again"
                " (journalctl -k -o export).",
            )

    def _read(self, data: bytes, lines: list[bytes]) -> None:
        """Read whole fields, and keep the rest."""
        at = self._after_left_out(data)
        while (end := data.find(b"\n", at)) >= 0:
            name, equals, value = data[at:end].partition(b"=")
            if equals or end - at > FIELD_MOST:
                if name in _USED and end - at <= FIELD_MOST:
                    self._fields[name] = value
                at = end + 1
            elif name:
                after = self._read_binary(data, name, end + 1)
                if after is None:
                    break
                at = after
            else:
                if self._fields:
                    lines.append(_line(self._fields))
                    self._fields = {}
                at = end + 1
        else:
            if len(data) - at > FIELD_MOST:
                self._leaves_out_line = True
                at = len(data)
        self._place += at
        self._rest = data[at:]

    def _after_left_out(self, data: bytes) -> int:
        if self._leaves_out_line:
            end = data.find(b"\n") + 1
            self._leaves_out_line = end == 0
            return end or len(data)
        step = min(self._left_out, len(data))
        self._left_out -= step
        return step

    def _read_binary(self, data: bytes, name: bytes, place: int) -> int | None:
        """Read length and value from `place` on; return where they end, None when they go on."""
        if not _NAME.fullmatch(name):
            raise self._damaged(place - 1 - len(name), "a line is no field")
        start = place + 8
        if len(data) < start:
            return None
        length = int.from_bytes(data[place:start], "little")
        if length > _LENGTH_MOST:
            raise self._damaged(place, "a field is too long")
        end = start + length
        if length > FIELD_MOST or name not in _USED:
            self._left_out = max(0, end + 1 - len(data))
            return min(end + 1, len(data))
        if len(data) <= end:
            return None
        if data[end] != _LINE_FEED:
            raise self._damaged(end, "a field is not as long as it says")
        self._fields[name] = data[start:end]
        return end + 1

    def _damaged(self, place: int, cause: str) -> ArchiveError:
        return ArchiveError(
            f"{self._name} is damaged: its journal entries can't be read on after"
            f" {self._place + place} bytes, {cause}; get an intact copy, or export it again"
            " (journalctl -k -o export).",
        )


def _line(fields: Fields) -> bytes:
    """One entry as syslog writes it; what the kernel did not write can't have its tag.

    Entries of the transport "kernel" with a facility were written to /dev/kmsg by a process.
    """
    identifier = fields.get(b"SYSLOG_IDENTIFIER", b"kernel")
    is_kernel = (
        fields.get(b"_TRANSPORT") == b"kernel"
        and identifier == b"kernel"
        and fields.get(b"SYSLOG_FACILITY", b"0") == b"0"
    )
    tag = b"kernel" if is_kernel else b"%s[%s]" % (_word(identifier), _word(fields.get(b"_PID")))
    return b"%s %s %s: %s\n" % (
        _stamp(fields.get(b"__REALTIME_TIMESTAMP", b"")),
        _word(fields.get(b"_HOSTNAME")),
        tag,
        fields.get(b"MESSAGE", b"").replace(b"\n", b" "),
    )


def _word(text: bytes | None) -> bytes:
    """No blank and no colon, of which headers are made; "-" for nothing, as in RFC 5424."""
    return _NOT_OF_A_WORD.sub(b"_", text[:_WORD_MOST]) if text else b"-"


def _stamp(microseconds: bytes) -> bytes:
    """RFC 3339 in UTC; a time that is not known is the zero that reports show as unknown."""
    seconds = int(microseconds) // 1_000_000 if _MICROSECONDS.fullmatch(microseconds) else 0
    return (moment(seconds) or _UNKNOWN).encode()
