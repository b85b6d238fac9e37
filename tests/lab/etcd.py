"""The real etcd with its data in memory (/dev/shm), reached through its JSON gateway.

Each write is synced. On a disk that others write to that was seen to take a minute, after which the
API server gives up; memory survives whatever a test does to a process.

It is also what makes the state of an API server clean between tests: `mark` remembers which keys
there are, `reset` goes back to them. The API server learns it as from any other writer,
by its watches. Unlike a DELETE through the API this needs neither finalizers nor the controllers
that the lab lacks: a Namespace would stay Terminating for ever.
"""

import base64
import itertools
import json
import os
import shutil
import tempfile
import urllib.request
from collections.abc import Collection, Iterator
from pathlib import Path

from lab.namespace import started
from lab.process import Server, free_port

PREFIX = b"/registry/"  # --etcd-prefix of kube-apiserver
END = b"/registry0"  # the first key behind all that begin with PREFIX
MEMORY = Path("/dev/shm")
FOLDER = "logwatch-etcd-"  # with the process and its start time, so that no two runs collide
RENEWED = (b"/registry/leases/kube-system/apiserver-", b"/registry/masterleases/")


class Etcd:
    """One etcd, listening on `url`. `start()` after `kill()` goes on with its data."""

    def __init__(self, directory: Path) -> None:
        self._data = _data_folder(directory)
        self.url = f"http://127.0.0.1:{free_port()}"
        peers = f"http://127.0.0.1:{free_port()}"
        self.marked: dict[bytes, str] = {}
        """The keys of the clean state, with their values."""
        self._server = Server(
            [
                *("etcd", "--data-dir", str(self._data), "--logger", "zap"),
                *("--listen-client-urls", self.url, "--advertise-client-urls", self.url),
                *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
                *("--initial-cluster", f"default={peers}"),
                # With one member an election is a formality: 0.1 s instead of 1 s at each start.
                *("--heartbeat-interval", "10", "--election-timeout", "100"),
                *("--quota-backend-bytes", str(4 << 30)),
            ],
            directory / "etcd.log",
        )

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._server.start(self._healthy)

    def kill(self) -> None:
        """Take it off without a word."""
        self._server.kill()

    def close(self) -> None:
        """Kill it, and remove its data."""
        self.kill()
        shutil.rmtree(self._data)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=2) as answer:
                return b'"true"' in answer.read()
        except OSError:
            return False

    def mark(self) -> None:
        """Remember the keys that there are, with their values: what `reset` goes back to."""
        self.marked = self._read()

    def reset(self) -> set[bytes]:
        """Remove every key that came after `mark`, and put back those that were changed or removed.

        What the API server renews by itself (its leases) is left alone. Gives the keys.
        """
        now = self._read()
        deletions = [
            {"requestDeleteRange": {"key": _encode(first), "range_end": _encode(last + b"\0")}}
            for first, last in _runs(sorted(now), self.marked)
        ]
        for start in range(0, len(deletions), 100):  # --max-txn-ops is 128
            self._call("txn", success=deletions[start : start + 100])
        changed = {
            key
            for key, value in self.marked.items()
            if now.get(key) != value and not key.startswith(RENEWED)
        }
        for key in changed:
            self._call("put", key=_encode(key), value=self.marked[key])
        return changed | (now.keys() - self.marked.keys())

    def compact(self) -> None:
        """Forget everything but the present state."""
        now = self._call("range", key=_encode(b"/"))["header"]["revision"]
        self._call("compaction", revision=now, physical=True)

    def _read(self) -> dict[bytes, str]:
        found = self._call("range", key=_encode(PREFIX), range_end=_encode(END))
        return {base64.b64decode(pair["key"]): pair["value"] for pair in found.get("kvs", [])}

    def _call(self, method: str, **body: object) -> dict:
        request = urllib.request.Request(
            f"{self.url}/v3/kv/{method}", data=json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def _data_folder(directory: Path) -> Path:
    """Make a folder in memory, or in `directory` where there is little; remove what runs left."""
    for old in MEMORY.glob(f"{FOLDER}*"):
        process, start = old.name.removeprefix(FOLDER).split("-")[:2]
        if str(started(int(process))) != start:
            shutil.rmtree(old)
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < 1 << 30:
        return Path(tempfile.mkdtemp(prefix="etcd-", dir=directory))
    own = f"{FOLDER}{os.getpid()}-{started(os.getpid())}-"
    return Path(tempfile.mkdtemp(prefix=own, dir=MEMORY))


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _runs(keys: list[bytes], marked: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give first and last of each run of sorted keys that has no marked one in between."""
    for is_marked, run in itertools.groupby(keys, lambda key: key in marked):
        if not is_marked:
            new = list(run)
            yield new[0], new[-1]
