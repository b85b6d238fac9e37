"""One HTTP connection that may neither wait forever nor crowd out a scrape.

uvicorn limits only the pause between two requests. Here each phase has a deadline.
"""

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

HEAD_SECONDS = 5.0
"""From the connection to the end of the first request's head; for TLS's handshake as much again."""

RESPONSE_SECONDS = 30.0
"""From a request's head until its answer is handed to the kernel; a scrape takes at most 10."""

KEEP_ALIVE_SECONDS = 75
"""Between two requests: the usual scrape intervals, up to a minute, reuse their connection."""

LARGEST_HEAD_BYTES = 16 * 1024

MOST_CONNECTIONS = 256
"""Of more, the one that is idle for longest is closed."""


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 with a deadline for each phase."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, idle: dict["Connection", None]
    ) -> None:
        """`idle` are those that answer nothing, the one that does so for longest first."""
        super().__init__(config, server_state, {})
        self._idle = idle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, and remember whether the client showed a certificate."""
        super().connection_made(transport)
        encrypted = transport.get_extra_info("ssl_object")
        # TLS has verified it: `app_state` is what each request's scope begins with.
        has_certificate = encrypted is not None and encrypted.getpeercert() is not None
        self.app_state = {"has_certificate": has_certificate}
        self._idle[self] = None
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._idle.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give a request that is complete its own deadline; a part of one changes nothing."""
        before: Any = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            if self.is_answering:
                self._idle.pop(self, None)
            self._wait(RESPONSE_SECONDS)

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is here already."""
        super().on_response_complete()
        if not self.is_answering and not self.transport.is_closing():
            self._idle[self] = None
        self._wait(RESPONSE_SECONDS if self.is_answering else KEEP_ALIVE_SECONDS + HEAD_SECONDS)

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered."""
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn's type says
        return cycle is not None and not cycle.response_complete

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)
