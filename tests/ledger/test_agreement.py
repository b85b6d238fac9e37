"""The core's series and their naive twin do the same, whatever comes."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import naive
from ledger.naive import NaiveSeries
from offenders.packets import Sent, policies, summary

from logwatch import _core
from logwatch.ledger.series import Series

NOON = 1_700_000_000.0

# Eight keys, as many as a set of candidates holds: the twin forgets none.
adds = st.tuples(
    st.sampled_from([f"203.0.113.{number}" for number in range(8)]),
    st.sampled_from([1, 1, 4, 9, 10, 2**64 - 1]),
    st.integers(0, 1500) | st.just(2**64),
)


@dataclass(frozen=True)
class Step:
    """Packets at a time, then what a commit, a new file or a restart does."""

    adds: Sequence[tuple[str, int, int]]
    seconds: float
    then: str
    capacity: int


steps = st.lists(
    st.builds(
        Step,
        adds=st.lists(adds, max_size=20),
        seconds=st.sampled_from([0.0, 1.0, 450.0, 899.5, 900.0, 2000.0, -1.0, -450.0, -5000.0]),
        then=st.sampled_from(["go on", "settle", "settle", "touch all", "reopen"]),
        capacity=st.integers(0, 6),
    ),
    max_size=25,
)


class Both:
    """A family, counted twice, and what is stored of it."""

    def __init__(self, capacity: int) -> None:
        self.stored: dict[tuple[str, ...], tuple[int, int, float]] = {}
        self.fast, self.naive = Series(capacity), NaiveSeries(capacity)

    def check(self) -> None:
        assert self.naive.changed == self.fast.changed
        changes = self.fast.changes()
        assert dict(self.naive.changes()) == dict(changes)
        assert len(dict(changes)) == len(changes)
        assert self.naive.family == self.fast.family

    def then(self, step: Step) -> None:
        if step.then == "settle":
            for labels, saved in self.fast.changes():
                if saved is None:
                    self.stored.pop(labels, None)
                else:
                    self.stored[labels] = saved
            self.fast.settle()
            self.naive.settle()
        elif step.then == "touch all":
            self.fast.touch_all()
            self.naive.touch_all()
        elif step.then == "reopen":
            saved = sorted(self.stored.items())
            self.fast = Series(step.capacity, saved)
            self.naive = NaiveSeries(step.capacity, saved)


@settings(max_examples=300, deadline=None)
@given(steps=steps, capacity=st.integers(0, 6))
def test_both_count_the_same(steps: Sequence[Step], capacity: int) -> None:
    """Over clocks set back, commits made or failed, new files and restarts with less room."""
    both = Both(capacity)
    now = NOON
    for step in steps:
        now += step.seconds
        for source, packets, size in step.adds:
            for series in (both.fast, both.naive):
                series.add((source,), packets, size, now)
        both.check()
        both.then(step)
        both.check()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3) | st.integers(0, 7), min_size=100, max_size=400))
def test_both_remember_the_same_candidates(numbers: Sequence[int]) -> None:
    """Up to eight candidates for two places, which are never forgotten.

    Places are soon idle, so that whoever is known as a candidate with ten packets gets one.
    """
    both = Both(2)
    for index, number in enumerate(numbers):
        for series in (both.fast, both.naive):
            series.add((str(number),), 3, 180, NOON + 300 * index)
            series.settle()
        assert both.naive.family == both.fast.family


sent = st.builds(
    Sent,
    source=st.sampled_from(["203.0.113.1", "203.0.113.2", "2001:db8::1"]),
    port=st.sampled_from([22, 23, 65_535]),
    packets=st.sampled_from([1, 2, 2**32 - 1]),
    protocol=st.sampled_from(["tcp", "udp", "icmp", "none"]),
    shape=st.sampled_from(["syn", "reply", "other"]),
    policy=st.integers(0, 1),
    destination=st.just("198.51.100.1"),
    interface=st.sampled_from(["eth0", ""]),
    length=st.just(60),
)
FAMILIES = ("denied", "logged", "ports", "sources", "flows")


@settings(max_examples=300, deadline=None)
@given(st.lists(sent, max_size=30))
def test_a_summary_is_counted_as_its_rows_say(sent: Sequence[Sent]) -> None:
    """With room for all, each family holds what a plain count of rows and links gives."""
    counted = summary(sent)
    verdicts = [(name, verdict == "denied") for name, verdict in policies(counted)]
    families = {name: _core.Series(1000) for name in FAMILIES}
    _core.count_summary(counted, verdicts, NOON, **families)
    plain = naive.count_summary(counted, verdicts)
    for name, series in families.items():
        told = {labels: saved and saved[0] for labels, saved in series.changes()}
        assert dict(plain[name]) == told, name
