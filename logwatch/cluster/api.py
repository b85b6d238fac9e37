"""The Kubernetes API as plain JSON: a method for each verb, an error for each kind of no.

No generated models: an object is the dict of its JSON, and what is large or often read (lists,
watches) is handed on as bytes, for whoever knows its type. Nothing is repeated here; who calls
knows whether a write may be sent twice.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from logwatch.cluster.connection import JSON, MOUNTED, Connection, Request, Timeout, configuration
from logwatch.cluster.errors import NotServed, Unavailable
from logwatch.cluster.kind import Kind
from logwatch.cluster.watch import Watch

Document = dict[str, Any]
"""An object of the API, as its JSON is."""

Calls = Callable[[str, str, str, str], None]
"""Told of each call as RBAC knows it: verb, group, resource, subresource. `/apis` has no group."""

TIMEOUT: Timeout = (2.0, 5.0)
"""The API server's own objective for a single object is one second at the 99th percentile."""

LIST_TIMEOUT: Timeout = (2.0, 20.0)
"""Its objective for a list of a whole cluster is 30 s; here silence counts, not the whole."""

WATCH_SECONDS = 25.0
"""After which the server ends a watch. Silence for longer than that means that it is gone."""

WATCH_MARGIN = 2.0
"""What the end of a watch may take to arrive; with it, silence is noticed within 30 s."""

PAGE = 250
"""Objects in a page of a list. Reports of up to 256 KiB make it 64 MiB at most."""

METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
APPLY = "application/apply-patch+yaml"  # JSON is YAML
JSON_PATCH = "application/json-patch+json"


Decoded = TypeVar("Decoded")


class _PageMetadata(msgspec.Struct):
    resource_version: str = msgspec.field(default="", name="resourceVersion")
    token: str = msgspec.field(default="", name="continue")
    remaining: int = msgspec.field(default=0, name="remainingItemCount")


class Page(msgspec.Struct):
    """A piece of a list: the JSON of each object, and what the list says of itself."""

    metadata: _PageMetadata
    found: list[msgspec.Raw] | None = msgspec.field(name="items")

    @property
    def items(self) -> Sequence[msgspec.Raw]:
        """The objects; an empty list is null for some kinds of answers."""
        return self.found or ()

    @property
    def resource_version(self) -> str:
        """What to watch from; the same in all pages of a list."""
        return self.metadata.resource_version


class _Version(msgspec.Struct):
    version: str


class _Group(msgspec.Struct):
    name: str
    versions: list[_Version]


class _Groups(msgspec.Struct):
    groups: list[_Group]


class _Resource(msgspec.Struct):
    name: str
    verbs: list[str]


