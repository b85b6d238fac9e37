"""The native core: bytes of syslog in, counts of denied packets out.

Rust, in `rust/`. The language of the lines is the one that `logwatch.packets.grammar` defines.
Other rooms use what `logwatch.packets` exports; `Series` is `logwatch.ledger`'s, `Evidence` is
`logwatch.offenders`'.
"""

from collections.abc import Sequence
from typing import TypeAlias, final

__all__ = [
    "Evidence",
    "Scanner",
    "Series",
    "SourceSketch",
    "Summary",
    "__version__",
    "count_summary",
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
        late_seconds: int = 0,
        now: int | None = None,
        samples: int = 0,
        timeline: bool = False,
        since: int | None = None,
        until: int | None = None,
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
        whose stamp lies in another slice of that length; `late_seconds` lets it count in the
        running slice when it lies before that by no more, or means no time, so that the clocks of
        several hosts may disagree. `now` (Unix seconds) places stamps without a year; None takes
        the clock. Up to `samples` bytes of packets' lines are kept as they were written until the
        next drain, the first ones, for `Evidence`. `timeline` counts packets over time as well.
        `since` and `until` (Unix seconds) are from when on and before when packets count; a line
        with another one, or one without a stamp, is of the kind "other".

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
    def first(self) -> int:
        """Unix seconds of the earliest packet's stamp; 0 when there is none."""

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

    def matrix(self, sources: int, ports: int) -> list[tuple[str, int | None, str | None, int]]:
        """(source, port, protocol, packets) of the top sources and ports, in no order."""

    def source_changes(
        self, before: Summary, top: int = 0
    ) -> tuple[tuple[int, int, int, int], list[tuple[str, int, int]]]:
        """Compare with an earlier period: how many are (new, gone, more, less), and `top` of them.

        (source, packets, packets before), those that changed most first, then by key.
        """

    def port_changes(
        self, before: Summary, top: int = 0
    ) -> tuple[tuple[int, int, int, int], list[tuple[int | None, str | None, int, int]]]:
        """Compare in the same way: (port, protocol, packets, packets before)."""

    def timeline(self) -> tuple[int, list[tuple[int, int, int]]] | None:
        """Packets over time: (seconds of a bucket, [(first second, policy, packets)]), sorted.

        `policy` is an index into `policies`. A bucket is 1, 2, 10 or 30 seconds, 1, 5, 10 or 30
        minutes, 1, 2, 6 or 12 hours, 1, 2, 4 or more days: the shortest with which there are at
        most 16,384 pairs of bucket and policy, whichever way the lines came and summaries were
        merged. Packets without a stamp are in none. None where the scanner was not asked for it.
        """

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

_Condition: TypeAlias = tuple[object, ...]
"""Which packets a rule counts: a kind, then what it asks for; see `Evidence`."""

_Found: TypeAlias = tuple[
    int, tuple[int, ...], tuple[str, ...], float, float, tuple[str, ...], tuple[str, ...]
]
"""(packets, ports, destinations, first, last, shapes, samples).

The packets within the rule's window that fulfil its condition (of a rule that counts distinct
values, maybe not those of the window's oldest quarter); the latest 20 ports and 8 destinations that
the source tried within the window, sorted (destinations as far back as a rule counts them); when
that began and when the source was seen last; of syn, fin (alone), null (no flag), xmas (FIN PSH
URG), tcp (none of these), reply, udp, icmp and other what it ever sent that some rule counts; up to
5 of its lines, see `Evidence.samples`.
"""

_Fulfilled: TypeAlias = tuple[str, int, int, _Found]
"""(source, index of the rule, the number it reached, evidence)."""

@final
class Evidence:
    """What each source did lately, judged by rules. A source is an IPv4 address or an IPv6 /64.

    Windows slide in sixtieths of their length: packets and bytes never count what is older than
    the window, and may miss what lies in its oldest sixtieth. Distinct values are exact up to 256,
    or up to the highest threshold of 1,024 at the most, a short window also behind a long one;
    beyond that they are estimated in twelfths of the window with a standard error of 6.5 %. Times
    are event times in Unix seconds, kept to the millisecond. Not for use by two threads
    at once; the GIL is released while it counts.
    """

    def __new__(
        cls,
        rules: list[tuple[str, int, float, _Condition]],
        capacity: int,
        *,
        node: str = "",
        near_misses: int = 0,
    ) -> Evidence:
        """Start with no evidence.

        `rules` are (measure, threshold, within, condition), at most 64 of them. A measure is
        "packets", "bytes", or the distinct "ports", "destinations" or "nodes"; the source fulfils
        the rule as soon as it reaches the threshold within so many seconds (1 to 604,800). `node`
        is the name that distinct nodes are told by. So many `near_misses` are kept: more than a few
        hundred is for archives.

        A condition is one of ("true",), ("and", condition, ...), ("or", condition, ...),
        ("not", condition), ("protocol", "tcp"), ("ports", [(22, 22), (30000, 32767)]),
        ("source", ["203.0.113.0/24"]), ("destination", [...]), ("interface", "eth1"),
        ("policy", name), ("tier", name), ("family", 4 or 6), ("syn",), ("reply",), ("forwarded",).
        Where the destination is not known, neither ("destination", ...) nor its opposite holds.

        At most `capacity` sources have a trail, see `bytes_per_source`. When all are taken, a
        source that was never seen before is only remembered in a filter of 2 MiB; when it is seen
        again, the dullest of eight others gives up its place: the one furthest from any rule, then
        the oldest.

        Raises ValueError when a rule or the capacity is not usable.
        """

    def observe(
        self, summary: Summary, verdicts: list[tuple[str, bool]], at: float
    ) -> list[_Fulfilled]:
        """Take all that a summary holds into evidence; return who fulfils a rule by it.

        Everything in it counts as of `at`. `verdicts` are the names of the summary's policies and
        whether each denies, in the order of `Summary.policies`; other packets don't count. Each
        source is told of once, with the first rule that it fulfils, in the order in which the
        rows brought it near. It is told of again with its next packet, unless `restart` or
        `quiet` is called.

        Distinct destinations come from a summary with `destinations`. They are exact as long as a
        flow's destination changed up to 4,096 times in it, for each family. What lies beyond, and
        what a merged or restored summary holds, counts for a rule only if all rows of the source
        in the summary fulfil what the rule asks of ports and classes.

        Raises ValueError when there is not one verdict for each policy, or for a time below 0.
        """

    def judge(self, at: float) -> list[_Fulfilled]:
        """Return everybody who fulfils a rule at a time, those furthest beyond it first.

        Who was seen later is judged, or quiet, as of then.
        """

    def restart(self, source: str, /) -> bool:
        """Forget what a source did so far; False if it has no trail."""

    def quiet(self, source: str, until: float) -> bool:
        """Do not tell of a source for events up to `until`; its packets count on.

        A time that is over ends that, and so do `restart` and an event from before its last one.
        False if the source has no trail.
        """

    def is_quiet(self, source: str, at: float) -> bool:
        """Whether a source is not told of at a time, or will not be when it has a trail again."""

    def rest(self, source: str, until: float) -> bool:
        """Forget a source, and count nothing of it for events from its last one up to `until`.

        What ends `quiet` ends that. False if the source has no trail.
        """

    def forget_after(self, time: float, /) -> None:
        """Drop the sources that were seen after `time`: the clock was wrong."""

    def forget_before(self, source: str, time: float) -> bool:
        """Forget what a source did at or before `time`; False if it has no trail.

        For evidence that is merged again and again, but was dealt with. Exact distinct values go
        by when they were seen last. What is counted by parts of a window goes with the whole part
        that `time` lies in, so that up to a sixtieth of the window after it is missed as well, and
        a twelfth for estimated values. It keeps its place, and stays quiet if it is; the kinds of
        packets, and lines, stay while anything is left.
        """

    def forget_all(self) -> None:
        """Drop all trails, to merge the reports of all nodes anew.

        Who is quiet, or rests, will be so again when evidence of it is merged: at most `capacity`
        of them, those for longest. Near misses stay.
        """

    def nearness(self, source: str, at: float) -> list[tuple[int, int]]:
        """Return (reached, threshold) for each rule; nothing if the source has no trail."""

    def ports(self, source: str, at: float) -> list[int]:
        """Return the latest 20 ports that a source tried in the longest window, sorted."""

    def samples(self, source: str, /) -> list[str]:
        """Return up to 5 lines of a source as they were written, the first 512 bytes of each.

        They are kept from a third of the way to a rule on, as far as the summaries hold lines (see
        `Scanner`) and policies deny; 1 MiB in all, then the dullest sources lose theirs. Bytes that
        are no UTF-8 are replaced. Lines are not part of `to_bytes`.
        """

    def top(self, count: int, at: float) -> list[tuple[str, int, int, int]]:
        """Return the sources nearest to a rule: (source, index of the rule, reached, threshold)."""

    def near_misses(self) -> list[tuple[str, int, int, int, float]]:
        """Return the sources that came nearest to a rule without fulfilling it, nearest first.

        (source, index of the rule, reached, threshold, when it first was so near), as a batch left
        them, however long ago. Who fulfilled a rule is there only with what came after that.
        """

    def note_near_misses(self, at: float) -> None:
        """Take note of who came near by what was merged; `observe` does so by itself.

        As of `at`, or of when a source was seen last if that is later.
        """

    def to_bytes(
        self, size: int, sources: list[str] | None = None, *, salt: int = 0
    ) -> tuple[bytes, int, int]:
        """Return the evidence of these sources or of all, how many are in it, how many are not.

        As many as fit into `size` bytes, those nearest to a rule first: as of 5 minutes before the
        latest batch, or of when a source was seen last if that is later. By then the reports of
        others may be so old, or their clocks behind. Sources of which no window holds anything as
        of that are left out, and are neither of the two numbers. The description of the rules,
        some 20 bytes each, is there in any case.

        Which of those equally near come first depends on nothing but them and `salt` (below 2**64).
        Give a random one: who knows it can choose addresses that always come first.
        """

    def part_to_bytes(
        self, size: int, first: int, count: int, *, salt: int = 0
    ) -> tuple[bytes, int, int, int | None]:
        """Return the same of `count` sources, and where the next part begins; None after the last.

        Sources have places; `first` is 0, then what the part before returned. Merged, the parts are
        what all sources did, each as of its part: a source that gets another place meanwhile has
        forgotten what an earlier part tells of it.
        """

    def merge_bytes(self, data: bytes, /) -> int:
        """Add what `to_bytes` of another node has written; return how many sources it held.

        Then `judge` decides as if one node had seen what all saw: exactly for packets, bytes and
        exact distinct values, within the error otherwise. Rules that count alike are found by what
        they count, whatever their order and threshold. What is merged twice counts twice: merge
        the latest bytes of each node into an empty `Evidence`.

        Raises ValueError for anything else, and has merged nothing then.
        """

    def merge_report(self, data: bytes, node: str, *, ahead: float, now: float) -> float:
        """Add what `to_bytes` of a node has written whose clock is `ahead` by so many seconds.

        Below 0 it is behind. Its times are corrected: distinct values exactly, amounts by parts of
        a window (sixtieths, twelfths of estimates), each to where its beginning belongs, so that
        nothing is taken for later than it was. If something would still lie after `now`, the clock
        is ahead by that much more. Returns by how much it is ahead. Distinct nodes are counted by
        `node`, whatever name the evidence has.

        Raises ValueError for anything else, and for what lies more than 5 minutes after `now`; it
        has merged nothing then.
        """

    def __len__(self) -> int: ...
    @property
    def evictions(self) -> int:
        """Sources that gave up their places so far."""

    @property
    def refused(self) -> int:
        """Rows that did not count so far, since their source was new and all places were taken."""

    @property
    def bytes_per_source(self) -> tuple[int, int]:
        """Memory of a source that was seen once, and the most that one may take."""

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

def count_summary(
    summary: Summary,
    policies: Sequence[tuple[str, bool]],
    now: float,
    *,
    denied: Series,
    logged: Series,
    ports: Series,
    sources: Series,
    flows: Series,
) -> None:
    """Count a summary; `policies` are the names of its policies and whether each denies.

    Labels are (policy, interface, protocol, family) in `denied` and `logged`. Of denied packets
    also: (protocol, port) in `ports`, (source,) in `sources`, (source, protocol, port) in `flows`;
    the port is "" where there is none. What found no room in the scanner's table is in `other` of
    these three, so that they have the total of `denied`. `now` is unix seconds.

    Raises ValueError when there is not one name for each policy and for a name that holds a NUL;
    nothing is counted then. The GIL is released while it counts.
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
