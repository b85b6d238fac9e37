"""Each scenario of `make torture` for some seconds, with real processes on real files."""

import pytest
from torture.scenarios import SCENARIOS, play
from torture.stage import Effort

SECONDS = 2.0
KILLS = 10
RATE = 5_000


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_or_doubled(name: str) -> None:
    scenario = SCENARIOS[name]
    outcome = play(scenario, scenario.fitted(Effort(SECONDS, RATE, KILLS, seed=20260905)))
    assert outcome.written > 0
    assert outcome.note, "nothing was done to the log"
    assert (0, 0, ()) == (outcome.lost, outcome.doubled, outcome.complaints), outcome