class _Resources(msgspec.Struct):
    resources: list[_Resource]


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a collection, and the version to watch from."""

    items: list[Document]
    resource_version: str


class Api:
    """The API server, as one identity. Used from any thread.

    Each call raises a ClusterError of the kind that fits. `timeout` is what a call takes at most to
    connect, and to wait in silence for more of the answer.
    """

    def __init__(self, connection: Connection, calls: Calls | None = None) -> None:
        self._connection = connection
        self._calls = calls

    @classmethod
    def connect(
        cls,
        kubeconfig: Path | None = None,
        *,
        calls: Calls | None = None,
        environment: Mapping[str, str] = os.environ,
        mounted: Path = MOUNTED,
    ) -> "Api":
        """Use the kubeconfig; without one the Pod's ServiceAccount, outside a Pod the user's own.

        Raises ConnectError; sends nothing yet.
        """
        return cls(Connection(configuration(kubeconfig, environment, mounted)), calls)

    @property
    def server(self) -> str:
        """Where it is: `https://host:port`."""
        return self._connection.server

    def get(self, kind: Kind, name: str, *, timeout: Timeout = TIMEOUT) -> Document:
        """Read one object."""
        self._count("get", kind)
        return self._document(Request("GET", kind.path(name)), timeout)

    def list(  # noqa: PLR0913 - the API's own choices
        self,
        kind: Kind,
        *,
        limit: int = PAGE,
        metadata_only: bool = False,
        field_selector: str = "",
        label_selector: str = "",
        timeout: Timeout = LIST_TIMEOUT,
    ) -> Listing:
        """Read all objects, `limit` at a time. Of their `metadata_only`, nothing else is sent."""
        items: list[Document] = []
        version = ""
        for page in self.pages(
            kind,
            limit=limit,
            metadata_only=metadata_only,
            field_selector=field_selector,
            label_selector=label_selector,
            timeout=timeout,
        ):
            items += [msgspec.json.decode(item) for item in page.items]
            version = page.resource_version
        return Listing(items, version)

    def pages(  # noqa: PLR0913 - the API's own choices
        self,
        kind: Kind,
        *,
        limit: int = PAGE,
        metadata_only: bool = False,
        field_selector: str = "",
        label_selector: str = "",
        timeout: Timeout = LIST_TIMEOUT,
    ) -> Iterator[Page]:
        """Read all objects as pages of bytes, so that never more than a page is held at once.

        Raises Gone when reading took so long (minutes) that the list was compacted meanwhile.
        """
        query = {"limit": str(limit)}
        if field_selector:
            query["fieldSelector"] = field_selector
        if label_selector:
            query["labelSelector"] = label_selector
        accept = METADATA if metadata_only else JSON
        while True:
            self._count("list", kind)
            request = Request("GET", kind.path(), query, accept=accept)
            page = _decoded(request, self._connection.send(request, timeout), Page)
            yield page
            if not page.metadata.token:
                return
            query["continue"] = page.metadata.token

    def count(self, kind: Kind, *, timeout: Timeout = TIMEOUT) -> int:
        """Count the objects of a collection, whatever their number at the cost of reading one."""
        page = next(self.pages(kind, limit=1, metadata_only=True, timeout=timeout))
        return len(page.items) + page.metadata.remaining

    def create(self, kind: Kind, body: Document, *, timeout: Timeout = TIMEOUT) -> Document:
        """Create an object; Conflict with the reason AlreadyExists where there is one."""
        self._count("create", kind)
        return self._document(Request("POST", kind.path(), body=body), timeout)

    def apply(  # noqa: PLR0913 - the API's own choices
        self,
        kind: Kind,
        name: str,
        body: Document,
        *,
        manager: str,
        force: bool = True,
        subresource: str | None = None,
        timeout: Timeout = TIMEOUT,
    ) -> Document:
        """Apply on the server: `manager` owns the fields in `body`, and gives up all others.

        `body` has apiVersion, kind and metadata.name. Without `force`, a field that another owns is
        a Conflict that names the owners.
        """
        self._count("patch", kind, subresource)
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        path = kind.path(name, subresource)
        return self._document(Request("PATCH", path, query, body, APPLY), timeout)

    def json_patch(
        self,
        kind: Kind,
        name: str,
        operations: Sequence[Document],
        *,
        subresource: str | None = None,
        timeout: Timeout = TIMEOUT,
    ) -> Document:
        """Patch by RFC 6902; a `test` that fails, or a path that is not there, is a Conflict."""
        self._count("patch", kind, subresource)
        path = kind.path(name, subresource)
        request = Request("PATCH", path, body=[*operations], content=JSON_PATCH)
        return self._document(request, timeout)

    def replace(
        self,
        kind: Kind,
        body: Document,
        *,
        subresource: str | None = None,
        timeout: Timeout = TIMEOUT,
    ) -> Document:
        """Replace the object that `body` names; Conflict when it has changed since it was read."""
        self._count("update", kind, subresource)
        path = kind.path(body["metadata"]["name"], subresource)
        return self._document(Request("PUT", path, body=body), timeout)

    def delete(
        self,
        kind: Kind,
        name: str,
        *,
        resource_version: str | None = None,
        timeout: Timeout = TIMEOUT,
    ) -> None:
        """Delete an object; Conflict when it is no longer of that `resource_version`."""
        self._count("delete", kind)
        only = resource_version and {"preconditions": {"resourceVersion": resource_version}}
        self._connection.send(Request("DELETE", kind.path(name), body=only or None), timeout)

    def watch(  # noqa: PLR0913 - the API's own choices
        self,
        kind: Kind,
        resource_version: str,
        *,
        seconds: float = WATCH_SECONDS,
        margin: float = WATCH_MARGIN,
        field_selector: str = "",
        label_selector: str = "",
    ) -> Watch:
        """Watch the changes after `resource_version`; the server ends it after `seconds`.

        Unreachable when the server was silent for `margin` seconds longer.
        """
        self._count("watch", kind)
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": f"{seconds:.0f}",
        }
        if field_selector:
            query["fieldSelector"] = field_selector
        if label_selector:
            query["labelSelector"] = label_selector
        timeout = (TIMEOUT[0], seconds + margin)
        request = Request("GET", kind.path(), query)
        return Watch(self._connection, request, self._connection.open(request, timeout))

    def groups(self, *, timeout: Timeout = TIMEOUT) -> dict[str, Sequence[str]]:
        """Give the groups that are served, with their versions, the preferred first."""
        if self._calls:
            self._calls("get", "", "/apis", "")
        request = Request("GET", "/apis")
        found = _decoded(request, self._connection.send(request, timeout), _Groups)
        return {
            group.name: [version.version for version in group.versions] for group in found.groups
        }

    def verbs(self, kind: Kind, *, timeout: Timeout = TIMEOUT) -> Sequence[str]:
        """Give what can be done with a kind now: nothing where it is not served.

        While its definition is being deleted, and all objects with it, `create` is not there.
        """
        path = f"/{'apis' if kind.group else 'api'}/{kind.api_version}"
        if self._calls:
            self._calls("get", "", path, "")
        request = Request("GET", path)
        try:
            found = _decoded(request, self._connection.send(request, timeout), _Resources)
        except NotServed:
            return ()
        return next((each.verbs for each in found.resources if each.name == kind.plural), ())

    def close(self) -> None:
        """Close the idle connections."""
        self._connection.close()

    def _count(self, verb: str, kind: Kind, subresource: str | None = None) -> None:
        if self._calls:
            self._calls(verb, kind.group, kind.plural, subresource or "")

    def _document(self, request: Request, timeout: Timeout) -> Document:
        return _decoded(request, self._connection.send(request, timeout), Document)


def _decoded(request: Request, body: bytes, type_: type[Decoded]) -> Decoded:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.MsgspecError as error:
        raise Unavailable(
            f"{request} was answered with what is no such object ({error}): see what else answers"
            " at this address"
        ) from None
