"""Work in threads comes back in order, fails as it would without them, and can be stopped."""

import signal
import threading
from collections.abc import Callable

import pytest

from logwatch.report.jobs import in_order


def test_results_come_in_order_whichever_is_done_first() -> None:
    """The first of two waits until the second is done."""
    second = threading.Event()

    def work(_is_stopping: Callable[[], bool], number: int) -> int:
        if number == 0:
            assert second.wait(10)
        if number == 1:
            second.set()
        return number

    assert list(range(20)) == list(in_order(work, 20, 2))


def test_as_many_run_at_the_same_time_as_there_are_jobs() -> None:
    together = threading.Barrier(3, timeout=10)

    def work(_is_stopping: Callable[[], bool], _number: int) -> int:
        return together.wait()

    assert [0, 1, 2] == sorted(in_order(work, 3, 3))


def test_what_fails_is_raised_in_its_turn() -> None:
    def work(_is_stopping: Callable[[], bool], number: int) -> int:
        return 6 // (2 - number)

    results = in_order(work, 9, 2)
    assert [3, 6] == [next(results), next(results)]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_nothing_runs_far_ahead_of_what_is_waited_for() -> None:
    """Each result may hold hundreds of megabytes."""
    far = threading.Event()
    ran_far: list[bool] = []

    def work(_is_stopping: Callable[[], bool], number: int) -> int:
        if number == 0:
            ran_far.append(far.wait(0.2))
        if number == 10:
            far.set()
        return number

    assert list(range(50)) == list(in_order(work, 50, 2))
    assert [False] == ran_far


def test_work_that_is_left_is_told_to_stop() -> None:
    stopped = threading.Event()

    def work(is_stopping: Callable[[], bool], number: int) -> int:
        if number == 1:
            while not is_stopping():
                pass
            stopped.set()
        return number

    results = in_order(work, 9, 2)
    assert 0 == next(results)
    results.close()
    assert stopped.wait(10)


def test_an_interrupt_before_all_threads_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(KeyboardInterrupt):
        list(in_order(lambda _is_stopping, number: number, 9, 3))
    started[0].join(10)
    assert not started[0].is_alive()


def test_an_interrupt_comes_after_what_can_be_had() -> None:
    """The first one hangs, the second is done, the third ends when it is told to."""
    others = threading.Barrier(3, timeout=10)
    hanging = threading.Event()

    def work(is_stopping: Callable[[], bool], number: int) -> int:
        if number == 0:
            others.wait()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            hanging.wait(10)
        else:
            others.wait()
        while number == 2 and not is_stopping():
            pass
        return number

    given = []
    with pytest.raises(KeyboardInterrupt):
        given.extend(in_order(work, 3, 3))
    hanging.set()
    assert [1, 2] == given
