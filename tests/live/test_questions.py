"""Questions to a loop: answered on it, once, or not at all."""

import threading
from collections.abc import Iterator

import pytest

from logwatch.export import BusyError
from logwatch.live.questions import MOST, Questions


class Loop:
    """A thread that answers whenever it is woken."""

    def __init__(self) -> None:
        self._woken = threading.Semaphore(0)
        self._is_over = False
        self.questions = Questions(self._woken.release, "late")
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while self._woken.acquire() and not self._is_over:
            self.questions.answer()
        self.questions.close()

    def end(self) -> None:
        self._is_over = True
        self._woken.release()
        self.thread.join()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.end()


def test_it_is_the_loop_that_answers(loop: Loop) -> None:
    assert loop.thread.ident == loop.questions.ask(threading.get_ident)


def test_what_a_question_raises_is_raised_where_it_was_asked(loop: Loop) -> None:
    def fail() -> None:
        raise ValueError("of the question")

    with pytest.raises(ValueError, match="of the question"):
        loop.questions.ask(fail)
    assert 3 == loop.questions.ask(lambda: 3)


def test_a_loop_that_does_not_come_round_is_not_waited_for() -> None:
    questions = Questions(lambda: None, "late")
    asked: list[int] = []
    with pytest.raises(BusyError):
        questions.ask(lambda: asked.append(1), seconds=0.01)
    questions.answer()
    assert [] == asked


def test_no_more_wait_than_make_sense() -> None:
    """A question more than there may be is refused at once."""
    full = threading.Semaphore(0)
    questions = Questions(full.release, "late")

    def ask() -> None:
        with pytest.raises(BusyError):
            questions.ask(int, 10.0)

    threads = [threading.Thread(target=ask) for _ in range(MOST)]
    for thread in threads:
        thread.start()
    for _ in threads:
        full.acquire()
    ask()
    questions.close()
    for thread in threads:
        thread.join()


def test_after_the_end_nobody_waits(loop: Loop) -> None:
    loop.end()
    with pytest.raises(BusyError):
        loop.questions.ask(int, 10.0)
