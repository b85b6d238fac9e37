"""The core's series and their naive twin do the same, whatever comes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger import naive
from ledger.naive import NaiveSeries

from logwatch import _core
from logwatch._core import count_rows
from logwatch.ledger.series import Series
from logwatch.packets import Row

NOON = 1_700_000_000.0
IS_DENIED = [True, False]

rows = st.builds(
    Row,
    source=st.sampled_from(["", *(f"203.0.113.{number}" for number in range(12))]),
    port=st.sampled_from([None, 22, 23, 80, 65_535]),
    protocol=st.sampled_from(["tcp", "udp", "none"]),
    policy=st.sampled_from([0, 0, 0, 1]),
    family=st.just(4),
    shape=st.just("syn"),
    interface=st.just("eth1"),
    forwarded=st.just(False),
    packets=st.sampled_from([0, 1, 1, 4, 9, 10, 2**64 - 1]),
    bytes=st.integers(0, 1500) | st.just(2**64),
    first=st.just(0),
    last=st.just(0),
)


@dataclass(frozen=True)
class Step:
    """Rows at a time, then what a commit, a new file or a restart does."""

    rows: Sequence[Row]
    seconds: float
    then: str
    capacity: int


steps = st.lists(
    st.builds(
        Step,
        rows=st.lists(rows, max_size=20),
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
    families = [Both(capacity) for _ in range(3)]
    now = NOON
    for step in steps:
        now += step.seconds
        count_rows(step.rows, IS_DENIED, now, *(family.fast.counting for family in families))
        naive.count_rows(step.rows, IS_DENIED, now, [family.naive for family in families])
        for family in families:
            family.check()
            family.then(step)
            family.check()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3) | st.integers(0, 60), min_size=100, max_size=400))
def test_both_remember_the_same_candidates(numbers: Sequence[int]) -> None:
    """More keys than two places have candidates, some of which come again and again.

    Places are soon idle, so that whoever is known as a candidate with ten packets gets one.
    """
    both = Both(2)
    for index, number in enumerate(numbers):
        for series in (both.fast, both.naive):
            series.add((str(number),), 3, 180, NOON + 300 * index)
            series.settle()
        assert both.naive.family == both.fast.family


def row(**fields: object) -> object:
    plain = Row("203.0.113.7", 22, "tcp", 0, 4, "syn", "eth1", False, 1, 60, 0, 0)
    return tuple((plain._asdict() | fields).values())


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (row(source="a\0b"), ValueError),
        (row(protocol="a\0b"), ValueError),
        (row(source="", protocol="a\0b"), ValueError),
        (row(source=None), TypeError),
        (row(packets=-1), OverflowError),
        (row(packets=2**128), OverflowError),
        (row(port=65_536), OverflowError),
        (row(policy=2), ValueError),
        ((), IndexError),
        (None, TypeError),
    ],
)
def test_a_wrong_row_is_refused_before_anything_counts(
    wrong: object, error: type[Exception]
) -> None:
    """Nothing of the batch is in one family and missing in the other."""
    ports, sources, flows = families = [_core.Series(4) for _ in range(3)]
    with pytest.raises(error):
        count_rows([row(), wrong], IS_DENIED, NOON, ports, sources, flows)
    assert [False, False, False] == [series.changed for series in families]
    count_rows([row()], IS_DENIED, NOON, ports, sources, flows)
    assert [(("203.0.113.7",), (1, 60, NOON))] == sources.changes()
