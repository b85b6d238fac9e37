"""Who of several may write: a Lease of the API, with an election loop of its own.

1. The lease is free when nobody holds it, or when it has not changed for its duration, as measured
   here by a clock that nobody sets. Times written in it are for people.
2. The holder writes it anew every `retry` seconds, compare-and-swap on its resourceVersion.
3. The holder leads for `renew` seconds from the moment at which it began its last successful
   renewal. As `renew` is shorter than the duration, it stops before anybody else may begin.
4. A write needs its `fence` first: it is refused when the write could last into the time of
   another.
5. A lease that is missing was deleted, perhaps under a leader that doesn't know yet. Whoever makes
   it anew leads only a whole duration later. Install it together with the program, without a
   holder, and nobody waits.

The fence is this process's own judgement. A process that is stopped between fence and write, or a
packet that is late, gets past it: writes have to be compare-and-swap as well.
"""

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from logwatch.cluster.api import TIMEOUT, Api, Document
from logwatch.cluster.connection import Timeout
from logwatch.cluster.errors import ClusterError, Conflict, NotFound
from logwatch.cluster.kind import Kind
from logwatch.errors import LogwatchError

GROUP, VERSION, PLURAL = "coordination.k8s.io", "v1", "leases"

DRIFT = 0.05
"""Part of the duration that is left free for clocks of two machines that run at different rates."""


class NotLeaderError(LogwatchError):
    """Another process may lead, or lead before a write would have ended."""


def boot_clock() -> float:
    """Seconds that nobody sets, and that go on while the machine sleeps (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def moment(now: datetime) -> str:
    """Give a time as the API's MicroTime, which always has six digits of fraction."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_now() -> datetime:
    """Give the time of day."""
    return datetime.now(UTC)


