"""Which series are shown, and that the chart is bounded and adds up."""

from dataclasses import dataclass

import pytest

from logwatch.export import Asked
from logwatch.export.site import Sort
from logwatch.ledger import Count, Family, Labels, Snapshot
from logwatch.live.history import POLICIES, Growth, History
from logwatch.live.summary import chart, top


@dataclass
class Told:
    """Sources, some counted before the start, some in the first minute, some in the second."""

    growth: Growth
    family: Family


@pytest.fixture
def told() -> Told:
    """`old` has most and stands still; `lot` grew most, `new` last, `now` after the last step."""
    before: dict[Labels, Count] = {("old",): (1000, 0), ("few",): (1, 0), ("now",): (1, 0)}
    growth = Growth(60.0, 60, 10, before, 6000.0)
    first = before | {("lot",): (50, 0)}
    growth.see(first, 6060.0)
    second = first | {("new",): (3, 0)}
    growth.see(second, 6120.0)
    return Told(growth, Family(second | {("now",): (2, 0)}))


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("packets", ["old", "lot", "new", "now", "few"]),
        ("recent", ["lot", "new", "now", "old", "few"]),
        ("last", ["now", "new", "lot", "old", "few"]),
    ],
)
def test_series_are_sorted_as_asked(told: Told, sort: Sort, expected: list[str]) -> None:
    """What was quiet for an hour comes last, by its packets."""
    for number in range(1, 6):
        shown = top(told.family, Asked(number, sort), told.growth)
        assert expected[:number] == [name for (name,), _ in shown]


def test_a_query_is_a_part_of_a_label(told: Told) -> None:
    shown = top(told.family, Asked(5, "recent", "o"), told.growth)
    assert ["lot", "now", "old"] == [name for (name,), _ in shown]


def snapshot(packets: int) -> Snapshot:
    """A hundred policies; each has one packet more than the one before it."""
    series = {
        (f"policy-{number}", "eth0", "tcp", "4"): (packets + number if packets else 0, 0)
        for number in range(100)
    }
    return Snapshot(
        {}, {"denied": Family(series, (packets, 0)), "logged": Family({}, (packets, 0))}
    )


def test_the_chart_has_few_lines_that_add_up() -> None:
    """The largest, and what is left of each action."""
    history = History(snapshot(0), 6000.0)
    history.see(snapshot(7), 6010.0)
    made = chart(history.policies, snapshot(7), 9000.0, 6011.0)
    lines = {(line.policy, line.action): line.packets[-2] for line in made.series}
    assert POLICIES + 2 == len(lines)
    assert {106, 87} == {lines["policy-99", "denied"], lines["policy-80", "denied"]}
    assert 7 == lines["other", "logged"]
    assert sum(7 + number for number in range(100)) + 7 == sum(
        number or 0 for (_, action), number in lines.items() if action == "denied"
    )


def test_the_chart_begins_with_the_step_that_runs() -> None:
    """Nobody waits for its end to see the first packets."""
    history = History(snapshot(0), 6000.0)
    made = chart(history.policies, snapshot(7), 9000.0, 6004.0)
    assert (9000.0 - 4.0 - 359 * 10.0, 10.0) == (made.start, made.step)
    [line] = [line for line in made.series if line.policy == "policy-0"]
    assert [*[None] * 359, 7] == line.packets
