"""What outlives a leader and stands in no BlacklistEntry: a freeze, and what was undone.

It is one ConfigMap beside the Lease, written by compare-and-swap. Without it, whoever leads next
would ban again at once what a person just let go, also while nobody led: for that it names the
entries that there were.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from logwatch.blacklist import NetworkError, parse_network
from logwatch.cluster import Api, Conflict, Document, Kind, NotFound

NAME = "logwatch-escalator"
KEY = "state.json"

UNDONE_MOST = 5_000
"""Undone networks that are remembered, 60 bytes each: the latest, in 300 KiB of the API's MiB."""

BANNED_MOST = 5_000
"""Entries that are remembered: the latest, in 200 KiB of it."""

ATTEMPTS = 3
"""People may change the ConfigMap, too, such as its labels."""


class _Saved(msgspec.Struct):
    undone: dict[str, float] = {}
    freeze: str = ""
    """What `Offenders.freeze_document` gave, in base64."""
    banned: list[str] = []


@dataclass(frozen=True, slots=True)
class Saved:
    """What was read."""

    undone: "Undone"
    freeze: bytes | None = None
    banned: frozenset[str] = frozenset()
    """Networks of rules' entries that there were: one that is missing was deleted by a person."""
    is_readable: bool = True


class Undone(Mapping[str, float]):
    """Networks whose bans were undone, each with when: what they did before counts no more."""

    def __init__(self, saved: Mapping[str, float], *, seconds: float) -> None:
        """Remember each for so many seconds, as far as rules look back."""
        self._times = dict(sorted(saved.items(), key=lambda each: each[1]))
        self._seconds = seconds
        self.revision = 0
        """Grows with each that is added: only that has to be saved at once."""

    def add(self, network: str, now: float) -> None:
        """Remember one."""
        self._times.pop(network, None)
        self._times[network] = now
        self.revision += 1

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
        self._found: Document | None = None
        self._saved: tuple[int, bytes | None] = (0, None)
        """The revision of what was undone and the freeze, as they were written last."""
        self._banned: frozenset[str] = frozenset()
        """As they were written last."""

    def read(self, seconds: float, now: float) -> Saved:
        """Read all of it; what was undone is remembered for so many seconds."""
        self._read()
        text = str(((self._found or {}).get("data") or {}).get(KEY, "{}"))
        try:
            saved = msgspec.json.decode(text, type=_Saved)
            freeze = base64.b64decode(saved.freeze) or None
        except (msgspec.MsgspecError, ValueError):
            return Saved(Undone({}, seconds=seconds), is_readable=False)
        undone = {}
        for network, time in saved.undone.items():
            with suppress(NetworkError):
                undone[str(parse_network(network))] = min(time, now)
        self._saved = (0, freeze)
        self._banned = frozenset(saved.banned)
        is_readable = len(undone) == len(saved.undone)
        return Saved(Undone(undone, seconds=seconds), freeze, self._banned, is_readable)

    def write(
        self, undone: Undone, freeze: bytes | None, banned: Sequence[str] | None = None
    ) -> None:
        """Write what has changed; Conflict when others change it again and again.

        Without those that are `banned`, the latest last, they are as before, but for the undone.
        """
        has_changed = self._saved != (undone.revision, freeze)
        if banned is None:
            banned = sorted(self._banned - undone.keys() if has_changed else self._banned)
        banned = banned[-BANNED_MOST:]
        if not has_changed and self._banned == frozenset(banned):
            return
        saved = _Saved(dict(undone), base64.b64encode(freeze or b"").decode(), list(banned))
        text = msgspec.json.encode(saved).decode()
        for attempt in range(ATTEMPTS):
            self._fence()
            try:
                self._write(text)
            except (Conflict, NotFound):
                if attempt + 1 == ATTEMPTS:
                    raise
                self._read()
            else:
                self._saved, self._banned = (undone.revision, freeze), frozenset(banned)
                return

    def _read(self) -> None:
        try:
            self._found = self._api.get(self._kind, NAME)
        except NotFound:
            self._found = None

    def _write(self, text: str) -> None:
        """Change what was read last, and leave to others what is theirs."""
        if self._found is None:
            metadata = {"name": NAME, "namespace": self._kind.namespace}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            self._found = self._api.create(self._kind, {**body, "data": {KEY: text}})
        else:
            data = {**(self._found.get("data") or {}), KEY: text}
            self._found = self._api.replace(self._kind, {**self._found, "data": data})
