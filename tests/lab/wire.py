"""What arrives at an interface, whoever sent it: the truth about packets that real tools send.

A packet socket is given each frame before netfilter is, and shares nothing with the line that LOG
prints of it. Only headers without options and extensions are read, which is what the tools send.
"""

import socket
import struct
from typing import Self

from lab.namespace import LabError, Namespace
from lab.packet import TCP_FLAGS, Sent, canonical, keyword

SO_RCVBUFFORCE = 33  # asm-generic/socket.h
BUFFER = 64 << 20  # bytes: 20,000 frames, of which each takes some 2 KiB
ETH_P_ALL, PACKET_OUTGOING = 3, 4  # linux/if_ether.h, linux/if_packet.h
IPV4, IPV6 = 0x0800, 0x86DD
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58


class Wire:
    """The frames that come in over an interface from the beginning of the `with` on."""

    def __init__(self, namespace: Namespace, interface: str) -> None:
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.bind((interface, ETH_P_ALL))
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def take(self) -> list[Sent]:
        """Give what came in since the last call, in its order."""
        taken = []
        while True:
            try:
                frame, (_, ethertype, direction, *_) = self._socket.recvfrom(65536)
            except BlockingIOError:
                return taken
            if direction != PACKET_OUTGOING and ethertype in {IPV4, IPV6}:
                taken.append(packet_of(frame[14:]))


def packet_of(data: bytes) -> Sent:
    """Read an IP packet."""
    if data[0] >> 4 == 4:
        length, number = struct.unpack_from("!2xH5xB", data)
        size, source, destination = (data[0] & 15) * 4, data[12:16], data[16:20]
        family = socket.AF_INET
    else:
        length, number = struct.unpack_from("!4xHB", data)
        length, size, source, destination = length + 40, 40, data[8:24], data[24:40]
        family = socket.AF_INET6
    first, second, word = struct.unpack_from("!HH8xH", data[size:] + bytes(14))
    has_ports = number in {TCP, UDP}
    if not has_ports and number not in {ICMP, ICMPV6}:
        raise LabError(f"no tool of the lab sends protocol {number}: {data.hex()}")
    return Sent(
        kind="packet",
        family=6 if family == socket.AF_INET6 else 4,
        source=canonical(socket.inet_ntop(family, source)),
        destination=canonical(socket.inet_ntop(family, destination)),
        length=length,
        protocol=keyword(number),
        source_port=first if has_ports else None,
        port=second if has_ports else None,
        flags=tuple(name for name, bit in TCP_FLAGS.items() if word & bit)
        if number == TCP
        else None,
        icmp_type=None if has_ports else first >> 8,
        icmp_code=None if has_ports else first & 255,
    )
