"""Writes what this node saw to its NodeReport, on a thread of its own.

1. The thread waits until a report is due, then asks the loop, which answers with the evidence as of
   its last commit. So a report is always the newest, and there is never a queue.
2. Only what has changed is written. Every ten minutes it is sent again as it was: that changes
   nothing, unless somebody removed it.
3. The first thing is to read the report that is there: after a restart it holds evidence that this
   process has not. Nothing is written before.

The agent counts on whatever fails here. Import this only in a cluster: it loads `kubernetes`.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from logwatch import __version__
from logwatch.agent.counted import counted
from logwatch.agent.schedule import REPORTS_PER_SECOND, Schedule
from logwatch.cluster import (
    EVIDENCE_MOST,
    NODE_REPORTS,
    REPORT_MANAGER,
    TOP_MOST,
    Api,
    ClusterError,
    Counted,
    Forbidden,
    Invalid,
    NodeReport,
    NodeReportError,
    NotFound,
    NotServed,
    Timeout,
    TopSource,
    Unauthorized,
    Unavailable,
    Unreachable,
    read_report,
    utc_now,
)
from logwatch.config import Cluster
from logwatch.export import ReportView
from logwatch.ledger import Snapshot
from logwatch.offenders import Testimony, Witness

TIMEOUT: Timeout = (2.0, 5.0)
LAST_TIMEOUT: Timeout = (1.0, 1.5)
"""At the end the Pod has some seconds for everything."""

STOP_SECONDS = 3.0

AGAIN_SECONDS = 600.0
"""After which the number of nodes is asked again, and the same report sent again."""

WRITTEN, REPEATED = "written", "repeated"

FAILURES: dict[type[ClusterError], str] = {
    NotServed: "not served",
    Forbidden: "forbidden",
    Unauthorized: "unauthorized",
    Invalid: "invalid",
    Unavailable: "unavailable",
    Unreachable: "unreachable",
}
OTHER = "other"
RESULTS = (WRITTEN, REPEATED, *FAILURES.values(), OTHER)
"""What became of a report: values of the label `result`."""

Count = Callable[[str, tuple[str, ...], int], None]
"""Counts into the ledger: name, labels, amount."""


class _Sent(NamedTuple):
    report: NodeReport
    at: float
    size: int


class _Told(NamedTuple):
    testimony: Testimony
    counted: Counted


class Publisher:
    """Keeps one NodeReport. `start`, then `turn` in each round of the loop, then `stop`.

    `recalls` is whether the report that is there is taken over. `wake` has the loop come round.
    """

    def __init__(  # noqa: PLR0913 - seams
        self,
        api: Api,
        node: str,
        *,
        recalls: bool,
        wake: Callable[[], None],
        rate: float = REPORTS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._api = api
        self._node = node
        self._wake = wake
        self._clock = clock
        self._now = now
        self._started = now()
        self._condition = threading.Condition()
        self._schedule = Schedule(clock(), rate=rate)
        self._is_recalled = not recalls
        self._recalled: bytes | None = None
        """Evidence of an earlier process, for the loop."""
        self._is_asking = False
        self._told: _Told | None = None
        self._sent: _Sent | None = None
        self._counted_at = -AGAIN_SECONDS
        self._counts: dict[str, int] = {}
        self._problem: str | None = None
        self._pace_problem: str | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="logwatch-report", daemon=True)

    @classmethod
    def connect(cls, cluster: Cluster, *, recalls: bool, wake: Callable[[], None]) -> "Publisher":
        """Make one for an agent. Raises ConnectError; sends nothing yet."""
        kubeconfig = None if cluster.kubeconfig is None else Path(cluster.kubeconfig)
        rate = float(cluster.reports_per_second)
        return cls(Api.connect(kubeconfig), cluster.node, recalls=recalls, wake=wake, rate=rate)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def is_asking(self) -> bool:
        """Whether it wants evidence, as of a commit that follows."""
        return self._is_asking

    def view(self) -> ReportView:
        """Give what is shown of the report that was written last."""
        sent = self._sent
        if sent is None:
            return ReportView(RESULTS)
        return ReportView(RESULTS, sent.size, sent.report.cut)

    def turn(
        self, witness: Witness, snapshot: Snapshot, count: Count, now: float, *, may_answer: bool
    ) -> str | None:
        """Take part in a round of the loop, at a time of day; return what is wrong.

        `may_answer` is whether everything in the evidence is committed, as it is in the snapshot.
        """
        with self._condition:
            counts, self._counts = self._counts, {}
            recalled, self._recalled = self._recalled, None
            if witness.take_news():
                self._schedule.hurry(self._clock())
                self._condition.notify_all()
            problem = self._problem
        for result, number in counts.items():
            count("report_writes", (result,), number)
        if recalled is not None:
            problem = _take_over(witness, recalled, now) or problem
        if may_answer and self._is_asking:
            told = _Told(_testimony(witness, now), counted(snapshot))
            with self._condition:
                self._told, self._is_asking = told, False
                self._schedule.begin(self._clock())
                self._condition.notify_all()
        return problem

    def stop(
        self, witness: Witness | None = None, snapshot: Snapshot | None = None, now: float = 0.0
    ) -> None:
        """Write once more what a witness says, if that can be done at once; then end."""
        with self._condition:
            if witness is not None and self._recalled is None:
                self._told = _Told(_testimony(witness, now), counted(snapshot or Snapshot()))
            self._is_stopping = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        self._api.close()

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._step()
                problem = self._pace_problem
            except ClusterError as error:
                problem = f"the report of {self._node} is not written: {error}"
                self._fail(error)
            with self._condition:
                self._problem = problem
            self._wake()
        if self._is_recalled and self._told is not None:
            self._end(self._told)

    def _step(self) -> None:
        """Wait until a report is due, and write it."""
        self._wait()
        if not self._is_stopping:
            self._prepare()
            told = self._ask()
            if told is not None:
                self._write(told, TIMEOUT)
            with self._condition:
                self._schedule.succeed()

    def _wait(self) -> None:
        """Wait until a report is due, or for the end."""
        with self._condition:
            while not self._is_stopping and self._clock() < self._schedule.due:
                self._condition.wait(max(0.0, self._schedule.due - self._clock()))

    def _prepare(self) -> None:
        """Learn what is needed for a report. Raises ClusterError."""
        if not self._is_recalled:
            recalled = self._read()
            with self._condition:
                self._recalled, self._is_recalled = recalled, True
        if self._clock() - self._counted_at >= AGAIN_SECONDS:
            self._count_nodes()

    def _count_nodes(self) -> None:
        """Ask how many nodes there are. What fails is told, and no reason not to write."""
        try:
            nodes = self._api.count(NODE_REPORTS)
        except ClusterError as error:
            self._pace_problem = f"how often {self._node} may report is not known: {error}"
            return
        with self._condition:
            self._schedule.nodes = max(1, nodes)
        self._counted_at = self._clock()
        self._pace_problem = None

    def _read(self) -> bytes | None:
        """Read the evidence that is in the report; None where there is none that can be read."""
        try:
            found = self._api.get(NODE_REPORTS, self._node)
        except NotServed:
            raise
        except NotFound:
            return None
        try:
            return read_report(msgspec.json.encode(found)).evidence
        except NodeReportError:  # it is written anew
            return None

    def _ask(self) -> "_Told | None":
        """Have the loop give evidence; None at the end."""
        with self._condition:
            self._told, self._is_asking = None, True
        self._wake()
        with self._condition:
            self._condition.wait_for(lambda: self._is_stopping or self._told is not None)
            return None if self._is_stopping else self._told

    def _write(self, told: _Told, timeout: Timeout) -> None:
        """Write a report if it says anything new, or was sent long ago. Raises ClusterError."""
        testimony = told.testimony
        report = NodeReport(
            node=self._node,
            written=self._now(),
            version=__version__,
            started=self._started,
            evidence=testimony.evidence,
            sources=testimony.sources,
            cut=testimony.cut,
            top=tuple(TopSource(*each) for each in testimony.top),
            counted=told.counted,
        )
        result, sent = WRITTEN, self._sent
        if sent is not None and report.is_as(sent.report):
            if self._clock() - sent.at < AGAIN_SECONDS:
                return
            result, report = REPEATED, sent.report
        document = report.document()
        self._api.apply(NODE_REPORTS, self._node, document, manager=REPORT_MANAGER, timeout=timeout)
        self._sent = _Sent(report, self._clock(), len(msgspec.json.encode(document)))
        self._note(result)

    def _fail(self, error: ClusterError) -> None:
        names = [name for kind, name in FAILURES.items() if isinstance(error, kind)]
        self._note(names[0] if names else OTHER)
        with self._condition:
            self._is_asking = False
            self._schedule.fail(self._clock(), error.after)

    def _end(self, told: _Told) -> None:
        try:
            self._write(told, LAST_TIMEOUT)
        except ClusterError as error:
            self._fail(error)

    def _note(self, result: str) -> None:
        with self._condition:
            self._counts[result] = self._counts.get(result, 0) + 1


def _testimony(witness: Witness, now: float) -> Testimony:
    return witness.testify(EVIDENCE_MOST, top=TOP_MOST, at=now)


def _take_over(witness: Witness, evidence: bytes, now: float) -> str | None:
    try:
        witness.recall(evidence, now)
    except ValueError as error:
        return f"what the report of this node held before the start is left out: {error}"
    return None
