"""The loop of the daemon.

One thread reads, counts, decides and commits; the HTTP server has its own and sees only what was
committed. Whatever fails at run time is told and tried again: the daemon goes on counting.
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from logwatch import __version__
from logwatch.agent.clock import Clock
from logwatch.agent.decisions import Decisions
from logwatch.agent.evidence_file import FILE_NAME, EvidenceFile
from logwatch.agent.inputs import input_paths, new_waiter, outdated_inputs
from logwatch.agent.intake import Batch, Intake
from logwatch.agent.keeper import Keeper
from logwatch.agent.page import AgentPage
from logwatch.agent.recent import RecentSources
from logwatch.agent.requests import Requests
from logwatch.audit import Problems
from logwatch.config import Config
from logwatch.control.server import ControlServer, SocketError
from logwatch.export import InputView, Metrics, Server, View
from logwatch.ledger import Ledger, SeriesLimits, StateError
from logwatch.offenders import REFUSALS

if TYPE_CHECKING:
    from logwatch.agent.publish import Publisher

POLL_SECONDS = 1.0
"""Longest wait between two looks at the inputs; a wake-up comes sooner."""

PACE_SECONDS = 0.05
"""From one look at files to the next while they grow, unless a scrape asks: a batch costs about the
same for a hundred lines as for a thousand. The kernel's ring is not made to wait: it overflows."""

COMMIT_SECONDS = 1.0
"""Longest time that counts stay in memory alone."""

FLUSH_SECONDS = 2.0
"""Longest wait of a scrape for its commit; then it shows what was committed last."""

STALLED_SECONDS = 30.0
"""A loop that has not come round for so long is reported as unhealthy."""

CONTROL_SECONDS = 5.0
"""From one attempt to make the socket to the next: it asks whoever has the name, which takes up to
a second."""

RECENT_SECONDS = 300.0
"""What is older is not among the sources of the last five minutes."""

EVIDENCE = "evidence"

REPORT = "node report"

WEB = "web"

HARMLESS = frozenset({"waker", REPORT, WEB})
"""Parts whose problem is told but does not make the daemon unready: polling finds all the same, and
neither the API server nor who may read the metrics is what counting depends on."""


