"""The native core: bytes of syslog in, counts of denied packets out.

Rust, in `rust/`. The language of the lines is the one that `logwatch.packets.grammar` defines.
Other rooms use what `logwatch.packets` exports, and of `Series` what `logwatch.ledger` does.
"""

from collections.abc import Iterable, Sequence
from typing import final

__all__ = [
    "Scanner",
    "Series",
    "SourceSketch",
    "Summary",
    "__version__",
    "count_rows",
    "protocol_name",
    "read_line",
]

__version__: str

@final
class Scanner:
    """Counts the packets of one stream, fed in pieces of any size.

    The counts do not depend on how the stream was cut into pieces. One stream a scanner; not for
    use by two threads at once. The GIL is released while it reads.
    """

    def __new__(
        cls,
        prefixes: list[str],
        *,
        memory: int = ...,
        destinations: bool = True,
        slice_seconds: int = 0,
        now: int | None = None,
    ) -> Scanner:
        """Start a stream.

        `prefixes` are the log prefixes as configured in Calico, without the ": " that it adds.
        Each may hold %t, %k, %n and %p, at most four of them, which stand for the tier, kind, name
        and namespace/name of a policy; see `policies`. `memory` bounds all tables together, in
        bytes; they start small. Half of it is for IPv4 flows (source, port and class), 32 bytes
        each in a table that is at most three quarters full, so that the default of 256 MiB holds
        3,145,728 of them; a quarter is for IPv6 flows, 64 bytes each; the rest for pairs of source
        and destination.
        What finds no room is counted without its source. `destinations` keeps the distinct
        destinations of each source. `slice_seconds` above 0 makes `feed` stop in front of a packet
        whose stamp lies in another slice of that length. `now` (Unix seconds) places stamps
        without a year; None takes the clock.

        Raises ValueError when a prefix is empty or can't occur in a line.
        """

    def feed(self, data: bytes, start: int = 0) -> int:
        """Read `data` from `start` on; return the index up to which it was taken.

        That is `len(data)`, unless a slice has ended: then drain, and feed again from there. An
        unfinished last line is kept for the next piece, up to 65,536 bytes; a longer one counts as
        "other" without being looked into.
        """

    def finish(self) -> None:
        """End the stream: an unfinished last line counts as a line."""

    def abandon(self) -> int:
        """Forget the unfinished last line; return how many bytes it had."""

    @property
    def pending(self) -> int:
        """Bytes of the unfinished last line, all of them fed already."""

    @property
    def last_stamp(self) -> int | None:
        """Unix seconds at which the last line counted was written, by its stamp.

        A line without a stamp changes nothing; None until there was one with. Every program's
        lines tell, not only the kernel's.
        """

    def drain(self) -> Summary:
        """Return what was counted since the last drain."""

@final
class Summary:
    """What was counted: by flow and class, from which every other view is made."""

    @staticmethod
    def from_bytes(data: bytes, *, memory: int = ..., destinations: bool = True) -> Summary:
        """Read what `to_bytes` has written, maybe in another process.

        Raises ValueError for anything else.
        """

    def to_bytes(self) -> bytes:
        """Return the summary as bytes; the same counts give the same bytes."""

    @property
    def lines(self) -> dict[str, int]:
        """Lines by kind: packet, repeated, odd, forged, other."""

    @property
    def losses(self) -> dict[str, tuple[int, int]]:
        """(messages, reports) of loss by who reported it: kernel, journald, rsyslog.

        Messages are what the reports with a number say together; some have none. Only what may be
        lines of the kernel counts. Such reports are lines of the kind "other".
        """

    @property
    def overlong_lines(self) -> int:
        """Lines of the kind "other" that have more than 65,536 bytes: nobody looked into them."""

    @property
    def packets(self) -> int:
        """Packets, repeats included."""

    @property
    def bytes(self) -> int:
        """Sum of the outer LEN over these packets."""

    @property
    def last(self) -> int:
        """Unix seconds of the latest packet's stamp; 0 when there is none."""

    def policies(self) -> list[tuple[int, str | None, str | None, str | None, str | None]]:
        """Policies in the order of their index; the fields are those of `PolicyRow`."""

    def rows(
        self,
    ) -> list[tuple[str, int | None, str, int, int, str, str, bool, int, int, int, int]]:
        """Flows by class, in no order; the fields are those of `logwatch.packets.Row`.

        Rows without a source hold what found no room.
        """

    def flows(self, top: int = 0) -> list[tuple[str, int | None, str | None, int, int, int, int]]:
        """(source, port, protocol, packets, bytes, first, last), most packets first, then by key.

        `top` 0 means all. `first` and `last` are Unix seconds, 0 when unknown.
        """

    def sources(self, top: int = 0) -> list[tuple[str, int, int, int, int, int, int]]:
        """(source, packets, bytes, distinct ports, distinct destinations, first, last)."""

    def ports(self, top: int = 0) -> list[tuple[int | None, str | None, int, int]]:
        """(port, protocol, packets, distinct sources)."""

    def links(self) -> list[tuple[int, str, str, int, int, int]]:
        """Return the counts by interface; the fields are those of `logwatch.packets.LinkRow`."""

    def merge(self, other: Summary) -> None:
        """Add what another scanner with the same prefixes has counted."""

