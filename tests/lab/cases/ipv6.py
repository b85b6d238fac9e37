"""IPv6 as Calico's iptables dataplane logs it: ip6tables, mangle PREROUTING."""

import itertools
import struct

from lab.case import Case, Recording
from lab.network import Rule
from lab.packet import (
    AH,
    DESTINATION,
    ESP,
    FRAGMENT,
    HOP_BY_HOP,
    ROUTING,
    Packet,
    Transport,
    ah6,
    esp6,
    fragment,
    icmpv6,
    ip6,
    other,
    padding,
    routing,
    sctp,
    tcp,
    udp,
)

NODE = "2001:db8:1::2"
IP6TABLES = (
    "By ip6tables in mangle PREROUTING, `--log-prefix 'calico-packet: ' --log-level 5`, then DROP"
)


def source(number: int) -> str:
    """Return one of many attackers, whose addresses are written in many ways."""
    forms = ("2001:db8::{}", "2001:db8:0:1:{}::", "2001:db8:a:b:c:d:e:{}", "2001:db8:0:0:1::{}")
    return forms[number % 4].format(format(number + 1, "x"))


def tcp_udp(lab: Recording) -> None:
    lab.network.log(Rule(families=(6,)))
    flags = (("syn",), ("ack",), ("ack", "rst"), (), ("ae", "cwr", "ece", "syn"), ("fin", "urg"))
    packets: list[Packet] = [
        ip6(source(place), NODE, tcp(40000 + place, port, flags[place % 6]), flow_label=place * 991)
        for place, port in enumerate((22, 80, 443, 30080, 65535, 0) * 4)
    ]
    packets += [
        ip6(source(place), NODE, udp(40000 + place, 53, b"x" * place * 3, lite=lite))
        for place, lite in itertools.product(range(8), (False, True))
    ]
    packets += [
        ip6(source(1), NODE, tcp(1, 22), traffic_class=255, flow_label=0xFFFFF, hop_limit=0),
        ip6("::ffff:192.0.2.7", NODE, tcp(2, 22), hop_limit=255),
        ip6("::192.0.2.7", NODE, tcp(3, 22)),
        ip6("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", tcp(4, 22)),
        ip6("::", NODE, udp(5, 53)),
        ip6("fe80::1", "ff02::fb", udp(5353, 5353, b"\0" * 12), hop_limit=1),
        ip6(source(2), NODE, sctp(6, 7)),
        ip6(source(2), NODE, other(47, b"\0" * 8)),
        ip6(source(2), NODE, other(89)),
        ip6(source(2), NODE, other(253)),
        *(ip6(source(3), NODE, tcp(8, 22).cut(size)) for size in (0, 4, 19, 20)),
        *(ip6(source(3), NODE, udp(8, 53).cut(size)) for size in (0, 4, 7, 8)),
    ]
    lab.send(packets)


def icmpv6_messages(lab: Recording) -> None:
    lab.network.log(Rule(families=(6,)))
    packets = [
        ip6(source(place), NODE, icmpv6(kind, 0, struct.pack("!HH", 77, place), b"\x55" * 48))
        for place, kind in enumerate((128, 129) * 5)
    ]
    packets += [
        ip6(
            "::",
            "ff02::16",
            icmpv6(143, 0, b"\0\0\0\0"),
            hop_limit=1,
            extensions=[(HOP_BY_HOP, padding())],
        ),
        ip6(
            "fe80::1",
            "ff02::1",
            icmpv6(130, 0, payload=b"\0" * 16),
            hop_limit=1,
            extensions=[(HOP_BY_HOP, padding())],
        ),
        *(ip6("fe80::2", "ff02::1", icmpv6(kind, 0, payload=b"\0" * 16)) for kind in (131, 132)),
        *(
            ip6("fe80::3", "ff02::1", icmpv6(kind, 0, payload=b"\0" * 16), hop_limit=255)
            for kind in (133, 134, 135, 136, 137)
        ),
        *(
            ip6(source(4), NODE, icmpv6(kind, code))
            for kind, code in ((100, 0), (138, 255), (255, 9))
        ),
        *(ip6(source(5), NODE, icmpv6(128, 0).cut(size)) for size in (0, 4, 7, 8)),
    ]
    inner = [
        ip6(NODE, source(50), tcp(42962, 22)).data,
        ip6(NODE, source(51), udp(53, 33434, b"z" * 20)).data,
        ip6(NODE, source(52), icmpv6(128, 0, payload=b"p" * 8)).data,
        # an error about an error: LOG prints one level only
        ip6(NODE, source(53), icmpv6(1, 4, payload=ip6(NODE, source(54), udp(7, 8)).data)).data,
        ip6(NODE, source(55), tcp(9, 10), extensions=[(HOP_BY_HOP, padding())]).data,
        ip6(
            NODE,
            source(56),
            Transport(6, b"q" * 32),
            extensions=[(FRAGMENT, fragment(1448, more=True, identifier=9))],
        ).data,
        ip6(NODE, source(57), None, extensions=[(ESP, esp6())]).data,
        ip6(NODE, source(58), sctp(11, 12)).data,
        ip6(NODE, source(59), tcp(13, 14)).data[:48],
        ip6(NODE, source(59), tcp(13, 14)).data[:40],
        ip6(NODE, source(59), tcp(13, 14)).data[:24],
        b"",
    ]
    errors = [
        (1, 0, b"\0\0\0\0"),
        (1, 4, b"\0\0\0\0"),
        (2, 0, struct.pack("!I", 1280)),
        (3, 0, b"\0\0\0\0"),
        (4, 1, struct.pack("!I", 40)),
    ]
    packets += [
        ip6(source(place % 6), NODE, icmpv6(kind, code, rest, payload))
        for place, ((kind, code, rest), payload) in enumerate(itertools.product(errors, inner))
    ]
    lab.send(packets)


