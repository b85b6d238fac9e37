"""Steps of the wall clock, told by a clock that nobody sets."""

from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from logwatch.agent.clock import STEP_SECONDS, Clock
from logwatch.agent.decisions import Decisions
from logwatch.config import Config
from logwatch.ledger import Ledger, SeriesLimits
from logwatch.offenders import Ban, Evidence


class Clocks:
    """A wall clock that can be set, and one that can not."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.steady = 5000.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def clock(self, boot_id: str = "boot") -> Clock:
        return Clock(boot_id, wall=lambda: self.wall, steady=lambda: self.steady)


@pytest.mark.parametrize("step", [86_400.0, 3600.0, -3600.0, -86_400.0, 2.5, 1.7e9])
def test_a_step_is_told_once(step: float) -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.pass_time(30)
    assert (clocks.wall, 0.0) == clock.look()
    clocks.wall += step
    assert (clocks.wall, pytest.approx(step)) == clock.look()
    clocks.pass_time(1000)
    assert 0.0 == clock.look()[1]


def test_time_that_passes_asleep_is_no_step() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.pass_time(8 * 3600)
    assert 0.0 == clock.look()[1]


@given(st.lists(st.floats(-10, 10), max_size=30))
def test_small_steps_add_up(steps: list[float]) -> None:
    """What was told and what the clock was set by never differ by more than a step."""
    clocks = Clocks()
    clock = clocks.clock()
    told = 0.0
    for number, step in enumerate(steps, start=1):
        clocks.wall += step
        told += clock.look()[1]
        assert abs(sum(steps[:number]) - told) <= STEP_SECONDS + 1e-3


def test_a_step_while_no_process_ran_is_told_in_the_same_boot() -> None:
    clocks = Clocks()
    saved = clocks.clock().to_json()
    clocks.pass_time(60)
    clocks.wall -= 3600
    clock = clocks.clock()
    clock.restore(saved)
    assert -3600.0 == pytest.approx(clock.look()[1])


@pytest.mark.parametrize("boot_id", ["another", ""])
def test_after_another_boot_only_the_wall_clock_is_there(boot_id: str) -> None:
    clocks = Clocks()
    saved = clocks.clock("boot" if boot_id else "").to_json()
    clocks.steady = 3.0
    clock = clocks.clock(boot_id)
    clock.restore(saved)
    assert 0.0 == clock.look()[1]


@given(st.binary() | st.none())
def test_no_document_breaks_a_start(document: bytes | None) -> None:
    clock = Clocks().clock()
    clock.restore(document)
    assert 0.0 == clock.look()[1]


@pytest.mark.parametrize("step", [86_400.0, 3600.0, -86_400.0])
def test_bans_are_as_long_whether_the_clock_is_set_before_or_after_a_restart(
    step: float, tmp_path: Path
) -> None:
    clocks = Clocks()
    began = clocks.wall
    ban = Ban(
        network="203.0.113.7/32",
        rule="many-ports",
        reason="15 distinct ports",
        evidence=Evidence(packets=15, ports=(22,), first=began, last=began),
        since=began,
        expires=began + 3600,
        seconds=3600,
        offence=1,
        phase="observe",
    )
    ledger = Ledger.open(tmp_path, limits=SeriesLimits(), boot_id="boot")
    documents = {
        "bans": {ban.network: ban.to_json()},
        "brakes": {"clock": clocks.clock().to_json()},
    }
    ledger.commit({}, documents)
    clocks.pass_time(60)
    clocks.wall += step  # while no process runs
    decisions = Decisions(Config(), structlog.get_logger(), lambda _: 0)
    clock = clocks.clock()
    decisions.restore(ledger, clock)
    decisions.expire(clocks.wall)
    assert 1 == decisions.entries()["observe"]
    clocks.pass_time(60)
    clocks.wall += step  # while it runs
    now, told = clock.look()
    decisions.begin_round(told)
    decisions.expire(now)
    assert 1 == decisions.entries()["observe"]
    decisions.commit({})
    clocks.pass_time(3600 - 120)
    decisions.expire(clocks.wall - 1)
    assert 1 == decisions.entries()["observe"]
    decisions.expire(clocks.wall)
    assert 0 == decisions.entries()["observe"]
    ledger.close()
