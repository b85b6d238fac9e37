"""Waiting for a descriptor; waits end by the event, their seconds are only a bound."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from logwatch.tail import ReadableWaiter

PATIENCE = 20.0  # seconds that no passing test ever waits


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_what_can_be_read_wakes_until_it_was_read(pipe: tuple[int, int]) -> None:
    waiter = ReadableWaiter([lambda: pipe[0]], settle=0.0)
    assert not waiter.wait(0.0)
    os.write(pipe[1], b"x")
    assert waiter.wait(PATIENCE)
    assert waiter.wait(PATIENCE)
    os.read(pipe[0], 1)
    assert not waiter.wait(0.0)
    waiter.close()


def test_wake_ends_one_wait(pipe: tuple[int, int]) -> None:
    waiter = ReadableWaiter([lambda: pipe[0]], settle=0.0)
    for _ in range(100):
        waiter.wake()
    assert waiter.wait(PATIENCE)
    assert not waiter.wait(0.0)
    thread = threading.Timer(0.05, waiter.wake)
    thread.start()
    assert waiter.wait(PATIENCE)
    thread.join()
    waiter.close()


def test_a_descriptor_may_come_later(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"x")
    descriptors: list[int | None] = [None]
    waiter = ReadableWaiter([lambda: descriptors[0]], settle=0.0)
    assert not waiter.wait(0.0)
    descriptors[0] = pipe[0]
    assert waiter.wait(PATIENCE)
    assert (True, "") == (waiter.alive, waiter.reason)
    waiter.close()


def test_a_flood_wakes_in_turns(pipe: tuple[int, int]) -> None:
    """Also when it is there all the time, `settle` passes between two wake-ups."""
    waiter = ReadableWaiter([lambda: pipe[0]], settle=0.05)
    os.write(pipe[1], b"x")
    began = time.monotonic()
    for _ in range(5):
        assert waiter.wait(PATIENCE)
    assert time.monotonic() - began >= 4 * 0.05
    waiter.close()


def test_a_closed_waiter_can_be_woken() -> None:
    """By a scrape that comes while the daemon stops."""
    waiter = ReadableWaiter([])
    waiter.close()
    waiter.wake()
