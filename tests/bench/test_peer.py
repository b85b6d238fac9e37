"""A figure is printed only for a right answer."""

import sys
from pathlib import Path

import pytest
import tables
from peer import Peer, in_turn

MEBIBYTE = 1 << 20


def python(program: str) -> Peer:
    return Peer("three", [sys.executable, "-c", program], int, 3, 1_000)


def test_a_right_answer_is_timed() -> None:
    peer = python("print(3)")

    in_turn([peer], 2)

    assert 2 == len(peer.seconds)
    assert 0 < peer.best <= peer.median


def test_a_wrong_answer_ends_the_program_with_both_numbers_and_the_complaint() -> None:
    peer = python("import sys; print(4); sys.stderr.write('no room')")

    with pytest.raises(SystemExit, match=r"three: 4 instead of 3, exit 0\nno room"):
        peer.run()

    assert [] == peer.seconds


def test_a_right_answer_of_a_command_that_failed_is_none() -> None:
    with pytest.raises(SystemExit, match="three: 3 instead of 3, exit 1"):
        python("import sys; print(3); sys.exit(1)").run()


def test_an_answer_that_can_not_be_read_is_shown() -> None:
    with pytest.raises(SystemExit, match="three: b'many' instead of 3"):
        python("print('many', end='')").run()


def test_the_peak_is_what_the_command_held() -> None:
    peer = python(f"held = b'x' * (300 * {MEBIBYTE}); print(3)")

    peer.run()

    assert 300 * MEBIBYTE <= peer.peak


def test_commands_run_in_turn(tmp_path: Path) -> None:
    log = tmp_path / "log"
    peers = [Peer(name, ["sh", "-c", f"echo {name} >>{log}"], len, 0, 1) for name in "ab"]

    in_turn(peers, 2)

    assert ["a", "b", "a", "b"] == log.read_text().split()


def test_a_ratio_is_of_lines_not_of_files() -> None:
    few, many = (Peer("", [], int, 0, lines, seconds=[1.0]) for lines in (10, 100))

    assert 10 == pytest.approx(few.ratio(many))


def test_a_missed_goal_is_marked() -> None:
    assert ["1.15", "at most 1.15"] == tables.at_most(1.15, 1.15)
    assert ["1.20", "at most 1.15: **missed**"] == tables.at_most(1.2, 1.15)
    assert ["1.80", "at least 1.8"] == tables.at_least(1.8, 1.8)
    assert ["1.70", "at least 1.8: **missed**"] == tables.at_least(1.7, 1.8)