def extension_packets(*, logs_options: bool) -> list[Packet]:
    """Return packets behind extension headers of every kind that the kernel lets in."""
    first = fragment(0, more=True, identifier=0xBEEF)
    later = fragment(1448, more=True, identifier=0xBEEF)
    last = fragment(65528, more=False, identifier=0xFFFFFFFF)
    rest = b"r" * 32
    transports = [tcp(40000, 22), udp(40001, 53), icmpv6(128, 0), sctp(1, 2)]
    chains = [
        [(HOP_BY_HOP, padding())],
        [(HOP_BY_HOP, padding(16)), (DESTINATION, padding(24))],
        [(ROUTING, routing())],
        [(DESTINATION, padding())],
        [(AH, ah6())],
        [(AH, ah6(index=0xFFFFFFFF)), (DESTINATION, padding())],
        [(FRAGMENT, first)],
        [(HOP_BY_HOP, padding()), (ROUTING, routing()), (FRAGMENT, first), (AH, ah6())],
        [(FRAGMENT, fragment(0, more=False, identifier=1))],  # an atomic fragment, RFC 6946
    ]
    packets = [
        ip6(source(place), NODE, transport, extensions=chain, logs_options=logs_options)
        for place, (chain, transport) in enumerate(itertools.product(chains, transports))
    ]
    packets += [
        ip6(
            source(place),
            NODE,
            Transport(transport.number, rest),
            extensions=[(FRAGMENT, part)],
            logs_options=logs_options,
        )
        for place, (transport, part) in enumerate(itertools.product(transports, (later, last)))
    ]
    packets += [
        # After a later fragment LOG reads no further header and prints no PROTO.
        ip6(
            source(3),
            NODE,
            Transport(6, rest),
            logs_options=logs_options,
            extensions=[(FRAGMENT, later), (DESTINATION, padding())],
        ),
        ip6(
            source(3),
            NODE,
            Transport(6, rest),
            logs_options=logs_options,
            extensions=[(FRAGMENT, later), (ROUTING, routing())],
        ),
        ip6(source(4), NODE, None, extensions=[(ESP, esp6())], logs_options=logs_options),
        ip6(
            source(4),
            NODE,
            None,
            logs_options=logs_options,
            extensions=[(HOP_BY_HOP, padding()), (ESP, esp6(index=1))],
        ),
        ip6(
            source(4),
            NODE,
            None,
            logs_options=logs_options,
            extensions=[(FRAGMENT, first), (ESP, esp6())],
        ),
        ip6(
            source(4),
            NODE,
            None,
            logs_options=logs_options,
            extensions=[(FRAGMENT, later), (ESP, esp6())],
        ),
        ip6(source(5), NODE, None, logs_options=logs_options),
        ip6(
            source(5), NODE, None, extensions=[(DESTINATION, padding())], logs_options=logs_options
        ),
    ]
    return packets


def extensions(lab: Recording) -> None:
    lab.network.log(Rule(families=(6,)))
    lab.send(extension_packets(logs_options=False))


def extension_options(lab: Recording) -> None:
    flags = ("tcp-sequence", "tcp-options", "ip-options", "uid")
    lab.network.log(Rule(families=(6,), flags=flags, mark=0xFFFFFFFF))
    lab.send(extension_packets(logs_options=True))


CASES = (
    Case(
        "ip6tables-tcp-udp",
        f"""{IP6TABLES}. TCP, UDP, UDPLITE and protocols by number; addresses whose canonical text
        is short in several ways, IPv4-mapped, unspecified, link-local; extreme fields; cut headers.
        Header form B (RFC 3339, uptime stripped by imklog).""",
        tcp_udp,
        rsyslog={"template": "file", "uptime": False},
    ),
    Case(
        "ip6tables-icmpv6",
        f"""{IP6TABLES}. Echo, multicast listener and neighbour messages, errors with nested packets
        of many kinds, whole and cut. Header form C (RFC 5424 with PRI).""",
        icmpv6_messages,
        rsyslog={"template": "protocol23"},
    ),
    Case(
        "ip6tables-extensions",
        f"""{IP6TABLES}. Extension headers: hop-by-hop, routing, destination options, AH, ESP (the
        line ends without PROTO), first, later, last and atomic fragments, no next header
        (PROTO=59). Header form B' (RFC 3339 with uptime).""",
        extensions,
        rsyslog={"template": "file"},
    ),
    Case(
        "ip6tables-extension-options",
        """As ip6tables-extensions, with --log-ip-options --log-tcp-options --log-tcp-sequence
        --log-uid and mark 0xffffffff: every extension header appears as `OPT ( ... ) `. Header form
        A.""",
        extension_options,
    ),
)
