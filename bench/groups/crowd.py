"""A scrape on a new connection while hundreds of others are open that do nothing but harm.

Of an agent, and of prometheus_client's own server, by HTTP and by HTTPS.
"""

import http.client
import json
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tables
from peer import LOGWATCH

from groups.agent import BENCH, free_port, new_directory, started

EACH = 500
"""Of each kind."""
SCRAPES = 20
"""A round."""
GOAL = 100.0
FILL_SECONDS = 30.0
"""For all of them to be open; each handshake takes both sides some milliseconds."""
PATIENCE_SECONDS = 5.0
"""Of a scraper; Prometheus's is 10."""
NEEDS = ("openssl",)

GREETING = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
HALF_A_HEAD = b"GET /metrics HTTP/1.1\r\nX-Slow: "
WANTED = re.compile(rb"^(logwatch_lines_total|peer_packets_total)\{", re.MULTILINE)


@dataclass(frozen=True)
class Served:
    """A server, and what is trusted of it; None by plain HTTP."""

    name: str
    port: int
    context: ssl.SSLContext | None

    def scrape(self) -> float:
        """Give the milliseconds that it took; ends the program when no metrics came."""
        began = time.perf_counter()
        host, seconds = "127.0.0.1", PATIENCE_SECONDS
        connection = (
            http.client.HTTPConnection(host, self.port, timeout=seconds)
            if self.context is None
            else http.client.HTTPSConnection(host, self.port, timeout=seconds, context=self.context)
        )
        connection.request("GET", "/metrics")
        page = connection.getresponse().read()
        connection.close()
        if not WANTED.search(page):
            sys.exit(f"{self.name}: no metrics: {page[:200]!r}")
        return (time.perf_counter() - began) * 1e3

    def idle(self) -> socket.socket:
        """Connect, and say no more."""
        client = self.silent()
        return (
            self.context.wrap_socket(client, server_hostname="127.0.0.1")
            if self.context
            else client
        )

    def slow(self) -> socket.socket:
        """Begin a request, and do not end it."""
        client = self.idle()
        client.sendall(HALF_A_HEAD)
        return client

    def silent(self) -> socket.socket:
        """Connect; with TLS not even a handshake begins."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def greeting(self) -> socket.socket:
        """Begin a handshake, and do not end it."""
        client = self.silent()
        client.sendall(GREETING)
        return client


def run(rounds: int) -> None:
    """Scrape each server alone, and within a crowd."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        files = _certificate(Path(directory))
        for start in (_agent, _exporter):
            for given in ((), files):
                with start(given) as served:
                    rows += _rows(served, rounds)
    tables.print_table(
        f"crowd: ms of a scrape on a new connection; {rounds} rounds of {SCRAPES}",
        [
            "server",
            "open besides",
            "the first, as they come",
            "the next (median)",
            "(longest)",
            "goal",
        ],
        rows,
    )


def _rows(served: Served, rounds: int) -> Iterator[list[str]]:
    served.scrape()
    yield [served.name, "nothing", "", *_judged([served.scrape() for _ in range(rounds * SCRAPES)])]
    kinds: list[tuple[str, Callable[[], socket.socket]]]
    kinds = [("idle", served.idle), ("in the middle of a request", served.slow)]
    if served.context is not None:
        kinds.append(("in the middle of a handshake", served.greeting))
    besides = ", ".join(f"{EACH} {name}" for name, _ in kinds)
    first: list[float] = []
    next_: list[float] = []
    for _ in range(rounds):
        with ExitStack() as crowd:
            is_filled = _fill(crowd, [begin for _, begin in kinds] * EACH)
            if not is_filled:
                besides = f"as many of {besides} as it lets in"
            try:
                first.append(served.scrape())
                next_ += [served.scrape() for _ in range(SCRAPES)]
            except TimeoutError:
                yield [served.name, besides, f"none in {PATIENCE_SECONDS:.0f} s", "", "", ""]
                return
        if not is_filled:
            break
    yield [served.name, besides, f"{statistics.median(first):.1f}", *_judged(next_)]


def _fill(crowd: ExitStack, begin: Sequence[Callable[[], socket.socket]]) -> bool:
    """Open connections; False when that takes too long, or one finds no room."""
    end = time.monotonic() + FILL_SECONDS
    try:
        for each in begin:
            crowd.enter_context(each())
            if time.monotonic() > end:
                return False
    except TimeoutError:
        return False
    return True


def _judged(took: Sequence[float]) -> list[str]:
    return [f"{statistics.median(took):.1f}", *tables.at_most(max(took), GOAL)]


def _certificate(directory: Path) -> tuple[str, str]:
    certificate, key = str(directory / "tls.crt"), str(directory / "tls.key")
    made = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=bench", "-days", "1"]
    made += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(made, check=True, capture_output=True)
    return certificate, key


def _trusting(files: Sequence[str]) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=files[0]) if files else None


@contextmanager
def _agent(files: Sequence[str]) -> Iterator[Served]:
    with new_directory() as directory:
        port = free_port()
        config = directory / "logwatch.yaml"
        names = ("certificate_file", "key_file")
        config.write_text(json.dumps({"web": dict(zip(names, files, strict=False))}))
        command = [LOGWATCH, "agent", "--config", str(config), "--log", str(directory / "syslog")]
        command += ["--state", str(directory / "state"), "--listen", f"127.0.0.1:{port}"]
        with started(command, directory, port, WANTED):
            yield Served(f"`logwatch agent`, {_scheme(files)}", port, _trusting(files))


@contextmanager
def _exporter(files: Sequence[str]) -> Iterator[Served]:
    with new_directory() as directory:
        port = free_port()
        command = [sys.executable, str(BENCH / "peers" / "exporter.py"), str(port), *files]
        with started(command, directory, port, WANTED):
            yield Served(f"`prometheus_client`, {_scheme(files)}", port, _trusting(files))


def _scheme(files: Sequence[str]) -> str:
    return "HTTPS" if files else "HTTP"
