"""Sends hand-made packets as raw frames from a namespace, so that any address and any flaw goes.

About 100,000 simple packets a second; `flood` is for numbers, `send` for one truth per packet.
"""

import itertools
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Self

from lab.namespace import Namespace
from lab.packet import Packet, Sent

ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
BATCH = 32  # packets between two looks at the clock; the kernel's log ring holds about 450 lines


class Sender:
    """Frames from one interface to one Ethernet address."""

    def __init__(
        self, namespace: Namespace, interface: str, *, source: str, destination: str
    ) -> None:
        self._header = _mac(destination) + _mac(source)
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.bind((interface, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def frame(self, packet: Packet) -> bytes:
        """Return the packet as an Ethernet frame."""
        return self._header + ETHERTYPES[packet.sent.family] + packet.data

    def send(self, packets: Iterable[Packet], *, per_second: float | None = None) -> list[Sent]:
        """Send packets in their order and return the truth about each."""
        packets = list(packets)
        self._send([self.frame(packet) for packet in packets], len(packets), per_second)
        return [packet.sent for packet in packets]

    def flood(
        self, packets: Sequence[Packet], count: int, *, per_second: float | None = None
    ) -> None:
        """Send `count` packets by going round these."""
        self._send([self.frame(packet) for packet in packets], count, per_second)

    def raw(self, ethertype: int, payload: bytes) -> None:
        """Send one frame of any EtherType."""
        self._socket.send(self._header + ethertype.to_bytes(2, "big") + payload)

    def _send(self, frames: Sequence[bytes], count: int, per_second: float | None) -> None:
        send = self._socket.send
        if per_second is None:
            for frame in itertools.islice(itertools.cycle(frames), count):
                send(frame)
            return
        begin = time.monotonic()
        for number, frame in enumerate(itertools.islice(itertools.cycle(frames), count)):
            if number % BATCH == 0:
                # The pace is what is asked for.
                time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
            send(frame)


def _mac(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))
