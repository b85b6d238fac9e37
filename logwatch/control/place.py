"""Where the socket is, and how both sides get there however long its path is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET_NAME = "logwatch.sock"

PATH_MOST = 107
"""Bytes of a path in `struct sockaddr_un`, without the NUL (unix(7))."""


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Give a path that fits: a longer one by its directory's descriptor in /proc.

    Raises OSError.
    """
    if len(os.fsencode(path)) <= PATH_MOST:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
