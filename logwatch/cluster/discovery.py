"""What of a cluster must never be banned, kept up while it changes.

- Known is the union of all kinds. What was listed once stays known while the API server is away.
- A kind that the API server doesn't serve (no Calico, no ServiceCIDR before 1.33) holds nothing; it
  counts as read, and `missing` tells of it.
- Calico's kinds are looked for in both of its groups. Where both are served, the objects are the
  same, or some are left over from a migration: protecting those as well is the safe side.
"""

import threading
from collections.abc import Callable, Mapping

from logwatch.cluster.api import Api
from logwatch.cluster.cache import Cache, Pace
from logwatch.cluster.places import NODES, WANTED, Found, Place

PACE = Pace()


class _Source:
    """One kind in one group: what it held last, compared only when something changed."""

    def __init__(self, cache: Cache[Found]) -> None:
        self.cache = cache
        self.places: frozenset[Place] = frozenset()
        self.unread: tuple[str, ...] = ()
        self.revision = 0
        self._objects: Mapping[str, Found] = {}
        self._generation = -1

    def look(self) -> None:
        """Take over what is known by now.

        A Node tells every few minutes that it lives, and mostly nothing else.
        """
        seen = self.cache.snapshot()
        if seen.generation == self._generation:
            return
        self._generation = seen.generation
        unread = [text for found in seen.objects.values() for text in found.unread]
        broken = [f"{self.cache.kind} {name}: {why}" for name, why in seen.broken.items()]
        self.unread = (*broken, *unread)
        if seen.objects != self._objects:
            places = frozenset(place for found in seen.objects.values() for place in found.places)
            self.revision += places != self.places
            self.places = places
        self._objects = seen.objects


class Discovery:
    """Keeps up what must never be banned. `on_change` is called on threads of its caches.

    Ask `ready` before `networks`. Everything may be called from any thread.
    """

    def __init__(
        self, api: Api, *, on_change: Callable[[], None] = lambda: None, pace: Pace = PACE
    ) -> None:
        self._lock = threading.Lock()
        self._networks: frozenset[Place] = frozenset()
        self._revision = 0
        self._sources = {
            wanted.name: [
                _Source(
                    Cache(
                        api,
                        kind,
                        wanted.decode,
                        on_change=on_change,
                        label_selector=wanted.labels,
                        pace=pace,
                    )
                )
                for kind in wanted.kinds
            ]
            for wanted in WANTED
        }

    def start(self) -> None:
        """Begin to read."""
        for source in self._all():
            source.cache.start()

    def stop(self) -> None:
        """End, within a second for each kind that just waits for an answer."""
        for source in self._all():
            source.cache.stop()

    @property
    def alive(self) -> bool:
        """Whether all threads run."""
        return all(source.cache.alive for source in self._all())

    @property
    def ready(self) -> bool:
        """Whether each kind was read once, or is served by nobody: before, ban nothing."""
        return not self.waiting

    @property
    def waiting(self) -> tuple[str, ...]:
        """What was not read yet."""
        return tuple(
            name
            for name, sources in self._sources.items()
            if not any(source.cache.snapshot().synced for source in sources)
            and not all(source.cache.is_missing for source in sources)
        )

    @property
    def nodes(self) -> frozenset[str] | None:
        """The names of all Nodes; None while these are not up to date."""
        [source] = self._sources[NODES]
        known = source.cache.snapshot()
        if not known.synced or source.cache.problem is not None:
            return None
        return frozenset(known.objects.keys() | known.broken.keys())

    @property
    def missing(self) -> tuple[str, ...]:
        """What this cluster doesn't serve, so that nothing of it is protected."""
        return tuple(
            name
            for name, sources in self._sources.items()
            if all(source.cache.is_missing for source in sources)
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not up to date, or can't be read, in a sentence each."""
        told: list[str] = []
        with self._lock:
            for name, sources in self._sources.items():
                for source in sources:
                    source.look()
                    if source.cache.problem is not None and not source.cache.is_missing:
                        told.append(f"{name} are not up to date: {source.cache.problem}")
                    told += source.unread
        return tuple(told)

    def networks(self) -> tuple[int, frozenset[Place]]:
        """Give a revision, which grows whenever the places change, and all places.

        The same set is returned until something changes.
        """
        with self._lock:
            sources = self._all()
            for source in sources:
                source.look()
            revision = sum(source.revision for source in sources)
            if revision != self._revision:
                self._networks = frozenset(place for source in sources for place in source.places)
                self._revision = revision
            return revision, self._networks

    def _all(self) -> list[_Source]:
        return [source for sources in self._sources.values() for source in sources]
