"""uvicorn's server with a door of our own: how many may be open, and for how long TLS may begin.

asyncio's own takes in whoever comes, also while the handshakes of others are not finished, until
file descriptors run out: they are for logs.
"""

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count

import uvicorn

from logwatch.export import connection
from logwatch.export.connection import MOST_CONNECTIONS, Connection

TICK_SECONDS = 1.0
"""How often the Date header is renewed. uvicorn's own loop wakes ten times a second for it, half of
what an idle agent costs."""

SHARE_OF_DESCRIPTORS = 4
"""Connections take one in so many of what `ulimit -n` allows."""

SHARE_OF_HANDSHAKES = 4
"""One in so many connections may be before the end of its handshake; more push out the oldest of
them, and nobody who is through."""

LEAST_CONNECTIONS = 8

AT_ONCE = 16
"""Taken in before others get their turn."""

GOODBYE_SECONDS = 0.5
"""For a client's answer to the end of TLS."""

EXHAUSTED_SECONDS = 0.1
"""Pause after a connection that the kernel could not give us."""


class Acceptor(uvicorn.Server):
    """Sleeps until it is stopped, but for the ticks and those who come."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        context: Callable[[], ssl.SSLContext] | None,
        count: Callable[[str], None],
    ) -> None:
        """Take a socket that listens, and what gives the context of a new connection, for TLS.

        `count` is told `crowd`, `handshake` or `accept` for each connection that is refused.
        """
        super().__init__(config)
        self._listener = listener
        self._context = context
        self._count = count
        self._most = most_connections()
        self._opening: dict[asyncio.Task[None], None] = {}
        """Not through with the handshake, the oldest first."""
        self._idle: dict[Connection, None] = {}
        """The one that is idle for longest first."""
        self._accepting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self.servers = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - has its own
        """Begin to take in whoever comes."""
        self._accepting = asyncio.get_running_loop().create_task(self._accept())
        self._accepting.add_done_callback(lambda _: self._end())
        self.started = True

    async def main_loop(self) -> None:
        """Wait for `stop`."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in any more, then have uvicorn end the others."""
        tasks = [*self._opening, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._woken.set)

    def _end(self) -> None:
        self.should_exit = True
        self._woken.set()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for number in count(1):
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError:
                self._count("accept")
                await asyncio.sleep(EXHAUSTED_SECONDS)
                continue
            self._make_room()
            task = loop.create_task(self._open(client))
            self._opening[task] = None
            task.add_done_callback(partial(self._opened, client))
            if self._context is None:  # nothing of it is up to the client: none has to give way
                await asyncio.wait([task])
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)  # a crowd at the door does not keep the others waiting

    async def _open(self, client: socket.socket) -> None:
        context = self._context() if self._context is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self._idle),
                client,
                ssl=context,
                ssl_handshake_timeout=connection.HEAD_SECONDS if context else None,
                ssl_shutdown_timeout=GOODBYE_SECONDS if context else None,
            )
        except OSError:
            self._count("handshake")

    def _opened(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        self._opening.pop(task, None)
        if task.cancelled():
            client.close()  # also of one that was cancelled before it had begun

    def _make_room(self) -> None:
        if len(self._opening) >= max(1, self._most // SHARE_OF_HANDSHAKES):
            self._count("crowd")
            oldest = next(iter(self._opening))
            del self._opening[oldest]
            oldest.cancel()
        connections = self.server_state.connections
        if len(connections) + len(self._opening) >= self._most:
            self._count("crowd")
            idlest = next(iter(self._idle), None)
            if idlest is not None:
                del self._idle[idlest]
            closed = idlest or next(iter(connections))
            connections.discard(closed)
            closed.transport.abort()


def most_connections() -> int:
    """Give how many may be open, by what the process may have."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(LEAST_CONNECTIONS, min(MOST_CONNECTIONS, allowed // SHARE_OF_DESCRIPTORS))