class Agent:
    """Reads logs and serves what they tell. `run` returns after `is_stopping` is set."""

    def __init__(
        self, config: Config, *, boot_id: str, log: structlog.typing.FilteringBoundLogger
    ) -> None:
        """Open everything that can fail at the start.

        Raises a LogwatchError: StateError, PolicyError, AddressesError, RulesError.
        """
        self._log = log
        self._config = config
        self._recent = RecentSources()
        self._decisions = Decisions(config, log, self._recent.estimate)
        self._ledger = Ledger.open(
            Path(config.state),
            limits=SeriesLimits(
                policy=config.series.policies,
                port=config.series.ports,
                source=config.series.sources,
                flow=config.series.flows,
            ),
            boot_id=boot_id,
        )
        self._told = Problems(log)
        if self._ledger.set_aside is not None:
            log.warning("damaged state set aside", file=str(self._ledger.set_aside))
        self._clock = Clock(boot_id)
        self._decisions.restore(self._ledger, self._clock)
        for path in outdated_inputs(config, self._ledger.inputs):
            self._ledger.forget(path)
        self._intakes = [
            Intake(path, config, self._ledger.checkpoint(str(path)), self._take, boot_id=boot_id)
            for path in input_paths(config)
        ]
        for intake in self._intakes:
            if intake.damage is not None:
                log.warning("damaged position left out", path=str(intake.path), why=intake.damage)
        self._waiter = new_waiter(
            [intake.path for intake in self._intakes], [intake.input for intake in self._intakes]
        )
        self.is_stopping = False
        """Set it, from anywhere, and `run` returns within a moment."""
        self._now = 0.0
        self._has_started = False
        self._pace = 0.0 if config.input == "kmsg" else PACE_SECONDS
        self._flushing = threading.Condition()
        self._flushes_asked = 0
        self._flushes_done = 0
        self._is_over = False
        self._alive_at = time.monotonic()
        self._committed_at = 0.0
        self._publisher = self._new_publisher()
        self._keeper = self._new_keeper()
        self._requests = Requests(self._ask)
        self._control = self._new_control()
        self._control_due = 0.0
        self._page = AgentPage(
            config,
            self._decisions,
            self._ledger.snapshot,
            view=lambda: self._view,
            problems=self._problems,
            notes=self._notes,
            wake=self._waiter.wake,
        )
        metrics = Metrics(lambda: self._view, version=__version__)
        self._server = Server(
            config.listen_address,
            metrics=metrics,
            page=self._page,
            commit=self._flush,
            health=self._health,
            ready=lambda: list(self._problems().values()),
            notes=lambda: list(self._notes().values()),
            web=config.web,
        )
        self._view = self._make_view()

    @property
    def address(self) -> tuple[str, int]:
        """Where metrics are served; the real port once `run` has begun."""
        return self._server.address

    def run(self) -> None:
        """Serve, and go round until `is_stopping`; then commit once more.

        Raises ListenError, WebError.
        """
        try:
            self._server.start()
            self._has_started = True
            self._apart("control", self._keep_control)
            if self._publisher is not None:
                self._publisher.start()
            self._decisions.begin()
            self._round()  # what is written once it has started is not taken for what was there
            host, port = self.address
            self._log.info(
                "started",
                version=__version__,
                inputs=[str(intake.path) for intake in self._intakes],
                mode=self._config.mode,
                metrics=f"{self._server.scheme}://{_reachable(host)}:{port}/metrics",
            )
            while not self.is_stopping:
                began = time.monotonic()
                if not self._round():
                    self._waiter.wait(POLL_SECONDS)
                    self._pause(began + self._pace)
            # Not after an exception: a round must be counted whole or not at all.
            self._finish(is_committed=self._commit())
            if self._publisher is not None:
                self._publisher.stop(self._decisions.witness, self._ledger.snapshot, self._now)
        finally:
            self._close()

    def _new_publisher(self) -> "Publisher | None":
        """Make what writes the node's report, in a cluster. Raises ConnectError."""
        if not self._config.cluster.enabled:
            return None
        from logwatch.agent.publish import Publisher

        return Publisher.connect(
            self._config.cluster, recalls=not self._reads_again, wake=self._waiter.wake
        )

    @property
    def _reads_again(self) -> bool:
        """Whether a log is read from its beginning: its lines would be in evidence twice."""
        return self._config.start == "start" and any(
            intake.damage is not None or self._ledger.checkpoint(str(intake.path)) is None
            for intake in self._intakes
        )

    def _new_keeper(self) -> Keeper | None:
        """Take over what an earlier process saw; in a cluster the node's report holds that."""
        if self._config.cluster.enabled:
            return None
        file = EvidenceFile(Path(self._config.state, FILE_NAME))
        keeper = Keeper(file, self._decisions.memory, self._clock, self._log)
        obstacle = "a log is read from its beginning, and would count twice"
        keeper.recall(time.time(), obstacle=obstacle if self._reads_again else None)
        return keeper

    def _new_control(self) -> ControlServer:
        return ControlServer(Path(self._config.state), self._requests.submit)

    def _keep_control(self) -> str | None:
        """Listen for requests; anew when somebody took the socket away."""
        if self._control.is_reachable:
            return None
        now = time.monotonic()
        if now < self._control_due:
            return self._told.now.get("control")
        self._control_due = now + CONTROL_SECONDS
        self._control.stop()
        self._control = self._new_control()
        try:
            self._control.start()
        except SocketError as error:
            return str(error)
        return None

    def _close(self) -> None:
        with self._flushing:
            self._is_over = True  # a scrape that waits shows what is committed
            self._flushing.notify_all()
        if self._publisher is not None:
            self._publisher.stop()
        self._page.close()
        self._server.stop()
        self._requests.close()
        self._control.stop()
        self._waiter.close()
        for intake in self._intakes:
            intake.close()
        self._ledger.close()
        if self._has_started:
            self._log.info("stopped")

    def _pause(self, until: float) -> None:
        """Wait for more to come together, but for no scrape."""
        with self._flushing:
            self._flushing.wait_for(
                lambda: self._flushes_asked > self._flushes_done, until - time.monotonic()
            )

    def _round(self) -> bool:
        """Read, count, decide, commit; True when more is waiting."""
        with self._flushing:
            asked = self._flushes_asked
        is_report_due = self._publisher is not None and self._publisher.is_asking
        is_more = False
        began = time.monotonic()
        self._now, step = self._clock.look()
        self._refresh_addresses(began)
        self._decisions.begin_round(step)
        for intake in self._intakes:
            intake.read(self._now)
            is_more |= intake.is_more
            self._count(intake)
        self._apart("control", self._keep_control)
        self._apart(WEB, self._server.refresh)
        self._apart("expiry", lambda: self._decisions.expire(self._now))
        self._apart("waiting offenders", lambda: self._decisions.decide(self._now))
        self._apart("requests", lambda: self._requests.carry_out(self._decisions.by_hand.carry_out))
        self._apart("policy", lambda: self._decisions.enforce(began))
        is_due = began - self._committed_at >= COMMIT_SECONDS
        is_asked = self._requests.has_answers or asked > self._flushes_done or is_report_due
        is_committed = False
        if is_due or self._decisions.has_new_bans or is_asked:
            is_committed = self._commit()
            self._committed_at = began
        self._apart(EVIDENCE, lambda: self._keep(is_committed=is_committed))
        self._apart(REPORT, lambda: self._report(may_answer=is_report_due))
        self._note_problems()
        self._view = self._make_view()
        self._apart("page", self._turn_page)
        self._alive_at = time.monotonic()
        with self._flushing:
            self._flushes_done = asked
            self._flushing.notify_all()
        return is_more

    def _take(self, batch: Batch) -> None:
        """Count a batch, then judge it."""
        self._ledger.add(batch.summary, batch.policies, self._now)
        if self._now - batch.at < RECENT_SECONDS:
            self._recent.see(batch.summary, self._now)
        self._apart("offenders", lambda: self._decisions.judge(batch, self._now))

    def _report(self, *, may_answer: bool) -> str | None:
        """Have the node's report written when it is due, with what is committed."""
        if self._publisher is None:
            return None
        return self._publisher.turn(
            self._decisions.witness,
            self._ledger.snapshot,
            self._ledger.count,
            self._now,
            may_answer=may_answer,
        )

    def _keep(self, *, is_committed: bool) -> str | None:
        """Have the evidence written when it is due."""
        if self._keeper is None:
            return None
        return self._keeper.turn(self._now, is_committed=is_committed)

    def _finish(self, *, is_committed: bool) -> None:
        keeper = self._keeper
        if keeper is not None and is_committed:
            self._apart(EVIDENCE, lambda: keeper.finish(self._now))

    def _turn_page(self) -> None:
        self._page.turn(self._view.snapshot)

    def _apart(self, part: str, work: Callable[[], str | None]) -> None:
        """Do what the counting does not depend on: whatever fails there is told, no more."""
        try:
            problem = work()
        except Exception as error:  # noqa: BLE001 - a fault of one part does not stop the others
            problem = f"{part}: {type(error).__name__}: {error}; please report this"
        self._told.tell(part, problem)

    def _count(self, intake: Intake) -> None:
        for name, labels, amount in intake.take_counts():
            self._ledger.count(name, labels, amount)
            if name in {"rotations", "truncations"} and amount:
                self._log.info(f"file {_PAST[name]}", path=str(intake.path), times=amount)
            if name in _LOSSES and amount:
                self._log.warning(_LOSSES[name], path=str(intake.path), number=amount)

    def _commit(self) -> bool:
        """Make durable what was counted; False where that can't be done now."""
        checkpoints = {str(intake.path): intake.checkpoint() for intake in self._intakes}
        try:
            self._decisions.commit(checkpoints)
        except StateError as error:
            self._told.tell("state", str(error))
        else:
            self._told.tell("state", None, again="state written again")
        self._apart("audit", self._decisions.write_audit)
        self._requests.answer(self._told.now.get("state"), self._told.now.get("policy"))
        return "state" not in self._told.now

    def _refresh_addresses(self, now: float) -> None:
        if self._decisions.is_refresh_due(now):
            problem = self._decisions.refresh_addresses(now)
            self._told.tell("addresses", problem, again="own addresses read again")

    def _note_problems(self) -> None:
        for intake in self._intakes:
            self._told.tell(f"input {intake.path}", intake.problem, again="input can be read")
        self._told.tell("waker", self._waiter.reason, again="file events are back")

    def _problems(self) -> dict[str, str]:
        """Give what makes it not ready."""
        return {part: text for part, text in self._told.now.items() if part not in HARMLESS}

    def _notes(self) -> dict[str, str]:
        """Give what is wrong besides."""
        return {part: text for part, text in self._told.now.items() if part in HARMLESS}

    def _ask(self) -> int:
        """Have the loop come round once more; return the number of that round."""
        with self._flushing:
            self._flushes_asked += 1
            self._flushing.notify_all()
            self._waiter.wake()
            return self._flushes_asked

    def _flush(self) -> None:
        """Have the loop read and commit once more, for a scrape."""
        number = self._ask()
        with self._flushing:
            self._flushing.wait_for(
                lambda: self._is_over or self._flushes_done >= number, FLUSH_SECONDS
            )

    def _health(self) -> list[str]:
        reasons = []
        silent = time.monotonic() - self._alive_at
        if silent > STALLED_SECONDS:
            reasons.append(f"the reading loop has not come round for {silent:.0f} s")
        if not self._waiter.alive:
            reasons.append("the thread that watches for file events is dead")
        if not self._control.alive:
            reasons.append("the thread that answers `logwatch blacklist` is dead")
        if self._publisher is not None and not self._publisher.alive:
            reasons.append("the thread that writes the node's report is dead")
        return reasons

    def _make_view(self) -> View:
        now = time.time()
        return View(
            snapshot=self._ledger.snapshot,
            ready=not self._problems(),
            is_durable="state" not in self._told.now,
            mode=self._config.mode,
            inputs=tuple(
                InputView(
                    str(intake.path),
                    intake.behind_bytes,
                    intake.last_packet,
                    intake.behind_seconds(now),
                    is_readable=intake.problem is None,
                )
                for intake in self._intakes
            ),
            sources=self._recent.estimate(now),
            rules=self._decisions.rules,
            bans=self._decisions.possible_bans,
            refusals=REFUSALS,
            entries=self._decisions.entries(),
            networks=self._decisions.networks(),
            frozen=self._decisions.is_frozen,
            held=self._decisions.held,
            tracked=self._decisions.tracked,
            certificate_ends=self._server.certificate_ends,
            http_refusals=self._server.refusals,
            report=None if self._publisher is None else self._publisher.view(),
        )


_PAST: Mapping[str, str] = {"rotations": "rotated", "truncations": "truncated"}
_LOSSES: Mapping[str, str] = {
    "destroyed_bytes": "bytes were cut away unread",
    "lost_files": "files gone before they were read to their end",
}


def _reachable(host: str) -> str:
    """An address that a person can open, for one that stands for all."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def boot_id(path: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """The kernel's name for this boot; empty where there is none, as in some sandboxes."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
