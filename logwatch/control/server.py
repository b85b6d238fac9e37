"""The agent's side of the socket: takes requests, has them carried out, and sends the answers.

A thread of its own talks to everybody at once, so that who hangs keeps nobody waiting. Decides
nothing: a request goes to `submit`, whose future brings the answer.
"""

import asyncio
import os
import socket
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logwatch.control.messages import (
    REQUEST_MOST,
    Answer,
    MessageError,
    Refused,
    Request,
    decode_request,
    encode,
)
from logwatch.control.place import SOCKET_NAME, reachable
from logwatch.errors import LogwatchError

if TYPE_CHECKING:
    from concurrent.futures import Future

READ_SECONDS = 5.0
"""A request is one line that its sender has at hand."""

WORK_SECONDS = 10.0
"""The loop comes round each second; a full disk may keep it for some."""

BUSY_SECONDS = 0.5
"""For the request of one too many: who is cut off before it is read gets no answer."""

CONNECTIONS_MOST = 128

MODE = 0o660
"""The agent's user and its group may decide by hand."""

CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid: `struct ucred` (unix(7))."""

BUSY = Refused(f"{CONNECTIONS_MOST} others talk to the agent already; try again in a moment")
LATE = Refused(f"the agent has not come round in {WORK_SECONDS:g} s: nothing was done; see its log")
UNSURE = Refused(
    f"the agent took the request, but had no answer in {WORK_SECONDS:g} s: see `logwatch blacklist"
    " list` and the agent's log"
)
CLOSING = Refused("the agent is about to end: nothing was done")
MISTAKE = Refused("the agent failed at this request, see its log; please report this")


class SocketError(LogwatchError):
    """The socket can't be made."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks, as the kernel says."""

    uid: int
    pid: int


Submit = Callable[[Request, Peer], "Future[Answer]"]


class ControlServer:
    """Serves STATE/logwatch.sock from `start` to `stop`.

    The caller holds the state directory's lock, so a socket that nobody listens on was left by a
    killed agent, and is replaced.
    """

    def __init__(self, state: Path, submit: Submit, *, read_seconds: float = READ_SECONDS) -> None:
        self.path = state / SOCKET_NAME
        self._submit = submit
        self._read_seconds = read_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._ending = asyncio.Event()
        self._made: tuple[int, int] | None = None
        """Device and inode of the socket: its name may be gone, or another's by now."""

    def start(self) -> None:
        """Listen, once in its life. Raises SocketError; nothing runs then."""
        try:
            listening = _listening(self.path)
            self._made = _identity(self.path)
        except OSError as error:
            raise SocketError(
                f"the socket {self.path} can't be made ({error.strerror}): `logwatch blacklist`"
                " can't reach this agent"
            ) from None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, listening), name="control", daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False when its thread has died."""
        return self._thread is None or self._thread.is_alive()

    @property
    def is_reachable(self) -> bool:
        """Whether the socket has its name; somebody may have removed it, or put another there."""
        try:
            return self._made is not None and self._made == _identity(self.path)
        except OSError:
            return False

    def stop(self) -> None:
        """End all connections and remove the socket, if the name is still its own."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with suppress(RuntimeError):  # its thread has died, and closed the loop
            loop.call_soon_threadsafe(self._ending.set)
        thread.join()
        self._thread = None
        if self.is_reachable:
            self.path.unlink(missing_ok=True)

    def _run(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        server = await asyncio.start_unix_server(self._accept, sock=listening, limit=REQUEST_MOST)
        await self._ending.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()} - self._talks.keys()
        if others:  # whoever was accepted just now gets as far as `_accept`
            await asyncio.wait(others, timeout=1.0)
        server.close()
        for task, writer in list(self._talks.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks[task] = writer
        task.add_done_callback(self._talks.pop)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its request to its answer."""
        try:
            answer = await self._answer(reader, writer)
            async with asyncio.timeout(self._read_seconds):
                writer.write(encode(answer))
                await writer.drain()
        except (OSError, TimeoutError):
            writer.transport.abort()  # whoever asked has gone, or does not read
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        is_full = len(self._talks) > CONNECTIONS_MOST
        try:
            async with asyncio.timeout(BUSY_SECONDS if is_full else self._read_seconds):
                line = await reader.readline()
        except TimeoutError:
            return Refused(f"no request came in {self._read_seconds:g} s")
        except ValueError:
            return Refused(f"a request has at most {REQUEST_MOST} bytes", kind="usage")
        if is_full:
            return BUSY
        try:
            request = decode_request(line)
        except MessageError as error:
            return Refused(str(error), kind="usage")
        work = self._submit(request, _peer(writer.get_extra_info("socket")))
        try:
            async with asyncio.timeout(WORK_SECONDS):
                return await asyncio.shield(asyncio.wrap_future(work))
        except TimeoutError:
            return LATE if work.cancel() else UNSURE


def _peer(connection: socket.socket) -> Peer:
    """Ask the kernel who connected (SO_PEERCRED): nobody can pretend to be somebody else."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, _gid = CREDENTIALS.unpack(data)
    return Peer(uid, pid)


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


def _listening(path: Path) -> socket.socket:
    """Bind and listen; in the place of a socket that nobody listens on any more."""
    _make_room(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listening.fileno(), MODE)  # what bind makes is never open to more than these
        with reachable(path) as name:
            listening.bind(name)
        path.chmod(MODE)  # whatever the umask
        listening.listen(CONNECTIONS_MOST)
    except BaseException:
        listening.close()
        raise
    return listening


def _make_room(path: Path) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise SocketError(f"{path} is there and no socket: move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, reachable(path) as name:
        try:
            probe.settimeout(1.0)
            probe.connect(name)
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except TimeoutError:
            pass  # somebody listens, though slowly
    raise SocketError(f"{path} is in use by another program: end that one")
