"""The loop of the escalator.

One thread decides and writes while this replica leads; caches, the Lease and the HTTP server have
their own. Whatever fails is told, and tried again: nothing that the API server does ends the
program.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from logwatch import __version__
from logwatch.audit import AuditError, AuditLog, Problems, possible_bans
from logwatch.cluster import (
    BLACKLIST_ENTRIES,
    NODE_REPORTS,
    Api,
    Cache,
    Calico,
    ClusterError,
    Discovery,
    Entry,
    Events,
    Lease,
    NodeReport,
    NotLeaderError,
    PolicyWriter,
    SetWriter,
    Snapshot,
    Writer,
    read_entry,
    read_report,
)
from logwatch.config import Config
from logwatch.escalator.clocks import Clocks
from logwatch.escalator.counts import Counts, Requests
from logwatch.escalator.page import EscalatorPage
from logwatch.escalator.term import PARTS, Term
from logwatch.export import EscalatorCollector, EscalatorView, Metrics, Server
from logwatch.offenders import REFUSALS, Protected, Rule

LEASE = "logwatch-escalator"
CLOCKS = "clocks"
"""What a leader finds wrong with nodes' clocks, as a part of it."""

WEB = "web"
"""The part whose problem is a note of /readyz: only who asks is concerned."""

ROUND_SECONDS = 1.0
"""From one round to the next while nothing comes: windows slide, bans end, drift is repaired."""

PACE_SECONDS = 0.1
"""From one round to the next at least: an attack that all nodes see comes as one."""

IDLE_SHARE = 3.0
"""Pause after a judgement, as a multiple of what it took: judging takes a quarter of a core at the
most, however many nodes report."""

LATE_SECONDS = 15.0
"""What a report may be late beyond the pace of the nodes: see `_lag`."""

PACE_LEAST = 10.0
"""Seconds from one report of an agent to the next at least."""

STALLED_SECONDS = 60.0
"""A loop that has not come round for so long is reported as unhealthy."""


