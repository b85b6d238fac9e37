"""Does numbered pieces of work in threads; what they give comes in the order of the numbers.

For work that releases the GIL, as the scanner and the decompressors do.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")
Work = Callable[[Callable[[], bool], int], Result]
"""Takes whether to stop early, to be asked now and then, and the number."""

AHEAD = 2
"""Results that may lie waiting, per job, for one before them: a table can have 256 MiB."""

END_SECONDS = 0.2
"""To wait for each thread after an interrupt: a piece takes a millisecond. Who hangs on a pipe is
left behind, which a pool of concurrent.futures would wait for."""


def in_order(work: Work[Result], count: int, jobs: int) -> Iterator[Result]:
    """Yield the results of 0 to `count` - 1, of which `jobs` are worked on at the same time.

    What `work` raises is raised here, in its turn. A KeyboardInterrupt comes after the results that
    could be had when the work was told to stop.
    """
    stopping = threading.Event()
    room = threading.Semaphore(jobs * AHEAD)
    waiting: SimpleQueue[int] = SimpleQueue()
    for number in range(count):
        waiting.put(number)
    results: list[SimpleQueue[Result | BaseException]] = [SimpleQueue() for _ in range(count)]

    def run() -> None:
        while True:
            room.acquire()
            if stopping.is_set() or waiting.empty():
                room.release()
                return
            number = waiting.get()
            try:
                results[number].put(work(stopping.is_set, number))
            except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
                results[number].put(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(jobs, count))]
    try:
        _start(threads)
        for result in results:
            given = result.get()
            room.release()
            if isinstance(given, BaseException):
                raise given
            yield given
    except KeyboardInterrupt:
        _stop(stopping, room, threads)
        yield from _done(results)
        raise
    finally:
        _stop(stopping, room, threads)


def _start(threads: list[threading.Thread]) -> None:
    # An interrupt within start() finds its lock released and becomes a RuntimeError.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for thread in threads:
            thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop(
    stopping: threading.Event, room: threading.Semaphore, threads: list[threading.Thread]
) -> None:
    stopping.set()
    room.release()
    # An interrupt may come before all of them are started.
    for thread in filter(threading.Thread.is_alive, threads):
        thread.join(END_SECONDS)


def _done(results: "list[SimpleQueue[Result | BaseException]]") -> Iterator[Result]:
    """What is there and was not taken yet, in order."""
    for result in results:
        if not result.empty() and not isinstance(given := result.get(), BaseException):
            yield given
