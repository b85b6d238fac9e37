"""What an escalator counts. In memory: like any process's counters they begin at zero."""

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING

from logwatch.export import escalation_counts
from logwatch.ledger import Labels, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

CounterKey = tuple[str, Labels]


class Requests:
    """Requests to the API server by verb and resource. Used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, str], int] = {}

    def count(self, verb: str, _group: str, resource: str, subresource: str) -> None:
        """Count one: for `Api.connect(calls=...)`."""
        key = (verb, f"{resource}/{subresource}" if subresource else resource)
        with self._lock:
            self._numbers[key] = self._numbers.get(key, 0) + 1

    def numbers(self) -> tuple[tuple[str, str, int], ...]:
        """Give verb, resource and number of each."""
        with self._lock:
            return tuple((*key, number) for key, number in sorted(self._numbers.items()))


class Counts:
    """Counters by name and labels. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._counters: dict[CounterKey, int] = {}

    def count(self, name: str, labels: Labels = (), by: int = 1) -> None:
        """Add to a counter."""
        self._counters = {**self._counters, (name, labels): self.of(name, labels) + by}

    def of(self, name: str, labels: Labels = ()) -> int:
        """Give a counter's value."""
        return self._counters.get((name, labels), 0)

    def escalated(self, seconds: float) -> None:
        """Count how long a ban took, from its last packet to the policy."""
        for name, labels, amount in escalation_counts(seconds):
            self.count(name, labels, amount)

    def snapshot(self) -> Snapshot:
        """Give all counters as they are now."""
        counters: Mapping[CounterKey, int] = MappingProxyType(self._counters)
        return Snapshot(counters, MappingProxyType({}))
