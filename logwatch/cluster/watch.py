"""One watch: the changes of a collection as they come, until the server ends it.

Bookmarks and changes are given alike; an ERROR event is raised as the error it is, Gone among them.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, ProtocolError

from logwatch.cluster.connection import Connection, Request
from logwatch.cluster.errors import Status, Unreachable, refusal

PIECE = 65_536


class Metadata(msgspec.Struct):
    """Of an object's metadata, what tells it and its version from others."""

    name: str = ""
    namespace: str = ""
    resource_version: str = msgspec.field(default="", name="resourceVersion")


class Named(msgspec.Struct):
    """An object of any kind."""

    metadata: Metadata = msgspec.field(default_factory=Metadata)


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Event:
    """A change: `type` is ADDED, MODIFIED, DELETED or BOOKMARK, `object` the JSON of the object."""

    type: str
    object: msgspec.Raw
    metadata: Metadata

    @property
    def resource_version(self) -> str:
        """What to watch from next."""
        return self.metadata.resource_version


class Watch:
    """Iterate over it once; `close` from any thread ends the iteration."""

    def __init__(self, connection: Connection, request: Request, answer: BaseHTTPResponse) -> None:
        self._connection = connection
        self._request = request
        self._answer = answer
        self._closed = False

    def __iter__(self) -> Iterator[Event]:
        """Give each event; raises what ends the watch before its time, Unreachable when silent."""
        try:
            for line in self._lines():
                yield self._event(line)
        except (HTTPError, OSError, ValueError) as error:
            if not self._closed:
                raise self._connection.unreachable(self._request, error) from None
        finally:
            self._answer.close()

    def close(self) -> None:
        """End it, from any thread, even while it waits for the server."""
        self._closed = True
        with suppress(ValueError, RuntimeError, OSError):  # it has ended already
            self._answer.shutdown()

    def _lines(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        for piece in self._answer.stream(PIECE, decode_content=False):
            *complete, rest = piece.split(b"\n")
            for line in complete:
                yield b"".join((*parts, line))
                parts.clear()
            if rest:
                parts.append(rest)
        if parts and not self._closed:
            raise ProtocolError("cut off in the middle of an event")

    def _event(self, line: bytes) -> Event:
        try:
            event = msgspec.json.decode(line, type=_Line)
            if event.type == "ERROR":
                raise refusal(str(self._request), msgspec.json.decode(event.object, type=Status))
            named = msgspec.json.decode(event.object, type=Named)
        except msgspec.MsgspecError as error:
            raise Unreachable(
                f"{self._request} sent what is no event ({error}): see what else answers there"
            ) from None
        return Event(event.type, event.object, named.metadata)
