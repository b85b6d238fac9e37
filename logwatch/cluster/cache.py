"""What a collection holds now, kept up by a list and a watch on a thread of its own.

- The objects are those of the last list, with the changes since. While the API server is away they
  stay as they were; `problem` and `age` tell of it.
- After a watch that ended in order the next one goes on from its last bookmark. After anything else
  all is listed anew: the API server may have come back from an older backup.
- Only what has changed is decoded again.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from logwatch.cluster.api import PAGE, WATCH_MARGIN, WATCH_SECONDS, Api
from logwatch.cluster.errors import ClusterError, Gone, NotServed, cut
from logwatch.cluster.kind import Kind
from logwatch.cluster.watch import Event, Metadata, Named, Watch

Decoded = TypeVar("Decoded")

STOP_SECONDS = 1.0
"""What `stop` waits for the thread. One that hangs in a list ends by itself, and tells nothing."""

SHORT_SECONDS = 1.0
"""A watch that ends sooner, with nothing in it, is no success: something on the way ends it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a watch lasts, and the pauses after failures; in seconds."""

    watch: float = WATCH_SECONDS
    margin: float = WATCH_MARGIN
    first: float = 0.2
    longest: float = 10.0

    def pause(self, failures: int) -> float:
        """Give the pause after so many failures in a row: doubled each time, up to half taken off.

        So the clients of an API server that comes back don't all come at once.
        """
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 16))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Decoded]):
    """A collection at one moment.

    objects     by name; as `namespace/name` where the kind is of all namespaces
    broken      objects that can't be decoded, by name, with the reason; they are not in `objects`
    synced      whether it was listed once: before that, nothing is known
    generation  grows with every change
    """

    synced: bool = False
    objects: Mapping[str, Decoded] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0


class Cache(Generic[Decoded]):
    """A collection, kept up. `decode` makes of an object's JSON what is kept of it.

    It should keep little, and raise ValueError or msgspec's errors for what is wrong with it.
    `on_change` is called on the cache's thread after every change, also of `problem`; it must not
    block.
    """

    def __init__(  # noqa: PLR0913 - seams
        self,
        api: Api,
        kind: Kind,
        decode: Callable[[msgspec.Raw], Decoded],
        *,
        on_change: Callable[[], None] = lambda: None,
        field_selector: str = "",
        label_selector: str = "",
        page: int = PAGE,
        pace: Pace = Pace(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind = kind
        self._api = api
        self._decode = decode
        self._on_change = on_change
        self._fields, self._labels = field_selector, label_selector
        self._page = page
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[str, Decoded]] = {}  # by name: resourceVersion, object
        self._broken: dict[str, str] = {}
        self._snapshot: Snapshot[Decoded] = Snapshot()
        self._synced = False
        self._generation = 0
        self._version = ""  # to watch from; empty: list first
        self._failures = 0
        self._heard = clock()
        self._problem: str | None = None
        self._is_missing = False
        self._watch: Watch | None = None
        self._asked = 0  # how often `renew` was called
        self._renewed = 0  # up to which of these calls all has been listed since
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"logwatch-{kind.plural}", daemon=True
        )

    def start(self) -> None:
        """Begin to list and to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End within a second; `on_change` is not called any more."""
        self._stopping.set()
        if (watch := self._watch) is not None:
            watch.close()
        self._thread.join(STOP_SECONDS)

    def renew(self) -> None:
        """List all anew: a watch may hang unnoticed, and what it told be older than one thinks."""
        self._asked += 1
        if (watch := self._watch) is not None:
            watch.close()

    @property
    def is_renewed(self) -> bool:
        """Whether all has been listed since the last `renew`."""
        return self._asked == self._renewed

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def problem(self) -> str | None:
        """Why it is not up to date, in a sentence; None while it is."""
        return self._problem

    @property
    def is_missing(self) -> bool:
        """Whether the API server said last that it doesn't know the kind."""
        return self._is_missing

    @property
    def age(self) -> float:
        """Seconds since the API server said something about the collection, or since the start.

        On a quiet collection it says something at the end of each watch.
        """
        return self._clock() - self._heard

    def snapshot(self) -> Snapshot[Decoded]:
        """Give what is known now; the same object until something changes."""
        with self._lock:
            known = self._snapshot
            if (known.synced, known.generation) != (self._synced, self._generation):
                objects = {name: held for name, (_, held) in self._objects.items()}
                known = Snapshot(self._synced, objects, dict(self._broken), self._generation)
                self._snapshot = known
            return known

    @property
    def reached(self) -> str:
        """The resourceVersion up to which a snapshot taken after this knows all changes.

        Empty while all is to be listed anew.
        """
        with self._lock:
            return self._version

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = 0.0
            try:
                if not self._version:
                    self._list()
                if not self._follow():
                    self._failures += 1
                    pause = self._pace.pause(self._failures)
            except ClusterError as error:
                pause = self._failed(error)
            self._stopping.wait(pause)

    def _failed(self, error: ClusterError) -> float:
        """Take note of an error; gives the pause after it."""
        self._version = ""
        self._failures += 1
        self._is_missing = isinstance(error, NotServed)
        if isinstance(error, Gone) and self._failures == 1:
            return 0.0
        self._tell(str(error))
        return max(self._pace.pause(self._failures), min(error.after, self._pace.longest))

    def _list(self) -> None:
        objects: dict[str, tuple[str, Decoded]] = {}
        broken: dict[str, str] = {}
        version = ""
        asked = self._asked
        pages = self._api.pages(
            self.kind,
            limit=self._page,
            field_selector=self._fields,
            label_selector=self._labels,
        )
        for page in pages:
            for item in page.items:
                metadata = msgspec.json.decode(item, type=Named).metadata
                self._take(metadata, item, objects, broken)
            version = page.resource_version
            if self._stopping.is_set():
                return
        with self._lock:
            changed = not self._synced or _versions(objects) != _versions(self._objects)
            self._objects, self._broken, self._synced = objects, broken, True
            self._generation += changed
        self._version = version
        self._heard = self._clock()
        self._is_missing = False
        is_awaited, self._renewed = asked != self._renewed, asked
        if changed or is_awaited:
            self._wake()

    def _follow(self) -> bool:
        """Watch until the server ends it; False when that was suspiciously soon."""
        began = self._clock()
        pace = self._pace
        watch = self._api.watch(
            self.kind,
            self._version,
            seconds=pace.watch,
            margin=pace.margin,
            field_selector=self._fields,
            label_selector=self._labels,
        )
        self._watch = watch
        self._heard = self._clock()
        self._tell(None)
        if self._stopping.is_set() or not self.is_renewed:
            watch.close()
        for event in watch:
            if self._stopping.is_set():
                break
            self._failures = 0
            self._heard = self._clock()
            self._apply(event)
        self._watch = None
        if not self.is_renewed:
            self._version = ""
            return True
        self._heard = self._clock()
        if self._heard - began >= SHORT_SECONDS:
            self._failures = 0
        return self._failures == 0

    def _apply(self, event: Event) -> None:
        if event.type == "BOOKMARK":
            self._version = event.resource_version
            return
        with self._lock:
            self._version = event.resource_version
            if event.type == "DELETED":
                name = self._name(event.metadata)
                self._objects.pop(name, None)
                self._broken.pop(name, None)
            else:
                self._take(event.metadata, event.object, self._objects, self._broken)
            self._generation += 1
        self._wake()

    def _take(
        self,
        metadata: Metadata,
        item: msgspec.Raw,
        objects: dict[str, tuple[str, Decoded]],
        broken: dict[str, str],
    ) -> None:
        """Put an object where it belongs, decoded or with the reason why it can't be."""
        name = self._name(metadata)
        known = self._objects.get(name)
        if known is not None and known[0] == metadata.resource_version:
            objects[name] = known
            return
        objects.pop(name, None)
        broken.pop(name, None)
        try:
            objects[name] = (metadata.resource_version, self._decode(item))
        except (ValueError, msgspec.MsgspecError) as error:
            broken[name] = cut(str(error))

    def _name(self, metadata: Metadata) -> str:
        if metadata.namespace and self.kind.namespace is None:
            return f"{metadata.namespace}/{metadata.name}"
        return metadata.name

    def _tell(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            self._wake()

    def _wake(self) -> None:
        if not self._stopping.is_set():
            self._on_change()


def _versions(objects: Mapping[str, tuple[str, Decoded]]) -> dict[str, str]:
    return {name: version for name, (version, _) in objects.items()}