@final
class SourceSketch:
    """An estimate of the number of distinct sources, in 4 KiB; standard error 1.6 %."""

    def __new__(cls) -> SourceSketch: ...
    def see(self, summary: Summary) -> None:
        """See all sources of a summary."""

    def merge(self, other: SourceSketch) -> None:
        """See everything that another sketch has seen."""

    def estimate(self) -> int:
        """Return the estimate."""

@final
class Series:
    """A bounded family of series whose sum is exact; not for use by two threads at once.

    The family has `capacity` places. The first half is for whoever comes. A later one is for a key
    that has sent 10 packets while it was a candidate, and when no place is free, for it instead of
    the series idle for longest, if that is for 15 minutes. Of candidates the 16 x `capacity` seen
    last are remembered. What has no place counts in `other`, and what an evicted series counted
    moves there, so that all series and `other` add up to the total. A key that lost its place may
    have one again after the next `settle`. Ties go to the series admitted first, so that the same
    calls give the same series. A clock that was set back makes series idle from that moment on.

    Counts are exact up to 2**128 - 1. Labels are text of any number; those of `other` are `()`.
    """

    def __new__(
        cls,
        capacity: int,
        saved: Sequence[tuple[tuple[str, ...], tuple[int, int, float]]] = ...,
    ) -> Series:
        """Take up what was stored: labels, and (packets, bytes, last use in unix seconds).

        Of more than `capacity` series the idlest move to `other`, which `changes` tells.
        Raises OverflowError for a count below 0 or from 2**128 on.
        """

    def add(self, labels: tuple[str, ...], packets: int, size: int, now: float) -> None:
        """Count packets and their bytes; what admits a key is the first that its series counts.

        `now` is unix seconds. Raises ValueError when there is no label, or when one can't be
        shown: it holds a NUL or half a surrogate pair.
        """

    def add_other(self, packets: int, size: int) -> None:
        """Count what has no labels of its own."""

    @property
    def other(self) -> tuple[int, int]:
        """Packets and bytes of all that had no place at the time."""

    @property
    def changed(self) -> bool:
        """Whether there is something to store."""

    def changes(self) -> list[tuple[tuple[str, ...], tuple[int, int, float] | None]]:
        """Return what to store since the last `settle`, `other` under `()`, each labels once.

        The values are absolute: (packets, bytes, last use); None where a series lost its place.
        """

    def settle(self) -> list[tuple[tuple[str, ...], tuple[int, int, float] | None]]:
        """Take note that all changes are stored and shown; return them."""

    def touch_all(self) -> None:
        """Have everything told by `changes` again, as for a new file."""

def count_rows(
    rows: Iterable[tuple[str, int | None, str, int, int, str, str, bool, int, int, int, int]],
    is_denied: Sequence[bool],
    now: float,
    ports: Series,
    sources: Series,
    flows: Series,
) -> None:
    """Count `Summary.rows()` of policies that denied, by their index in `is_denied`.

    Labels are (protocol, port) in `ports`, (source,) in `sources`, and (source, protocol, port) in
    `flows`; the port is "" where there is none. Rows of one port count together. A row without a
    source is in `other` of `sources` and `flows`, and of `ports` when it has no port either. Rows
    without packets are passed over. The three have the same total.

    All rows are read before the first one counts. Raises ValueError for a policy that is not in
    `is_denied` and for labels that `Series.add` refuses, TypeError, IndexError or OverflowError for
    what is no row. The GIL is released while it counts.
    """

def read_line(
    line: bytes, prefixes: list[str]
) -> tuple[
    str,
    int,
    int | None,
    bytes | None,
    tuple[str | None, str | None, str | None, str | None],
    tuple[
        bytes,
        bytes,
        str,
        str,
        int | None,
        str | None,
        int | None,
        int | None,
        tuple[str, ...] | None,
        int | None,
        int | None,
    ]
    | None,
]:
    """Read one line: the fields of `logwatch.packets.Reading`.

    (kind, count, prefix, stamp, (tier, kind, policy, namespace of the policy), packet).
    """

def protocol_name(number: int) -> str:
    """Return the IANA keyword of a protocol number (0-255) in lower case, or the number as text."""
