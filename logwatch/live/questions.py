"""Questions of other threads to the loop, which alone may look at what it decides with."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from logwatch.export import BusyError

Answer = TypeVar("Answer")

WAIT_SECONDS = 5.0
"""Longer than a round under load; a page that waits longer is no help."""

MOST = 64
"""Questions that wait at once: beyond that the loop is not coming round, or somebody floods it."""


class Questions:
    """`ask` is for any thread, `answer` and `close` for the loop's."""

    def __init__(self, wake: Callable[[], object], late: str) -> None:
        """`late` is said to people when the loop does not answer."""
        self._wake = wake
        self._late = late
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def ask(self, question: Callable[[], Answer], seconds: float = WAIT_SECONDS) -> Answer:
        """Have the loop call `question`, and give what it returned, or raise what it raised.

        Raises BusyError when that takes longer than `seconds`, or the loop has ended.
        """
        future: Future[Answer] = Future()
        with self._lock:
            if self._is_closed or len(self._waiting) >= MOST:
                raise BusyError(self._late)
            self._waiting.append((question, future))
        self._wake()
        try:
            return future.result(seconds)
        except TimeoutError:
            if not future.cancel() and future.done():
                return future.result()
            raise BusyError(self._late) from None

    def answer(self) -> None:
        """Answer what waits."""
        for _ in range(len(self._waiting)):
            question, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(question())
            except Exception as error:  # noqa: BLE001 - it is whoever asked that has to know
                future.set_exception(error)

    def close(self) -> None:
        """Answer nothing any more."""
        with self._lock:
            self._is_closed = True
        while self._waiting:
            future = self._waiting.popleft()[1]
            if future.set_running_or_notify_cancel():
                future.set_exception(BusyError(self._late))
