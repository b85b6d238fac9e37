"""Evidence per source: packets in a sliding window and distinct ports, in bounded memory.

A window is kept as sixty buckets and holds the running one and the 59 before it: it never counts a
packet older than the window, and may miss those of its oldest sixtieth. Ports are exact.
When the table is full, a source that was never seen before is only remembered in a filter; it gets
a place when it is seen again, and the least interesting of the oldest gives up its own. So a flood
of sources seen once each passes by without pushing anything out.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from itertools import islice

from logwatch.offenders.ban import Evidence
from logwatch.offenders.rules import Rule

BUCKETS = 60

SAMPLE = 20
"""Ports that a ban lists as evidence."""

_CANDIDATES = 8
"""Places looked at to free one: a near offender goes only if it is the dullest of eight."""

_FILTER_BITS = 1 << 23
_FILTER_ENTRIES = 1 << 20
"""With two bits an entry a full filter is 22 % set: 5 % of new sources are taken for known."""


class Window:
    """Packets of one source in one sliding window."""

    __slots__ = ("buckets", "newest", "total")

    def __init__(self) -> None:
        self.newest = -(1 << 62)
        self.total = 0
        """Packets in the window that ends with the bucket `newest`."""
        self.buckets: list[int] | None = None
        """A ring by bucket number; None while the total lies in `newest` alone."""

    def add(self, bucket: int, packets: int) -> None:
        """Count packets in a bucket. What is older than the whole window is left out."""
        ahead = bucket - self.newest
        if ahead >= BUCKETS:
            self.buckets = None
            self.total = packets
            self.newest = bucket
            return
        if ahead <= -BUCKETS:
            return
        self.total += packets
        buckets = self.buckets
        if buckets is None:
            if ahead == 0:
                return
            buckets = self.buckets = [0] * BUCKETS
            buckets[self.newest % BUCKETS] = self.total - packets
        for passed in range(self.newest + 1, bucket + 1):
            self.total -= buckets[passed % BUCKETS]
            buckets[passed % BUCKETS] = 0
        buckets[bucket % BUCKETS] += packets
        self.newest = max(self.newest, bucket)

    def oldest(self) -> int:
        """Return the number of the oldest bucket that holds a packet."""
        if self.buckets is None:
            return self.newest
        return next(
            number
            for number in range(self.newest - BUCKETS + 1, self.newest + 1)
            if self.buckets[number % BUCKETS]
        )


class Trail:
    """What one source left behind."""

    __slots__ = ("first", "last", "ports", "quiet_reason", "quiet_until", "windows")

    def __init__(self, windows: int, at: float) -> None:
        self.first = at
        self.last = at
        self.windows = [Window() for _ in range(windows)]
        self.ports: dict[int, float] = {}
        """Port -> when it was last tried, latest last."""
        self.quiet_until = 0.0
        """A refusal has been told; the same is not told again before this event time."""
        self.quiet_reason = ""

    def distinct(self, since: float) -> int:
        """Count the ports tried after `since`."""
        return sum(seen > since for seen in self.ports.values())


class EvidenceTable:
    """The trails of at most `capacity` sources, for rules that count the same packets.

    Times are event times; `begin` sets the one of the packets that follow.
    """

    def __init__(self, rules: Sequence[Rule], capacity: int) -> None:
        lengths = sorted({rule.within for rule in rules})
        self._widths = [within / BUCKETS for within in lengths]
        self._rules = [
            (rule, rule.kind == "packets", rule.threshold, lengths.index(rule.within))
            for rule in rules
        ]
        by_ports = [rule for rule in rules if rule.kind == "ports"]
        self._port_memory = max([rule.within for rule in by_ports], default=lengths[-1])
        self._most_ports = max([*(rule.threshold for rule in by_ports), SAMPLE])
        """The latest so many ports suffice: a threshold is reached by them or not at all."""
        self._capacity = capacity
        self._trails: OrderedDict[Hashable, Trail] = OrderedDict()
        self._filter = _SeenFilter()
        self._at = 0.0
        self._numbers: list[int] = []

    def __len__(self) -> int:
        return len(self._trails)

    def begin(self, at: float) -> None:
        """Set the event time of the packets that follow."""
        self._at = at
        self._numbers = [int(at // width) for width in self._widths]

    def forget_after(self, time: float) -> None:
        """Drop the trails that lead beyond `time`: the clock that made them was wrong."""
        for key in [key for key, trail in self._trails.items() if trail.last > time]:
            del self._trails[key]

    def add(self, key: Hashable, port: int | None, packets: int) -> Rule | None:
        """Count packets of a source to one port; return the first rule that it now fulfils."""
        trail = self._trails.get(key)
        at = self._at
        if trail is None:
            trail = self._admit(key)
            if trail is None:
                return None
        trail.last = max(trail.last, at)
        for window, number in zip(trail.windows, self._numbers, strict=True):
            if window.newest == number and window.buckets is None:
                window.total += packets
            else:
                window.add(number, packets)
        if port is not None:
            ports = trail.ports
            seen = ports.get(port)
            if seen is None or seen < at:
                if seen is not None:
                    del ports[port]
                ports[port] = at
                if len(ports) > self._most_ports:
                    del ports[next(iter(ports))]
        return self._fulfilled(trail)

    def _fulfilled(self, trail: Trail) -> Rule | None:
        for rule, is_by_packets, threshold, index in self._rules:
            if is_by_packets:
                if trail.windows[index].total >= threshold:
                    return rule
            elif len(trail.ports) >= threshold:
                if trail.distinct(trail.last - rule.within) >= threshold:
                    return rule
                self._prune(trail)
        return None

    def _prune(self, trail: Trail) -> None:
        since = trail.last - self._port_memory
        for port in [port for port, seen in trail.ports.items() if seen <= since]:
            del trail.ports[port]

    def trail(self, key: Hashable) -> Trail:
        """Return the trail of a source for which `add` has just returned a rule."""
        return self._trails[key]

    def evidence(self, trail: Trail, rule: Rule) -> tuple[Evidence, int]:
        """Return what speaks against a source under a rule, and the number the rule looks at."""
        index = next(index for each, _, _, index in self._rules if each is rule)
        window = trail.windows[index]
        since = trail.last - rule.within
        ports = [port for port, seen in trail.ports.items() if seen > since]
        evidence = Evidence(
            packets=window.total,
            ports=tuple(sorted(ports[-SAMPLE:])),
            first=max(trail.first, window.oldest() * self._widths[index]),
            last=trail.last,
        )
        return evidence, window.total if rule.kind == "packets" else len(ports)

    def restart(self, trail: Trail) -> None:
        """Forget what a source did so far; what it does from now on counts anew."""
        trail.windows = [Window() for _ in self._widths]
        trail.ports = {}
        trail.first = trail.last
        trail.quiet_until = 0.0

    def _admit(self, key: Hashable) -> Trail | None:
        if len(self._trails) >= self._capacity:
            if not self._filter.seen(key):
                return None
            self._evict()
        trail = self._trails[key] = Trail(len(self._widths), self._at)
        return trail

    def _evict(self) -> None:
        """Drop the dullest of the oldest trails; the others looked at count as new again."""
        trails = self._trails
        oldest = list(islice(trails, _CANDIDATES))
        dullest = min(oldest, key=lambda key: self._interest(trails[key]))
        for key in oldest:
            trails.move_to_end(key)
        del trails[dullest]

    def _interest(self, trail: Trail) -> tuple[float, float]:
        """How near a source is to fulfilling some rule (0 to 1), then how recent it is."""
        idle = self._at - trail.last
        nearness = 0.0
        for rule, is_by_packets, threshold, index in self._rules:
            if idle < rule.within:
                reached = trail.windows[index].total if is_by_packets else len(trail.ports)
                nearness = max(nearness, min(1.0, reached / threshold))
        return nearness, trail.last


class _SeenFilter:
    """Remembers roughly the last one to two million keys (a Bloom filter in two generations).

    It may take a new key for a known one, never the reverse. Python's seeded hash keeps an attacker
    from choosing keys that collide. It costs 2 MiB, and nothing before its first use.
    """

    def __init__(self) -> None:
        self._current: bytearray | None = None
        self._previous: bytearray | None = None
        self._entries = 0

    def seen(self, key: Hashable) -> bool:
        """Whether a key was asked for before; from now on it was."""
        value = hash(key)
        one, other = value % _FILTER_BITS, (value >> 32) % _FILTER_BITS
        current = self._current
        if current is None:
            current = self._current = bytearray(_FILTER_BITS // 8)
        if _has(current, one, other):
            return True
        known = self._previous is not None and _has(self._previous, one, other)
        current[one >> 3] |= 1 << (one & 7)
        current[other >> 3] |= 1 << (other & 7)
        self._entries += 1
        if self._entries >= _FILTER_ENTRIES:
            self._previous, self._current, self._entries = current, None, 0
        return known


def _has(bits: bytearray, one: int, other: int) -> bool:
    return bool(bits[one >> 3] & (1 << (one & 7)) and bits[other >> 3] & (1 << (other & 7)))
