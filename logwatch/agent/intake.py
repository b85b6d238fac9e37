"""One input on its way into counts: its reader, and a scanner for each stream of bytes in it.

Tells for each batch *when* its packets came: now, while the reader keeps up with the input; by
their stamps, while it works off what was written before.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from logwatch.agent.inputs import open_input
from logwatch.config import Config, Verdict
from logwatch.ledger import Labels
from logwatch.packets import PolicyRow, Scanner, Summary
from logwatch.tail import CheckpointError, FollowerStatus, Input

MEMORY = 16 * 1024 * 1024
"""Bytes for the flows of one batch, a second at the most: 196,608 of IPv4, 49,152 of IPv6."""

SLICE_SECONDS = 10
"""Stamps of a backlog are told apart to this length: a sixth of the shortest usual window."""

SAMPLES = 128 * 1024
"""Bytes of lines that a batch keeps, some 450: offenders show some of theirs."""

LIVE_SECONDS = 10.0
"""A reader that was at the end of the input so recently is reading live."""

NO_SYSLOG = (
    "A host that logs to the journal only has no such file: read the kernel itself there, "
    "with --input kmsg."
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets that came at about one time."""

    summary: Summary
    policies: list[tuple[str, Verdict]]
    """Name and verdict of the summary's policies."""
    at: float
    """Unix seconds: now, or the stamp of packets from before."""


class _PacketSink:
    """A scanner as a sink: hands over what it counted where a slice of time ends."""

    def __init__(
        self,
        prefixes: list[str],
        counted: Callable[[Summary], None],
        reached: Callable[[int | None], None],
    ) -> None:
        self._scanner = Scanner(
            prefixes, memory=MEMORY, slice_seconds=SLICE_SECONDS, samples=SAMPLES
        )
        self._counted = counted
        self._reached = reached
        self.is_finished = False

    @property
    def pending(self) -> int:
        return self._scanner.pending

    def feed(self, data: bytes) -> None:
        start = 0
        while (start := self._scanner.feed(data, start)) < len(data):
            self.drain()
        self._reached(self._scanner.last_stamp)

    def finish(self) -> None:
        self.drain()
        self._scanner.finish()
        self.is_finished = True

    def abandon(self) -> int:
        return self._scanner.abandon()

    def drain(self) -> None:
        self._counted(self._scanner.drain())


class Intake:
    """Reads one input. Not for two threads at once."""

    def __init__(
        self,
        path: Path,
        config: Config,
        checkpoint: bytes | None,
        counted: Callable[[Batch], None],
        *,
        boot_id: str = "",
    ) -> None:
        """Go on from a checkpoint of `checkpoint()`; `counted` is given each batch while reading.

        A damaged checkpoint counts as none; `damage` then says so.
        """
        self.path = path
        self._prefixes = config.prefixes
        self._counted = counted
        self._sinks: list[_PacketSink] = []
        self._counts: dict[tuple[str, Labels], int] = {}
        self._live_until = float("-inf")
        self._now = 0.0
        self._is_live = False
        self.is_more = False
        self.last_packet: float | None = None
        """Unix seconds of the latest packet: its arrival, or its stamp if it was read later."""
        self._reached_stamp: int | None = None
        self.damage: str | None = None
        try:
            self.input: Input = open_input(path, config, boot_id, self._open_sink, checkpoint)
        except CheckpointError as error:
            self.damage = str(error)
            self.input = open_input(path, config, boot_id, self._open_sink, None)
        self._told = self.input.status

    def _open_sink(self) -> _PacketSink:
        sink = _PacketSink([prefix.text for prefix in self._prefixes], self._take, self._reach)
        self._sinks.append(sink)
        return sink

    @property
    def problem(self) -> str | None:
        """Why nothing is read; None when all is well."""
        status = self.input.status
        is_new = isinstance(status, FollowerStatus) and not status.open_files + status.read_bytes
        if is_new and status.state == "missing":
            return f"{status.reason} {NO_SYSLOG}"
        return status.reason or None

    @property
    def behind_bytes(self) -> int | None:
        """Bytes that are written but not read; None where nobody can know."""
        return self.input.status.behind_bytes

    def behind_seconds(self, now: float) -> float | None:
        """Age of the oldest unread byte, told by the stamp of the last line read; 0 at the end.

        None while no line that was read had a stamp, and where nobody knows what is left.
        """
        if self.behind_bytes == 0:
            return 0.0
        if self.behind_bytes is None or self._reached_stamp is None:
            return None
        return max(0.0, now - self._reached_stamp)

    def _reach(self, stamp: int | None) -> None:
        # The file that is read last in a poll is the oldest with something left.
        if stamp is not None:
            self._reached_stamp = stamp

    def read(self, now: float) -> None:
        """Read what there is, up to a bound, and hand over what was counted."""
        self._now = now
        self._is_live = time.monotonic() < self._live_until
        self.is_more = self.input.poll()
        for sink in self._sinks:
            sink.drain()
        self._sinks = [sink for sink in self._sinks if not sink.is_finished]
        status = self.input.status
        # What lies in a file that appears was written before, whoever was waiting for it.
        if status.state == "reading" and status.at_end:
            self._live_until = time.monotonic() + LIVE_SECONDS

    def _take(self, summary: Summary) -> None:
        for kind, lines in summary.lines.items():
            if lines:
                self._add("lines", (kind,), lines)
        path = str(self.path)
        for by, (messages, reports) in summary.losses.items():
            if reports:
                self._add("lost_messages", (by, path), messages)
                self._add("loss_reports", (by, path), reports)
        if summary.overlong_lines:
            self._add("overlong_lines", (path,), summary.overlong_lines)
        if not summary.packets:
            return
        at = self._now
        if not self._is_live and summary.last:
            at = min(at, float(summary.last))
        self.last_packet = max(self.last_packet or 0.0, at)
        self._counted(Batch(summary, self._policies(summary), at))

    def _policies(self, summary: Summary) -> list[tuple[str, Verdict]]:
        """Name each policy as the kernel printed it, or else as its prefix is configured."""
        policies = [PolicyRow(*fields) for fields in summary.policies()]
        prefixes = [self._prefixes[policy.prefix] for policy in policies]
        return [
            (policy.name or prefix.name, prefix.verdict)
            for policy, prefix in zip(policies, prefixes, strict=True)
        ]

    def _add(self, name: str, labels: Labels, amount: int) -> None:
        self._counts[name, labels] = self._counts.get((name, labels), 0) + amount

    def take_counts(self) -> Iterable[tuple[str, Labels, int]]:
        """Give what is to be added to the ledger's counters since the last call."""
        status, before = self.input.status, self._told
        for name in status.COUNTERS:
            amount = getattr(status, name) - getattr(before, name)
            if amount:
                self._add(name, (str(self.path),), amount)
        if lost := status.lost_records - before.lost_records:
            self._add("lost_messages", ("kernel", str(self.path)), lost)
        self._told = status
        counts = [(name, labels, amount) for (name, labels), amount in self._counts.items()]
        self._counts.clear()
        return counts

    def checkpoint(self) -> bytes:
        """The position up to which everything has been handed over, as JSON."""
        return self.input.checkpoint().to_json()

    def close(self) -> None:
        """Close what is open."""
        self.input.close()