class Lease:
    """A candidate. `identity` must be of this process alone: a restarted one is another.

    Seconds: `duration` after which a silent holder has lost it, `renew` for which a holder leads
    after a renewal, `retry` between two steps. Either call `step` yourself, or `start` and `stop`.
    `on_change` is called from the thread that steps when leading begins or ends.
    """

    def __init__(  # noqa: PLR0913 - seams
        self,
        api: Api,
        namespace: str,
        name: str,
        identity: str,
        *,
        duration: float = 15.0,
        renew: float = 10.0,
        retry: float = 2.0,
        clock: Callable[[], float] = boot_clock,
        now: Callable[[], datetime] = utc_now,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        if not retry < renew < duration:
            raise ValueError(f"retry {retry} < renew {renew} < duration {duration} must hold")
        self.identity = identity
        self.kind = Kind(GROUP, VERSION, PLURAL, namespace)
        self.name = name
        self._api = api
        self._duration = duration
        self._renew = renew
        self._retry = retry
        self._timeout: Timeout = (retry * 0.25, retry * 0.7)  # together below `retry`
        self._clock = clock
        self._now = now
        self._on_change = on_change
        self._seen: Document = {}  # the spec that was seen last, and when it was seen first
        self._seen_at = clock()
        self._renewed = -math.inf  # when the last successful renewal began
        self._leads_from = -math.inf  # a lease that was made here leads later
        self._led = False  # what `on_change` was told
        self._taken_from = ""
        self._problem: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logwatch-lease", daemon=True)

    @property
    def is_leader(self) -> bool:
        """Whether this process may decide and write, now."""
        now = self._clock()
        return (
            not self._stopping.is_set()
            and now < self._renewed + self._renew
            and self._renewed >= self._leads_from
        )

    def fence(self, timeout: Timeout = TIMEOUT) -> None:
        """Call before each write, with its timeout; raises NotLeaderError when it may not begin."""
        if not self.is_leader:
            raise NotLeaderError(f"{self.identity} doesn't hold {self._where}: {self._because()}")
        left = self._renewed + self._duration * (1 - DRIFT) - self._clock()
        if sum(timeout) > left:
            raise NotLeaderError(
                f"{self.identity} holds {self._where} for {left:.1f} s more, too short for a write"
                f" of up to {sum(timeout):.1f} s: {self._because()}"
            )

    @property
    def holder(self) -> str:
        """Who holds it, as was seen last; empty when nobody does."""
        return str(self._seen.get("holderIdentity") or "")

    @property
    def term(self) -> str | None:
        """Tell one time of holding it from another: while it is the same, nobody else held it."""
        return str(self._seen.get("acquireTime")) if self.holder == self.identity else None

    @property
    def lost(self) -> str | None:
        """Who held it and fell silent before this process took it, in a sentence."""
        if not self._taken_from:
            return None
        return (
            f"{self._taken_from} held {self._where} and did not renew it for"
            f" {self._patience():g} s: see whether it runs, and reaches the API server"
        )

    @property
    def problem(self) -> str | None:
        """Why the last step failed, in a sentence."""
        return self._problem

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Step on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop leading at once, then give the lease back, so that another may lead at once."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(2 * self._retry)
        self.release()

    def step(self) -> None:
        """Renew, take or look: one read and at most one write; what fails is in `problem`."""
        try:
            self._step()
            self._problem = None
        except ClusterError as error:
            self._problem = str(error)
        led, self._led = self._led, self.is_leader
        if led != self._led:
            self._on_change()

    def release(self) -> None:
        """Give the lease back: who waits takes it at the next step. What fails is in `problem`."""
        self._stopping.set()
        self._renewed = -math.inf
        try:
            lease = self._read()
            if lease is not None and self.holder == self.identity:
                spec = {"holderIdentity": "", "leaseDurationSeconds": 1}
                self._write(lease, {**spec, "renewTime": moment(self._now())})
        except ClusterError as error:
            self._problem = str(error)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.step()
            self._stopping.wait(self._retry)

    def _step(self) -> None:
        began = self._clock()
        lease = self._read()
        stamp = moment(self._now())
        if lease is None:
            self._create(began, stamp)
            return
        mine, silent = self.holder == self.identity, self.holder
        if not mine:
            self._renewed = -math.inf
            if self.holder and began < self._seen_at + self._patience():
                return
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": math.ceil(self._duration),
            "renewTime": stamp,
        }
        if not mine:
            spec["acquireTime"] = stamp
            spec["leaseTransitions"] = int(self._seen.get("leaseTransitions") or 0) + 1
            self._leads_from = -math.inf
        self._write(lease, spec)
        self._renewed = began
        if not mine:
            self._taken_from = silent

    def _read(self) -> Document | None:
        try:
            lease = self._api.get(self.kind, self.name, timeout=self._timeout)
        except NotFound:
            return None
        self._look(lease)
        return lease

    def _look(self, lease: Document) -> None:
        spec = lease.get("spec") or {}
        if spec != self._seen:
            self._seen = spec
            self._seen_at = self._clock()

    def _write(self, lease: Document, spec: Document) -> None:
        changed = {**lease, "spec": {**(lease.get("spec") or {}), **spec}}
        self._look(self._api.replace(self.kind, changed, timeout=self._timeout))

    def _create(self, began: float, stamp: str) -> None:
        still = self.is_leader
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": self.kind.namespace},
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": math.ceil(self._duration),
                "acquireTime": stamp,
                "renewTime": stamp,
                "leaseTransitions": 0,
            },
        }
        try:
            self._look(self._api.create(self.kind, body, timeout=self._timeout))
        except Conflict:  # another one was quicker: the next step sees who
            self._renewed = -math.inf
            raise
        if not still:
            self._leads_from = self._clock() + self._patience()
        self._renewed = began

    def _patience(self) -> float:
        """How long a holder may be silent: what it asked for, but not less than is usual here."""
        return max(self._duration, float(self._seen.get("leaseDurationSeconds") or 0))

    @property
    def _where(self) -> str:
        return f"the lease {self.kind.namespace}/{self.name}"

    def _because(self) -> str:
        if self._problem:
            return self._problem
        if self.holder == self.identity:
            return "it was renewed too long ago, or made anew just now"
        return f"{self.holder} does" if self.holder else "nobody does yet"
