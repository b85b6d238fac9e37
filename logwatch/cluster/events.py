"""Events of the API: what happened, where `kubectl describe` and `kubectl events` show it.

They are for people and may get lost: nothing waits for them, nothing fails with them. What repeats
within a few minutes is one Event whose series counts, as the API asks for (events.k8s.io/v1).
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from logwatch.cluster.api import Api, Document
from logwatch.cluster.errors import ClusterError, NotFound
from logwatch.cluster.kind import Kind
from logwatch.cluster.lease import moment, utc_now

GROUP, VERSION, PLURAL = "events.k8s.io", "v1", "events"

MOST_SERIES = 500
"""Different Events that are remembered, or wait to be written; more of the latter are lost."""

MOST_NOTE = 1024
"""Bytes of a note that the API takes."""

SERIES_SECONDS = 360.0
"""What comes again later is an Event of its own, as in client-go."""

REPEAT_SECONDS = 10.0
"""A series is written no more often than that, however often it repeats."""

STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class About:
    """The object an Event is about; without a namespace it is cluster-scoped."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    uid: str = ""

    def reference(self) -> Document:
        """Give it as an ObjectReference."""
        fields = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
        }
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class _Key:
    about: About
    reason: str
    action: str
    note: str
    warning: bool


@dataclass(slots=True)
class _Series:
    """One Event: how often it happened, how often of these the API knows, and under which name."""

    count: int = 0
    last: datetime = datetime.min  # noqa: DTZ901 - set before it is read
    heard: float = 0.0
    name: str = ""
    written: int = 0
    written_at: float = 0.0


class Events:
    """Writes Events on a thread of its own; `tell` from any thread, it never blocks nor raises.

    `controller` is the program's qualified name, `instance` this process of it.
    """

    def __init__(
        self,
        api: Api,
        controller: str,
        instance: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._api = api
        self._reporter = {"reportingController": controller, "reportingInstance": instance[:128]}
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._series: dict[_Key, _Series] = {}
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="logwatch-events", daemon=True)
        self.written = 0
        """Requests that the API server took."""
        self.lost = 0
        """Events that it refused, or that were too many."""
        self.problem: str | None = None
        """Why the last one was not taken, in a sentence."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, within two seconds, and end."""
        self._stopping = True
        self._wake.set()
        self._thread.join(STOP_SECONDS)

    def tell(
        self, reason: str, note: str, about: About, *, action: str, warning: bool = False
    ) -> None:
        """Report: `reason` and `action` are words in upper camel case, `note` is the sentence."""
        note = note.encode()[:MOST_NOTE].decode(errors="ignore")
        key = _Key(about, reason[:128], action[:128], note, warning)
        heard = self._clock()
        with self._lock:
            self._forget(heard)
            series = self._series.pop(key, None) or _Series()
            series.count += 1
            series.last, series.heard = self._now(), heard
            if len(self._series) < MOST_SERIES:
                self._series[key] = series
            else:
                self.lost += 1
        self._wake.set()

    def flush(self) -> None:
        """Write what is due now, on the thread of the caller."""
        at = self._clock()
        with self._lock:
            due = [
                (key, series, series.count)
                for key, series in self._series.items()
                if series.count > series.written and self._due(series, at)
            ]
        for key, series, count in due:
            try:
                self._write(key, series, count)
            except ClusterError as error:
                self.problem = str(error)
                self.lost += count - series.written
            else:
                self.problem = None
                self.written += 1
            series.written, series.written_at = count, at

    def _due(self, series: _Series, at: float) -> bool:
        return self._stopping or not series.name or at >= series.written_at + REPEAT_SECONDS

    def _forget(self, at: float) -> None:
        """Drop what is written and has not come again for long, or must make room: oldest first."""
        for key, series in [*self._series.items()]:
            if at < series.heard + SERIES_SECONDS and len(self._series) < MOST_SERIES:
                return
            if series.count == series.written:
                del self._series[key]

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(REPEAT_SECONDS)
            self._wake.clear()
            self.flush()
        self.flush()

    def _write(self, key: _Key, series: _Series, count: int) -> None:
        # The API keeps Events about cluster-scoped objects in the namespace `default`.
        kind = Kind(GROUP, VERSION, PLURAL, key.about.namespace or "default")
        if series.name:
            stamp = {"count": count, "lastObservedTime": moment(series.last)}
            operation = {"op": "add", "path": "/series", "value": stamp}
            try:
                self._api.json_patch(kind, series.name, [operation])
            except NotFound:  # the API server forgets Events after an hour
                series.name = ""
            else:
                return
        name = f"{key.about.name}.{uuid.uuid4().hex[:16]}"
        self._api.create(kind, self._document(key, kind, name, series))
        series.name = name

    def _document(self, key: _Key, kind: Kind, name: str, series: _Series) -> Document:
        return {
            "apiVersion": kind.api_version,
            "kind": "Event",
            "metadata": {"name": name, "namespace": kind.namespace},
            "eventTime": moment(series.last),
            **self._reporter,
            "type": "Warning" if key.warning else "Normal",
            "reason": key.reason,
            "action": key.action,
            "note": key.note,
            "regarding": key.about.reference(),
        }
