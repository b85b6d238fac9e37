"""The socket: real connections, served by the real thread, with a stand-in for the agent's loop."""

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from logwatch.control import Add, Answer, ControlError, List, NotRunningError, Refused, Request, ask
from logwatch.control.messages import REQUEST_MOST, decode_answer, encode
from logwatch.control.server import CONNECTIONS_MOST, ControlServer, Peer, SocketError


class Loop:
    """Answers at once with what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Request, Peer]] = []

    def submit(self, request: Request, peer: Peer) -> "Future[Answer]":
        self.asked.append((request, peer))
        future: Future[Answer] = Future()
        future.set_result(Refused(getattr(request, "cidr", "list")))
        return future


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def server(tmp_path: Path, loop: Loop) -> Iterator[ControlServer]:
    made = ControlServer(tmp_path, loop.submit, read_seconds=0.3)
    made.start()
    yield made
    made.stop()


def connect(server: ControlServer) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(str(server.path))
    connection.settimeout(5)
    return connection


def answer_to(server: ControlServer, data: bytes) -> Refused:
    """What the server says to these bytes, from a client that then waits."""
    with connect(server) as connection:
        connection.sendall(data)
        with connection.makefile("rb") as answers:
            answer = decode_answer(answers.readline())
    assert isinstance(answer, Refused)
    return answer


def test_a_request_comes_with_who_asks(tmp_path: Path, server: ControlServer, loop: Loop) -> None:
    request = Add("203.0.113.7", 60, 'a "reason"', force=True)
    assert Refused("203.0.113.7") == ask(server.path.parent, request)
    assert [(request, Peer(os.getuid(), os.getpid()))] == loop.asked
    assert tmp_path == server.path.parent


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_the_user_and_the_group_may_use_it(tmp_path: Path, loop: Loop, umask: int) -> None:
    before = os.umask(umask)
    try:
        server = ControlServer(tmp_path, loop.submit)
        server.start()
    finally:
        os.umask(before)
    assert 0o660 == stat.S_IMODE(server.path.stat().st_mode)
    server.stop()
    assert not server.path.exists()


def test_what_a_killed_agent_left_is_replaced(tmp_path: Path, loop: Loop) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "logwatch.sock"))
    left.close()
    server = ControlServer(tmp_path, loop.submit)
    server.start()
    assert Refused("list") == ask(tmp_path, List())
    server.stop()


def test_a_socket_in_use_and_what_is_no_socket_stay(tmp_path: Path, loop: Loop) -> None:
    path = tmp_path / "logwatch.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(SocketError, match="in use"):
            ControlServer(tmp_path, loop.submit).start()
        assert path.is_socket()
    path.unlink()
    path.write_text("mine")
    with pytest.raises(SocketError, match="no socket"):
        ControlServer(tmp_path, loop.submit).start()
    assert "mine" == path.read_text()


def test_a_name_that_another_took_is_not_its_own_and_stays(tmp_path: Path, loop: Loop) -> None:
    server = ControlServer(tmp_path, loop.submit)
    assert not server.is_reachable
    server.start()
    assert server.is_reachable
    server.path.unlink()
    assert not server.is_reachable
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(server.path))
        assert not server.is_reachable
        server.stop()
    assert server.path.is_socket()


def test_a_path_that_is_too_long_for_a_socket_is_reached(tmp_path: Path, loop: Loop) -> None:
    """107 bytes fit; this one has twice as many."""
    state = tmp_path / ("a" * 100) / ("b" * 100)
    state.mkdir(parents=True)
    server = ControlServer(state, loop.submit)
    server.start()
    assert Refused("list") == ask(state, List())
    second = ControlServer(state, loop.submit)
    with pytest.raises(SocketError, match="in use"):
        second.start()
    server.stop()
    assert [] == list(state.iterdir())


def test_nobody_there_is_told_apart_from_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="logwatch agent --state"):
        ask(tmp_path, List())
    (tmp_path / "logwatch.sock").write_text("")
    with pytest.raises(NotRunningError):
        ask(tmp_path, List())
    with pytest.raises(NotRunningError):
        ask(tmp_path / "logwatch.sock", List())


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"\xff\xfe\0\n",
        b'{"version": 1, "body": {"type": "stop"}}\n',
        b'{"version": 1, "body": {"type": "add", "cidr": "192.0.2.1", "seconds": 0}}\n',
        b'{"version": 1, "body": {"type": "add", "cidr": "192.0.2.1"}}\n',
        b'{"version": 1, "body": {"type": "add", "cidr": 1, "seconds": 5}}\n',
        b'{"version": 1, "body": {"type": "remove", "cidr": "192.0.2.1", "all": true}}\n',
        b'{"version": 1, "body": [[[[[[[[[[]]]]]]]]]]}\n',
        json.dumps({"version": 1, "body": {"type": "why", "cidr": "1" * 65}}).encode() + b"\n",
    ],
)
def test_what_is_no_request_is_refused(server: ControlServer, loop: Loop, data: bytes) -> None:
    assert "usage" == answer_to(server, data).kind
    assert [] == loop.asked


def test_another_version_is_told_in_words(server: ControlServer, loop: Loop) -> None:
    answer = answer_to(server, b'{"version": 2, "body": {"type": "list"}}\n')
    assert "different versions" in answer.text
    assert [] == loop.asked


def test_a_request_without_end_is_cut_off(server: ControlServer) -> None:
    with connect(server) as connection, pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.sendall(b"x" * 50_000_000)
    assert "at most" in answer_to(server, b"x" * (REQUEST_MOST + 10)).text


def test_who_hangs_keeps_nobody_waiting(tmp_path: Path, loop: Loop) -> None:
    """Ninety that say nothing, or half a request, for longer than the one that asks takes."""
    server = ControlServer(tmp_path, loop.submit, read_seconds=60)
    server.start()
    with ExitStack() as stack:
        for number in range(90):
            connection = stack.enter_context(connect(server))
            connection.sendall(b'{"version": 1,'[: number % 20])
        assert Refused("list") == ask(tmp_path, List(), seconds=10)
        server.stop()


def test_who_hangs_is_told_and_cut_off(server: ControlServer) -> None:
    assert "no request came in 0.3 s" == answer_to(server, b'{"version": 1,').text
    assert "no request came in 0.3 s" == answer_to(server, b"").text


def test_too_many_at_once_are_told(tmp_path: Path, loop: Loop) -> None:
    server = ControlServer(tmp_path, loop.submit, read_seconds=60)
    server.start()
    with ExitStack() as stack:
        for _ in range(CONNECTIONS_MOST):
            stack.enter_context(connect(server))
        answer = ask(tmp_path, List())
        assert isinstance(answer, Refused)
        assert "try again" in answer.text
        server.stop()


def test_fifty_at_once_are_all_answered(tmp_path: Path, server: ControlServer, loop: Loop) -> None:
    barrier = threading.Barrier(50)

    def one(number: int) -> str:
        barrier.wait()
        answer = ask(tmp_path, Add(f"192.0.2.{number}", 60))
        assert isinstance(answer, Refused)
        return answer.text

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(one, range(50)))
    assert [f"192.0.2.{number}" for number in range(50)] == answers
    assert 50 == len(loop.asked)
    assert server.alive


def test_who_leaves_early_harms_nothing(server: ControlServer, tmp_path: Path) -> None:
    for _ in range(20):
        with connect(server) as connection:
            connection.sendall(encode(List()))
    assert Refused("list") == ask(tmp_path, List())


def test_a_loop_that_does_not_come_round_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had not begun is never done afterwards."""
    monkeypatch.setattr("logwatch.control.server.WORK_SECONDS", 0.1)
    future: Future[Answer] = Future()
    server = ControlServer(tmp_path, lambda *_: future)
    server.start()
    answer = ask(tmp_path, List())
    assert isinstance(answer, Refused)
    assert "nothing was done" in answer.text
    assert future.cancelled()
    server.stop()


def test_an_agent_that_says_nothing_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(tmp_path / "logwatch.sock"))
        deaf.listen()
        with pytest.raises(ControlError, match=r"no answer in 0\.1 s"):
            ask(tmp_path, List(), seconds=0.1)
