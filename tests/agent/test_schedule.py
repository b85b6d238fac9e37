"""When reports of nodes are due, without waiting for any."""

import pytest

from logwatch.agent.schedule import HURRY, REPORTS_PER_SECOND, Schedule

TOP, MIDDLE = (lambda _, high: high), (lambda low, high: (low + high) / 2)


def after_one(nodes: int = 1, uniform: object = MIDDLE) -> Schedule:
    """Give the schedule of a node whose first report was written at 100 s."""
    schedule = Schedule(100.0, uniform)
    schedule.nodes = nodes
    schedule.begin(100.0)
    schedule.succeed()
    return schedule


@pytest.mark.parametrize(("nodes", "seconds"), [(1, 10.0), (150, 10.0), (1500, 100.0)])
def test_all_nodes_together_write_at_most_15_reports_a_second(nodes: int, seconds: float) -> None:
    schedule = after_one(nodes)
    assert 100.0 + seconds == schedule.due
    assert nodes / seconds <= REPORTS_PER_SECOND


def test_an_offender_is_told_of_at_once_by_few_and_spread_by_many() -> None:
    for nodes, due in ((1, 105.0), (1000, 105.0 + 1000 / (HURRY * REPORTS_PER_SECOND))):
        schedule = after_one(nodes, TOP)
        schedule.hurry(105.0)
        assert due == pytest.approx(schedule.due, abs=0.02)


def test_more_offenders_change_nothing_once_a_report_is_due() -> None:
    """Else the earliest of many draws would win, and all nodes would write at once."""
    draws = iter([1.0, 0.5, 0.0])
    schedule = after_one(1000, lambda low, high: high if low else next(draws) * high)
    schedule.hurry(105.0)
    due = schedule.due
    schedule.hurry(105.0)
    assert due == schedule.due


def test_a_second_lies_between_two_reports() -> None:
    schedule = after_one()
    schedule.hurry(100.1)
    assert 101.0 == schedule.due


def test_an_offender_that_comes_while_a_report_is_written_has_another_one() -> None:
    schedule = after_one()
    schedule.begin(110.0)
    schedule.hurry(110.2)
    schedule.succeed()
    assert 111.0 == schedule.due


def test_failures_are_followed_by_longer_and_longer_pauses() -> None:
    """Up to an interval; the next report that is written ends that."""
    schedule = after_one(uniform=TOP)
    pauses = []
    for _ in range(7):
        schedule.fail(200.0)
        schedule.hurry(200.0)
        pauses.append(schedule.due - 200.0)
    assert [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0] == pauses
    schedule.begin(300.0)
    schedule.succeed()
    schedule.fail(300.0)
    assert 300.5 == schedule.due


def test_a_server_that_wants_to_be_left_alone_is_up_to_an_interval() -> None:
    schedule = after_one()
    schedule.fail(200.0, at_least=5.0)
    assert 205.0 == schedule.due
    schedule.fail(200.0, at_least=3600.0)
    assert 210.0 == schedule.due


def test_another_rate_makes_reports_and_hurry_rarer_or_more_frequent() -> None:
    schedule = Schedule(100.0, TOP, rate=30.0)
    schedule.nodes = 3000
    assert 100.0 == schedule.interval
    schedule.begin(100.0)
    schedule.hurry(105.0)
    assert 105.0 + 3000 / (HURRY * 30.0) == pytest.approx(schedule.due)
