"""The HTTP server: uvicorn and Starlette on a thread of their own.

It only reads, GET and HEAD; `access` tells who is answered. Rendering and committing run on worker
threads, so that nothing slow stops the loop that answers the others.
"""

import asyncio
import errno
import gzip
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logwatch.config import Web
from logwatch.errors import LogwatchError
from logwatch.export.acceptor import Acceptor
from logwatch.export.access import Access, Token
from logwatch.export.connection import KEEP_ALIVE_SECONDS, LARGEST_HEAD_BYTES, Connection
from logwatch.export.errors import ListenError, WebError
from logwatch.export.metrics import Metrics
from logwatch.export.site import (
    INDEX,
    BadRequestError,
    BusyError,
    File,
    NotHereError,
    Page,
    asked_for,
    read_files,
)
from logwatch.export.tls import Tls
from logwatch.printable import printable

BACKLOG = 1024
"""Connections that wait for us. Of more, the kernel has a client try again after a second."""

WORKERS = 2
"""Scrapes at work at once: two Prometheus servers; the commit before each is one anyway."""

STOP_SECONDS = 1
"""What answers in progress get to end; with uvicorn's own pauses `stop` stays below two seconds."""

SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = [
    ("Content-Security-Policy", SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]

PLAIN = Web()
"""HTTP that anybody may ask."""

REFUSALS = ("accept", "certificate", "crowd", "handshake", "token")

CLEAR = "The token of web.token_file is sent in the clear: give web.certificate_file as well."

Result = TypeVar("Result")


class Server:
    """Serves `/metrics`, `/healthz`, `/readyz`, and the live page with what it asks for."""

    def __init__(  # noqa: PLR0913 - seams
        self,
        listen: tuple[str, int],
        *,
        metrics: Metrics,
        page: Page,
        commit: Callable[[], None],
        health: Callable[[], Sequence[str]],
        ready: Callable[[], Sequence[str]],
        notes: Callable[[], Sequence[str]] = tuple,
        web: Web = PLAIN,
    ) -> None:
        """Take an address (port 0: any free one) and what to ask.

        `commit` is called before each scrape, on a worker thread but never twice at once; it may
        block for two seconds. It should handle what fails; a LogwatchError that it raises is
        counted in `failed_commits`, and the scrape shows what was durable before. `health` and
        `ready` give sentences about what is wrong, none if nothing is; they must not block. `notes`
        are told with readiness, whether it is given or not. `web` names what `start` reads.
        Raises StaticError.
        """
        self._files = read_files()
        self._page = page
        self._listen = listen
        self._metrics = metrics
        self._commit = commit
        self._health = health
        self._ready = ready
        self._notes = notes
        self._server: Acceptor | None = None
        self._thread: threading.Thread | None = None
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="logwatch-scrape")
        self._committing = threading.Lock()
        self.address = listen
        """The address listened on, with the real port after `start`."""
        self.failed_commits = 0
        self._web = web
        self._tls: Tls | None = None
        self._token: Token | None = None
        self._refusals = Counter(dict.fromkeys(REFUSALS, 0))

    def start(self) -> None:
        """Listen, then serve on a new thread; raises ListenError or WebError."""
        self._tls = Tls(self._web) if self._web.certificate_file else None
        self._token = Token(Path(self._web.token_file)) if self._web.token_file else None
        listener = _listening(*self._listen)
        self.address = (self._listen[0], listener.getsockname()[1])
        config = uvicorn.Config(
            _unstored(self._guarded(self._application())),
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
        tls = self._tls
        context = None if tls is None else lambda: tls.context
        server = self._server = Acceptor(config, listener, context, self._count_refusal)
        self._thread = threading.Thread(target=server.run, name="logwatch-http", daemon=True)
        self._thread.start()

    def refresh(self) -> str | None:
        """Read certificates and the token again where they changed; give what is wrong now.

        To be called now and then, always on the same thread.
        """
        problems = [] if self._tls is None else [self._tls.refresh()]
        if self._token is not None:
            try:
                self._token.read()
            except WebError as error:
                problems.append(f"{error} Nobody is answered but probes.")
            if self._tls is None:
                problems.append(CLEAR)
        return " ".join(problem for problem in problems if problem) or None

    @property
    def scheme(self) -> str:
        """What addresses begin with."""
        return "https" if self._web.certificate_file else "http"

    @property
    def certificate_ends(self) -> float | None:
        """Unix seconds; None without TLS, and before `start`."""
        return None if self._tls is None else self._tls.ends

    @property
    def refusals(self) -> Mapping[str, int]:
        """How many connections and requests were refused, by reason."""
        return MappingProxyType(dict(self._refusals))

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

    def _count_refusal(self, reason: str) -> None:
        self._refusals[reason] += 1

    def _guarded(self, application: Starlette) -> Access:
        return Access(
            application,
            token=self._token,
            needs_certificate=self._web.client_ca_file is not None,
            count=self._count_refusal,
        )

    def _application(self) -> Starlette:
        application = Starlette(
            routes=[
                Route("/", _file(self._files[INDEX])),
                *(Route(f"/static/{name}", _file(file)) for name, file in self._files.items()),
                Route("/api/summary", self._answer_summary),
                Route("/api/sources/{address:path}", self._answer_source),
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

    async def _answer_summary(self, request: Request) -> Response:
        arguments = dict(request.query_params)
        return await self._at_work(
            _asked, lambda: self._page.summary(asked_for(arguments)), _takes_gzip(request)
        )

    async def _answer_source(self, request: Request) -> Response:
        address = request.path_params["address"]
        return await self._at_work(_asked, lambda: self._page.source(address), _takes_gzip(request))

    def _rendered(self, accept: str, takes_gzip: bool) -> Response:  # noqa: FBT001 - passed along
        with self._committing:
            try:
                self._commit()
            except LogwatchError:
                self.failed_commits += 1
        body, content_type = self._metrics.render(accept)
        return _packed(body, content_type, takes_gzip=takes_gzip, vary="Accept, Accept-Encoding")

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


def _file(file: File) -> Callable[[Request], Awaitable[Response]]:
    """Answer with a file of the page, or that the client's is still the same."""
    kept = {"ETag": file.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}

    async def answer(request: Request) -> Response:
        if file.is_held(", ".join(request.headers.getlist("if-none-match"))):
            return Response(status_code=304, headers=kept)
        headers = kept | {"Content-Type": file.content_type}
        if not _takes_gzip(request):
            return Response(file.body, headers=headers)
        return Response(file.packed, headers=headers | {"Content-Encoding": "gzip"})

    return answer


def _unstored(application: ASGIApp) -> ASGIApp:
    """Have nobody on the way keep an answer, but where it says so itself."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await application(scope, receive, told)

    return answer


def _asked(ask: Callable[[], bytes | None], takes_gzip: bool) -> Response:  # noqa: FBT001 - passed along
    """Answer with JSON; 400 for what makes no sense, 404 for the unknown, 503 when it is late."""
    try:
        body = ask()
    except BadRequestError as error:
        return PlainTextResponse(f"{printable(str(error))}\n", 400)
    except NotHereError as error:
        return PlainTextResponse(f"{printable(str(error))}\n", 404)
    except BusyError as error:
        return PlainTextResponse(f"{printable(str(error))}\n", 503)
    if body is None:
        return PlainTextResponse("nothing is known of this source\n", 404)
    return _packed(body, "application/json", takes_gzip=takes_gzip)


def _packed(
    body: bytes, content_type: str, *, takes_gzip: bool, vary: str = "Accept-Encoding"
) -> Response:
    headers = {"Vary": vary, "Content-Type": content_type}
    if takes_gzip:
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)


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
    family, _, protocol, _, address = found[0]
    # asyncio switches Nagle's algorithm off, which delays answers by 40 ms, where it is told TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, protocol)
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
