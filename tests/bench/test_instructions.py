"""The gate closes when the core spends more instructions on a line."""

import pytest
from instructions import collected, judge


def test_figures_within_the_tolerance_pass() -> None:
    said, good = judge({"storm": 1_000.0, "v6": 1_000.0}, {"storm": 1_049.0, "v6": 951.0})

    assert good
    assert [
        "storm: 1,049.0 instructions a line, 1,000.0 recorded (+4.9%)",
        "v6: 951.0 instructions a line, 1,000.0 recorded (-4.9%)",
    ] == said


def test_a_risen_figure_fails_and_is_named_with_both_numbers() -> None:
    said, good = judge({"storm": 1_000.0, "v6": 1_000.0}, {"storm": 1_051.0, "v6": 1_000.0})

    assert not good
    assert said[0].startswith(
        "storm: 1,051.0 instructions a line, 1,000.0 recorded (+5.1%): more than 5% above"
    )


def test_a_fallen_figure_passes_and_says_how_to_record_it() -> None:
    said, good = judge({"storm": 1_000.0}, {"storm": 949.0})

    assert good
    assert said[0].endswith(
        "more than 5% below; keep the gain, run python bench/instructions.py --record"
    )


def test_a_figure_that_was_never_recorded_fails() -> None:
    said, good = judge({}, {"storm": 949.0})

    assert not good
    assert [
        "storm: 949.0 instructions a line, none recorded; run python bench/instructions.py --record"
    ] == said


def test_the_count_is_read_from_what_callgrind_says() -> None:
    assert 41_639_199 == collected(
        "==494== Events    : Ir\n==494== Collected : 41639199\n==494==\n"
    )


def test_no_count_is_no_figure() -> None:
    with pytest.raises(SystemExit, match="counted nothing"):
        collected("==494== Events    : Ir\n")
