"""Makes pieces ahead in a thread, while the ones before are worked on.

For pieces whose making releases the GIL and ends soon: whoever closes this waits for the thread.
"""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

BATCH = 1024 * 1024
"""Bytes that are handed over at once: 1 GB of log takes 1.0 s with 1 MiB, 1.2 with 256 KiB."""

BATCHES = 2
"""Batches that are made ahead; with the one that is worked on 3 MiB lie in memory."""


def ahead(pieces: Iterator[bytes]) -> Generator[bytes]:
    """Yield what `pieces` yields and raise what it raises, each in its turn."""
    batches = _batches(pieces)
    pool = ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(next, batches, None) for _ in range(BATCHES))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, batches, None))
            yield from batch
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(pieces: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            batch.append(piece)
            size += len(piece)
            if size >= BATCH:
                yield batch
                batch, size = [], 0
    except Exception:
        yield batch
        raise
    yield batch
