"""Requests of people on their way to the loop and back.

The loop carries them out between two rounds, and answers once what they changed is committed.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from logwatch.control import Answer, Done, Refused, Request
from logwatch.control.server import CLOSING, MISTAKE, Peer

Carry = Callable[[Request, Peer], Answer]


class Requests:
    """`submit` is for any thread, the rest for the loop's."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._waiting: deque[tuple[Request, Peer, Future[Answer]]] = deque()
        self._answers: list[tuple[Future[Answer], Answer]] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, request: Request, peer: Peer) -> "Future[Answer]":
        """Take a request in, and wake the loop; its answer comes in the future."""
        future: Future[Answer] = Future()
        with self._lock:
            if self._is_closed:
                future.set_result(CLOSING)
                return future
            self._waiting.append((request, peer, future))
        self._wake()
        return future

    @property
    def has_answers(self) -> bool:
        """Whether something was carried out that a commit has to follow."""
        return bool(self._answers)

    def carry_out(self, carry: Carry) -> str | None:
        """Do what was asked for; one that fails is answered, and returned as a problem."""
        problem = None
        for _ in range(len(self._waiting)):
            request, peer, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue  # whoever asked was told that it took too long
            try:
                answer = carry(request, peer)
            except Exception as error:  # noqa: BLE001 - one request must not stop the counting
                answer = MISTAKE
                problem = f"{type(error).__name__}: {error}; please report this"
            self._answers.append((future, answer))
        return problem

    def answer(self, unsaved: str | None, unwritten: str | None) -> None:
        """Answer after the commit; with what is wrong about the state or the policy, if it is."""
        for future, answer in self._answers:
            future.set_result(_qualified(answer, unsaved, unwritten))
        self._answers.clear()

    def close(self) -> None:
        """Answer all that was not carried out, and whatever comes."""
        with self._lock:
            self._is_closed = True
        self.answer("the agent ended before it was saved", None)
        while self._waiting:
            future = self._waiting.popleft()[2]
            if future.set_running_or_notify_cancel():
                future.set_result(CLOSING)


def _qualified(answer: Answer, unsaved: str | None, unwritten: str | None) -> Answer:
    if not isinstance(answer, Done):
        return answer
    if unsaved:
        return Refused(f"{answer.text}, but that is lost when the agent ends: {unsaved}")
    if unwritten:
        return Refused(f"{answer.text} and saved, but not in the policy yet: {unwritten}")
    return answer
