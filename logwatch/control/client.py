"""The command's side of the socket: one request, one answer."""

import socket
import struct
from pathlib import Path

from logwatch.control.messages import (
    ANSWER_MOST,
    Answer,
    MessageError,
    Request,
    decode_answer,
    encode,
)
from logwatch.control.place import SOCKET_NAME, reachable
from logwatch.errors import LogwatchError

ANSWER_SECONDS = 20.0
"""Longer than the agent takes to say that its loop does not come round."""

PIECE = 65_536


class NotRunningError(LogwatchError):
    """No agent listens there."""


class ControlError(LogwatchError):
    """The agent can't be asked, or its answer not be read."""


def ask(state: Path, request: Request, *, seconds: float = ANSWER_SECONDS) -> Answer:
    """Ask the agent that keeps its state in a directory.

    Raises NotRunningError, and ControlError for anything else that is in the way.
    """
    path = state / SOCKET_NAME
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            # With a timeout of Python's, connect fails at once while many others wait (EAGAIN).
            wait = struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
            with reachable(path) as name:
                connection.connect(name)
            connection.settimeout(seconds)
            connection.sendall(encode(request))
            connection.shutdown(socket.SHUT_WR)
            return decode_answer(_line(connection))
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NotRunningError(
            f"no agent answers at {path}; start one by `logwatch agent --state {state}`, or name"
            " the state directory of the one that runs with --state"
        ) from None
    except PermissionError:
        raise ControlError(
            f"this user may not use {path}: run the command as root, as the agent's user, or as a"
            " member of its group"
        ) from None
    except (TimeoutError, BlockingIOError):
        raise ControlError(
            f"the agent at {path} gave no answer in {seconds:g} s: look at its log"
        ) from None
    except (OSError, MessageError) as error:
        raise ControlError(f"the agent at {path} can't be asked: {error}") from None


def _line(connection: socket.socket) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := connection.recv(PIECE):
        parts.append(part)
        size += len(part)
        if size > ANSWER_MOST:
            raise MessageError(f"its answer is longer than {ANSWER_MOST} bytes")
    if not size:
        raise MessageError("it closed the connection without an answer; look at its log")
    return b"".join(parts)
