"""Makes packets byte by byte, together with the truth of what the kernel's LOG line will tell.

The truth comes from how a packet was made, never from reading a line: it is the other side of
every comparison. What LOG prints of each packet is Linux `net/netfilter/nf_log_syslog.c`.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

TCP_FLAGS = {  # bit of the 16-bit word "offset and flags", in the order the kernel prints them
    "ae": 0x100,
    "cwr": 0x080,
    "ece": 0x040,
    "urg": 0x020,
    "ack": 0x010,
    "psh": 0x008,
    "rst": 0x004,
    "syn": 0x002,
    "fin": 0x001,
}
# IANA "Assigned Internet Protocol Numbers", keywords in lower case.
PROTOCOLS = {
    0: "hopopt",
    1: "icmp",
    2: "igmp",
    4: "ipv4",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    59: "ipv6-nonxt",
    88: "eigrp",
    89: "ospfigp",
    103: "pim",
    112: "vrrp",
    115: "l2tp",
    132: "sctp",
    136: "udplite",
}
HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AH, NO_NEXT, DESTINATION = 0, 43, 44, 50, 51, 59, 60


@dataclass(frozen=True, slots=True)
class Sent:
    """What a packet is, as far as its line can tell. None: the line does not tell it.

    Addresses are canonical (RFC 5952), `protocol` is an IANA keyword in lower case, `length`
    counts bytes from the IP header on, `flags` are lower case in the kernel's order.
    `kind` is "packet", or "odd" where the kernel prints no source and destination.
    """

    kind: str
    family: int
    source: str | None
    destination: str | None
    length: int | None
    protocol: str | None = None
    source_port: int | None = None
    port: int | None = None
    flags: tuple[str, ...] | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    interface: str = "eth1"
    out_interface: str = ""


@dataclass(frozen=True, slots=True)
class Packet:
    """Bytes from the IP header on, and their truth."""

    data: bytes
    sent: Sent


@dataclass(frozen=True, slots=True)
class Transport:
    """What follows the IP header: protocol number, bytes, and what of it LOG prints.

    `needed` is how many bytes LOG wants to see before it prints more than the protocol;
    `checksum` is the offset of a checksum to be filled in, None for none.
    """

    number: int
    data: bytes
    needed: int = 0
    checksum: int | None = None
    pseudo_header: bool = True
    source_port: int | None = None
    port: int | None = None
    flags: tuple[str, ...] | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None

    def bare(self) -> "Transport":
        """Return the same without what LOG reads from the transport header."""
        return replace(
            self, source_port=None, port=None, flags=None, icmp_type=None, icmp_code=None
        )

    def cut(self, size: int) -> "Transport":
        """Keep only the first `size` bytes, as in a truncated packet."""
        kept = replace(self, data=self.data[:size], checksum=None)
        return kept if size >= self.needed else kept.bare()


def tcp(
    source_port: int,
    port: int,
    flags: Sequence[str] = ("syn",),
    *,
    sequence: int = 0x1000,
    acknowledgement: int = 0,
    window: int = 64240,
    urgent: int = 0,
    options: bytes = b"",
    reserved: int = 0,
    payload: bytes = b"",
) -> Transport:
    """Return a TCP segment. `options` are padded to words; `reserved` is 0 to 0xe, even."""
    options += b"\0" * (-len(options) % 4)
    word = (5 + len(options) // 4) << 12 | reserved << 8 | sum(TCP_FLAGS[flag] for flag in flags)
    header = struct.pack(
        "!HHIIHHHH", source_port, port, sequence, acknowledgement, word, window, 0, urgent
    )
    return Transport(
        6,
        header + options + payload,
        needed=20,
        checksum=16,
        source_port=source_port,
        port=port,
        flags=tuple(flag for flag in TCP_FLAGS if flag in flags),
    )


def udp(source_port: int, port: int, payload: bytes = b"", *, lite: bool = False) -> Transport:
    """Return a UDP datagram, or a UDPLITE one whose checksum covers all of it."""
    size = 8 + len(payload)
    header = struct.pack("!HHHH", source_port, port, size, 0)
    return Transport(
        136 if lite else 17,
        header + payload,
        needed=8,
        checksum=6,
        source_port=source_port,
        port=port,
    )


def icmp(kind: int, code: int, rest: bytes = b"\0\0\0\0", payload: bytes = b"") -> Transport:
    """Return an ICMP message; `rest` is the second word of its header."""
    return Transport(
        1,
        struct.pack("!BBH", kind, code, 0) + rest + payload,
        needed=8,
        checksum=2,
        pseudo_header=False,
        icmp_type=kind,
        icmp_code=code,
    )


def icmpv6(kind: int, code: int, rest: bytes = b"\0\0\0\0", payload: bytes = b"") -> Transport:
    """Return an ICMPv6 message; `rest` is the second word of its header."""
    return replace(icmp(kind, code, rest, payload), number=58, pseudo_header=True)


def ah(inner: Transport, *, index: int = 0x1001, sequence: int = 1) -> Transport:
    """Return an IPv4 authentication header in front of `inner`; LOG prints only its SPI."""
    header = struct.pack("!BBHII", inner.number, 4, 0, index, sequence) + b"\xa5" * 12
    return Transport(AH, header + inner.data, needed=12)


def esp(*, index: int = 0x2002, sequence: int = 1, payload: bytes = b"\x5a" * 32) -> Transport:
    """Return an encapsulating security payload; LOG prints only its SPI."""
    return Transport(ESP, struct.pack("!II", index, sequence) + payload, needed=8)


def other(number: int, data: bytes = b"\0" * 16) -> Transport:
    """Return a payload of a protocol that LOG knows by number only (SCTP, DCCP, IGMP, GRE...)."""
    return Transport(number, data)


def sctp(source_port: int, port: int) -> Transport:
    """Return an SCTP INIT; LOG prints no ports for it."""
    init = struct.pack("!BBHIIHHI", 1, 0, 20, 0xABCD, 65535, 10, 10, 1)
    return other(132, struct.pack("!HHII", source_port, port, 0, 0) + init)


def dccp(source_port: int, port: int) -> Transport:
    """Return a DCCP request; LOG prints no ports for it."""
    return other(33, struct.pack("!HHBBHI", source_port, port, 4, 0, 0, 0) + b"\0" * 8)


def ip4(
    source: str,
    destination: str,
    transport: Transport,
    *,
    identifier: int = 0,
    ttl: int = 64,
    tos: int = 0,
    dont_fragment: bool = False,
    more_fragments: bool = False,
    evil: bool = False,
    offset: int = 0,
    options: bytes = b"",
) -> Packet:
    """Return an IPv4 packet. `offset` counts 8-byte units; `evil` is the reserved bit (LOG: CE)."""
    options += b"\0" * (-len(options) % 4)
    size = 20 + len(options)
    head = (
        struct.pack(
            "!BBHHHBBH",
            0x40 | size // 4,
            tos,
            size + len(transport.data),
            identifier,
            evil << 15 | dont_fragment << 14 | more_fragments << 13 | offset,
            ttl,
            transport.number,
            0,
        )
        + socket.inet_aton(source)
        + socket.inet_aton(destination)
        + options
    )
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    pseudo = head[12:20] + struct.pack("!BBH", 0, transport.number, len(transport.data))
    body = transport.data if offset else summed(transport, pseudo)
    seen = transport.bare() if offset else transport
    protocol = None if offset and transport.number == AH else keyword(transport.number)
    return packet(head + body, source, destination, protocol, seen)


def ip6(
    source: str,
    destination: str,
    transport: Transport | None,
    *,
    extensions: Sequence[tuple[int, bytes]] = (),
    hop_limit: int = 64,
    traffic_class: int = 0,
    flow_label: int = 0,
    logs_options: bool = False,
) -> Packet:
    """Return an IPv6 packet behind `extensions`, each a number and its bytes without next header.

    Such extensions are made by `padding`, `routing`, `fragment`, `ah6` and `esp6`.
    Without a transport the last header says "no next header" (59), or is an ESP.
    `logs_options`: the LOG rule prints options, which changes only how a line ends.
    """
    seen = transport or Transport(NO_NEXT, b"")
    numbers = [number for number, _ in extensions] + [seen.number]
    chain = b"".join(
        body if number == ESP else bytes([following]) + body
        for (number, body), following in zip(extensions, numbers[1:], strict=True)
    )
    addresses = address_bytes(source) + address_bytes(destination)
    pseudo = addresses + struct.pack("!II", len(seen.data), seen.number)
    later = any(
        number == FRAGMENT and struct.unpack("!H", body[1:3])[0] & 0xFFF8
        for number, body in extensions
    )
    body = chain + (seen.data if later else summed(seen, pseudo))
    head = struct.pack(
        "!IHBB", 6 << 28 | traffic_class << 20 | flow_label, len(body), numbers[0], hop_limit
    )
    protocol = keyword(seen.number)
    stopping = {HOP_BY_HOP, ROUTING, DESTINATION, *([AH] if logs_options else [])}
    place = numbers.index(FRAGMENT) if later else len(numbers)
    if ESP in numbers or stopping & set(numbers[place:]):
        protocol = None
    if later or protocol is None:
        seen = seen.bare()
    return packet(head + addresses + body, source, destination, protocol, seen)


def padding(size: int = 8) -> bytes:
    """Return hop-by-hop or destination options, `size` bytes with the next header.

    More than 7 bytes of padding the kernel drops before any rule (net/ipv6/exthdrs.c), so larger
    ones hold an option for experiments that is to be skipped (RFC 4727: 0x1e).
    """
    kind = 1 if size == 8 else 0x1E
    return bytes([size // 8 - 1, kind, size - 4]) + b"\0" * (size - 4)


def routing(segments_left: int = 0) -> bytes:
    """Return a routing header of type 253 (experiment, RFC 4727)."""
    return bytes([0, 253, segments_left, 0, 0, 0, 0])


def fragment(offset: int, *, more: bool, identifier: int) -> bytes:
    """Return a fragment header; `offset` counts bytes, a multiple of 8."""
    return struct.pack("!BHI", 0, offset | more, identifier)


def ah6(*, index: int = 0x1001) -> bytes:
    """Return an IPv6 authentication header of 24 bytes."""
    return struct.pack("!BHII", 4, 0, index, 1) + b"\xa5" * 12


def esp6(*, index: int = 0x2002) -> bytes:
    """Return an encapsulating security payload; nothing readable follows it."""
    return struct.pack("!II", index, 1) + b"\x5a" * 24


def packet(
    data: bytes, source: str, destination: str, protocol: str | None, seen: Transport
) -> Packet:
    """Return the packet with its truth."""
    return Packet(
        data,
        Sent(
            kind="packet",
            family=ip_address(source).version,
            source=canonical(source),
            destination=canonical(destination),
            length=len(data),
            protocol=protocol,
            source_port=seen.source_port,
            port=seen.port,
            flags=seen.flags,
            icmp_type=seen.icmp_type,
            icmp_code=seen.icmp_code,
        ),
    )


def canonical(address: str) -> str:
    """Return the text of RFC 5952; its section 5 writes IPv4-mapped addresses in dotted decimal.

    Python does so only since 3.13.
    """
    parsed = ip_address(address)
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return f"::ffff:{mapped}" if mapped else str(parsed)


def keyword(number: int) -> str:
    """Return the name of a protocol number: the IANA keyword, or its decimal text."""
    return PROTOCOLS.get(number, str(number))


def address_bytes(address: str) -> bytes:
    """Return an address of either family in network order."""
    return ip_address(address).packed


def summed(transport: Transport, pseudo: bytes) -> bytes:
    """Return the transport's bytes with their checksum filled in (RFC 1071; UDP sends no zero)."""
    if transport.checksum is None:
        return transport.data
    total = checksum((pseudo if transport.pseudo_header else b"") + transport.data) or 0xFFFF
    place = transport.checksum
    return transport.data[:place] + struct.pack("!H", total) + transport.data[place + 2 :]


def checksum(data: bytes) -> int:
    """Return the Internet checksum of RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
