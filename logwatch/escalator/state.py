"""What outlives a leader and stands in no BlacklistEntry: a freeze, and what was undone.

It is one ConfigMap beside the Lease, written by compare-and-swap. Without it, whoever leads next
would ban again at once what a person just let go.
"""

import base64
from collections.abc import Callable, Iterator, Mapping

import msgspec

from logwatch.cluster import Api, Document, Kind, NotFound

NAME = "logwatch-escalator"
KEY = "state.json"

UNDONE_MOST = 5_000
"""Undone networks that are remembered, 60 bytes each: the latest, in 300 KiB of the API's MiB."""


class _Saved(msgspec.Struct):
    undone: dict[str, float] = {}
    freeze: str = ""
    """What `Offenders.freeze_document` gave, in base64."""


class Undone(Mapping[str, float]):
    """Networks whose bans were undone, each with when: what they did before counts no more."""

    def __init__(self, saved: Mapping[str, float], *, seconds: float) -> None:
        """Remember each for so many seconds, as far as rules look back."""
        self._times = dict(sorted(saved.items(), key=lambda each: each[1]))
        self._seconds = seconds

    def add(self, network: str, now: float) -> None:
        """Remember one."""
        self._times.pop(network, None)
        self._times[network] = now

    def forget(self, now: float) -> None:
        """Forget what no rule can see any more, and the oldest of too many."""
        while self._times:
            oldest = next(iter(self._times))
            is_over = self._times[oldest] + self._seconds < now
            if not is_over and len(self._times) <= UNDONE_MOST:
                return
            del self._times[oldest]

    def __getitem__(self, network: str) -> float:
        """Give when it was undone."""
        return self._times[network]

    def __iter__(self) -> Iterator[str]:
        """Give them in the order of their times."""
        return iter(self._times)

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._times)


class State:
    """The ConfigMap. One thread at a time; raises the errors of `Api`."""

    def __init__(self, api: Api, namespace: str, fence: Callable[[], None]) -> None:
        self._api = api
        self._kind = Kind("", "v1", "configmaps", namespace)
        self._fence = fence
        self._version: str | None = None
        self._written = b""

    def read(self, seconds: float) -> tuple[Undone, bytes | None, bool]:
        """Read what was undone, the document of a freeze, and whether all of it was readable."""
        try:
            found = self._api.get(self._kind, NAME)
        except NotFound:
            self._version, self._written = None, b""
            return Undone({}, seconds=seconds), None, True
        self._version = found["metadata"]["resourceVersion"]
        self._written = str((found.get("data") or {}).get(KEY, "{}")).encode()
        try:
            saved = msgspec.json.decode(self._written, type=_Saved)
            freeze = base64.b64decode(saved.freeze) or None
        except (msgspec.MsgspecError, ValueError):
            return Undone({}, seconds=seconds), None, False
        return Undone(saved.undone, seconds=seconds), freeze, True

    def write(self, undone: Undone, freeze: bytes | None) -> None:
        """Write what has changed; Conflict when somebody else wrote meanwhile."""
        saved = _Saved(dict(undone), base64.b64encode(freeze or b"").decode())
        text = msgspec.json.encode(saved)
        if text == self._written or (self._version is None and not undone and freeze is None):
            return
        self._fence()
        body = self._body(text.decode())
        if self._version is None:
            written = self._api.create(self._kind, body)
        else:
            body["metadata"]["resourceVersion"] = self._version
            written = self._api.replace(self._kind, body)
        self._version, self._written = written["metadata"]["resourceVersion"], text

    def _body(self, text: str) -> Document:
        metadata = {"name": NAME, "namespace": self._kind.namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: text}}
