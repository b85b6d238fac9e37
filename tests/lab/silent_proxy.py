"""A TCP proxy in front of the API server that makes the faults of a network.

It hands bytes on as they are, so TLS and the certificate are the server's own. What it is told
holds for open connections as well as for new ones, from the moment the method returns:

- `silence()`: takes connections and bytes, hands nothing on, closes nothing: they are half open.
- `cut()`: resets the open connections (RST); new ones are served.
- `refuse()`: the same, and new ones are refused.
- `delay(seconds)`: hands each piece on so much later, in each direction.
- `resume()`: serves again, without delay. What silence held back is handed on, as after a route
  that was away: a request that its client has given up may reach the server now.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Self
from urllib.parse import urlsplit

PIECE = 65536  # bytes


class SilentProxy:
    """A proxy to the host and port of a URL, listening on `url`; a context manager."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._scheme = parts.scheme
        self._port = 0
        self._delay = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.accepted = 0  # connections so far

    @property
    def url(self) -> str:
        """What a client is given in the place of the target."""
        return f"{self._scheme}://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._do(self._stopping.set)
        self._thread.join()

    def silence(self) -> None:
        """Hand nothing on any more, and keep all connections."""
        self._do(self._open.clear)

    def cut(self) -> None:
        """Reset the connections that are open."""
        self._do(self._reset)

    def refuse(self) -> None:
        """Reset the connections that are open, and refuse new ones."""
        self._do(self._close)

    def delay(self, seconds: float) -> None:
        """Hand every piece on later."""
        self._delay = seconds

    def resume(self) -> None:
        """Serve as at the start."""
        self._delay = 0.0
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self._do(self._open.set)

    def _do(self, action: Callable[[], None]) -> None:
        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._open, self._stopping = asyncio.Event(), asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open.set()
        await self._listen()
        self._ready.set()
        await self._stopping.wait()
        self._close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._reset()

    def _reset(self) -> None:
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            if writer.is_closing():  # its other end was quicker
                continue
            # Closed at once with this option, a socket sends RST instead of FIN.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        self._writers.clear()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.add(writer)
        self._start(self._serve(reader, writer))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        try:
            beyond, to_beyond = await asyncio.open_connection(*self._target)
        except OSError:  # the target is down: so is the proxy, for who asks it
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(to_beyond)
        self._start(self._hand_on(reader, to_beyond))
        self._start(self._hand_on(beyond, writer))

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(PIECE):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
            await self._open.wait()
        except OSError:  # one side has gone: the other one is told
            await self._open.wait()
        writer.close()
        self._writers.discard(writer)