class Escalator:
    """Merges what nodes report, decides, and writes. `run` returns after `is_stopping` is set."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        config: Config,
        rules: tuple[Rule, ...],
        api: Api,
        requests: Requests,
        *,
        identity: str,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        """`requests` are those of `api`, as it counts them.

        `identity` is this process's alone, such as the Pod's name with something random.
        """
        self._config = config
        self._rules = rules
        self._api = api
        self._requests = requests
        self._clocks = Clocks()
        self._log = log
        self._identity = identity
        self._counts = Counts()
        self._wake = threading.Event()
        self._lease = Lease(
            api, config.cluster.namespace, LEASE, identity, on_change=self._wake.set
        )
        self._reports = Cache(api, NODE_REPORTS, read_report, on_change=self._wake.set)
        self._entries = Cache(api, BLACKLIST_ENTRIES, read_entry, on_change=self._wake.set)
        calico = Calico(api)
        self._discovery = Discovery(api, on_change=self._wake.set)
        self._protected = Protected(
            config.never_ban_networks, own=tuple, cluster=self._discovery.networks
        )
        self._writer: Writer = (
            SetWriter(api, calico, on_change=self._wake.set)
            if config.blacklist.shape == "sets"
            else PolicyWriter(api, calico)
        )
        self._events = Events(api, "logwatch-escalator", identity)
        with suppress(OSError):  # told by the audit log, whose lines wait then
            Path(config.state).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._audit = AuditLog(config.audit_path, {}, config.mode)
        self._term: Term | None = None
        self._term_of: str | None = None
        """Which time of holding the Lease it belongs to."""
        self._asked_for: str | None = None
        """For which of these times the entries were listed anew."""
        self._is_leading = False
        self._judged: Snapshot[NodeReport] | None = None
        self._judged_at = 0.0
        self._judging_pause = 0.0
        """From one judgement to the next at least, by what the last one took."""
        self._told = Problems(log)
        self._counted_dropped = 0
        """Lines of the audit log that were dropped, as far as they are counted."""
        self.is_stopping = False
        """Set it, from anywhere, and `run` returns within a moment."""
        self._alive_at = time.monotonic()
        self._page = EscalatorPage(
            view=lambda: self._view,
            reports=self._nodes,
            present=lambda: self._discovery.nodes,
            problems=lambda: self._told.now,
            wake=self._wake.set,
        )
        self._server = Server(
            config.listen_address,
            metrics=Metrics(
                lambda: self._view,
                version=__version__,
                collector=EscalatorCollector,
                families=(),
            ),
            page=self._page,
            commit=lambda: None,
            health=self._health,
            ready=self._unready,
            notes=lambda: [text for part, text in self._told.now.items() if part == WEB],
            web=config.web,
        )
        self._view = self._make_view()

    @property
    def address(self) -> tuple[str, int]:
        """Where metrics are served; the real port once `run` has begun."""
        return self._server.address

    def stop(self) -> None:
        """Have `run` return within a moment; for signal handlers and any thread."""
        self.is_stopping = True
        self._wake.set()

    def run(self) -> None:
        """Serve, and go round until `is_stopping`; then give the Lease back.

        Raises ListenError, WebError.
        """
        parts = (self._reports, self._entries, self._discovery, self._writer, self._events)
        try:
            self._server.start()
            for part in parts:
                part.start()
            self._lease.start()
            host, port = self.address
            self._log.info(
                "started",
                version=__version__,
                identity=self._identity,
                mode=self._config.mode,
                metrics=f"{self._server.scheme}://{host}:{port}/metrics",
            )
            while not self.is_stopping:
                began = time.monotonic()
                self._round()
                if not (self._is_leading and self._term and self._term.is_behind):
                    self._wake.wait(max(0.0, began + self._rest() - time.monotonic()))
                self._wake.clear()
                pause = began + PACE_SECONDS - time.monotonic()
                if pause > 0 and not self.is_stopping:
                    time.sleep(pause)  # PACE_SECONDS
        finally:
            self._lease.stop()
            for part in parts:
                part.stop()
            self._page.close()
            self._server.stop()
            self._log.info("stopped")

    def _rest(self) -> float:
        """Give the time to the next round, if nothing comes: sooner where reports wait."""
        is_waiting = self._is_leading and self._judged is not self._reports.snapshot()
        return min(self._judging_pause, ROUND_SECONDS) if is_waiting else ROUND_SECONDS

    def _round(self) -> None:
        try:
            self._lead()
        except (NotLeaderError, ClusterError) as error:
            self._told.tell("cluster", str(error))
        except Exception as error:  # noqa: BLE001 - a fault must not end what protects a cluster
            self._told.tell("round", f"{type(error).__name__}: {error}; please report this")
        else:
            self._told.tell("cluster", None)
            self._told.tell("round", None)
        try:
            self._audit.write()
        except AuditError as error:
            self._told.tell("audit", str(error))
        else:
            self._told.tell("audit", None)
        if dropped := self._audit.dropped - self._counted_dropped:
            self._counts.count("dropped_audit_lines", by=dropped)
            self._counted_dropped += dropped
        for name, problem in self._problems().items():
            self._told.tell(name, problem)
        self._view = self._make_view()
        try:
            self._page.turn(self._term if self._is_leading else None, self._reports.snapshot())
        except Exception as error:  # noqa: BLE001 - nor must one of what only shows it
            self._told.tell("page", f"{type(error).__name__}: {error}; please report this")
        else:
            self._told.tell("page", None)
        self._alive_at = time.monotonic()

    def _lead(self) -> None:
        if not self._lease.is_leader:
            self._pause(self._lease.problem or f"{self._lease.holder} leads")
            return
        reached = self._entries.reached  # first: the snapshot is of then or later
        entries, reports = self._entries.snapshot(), self._reports.snapshot()
        if not (entries.synced and reports.synced and self._discovery.ready):
            return  # who must never be banned, and who is, has to be known first
        self._protected.refresh_cluster()
        term = self._term_now(entries.objects)
        if term is None:
            return
        now, moment = time.time(), time.monotonic()
        since = moment - self._judged_at
        is_due = since >= ROUND_SECONDS or reports is not self._judged
        changed = reports.objects if is_due and since >= self._judging_pause else None
        if changed is not None:
            self._judged, self._judged_at = reports, moment
        nodes = len(reports.objects)
        lag = max(PACE_LEAST, nodes / self._config.cluster.reports_per_second) + LATE_SECONDS
        ahead = self._clocks.ahead(reports.objects)
        term.round(entries.objects, changed, reached=reached, now=now, at=now - lag, ahead=ahead)
        term.remove_reports(self._discovery.nodes, reports, now)
        self._judging_pause = IDLE_SHARE * term.judging_seconds

    def _term_now(self, entries: Mapping[str, Entry]) -> Term | None:
        """Give the term that goes on; None while a new one can't begin yet.

        One that was interrupted goes on with all that it had decided, unless another replica has
        led since. A new one waits until the entries are listed anew: a watch that hangs would have
        it take back what the last leader decided.
        """
        held = self._lease.term
        if held is None:
            return None
        if self._term is None or held != self._term_of:
            if self._asked_for != held:
                self._asked_for = held
                self._entries.renew()
            if not self._entries.is_renewed or entries is not self._entries.snapshot().objects:
                return None
            self._term = self._new_term(entries)
            self._term_of = held
        if not self._is_leading:
            self._is_leading = True
            bans = len(self._term.offenders.bans)
            self._log.info("leading", identity=self._identity, bans=bans)
            self._audit.note(time.time(), "leading", version=__version__)
        return self._term

    def _new_term(self, entries: Mapping[str, Entry]) -> Term:
        self._writer.forget()
        self._judged = None
        if (lost := self._lease.lost) is not None:
            self._log.warning("leader lost", why=lost)
        return Term(
            self._config,
            self._rules,
            self._protected,
            api=self._api,
            writer=self._writer,
            events=self._events,
            counts=self._counts,
            fence=self._lease.fence,
            log=self._log,
            audit=self._audit,
            entries=entries,
        )

    def _pause(self, why: str) -> None:
        if self._is_leading:
            self._log.warning("leading no more", why=why)
            self._audit.note(time.time(), "leading no more", why=why)
        self._is_leading = False
        self._told.forget((*PARTS, CLOCKS))

    def _problems(self) -> dict[str, str | None]:
        """Say what is wrong by part; None where it is not."""
        broken = self._reports.snapshot().broken
        own = self._term.problems if self._term is not None and self._is_leading else {}
        return {
            "reports": self._reports.problem,
            "damaged reports": _first(broken),
            CLOCKS: self._clocks.problem if self._is_leading else None,
            "entries": self._entries.problem,
            "lease": self._lease.problem,
            WEB: self._server.refresh(),
            "never ban": "; ".join(self._discovery.problems) or None,
            **{part: own.get(part) for part in PARTS},
            "events": self._events.problem,
        }

    def _nodes(self) -> Iterable[NodeReport]:
        return self._reports.snapshot().objects.values()

    def _health(self) -> list[str]:
        reasons = []
        silent = time.monotonic() - self._alive_at
        if silent > STALLED_SECONDS:
            reasons.append(f"the loop has not come round for {silent:.0f} s")
        parts = (
            ("node reports", self._reports.alive),
            ("blacklist entries", self._entries.alive),
            ("never-ban list", self._discovery.alive),
            ("lease", self._lease.alive),
        )
        reasons += [f"the thread of the {name} is dead" for name, alive in parts if not alive]
        return reasons

    def _unready(self) -> list[str]:
        """Not ready before all was read once: a replica that waits for the Lease is ready."""
        reasons = []
        if not self._reports.snapshot().synced:
            reasons.append(f"node reports: {self._reports.problem or 'not read yet'}")
        if not self._entries.snapshot().synced:
            reasons.append(f"blacklist entries: {self._entries.problem or 'not read yet'}")
        if not self._discovery.ready:
            waiting = ", ".join(self._discovery.waiting)
            why = "; ".join(self._discovery.problems) or "not read yet"
            reasons.append(f"never ban: {waiting}: {why}")
        return reasons

    def _make_view(self) -> EscalatorView:
        term = self._term if self._is_leading else None
        reports = self._reports.snapshot()
        rules = tuple(rule.name for rule in self._rules)
        return EscalatorView(
            snapshot=self._counts.snapshot(),
            ready=not self._unready(),
            mode=self._config.mode,
            leader=term is not None,
            reports=len(reports.objects),
            requests=self._requests.numbers(),
            rules=rules,
            bans=possible_bans(rules, self._config.mode),
            refusals=REFUSALS,
            entries={} if term is None else term.phases(),
            networks={} if term is None else term.networks(),
            frozen=term is not None and term.offenders.frozen is not None,
            held=0 if term is None else term.offenders.held,
            certificate_ends=self._server.certificate_ends,
            http_refusals=self._server.refusals,
            tracked=0 if term is None else term.offenders.tracked,
        )


def _first(broken: Mapping[str, str]) -> str | None:
    """Tell of the first of broken objects, and how many there are."""
    if not broken:
        return None
    name = min(broken)
    return f"{len(broken)} can't be read, such as {name}: {broken[name]}"
