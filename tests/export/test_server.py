"""The HTTP server over real sockets of 127.0.0.1."""

import gzip
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import httpx
import pytest

from logwatch.errors import LogwatchError
from logwatch.export import (
    Asked,
    BadRequestError,
    BusyError,
    ListenError,
    Metrics,
    Server,
    StaticError,
    View,
    connection,
)
from logwatch.export.connection import MOST_CONNECTIONS, Connection
from logwatch.export.site import FILES, read_files
from logwatch.ledger import Family, Snapshot, StateError


class Daemon:
    """What the server asks: a view that a commit changes, and reasons set by the test."""

    def __init__(self) -> None:
        self.commits = 0
        self.when_asked: Callable[[], None] = self.count
        self.sick: Sequence[str] = ()
        self.waiting: Sequence[str] = ()
        self.asked: list[Asked] = []

    def count(self) -> None:
        self.commits += 1

    def commit(self) -> None:
        self.when_asked()

    def view(self) -> View:
        series = MappingProxyType({("203.0.113.7",): (self.commits, 0)})
        families = {"source": Family(series), "denied": Family({("p", "eth1", "tcp", "4"): (8, 0)})}
        return View(Snapshot({}, families), ready=not self.waiting, entries={"observed": 3})

    def summary(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        return b'{"a": "b"}'

    def source(self, address: str) -> bytes | None:
        if address.startswith("bad"):
            raise BadRequestError(f"no address: {address}")
        if address == "late":
            raise BusyError("come back later")
        return None if address == "unknown" else b'{"source":"%s"}' % address.encode()

    def server(self, port: int = 0) -> Server:
        return Server(
            ("127.0.0.1", port),
            metrics=Metrics(self.view, version="1.2.3"),
            page=self,
            commit=self.commit,
            health=lambda: self.sick,
            ready=lambda: self.waiting,
        )


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def server(daemon: Daemon) -> Iterator[Server]:
    server = daemon.server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    address = f"http://127.0.0.1:{server.address[1]}"
    with httpx.Client(base_url=address, trust_env=False, timeout=5) as client:
        yield client


def connected(server: Server) -> socket.socket:
    return socket.create_connection(server.address, timeout=5)


def is_closed(client: socket.socket) -> bool:
    """Wait until the server says something or closes; True when it closed."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_scrape_commits_first_and_shows_what_was_committed(
    daemon: Daemon, client: httpx.Client
) -> None:
    for expected in (1, 2):
        answer = client.get("/metrics")
        assert 200 == answer.status_code
        assert f'source="203.0.113.7"}} {expected}\n' in answer.text
        assert expected == daemon.commits


def test_a_failed_commit_does_not_stop_the_scrape(
    daemon: Daemon, server: Server, client: httpx.Client
) -> None:
    """What was durable before is shown, and the failure is counted."""

    def fail() -> None:
        raise StateError("The state file can't be written.")

    daemon.when_asked = fail
    answer = client.get("/metrics")
    assert (200, 1) == (answer.status_code, server.failed_commits)
    assert 'source="203.0.113.7"} 0\n' in answer.text


def test_the_scraper_chooses_format_and_compression(client: httpx.Client) -> None:
    """OpenMetrics by Accept, gzip by Accept-Encoding, neither without asking."""
    plain = client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert "text/plain; version=0.0.4; charset=utf-8" == plain.headers["content-type"]
    assert "content-encoding" not in plain.headers
    headers = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}
    with client.stream("GET", "/metrics", headers=headers) as answer:
        assert "gzip" == answer.headers["content-encoding"]
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert gzip.decompress(b"".join(answer.iter_raw())).endswith(b"# EOF\n")


@pytest.mark.parametrize(
    ("is_compressed", "accepted"),
    [(True, "br, GZIP"), (True, "gzip; q=0.5"), (False, "gzip;q=0"), (False, "br"), (False, "")],
)
def test_compression_is_only_what_was_accepted(
    client: httpx.Client, is_compressed: bool, accepted: str
) -> None:
    answer = client.get("/metrics", headers={"Accept-Encoding": accepted})
    assert is_compressed == (answer.headers.get("content-encoding") == "gzip")


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz"])
def test_head_is_get_without_the_body(client: httpx.Client, path: str) -> None:
    answer = client.head(path)
    assert (200, b"") == (answer.status_code, answer.content)
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_not_allowed(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/metrics", content=b"x" * 100)
    assert 405 == answer.status_code
    assert {"GET", "HEAD"} == set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("path", ["/nothing", "/metrics/", "/../etc/passwd", "/%00"])
def test_other_paths_are_not_found(client: httpx.Client, path: str) -> None:
    assert 404 == client.get(path).status_code


def test_nonsense_is_a_bad_request_and_nothing_more(server: Server, client: httpx.Client) -> None:
    with connected(server) as raw:
        raw.sendall(b"\x16\x03\x01\x00\xff nonsense\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")
    with connected(server) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert 200 == client.get("/healthz").status_code


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_reasons_are_told_one_a_line(daemon: Daemon, client: httpx.Client, path: str) -> None:
    """`ok`, or 503 and sentences; a line break inside one makes no second one."""
    answer = client.get(path)
    assert (200, "ok\n") == (answer.status_code, answer.text)
    reasons = ("No input is read.", "a\nb\udc80")
    if path == "/healthz":
        daemon.sick = reasons
    else:
        daemon.waiting = reasons
    answer = client.get(path)
    assert (503, "No input is read.\na\\nb\\udc80\n") == (answer.status_code, answer.text)
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_page_and_its_files_are_served(client: httpx.Client) -> None:
    """All that it names is there, and of the right type."""
    answer = client.get("/")
    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text)
    for path in named:
        assert 200 == client.get(path).status_code
    for name, file in read_files().items():
        served = client.get(f"/static/{name}")
        assert (file.body, file.content_type) == (served.content, served.headers["content-type"])


def test_a_file_is_sent_again_only_when_it_changed(client: httpx.Client) -> None:
    """A browser asks each time, for an upgrade shows at once, and gets what it does not have."""
    [tag] = {client.get(path).headers["etag"] for path in ("/", "/static/index.html")}
    for held in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answer = client.get("/", headers={"If-None-Match": held})
        assert (304, b"", tag) == (answer.status_code, answer.content, answer.headers["etag"])
        assert "no-cache" == answer.headers["cache-control"]
    assert 200 == client.get("/", headers={"If-None-Match": '"other"'}).status_code


def test_a_file_is_packed_as_asked(client: httpx.Client) -> None:
    for coding in ("gzip", "identity"):
        answer = client.get("/", headers={"Accept-Encoding": coding})
        assert (coding == "gzip") == ("content-encoding" in answer.headers)
        assert read_files()["index.html"].body == answer.content


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/api/summary", "/nothing"])
def test_what_changes_is_kept_by_nobody(client: httpx.Client, path: str) -> None:
    assert "no-store" == client.get(path).headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/", "/static/../site.py", "/static/%2e%2e/site.py", "/static//etc/passwd"]
)
def test_no_other_file_is_served(client: httpx.Client, path: str) -> None:
    assert 404 == client.get(path).status_code


def test_a_missing_page_is_told_at_the_start(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(StaticError, match="missing"):
            read_files(folder)


def test_a_package_without_the_chart_library_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """Its page would ask for it in vain, and tell nothing."""
    folder = tmp_path / "static"
    shutil.copytree(FILES, folder)
    (folder / "vendor" / "uPlot.esm.js").unlink()
    with pytest.raises(StaticError, match=r"lacks vendor/uPlot\.esm\.js .*web/install\.sh gets"):
        read_files(folder)


def test_a_summary_is_asked_for_with_its_arguments(daemon: Daemon, client: httpx.Client) -> None:
    answer = client.get("/api/summary?top=7&sort=recent&query=%20SSH%20&_=1")
    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])
    assert [Asked(7, "recent", "ssh")] == daemon.asked
    assert {"a": "b"} == answer.json()
    client.get("/api/summary")
    assert Asked() == daemon.asked[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        *("top=0", "top=1001", "top=-1", "top=x", "top=%D9%A1", f"top={'9' * 5000}"),
        *("sort=name", f"query={'x' * 101}"),
    ],
)
def test_arguments_without_sense_are_refused(
    daemon: Daemon, client: httpx.Client, arguments: str
) -> None:
    answer = client.get(f"/api/summary?{arguments}")
    assert 400 == answer.status_code
    assert answer.text.startswith(arguments.partition("=")[0] + " ")
    assert [] == daemon.asked


@pytest.mark.parametrize(
    ("address", "code", "text"),
    [
        ("203.0.113.7", 200, '{"source":"203.0.113.7"}'),
        ("2001:db8::/64", 200, '{"source":"2001:db8::/64"}'),
        ("unknown", 404, "nothing is known of this source\n"),
        ("bad\x1b", 400, "no address: bad\\x1b\n"),
        ("late", 503, "come back later\n"),
    ],
)
def test_a_source_is_asked_for_by_its_address(
    client: httpx.Client, address: str, code: int, text: str
) -> None:
    answer = client.get(f"/api/sources/{quote(address)}")
    assert (code, text) == (answer.status_code, answer.text)


@pytest.mark.parametrize("path", ["/", "/metrics", "/readyz", "/nothing"])
def test_a_browser_is_told_to_load_nothing(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "nosniff" == headers["x-content-type-options"]
    assert "server" not in headers


def test_a_port_in_use_is_told_in_one_sentence(daemon: Daemon, server: Server) -> None:
    """The first server goes on; the sentence names the address and the remedy."""
    assert issubclass(ListenError, LogwatchError)
    port = server.address[1]
    with pytest.raises(ListenError) as caught:
        daemon.server(port).start()
    expected = (
        f"The address 127.0.0.1:{port} can't be listened on (Address already in use): stop the "
        "process that uses it, or choose another port with --listen."
    )
    assert expected == str(caught.value)
    assert server.alive


@pytest.mark.parametrize(
    ("sentence", "host"),
    [
        (r"192\.0\.2\.1:9137 .*Cannot assign.*choose an address of this machine", "192.0.2.1"),
        (r"no host:9137 can't be resolved .*such as 127\.0\.0\.1:9137", "no host"),
    ],
)
def test_an_address_of_another_machine_is_refused(daemon: Daemon, sentence: str, host: str) -> None:
    server = daemon.server()
    server._listen = (host, 9137)
    with pytest.raises(ListenError, match=sentence):
        server.start()
    assert not server.alive


def test_the_port_is_free_again_after_stop(daemon: Daemon) -> None:
    """A restart finds its port, although connections of before are in TIME_WAIT."""
    first = daemon.server()
    first.start()
    port = first.address[1]
    with connected(first) as open_until_the_stop:
        open_until_the_stop.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert open_until_the_stop.recv(1000).startswith(b"HTTP/1.1 200 ")
        first.stop()
    assert not first.alive
    second = daemon.server(port)
    second.start()
    answer = httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
    assert 200 == answer.status_code
    second.stop()


def test_idle_connections_do_not_matter(server: Server, client: httpx.Client) -> None:
    """With 200 of them a scrape still takes less than a second, and stopping less than two."""
    with ExitStack() as stack:
        for number in range(200):
            idle = stack.enter_context(connected(server))
            if number % 2:
                idle.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        started = time.monotonic()
        assert 200 == client.get("/metrics").status_code
        assert 1 > time.monotonic() - started
        started = time.monotonic()
        server.stop()
        assert 2 > time.monotonic() - started
        assert not server.alive


def test_of_too_many_connections_the_idlest_is_closed(
    monkeypatch: pytest.MonkeyPatch, server: Server, client: httpx.Client
) -> None:
    """A flood of connections can't use up the daemon's file descriptors, nor refuse a scrape."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 60.0)
    with ExitStack() as stack:
        first, *_ = [stack.enter_context(connected(server)) for _ in range(MOST_CONNECTIONS + 10)]
        assert is_closed(first)
        assert 200 == client.get("/metrics").status_code
        assert server._server is not None
        assert MOST_CONNECTIONS >= len(server._server.server_state.connections)


@pytest.mark.parametrize(
    "beginning", [b"", b"GET /metrics HTTP/1.1\r\nX-Slow: "], ids=["silent", "slow"]
)
def test_a_client_that_does_not_finish_its_request_is_closed(
    monkeypatch: pytest.MonkeyPatch, server: Server, beginning: bytes
) -> None:
    """Neither silence nor a byte now and then holds a connection beyond its deadline."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    with connected(server) as slow:
        slow.sendall(beginning)
        slow.settimeout(0.05)
        started = time.monotonic()
        closed = False
        while not closed and time.monotonic() - started < 5:
            try:
                if beginning:
                    slow.sendall(b"x")
                closed = is_closed(slow)
            except TimeoutError:
                continue
            except OSError:
                closed = True
        assert closed


def test_a_request_begun_on_a_used_connection_has_a_deadline_too(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    """After an answer, half a request is no reason to wait for the rest forever."""
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    with connected(server) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        while not received.endswith(b"ok\n"):
            received += slow.recv(1000)
        slow.sendall(b"GET /healthz HT")
        assert is_closed(slow)


def test_a_client_that_does_not_read_its_answer_is_closed(
    monkeypatch: pytest.MonkeyPatch, daemon: Daemon, server: Server
) -> None:
    """The answer's memory is given back, although the client never closed."""
    lost = threading.Event()
    forget = Connection.connection_lost

    def connection_lost(self: Connection, error: Exception | None) -> None:
        forget(self, error)
        lost.set()

    monkeypatch.setattr(Connection, "connection_lost", connection_lost)
    monkeypatch.setattr(connection, "KEEP_ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connection, "RESPONSE_SECONDS", 5.0)
    daemon.sources = {(f"{number}" * 500,): (1, 0) for number in range(5000)}
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(server.address)
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        assert lost.wait(10)


def test_a_slow_commit_blocks_neither_the_others_nor_the_stop(
    daemon: Daemon, server: Server, client: httpx.Client
) -> None:
    """Health is answered while a commit hangs, and the server stops without waiting for it."""
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        may_end.wait(30)

    daemon.when_asked = hang
    with connected(server) as scraper:
        scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        assert begun.wait(5)
        assert 200 == client.get("/healthz").status_code
        assert 200 == client.get("/").status_code
        started = time.monotonic()
        server.stop()
        assert 2 > time.monotonic() - started
        assert not server.alive
    may_end.set()


def test_stop_without_start_is_nothing(daemon: Daemon) -> None:
    daemon.server().stop()


def test_a_stop_right_after_the_start_works(daemon: Daemon) -> None:
    server = daemon.server()
    server.start()
    server.stop()
    assert not server.alive
