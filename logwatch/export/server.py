"""The HTTP server: uvicorn and Starlette on a thread of their own.

It only reads, GET and HEAD, without authentication. Rendering and committing run on worker
threads, so that nothing slow stops the loop that answers the others.
"""

import asyncio
import errno
import gzip
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from logwatch.errors import LogwatchError
from logwatch.export.connection import KEEP_ALIVE_SECONDS, LARGEST_HEAD_BYTES, Connection
from logwatch.export.errors import ListenError
from logwatch.export.metrics import Metrics
from logwatch.export.printable import printable

BACKLOG = 128

WORKERS = 2
"""Scrapes at work at once: two Prometheus servers; the commit before each is one anyway."""

STOP_SECONDS = 1
"""What answers in progress get to end; with uvicorn's own pauses `stop` stays below two seconds."""

HEADERS = [
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
]

TICK_SECONDS = 1.0
"""How often the Date header is renewed. uvicorn's own loop wakes ten times a second for it, half of
what an idle agent costs."""

Result = TypeVar("Result")


class _Uvicorn(uvicorn.Server):
    """Sleeps until it is stopped, but for the ticks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), TICK_SECONDS)

    def stop(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._woken.set)


class Server:
    """Serves `/metrics`, `/healthz`, `/readyz` and a small page at `/`."""

    def __init__(  # noqa: PLR0913 - seams
        self,
        listen: tuple[str, int],
        *,
        metrics: Metrics,
        commit: Callable[[], None],
        health: Callable[[], Sequence[str]],
        ready: Callable[[], Sequence[str]],
        notes: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """Take an address (port 0: any free one) and what to ask.

        `commit` is called before each scrape, on a worker thread but never twice at once; it may
        block for two seconds. It should handle what fails; a LogwatchError that it raises is
        counted in `failed_commits`, and the scrape shows what was durable before. `health` and
        `ready` give sentences about what is wrong, none if nothing is; they must not block. `notes`
        are told with readiness, whether it is given or not.
        """
        self._listen = listen
        self._metrics = metrics
        self._commit = commit
        self._health = health
        self._ready = ready
        self._notes = notes
        self._server: _Uvicorn | None = None
        self._thread: threading.Thread | None = None
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="logwatch-scrape")
        self._committing = threading.Lock()
        self.address = listen
        """The address listened on, with the real port after `start`."""
        self.failed_commits = 0

    def start(self) -> None:
        """Listen, then serve on a new thread; raises ListenError when the address can't be had."""
        listener = _listening(*self._listen)
        self.address = (self._listen[0], listener.getsockname()[1])
        config = uvicorn.Config(
            self._application(),
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            headers=HEADERS,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
            h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        )
        server = self._server = _Uvicorn(config)
        self._thread = threading.Thread(
            target=server.run, args=([listener],), name="logwatch-http", daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the server's thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Close the address and end the thread, within two seconds."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(2 * STOP_SECONDS)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _application(self) -> Starlette:
        application = Starlette(
            routes=[
                Route("/", self._answer_page),
                Route("/metrics", self._answer_metrics),
                Route("/healthz", _reasons(self._health)),
                Route("/readyz", _reasons(self._ready, self._notes)),
            ]
        )
        application.router.redirect_slashes = False
        return application

    async def _answer_metrics(self, request: Request) -> Response:
        accept = ", ".join(request.headers.getlist("accept"))
        return await self._at_work(self._rendered, accept, _takes_gzip(request))

    async def _answer_page(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's call
        return await self._at_work(self._rendered_page)

    def _rendered(self, accept: str, takes_gzip: bool) -> Response:  # noqa: FBT001 - passed along
        with self._committing:
            try:
                self._commit()
            except LogwatchError:
                self.failed_commits += 1
        body, content_type = self._metrics.render(accept)
        headers = {"Vary": "Accept, Accept-Encoding"}
        if takes_gzip:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return Response(body, headers={**headers, "Content-Type": content_type})

    def _rendered_page(self) -> Response:
        return HTMLResponse(self._metrics.page())

    async def _at_work(self, work: Callable[..., Result], *arguments: object) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, work, *arguments)


def _reasons(
    ask: Callable[[], Sequence[str]], notes: Callable[[], Sequence[str]] = tuple
) -> Callable[[Request], Awaitable[Response]]:
    """Answer `ok`, or 503 with one reason a line; then the notes."""

    async def answer(request: Request) -> Response:  # noqa: ARG001 - Starlette's call
        reasons = ask()
        lines = [*(reasons or ["ok"]), *(f"note: {note}" for note in notes())]
        text = "".join(f"{printable(line)}\n" for line in lines)
        return PlainTextResponse(text, 503 if reasons else 200)

    return answer


def _takes_gzip(request: Request) -> bool:
    for item in ",".join(request.headers.getlist("accept-encoding")).split(","):
        coding, _, weight = item.replace(" ", "").lower().partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" or weight == ""
    return False


def _listening(host: str, port: int) -> socket.socket:
    """Give a socket that listens; raises ListenError."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ListenError(
            f"The host of the listening address {where} can't be resolved ({error}): give an "
            "address of this machine with --listen, such as 127.0.0.1:9137."
        ) from error
    family, _, _, _, address = found[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address[0] != "::"))
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)  # noqa: FBT003 - the socket module takes it so
    except OSError as error:
        listener.close()
        remedy = _REMEDIES.get(error.errno or 0, "give another address with --listen")
        raise ListenError(
            f"The address {where} can't be listened on ({error.strerror}): {remedy}."
        ) from error
    return listener


_REMEDIES = {
    errno.EADDRINUSE: "stop the process that uses it, or choose another port with --listen",
    errno.EADDRNOTAVAIL: "choose an address of this machine with --listen, or 0.0.0.0 for all",
    errno.EACCES: "choose a port of 1024 or above with --listen",
}
