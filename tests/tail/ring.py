"""What the kernel's log holds, on sockets that give one record a read, as the device does."""

import contextlib
import socket


class Ring:
    """What the kernel holds: every opening gives it from the first record on."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.refusals: list[OSError] = []
        self._writers: list[socket.socket] = []

    def add(self, *numbers: int, priority: int = 5) -> None:
        for number in numbers:
            record = b"%d,%d,1000000,-;line %d\n" % (priority, number, number)
            self.records.append(record)
            for writer in self._writers:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # reader closed
                    writer.send(record)

    def open(self) -> int:
        if self.refusals:
            raise self.refusals.pop(0)
        reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reader.setblocking(False)
        for record in self.records:
            writer.send(record)
        self._writers.append(writer)
        return reader.detach()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
