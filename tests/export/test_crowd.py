"""Crowds and clients that behave badly, on real sockets: the next scrape is answered all the same.

How fast, is in `make bench` (the group "web").
"""

import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from export.serving import SECONDS, Files, connected, serving

from logwatch.config import Web
from logwatch.export import Server, connection
from logwatch.export.acceptor import SHARE_OF_HANDSHAKES, most_connections
from logwatch.export.connection import MOST_CONNECTIONS, Connection

CROWD = 500

GREETING = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""How a client begins with TLS; the rest never comes."""


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    """Hold connections open; the process may have all of them at both ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 4 * CROWD
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(needed, hard)), hard))
    with ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, files: Files) -> Iterator[Server]:
    with serving(files.web if request.param == "https" else Web()) as server:
        yield server


@pytest.fixture
def scrape(server: Server, files: Files) -> Callable[[], None]:
    """Scrape on a new connection."""

    def scrape() -> None:
        address = f"{server.scheme}://127.0.0.1:{server.address[1]}/metrics"
        context = files.trusting()
        answer = httpx.get(address, verify=context, trust_env=False, timeout=SECONDS)
        assert 200 == answer.status_code
        assert "logwatch_denied_packets_total{" in answer.text

    return scrape


def close_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no deadline end what a test holds open."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 600.0)


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "slow"])
def test_a_crowd_that_says_little_does_not_keep_out_a_scrape(
    monkeypatch: pytest.MonkeyPatch,
    crowd: ExitStack,
    server: Server,
    scrape: Callable[[], None],
    is_silent: bool,
) -> None:
    """Many that say nothing, do not finish their handshake, or not their request."""
    close_slowly(monkeypatch)
    slow = b"GET /metrics HTTP/1.1\r\nX-Slow: " if server.scheme == "http" else GREETING
    for _ in range(CROWD):
        crowd.enter_context(connected(server)).sendall(b"" if is_silent else slow)
    scrape()
    assert server.refusals["crowd"] > 0
    server.stop()
    assert not server.alive


def test_whoever_is_through_is_not_pushed_out_by_handshakes(
    monkeypatch: pytest.MonkeyPatch, crowd: ExitStack, files: Files
) -> None:
    """A scraper that keeps its connection goes on using it while hundreds begin."""
    close_slowly(monkeypatch)
    with serving(files.web) as server, files.client(server) as scraper:
        with scraper.stream("GET", "/metrics") as answer:
            own = answer.extensions["network_stream"].get_extra_info("client_addr")
            answer.read()
        for _ in range(CROWD):
            crowd.enter_context(connected(server)).sendall(GREETING)
        with scraper.stream("GET", "/metrics") as answer:
            assert own == answer.extensions["network_stream"].get_extra_info("client_addr")
            assert 200 == answer.status_code
        assert server._server is not None
        assert MOST_CONNECTIONS // SHARE_OF_HANDSHAKES >= len(server._server._opening)


def test_a_handshake_that_is_not_finished_ends_at_its_deadline(
    monkeypatch: pytest.MonkeyPatch, files: Files
) -> None:
    with serving(files.web) as server:
        with monkeypatch.context() as patched:
            patched.setattr(connection, "HEAD_SECONDS", 0.2)
            with connected(server) as slow:
                slow.sendall(GREETING)
                assert is_closed(slow)
        with files.client(server) as client:  # its answer comes after what was counted
            assert 200 == client.get("/metrics").status_code
        assert 1 == server.refusals["handshake"]


def is_closed(client: socket.socket) -> bool:
    """Wait until the server says something or closes; True when it closed."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_scrapers_that_hang_up_in_the_middle_of_a_page_do_no_harm(
    server: Server, files: Files, scrape: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is larger than what the kernel takes at once."""
    monkeypatch.setattr(server._metrics, "render", lambda _: (b"# x\n" * (4 << 20), "text/plain"))
    for _ in range(10):
        raw = socket.create_connection(server.address, timeout=SECONDS)
        with raw if server.scheme == "http" else encrypted(raw, files) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
    monkeypatch.undo()
    scrape()


def ask(client: socket.socket) -> None:
    """Have a request answered, and leave the connection open."""
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\nok\n"):
        received = client.recv(1000)
        assert received
        answer += received


def encrypted(raw: socket.socket, files: Files) -> socket.socket:
    return files.trusting().wrap_socket(raw, server_hostname="127.0.0.1")


def test_an_answer_is_not_held_back_until_the_last_one_is_acknowledged(
    server: Server, files: Files
) -> None:
    """Nagle's algorithm, with the client's delayed acknowledgements, would take 40 ms a scrape."""
    raw = connected(server)
    with raw if server.scheme == "http" else encrypted(raw, files) as client:
        ask(client)
        assert server._server is not None
        [one] = server._server.server_state.connections
        socket_of_the_server = one.transport.get_extra_info("socket")
        assert socket_of_the_server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_process_that_may_open_little_lets_few_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quarter of what it may have, so that logs and state find theirs."""
    for allowed, most in [(64, 16), (1024, 256), (1 << 20, 256), (10, 8), (-1, 256)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=allowed: (limit, limit))
        assert most == most_connections()


def test_without_a_file_descriptor_the_server_waits_and_goes_on(
    crowd: ExitStack, server: Server, scrape: Callable[[], None]
) -> None:
    """What the kernel refuses is counted, and those who wait are served when it can."""
    scrape()  # the thread has begun, and has what it needs
    assert server._server is not None
    refused = threading.Event()
    server._server._count = lambda reason: refused.set() if reason == "accept" else None
    waiting = crowd.enter_context(socket.socket())
    waiting.settimeout(SECONDS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(waiting.fileno())
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        waiting.connect(server.address)
        assert refused.wait(SECONDS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    scrape()


def test_of_many_the_one_that_was_idle_for_longest_is_closed(
    monkeypatch: pytest.MonkeyPatch, crowd: ExitStack
) -> None:
    """Not who has just been answered."""
    close_slowly(monkeypatch)
    with serving(Web()) as server:
        clients = [crowd.enter_context(connected(server)) for _ in range(MOST_CONNECTIONS - 1)]
        ask(clients[-1])  # they are taken in by their order, so that all are by then
        ask(clients[0])
        for _ in range(3):
            crowd.enter_context(connected(server))
        assert is_closed(clients[1])
        ask(clients[0])
        assert server._server is not None
        assert all(isinstance(one, Connection) for one in server._server.server_state.connections)
