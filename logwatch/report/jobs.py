"""Does numbered pieces of work in threads; what they give comes in the order of the numbers.

For work that releases the GIL, as the scanner and the decompressors do.
"""

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

    What `work` raises is raised here, in its turn.
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
        for thread in threads:
            thread.start()
        for result in results:
            given = result.get()
            room.release()
            if isinstance(given, BaseException):
                raise given
            yield given
    finally:
        stopping.set()
        room.release()
        # An interrupt may come before all of them are started.
        for thread in filter(threading.Thread.is_alive, threads):
            thread.join(END_SECONDS)
