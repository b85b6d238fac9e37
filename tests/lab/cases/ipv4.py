"""IPv4 as Calico's iptables dataplane logs it: mangle PREROUTING, before any NAT."""

import itertools
import struct

from lab.case import Case, Recording
from lab.network import Rule
from lab.packet import (
    TCP_FLAGS,
    Packet,
    Transport,
    ah,
    dccp,
    esp,
    icmp,
    ip4,
    other,
    sctp,
    tcp,
    udp,
)

NODE = "198.51.100.2"
IPTABLES = (
    "By iptables in mangle PREROUTING, `--log-prefix 'calico-packet: ' --log-level 5`, then DROP"
)


def source(number: int) -> str:
    """Return one of 250 attackers in 192.0.2.0/24."""
    return f"192.0.2.{number % 250 + 1}"


def tcp_flags(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    names = list(TCP_FLAGS)
    sets = [flags for size in (0, 1, 2) for flags in itertools.combinations(names, size)]
    sets += [("ack", "psh", "fin"), ("urg", "psh", "fin"), tuple(names), tuple(names[1:])]
    packets = [
        ip4(source(place // 9), NODE, tcp(30000 + place, port, flags), identifier=52866 + place)
        for place, (flags, port) in enumerate(
            zip(sets, itertools.cycle((22, 80, 443, 3389, 30080)), strict=False)
        )
    ]
    packets += [
        ip4(source(7), NODE, tcp(42962, 22, window=0, urgent=65535, sequence=2**32 - 1)),
        ip4(source(7), NODE, tcp(65535, 65535, reserved=0xE)),
        ip4(source(7), NODE, tcp(0, 0)),
        ip4(source(7), NODE, tcp(1, 22, options=b"\2\4\5\xb4\4\2\x08\x0a" + b"\0" * 10)),
        ip4(source(7), NODE, tcp(2, 22, payload=b"SSH-2.0-libssh2_1.10.0\r\n" * 20)),
        ip4("0.0.0.0", "255.255.255.255", tcp(3, 22), ttl=0),
        ip4("203.0.113.255", NODE, tcp(4, 22), ttl=255, tos=0xFF, identifier=65535),
        ip4(source(8), NODE, tcp(5, 22), dont_fragment=True),
        ip4(source(8), NODE, tcp(6, 22), dont_fragment=True, evil=True),
    ]
    lab.send(packets)


def udp_udplite(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    ports = (53, 123, 161, 1900, 5353, 11211, 30053, 65535, 0)
    packets = [
        ip4(source(place % 5), NODE, udp(40000 + place, port, b"x" * (place * 7)))
        for place, port in enumerate(ports * 3)
    ]
    packets += [
        ip4(source(place % 3), NODE, udp(50000 + place, port, b"y" * place, lite=True))
        for place, port in enumerate(ports * 2)
    ]
    packets += [ip4(source(1), "224.0.0.251", udp(5353, 5353, b"\0" * 12), ttl=1)]
    lab.send(packets)


def icmp_messages(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    echo = [
        ip4(
            source(place % 4),
            NODE,
            icmp(kind, 0, struct.pack("!HH", 4000 + place, place), b"\x55" * 48),
            identifier=place,
        )
        for place, kind in enumerate((8, 0) * 8)
    ]
    times = [
        ip4(source(5), NODE, icmp(kind, 0, payload=b"\0" * 12), identifier=7) for kind in (13, 14)
    ]
    masks = [ip4(source(5), NODE, icmp(kind, 0, payload=b"\0" * 4)) for kind in (17, 18)]
    bare = [
        ip4(source(6), NODE, icmp(kind, code))
        for kind, code in ((9, 0), (10, 0), (15, 0), (16, 0), (30, 0), (42, 0), (43, 4), (255, 255))
    ]
    # With only its 8 bytes of header a timestamp or mask message is shorter than LOG wants.
    short = [ip4(source(6), NODE, icmp(kind, 0)) for kind in (13, 14, 17, 18)]
    lab.send([*echo, *times, *masks, *bare, *short])


def icmp_errors(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    inner = [
        tcp(42962, 22),
        tcp(42962, 22, ("ack", "rst")),
        udp(53, 33434, b"z" * 20),
        udp(1, 2, lite=True),
        icmp(8, 0, b"\0\1\0\2", b"p" * 16),
        esp(),
        ah(tcp(1, 22)),
        sctp(9, 10),
        other(89),
    ]
    # The inner packet once whole and once with the 8 bytes of RFC 792, where LOG says INCOMPLETE.
    nested = [
        ip4(NODE, source(place + 100), transport.cut(size)).data
        for place, transport in enumerate(inner)
        for size in (8, 1000)
    ]
    nested += [
        ip4(NODE, source(150), tcp(5, 6), offset=185, more_fragments=True).data,
        ip4(NODE, source(150), udp(5, 6), dont_fragment=True, options=b"\x94\4\0\0").data,
        # an error about an error: LOG prints one level only
        ip4(NODE, source(151), icmp(3, 1, payload=ip4(NODE, source(152), udp(7, 8)).data)).data,
        ip4(NODE, source(150), tcp(5, 6)).data[:20],
        ip4(NODE, source(150), tcp(5, 6)).data[:12],
        b"",
    ]
    errors = [
        (3, 0, b"\0\0\0\0"),
        (3, 1, b"\0\0\0\0"),
        (3, 3, b"\0\0\0\0"),
        (3, 4, struct.pack("!HH", 0, 1400)),
        (3, 13, b"\0\0\0\0"),
        (4, 0, b"\0\0\0\0"),
        (5, 1, bytes([192, 0, 2, 254])),
        (11, 0, b"\0\0\0\0"),
        (11, 1, b"\0\0\0\0"),
        (12, 0, bytes([20, 0, 0, 0])),
    ]
    lab.send(
        ip4(source(place % 6), NODE, icmp(kind, code, rest, payload), tos=0xC0, identifier=place)
        for place, ((kind, code, rest), payload) in enumerate(itertools.product(errors, nested))
    )


def other_protocols(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    transports = [
        sctp(5000, 36412),
        dccp(5001, 5002),
        other(2, b"\x16\0\x09\x04\xe0\0\0\xfb"),
        other(47, b"\0\0\x08\0" + ip4("10.0.0.1", "10.0.0.2", tcp(1, 22)).data),
        ah(tcp(40000, 22)),
        ah(udp(40000, 53), index=0xFFFFFFFF),
        ah(tcp(40000, 22)).cut(11),
        esp(),
        esp(index=0),
        esp().cut(7),
        other(4, ip4("10.0.0.1", "10.0.0.2", tcp(1, 22)).data),
        other(41, b"\x60" + b"\0" * 39),
        *(other(number) for number in (88, 89, 103, 112, 115)),
        *(other(number) for number in (0, 61, 200, 253, 254)),
    ]
    packets = [
        ip4(source(place % 4), NODE, transport, identifier=place)
        for place, transport in enumerate(transports * 3)
    ]
    lab.send(packets)


def fragments(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    packets: list[Packet] = []
    transports = [
        tcp(40000, 22, payload=b"a" * 1460),
        udp(40001, 53, b"b" * 1472),
        udp(40002, 54, b"c" * 1472, lite=True),
        icmp(8, 0, b"\0\1\0\1", b"d" * 1472),
        esp(payload=b"e" * 1472),
        ah(tcp(40003, 22, payload=b"f" * 1436)),
        sctp(5000, 36412),
        other(47, b"g" * 1480),
    ]
    for place, transport in enumerate(transports):
        later = Transport(transport.number, b"h" * 400)
        packets += [
            ip4(source(place), NODE, transport, identifier=place, more_fragments=True),
            ip4(source(place), NODE, later, identifier=place, more_fragments=True, offset=185),
            ip4(source(place), NODE, later, identifier=place, offset=370),
            ip4(source(place), NODE, later, identifier=place, offset=8191, evil=True),
        ]
    # An overlapping fragment whose payload reads like a header, and tiny first fragments.
    packets += [
        ip4(source(20), NODE, tcp(1, 22), offset=1, identifier=99),
        ip4(source(20), NODE, tcp(1, 22).cut(8), more_fragments=True, identifier=99),
        ip4(source(20), NODE, udp(1, 22).cut(8), more_fragments=True, identifier=99),
    ]
    lab.send(packets)


def incomplete(lab: Recording) -> None:
    lab.network.log(Rule(families=(4,)))
    transports = [
        (tcp(40000, 22), (0, 1, 2, 3, 4, 8, 13, 19, 20)),
        (udp(40000, 53), (0, 2, 4, 7, 8)),
        (udp(40000, 53, lite=True), (0, 4, 7)),
        (icmp(8, 0, payload=b"x" * 8), (0, 1, 4, 7, 8)),
        (icmp(3, 3, payload=b"x" * 40), (8, 20, 27)),
        (icmp(13, 0, payload=b"x" * 12), (8, 19)),
        (ah(tcp(1, 2)), (0, 8, 11, 12)),
        (esp(), (0, 4, 7, 8)),
    ]
    lab.send(
        ip4(source(place), NODE, transport.cut(size), identifier=size)
        for place, (transport, sizes) in enumerate(transports)
        for size in sizes
    )


def options(lab: Recording) -> None:
    lab.network.log(
        Rule(
            families=(4,),
            flags=("tcp-sequence", "tcp-options", "ip-options", "uid"),
            mark=0x4000,
        )
    )
    timestamps = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 1, 2, 3, 0, 0, 0, 0, 1, 3, 3, 7])
    record_route = bytes([7, 7, 4, 0, 0, 0, 0])
    router_alert = bytes([0x94, 4, 0, 0])
    packets = []
    for place, (ip_options, tcp_options) in enumerate(
        itertools.product(
            (b"", router_alert, record_route, b"\1" * 40), (b"", timestamps, b"\1" * 40)
        )
    ):
        transport = tcp(40000 + place, 22, sequence=2**32 - place - 1, options=tcp_options)
        packets.append(ip4(source(place), NODE, transport, options=ip_options))
        packets.append(ip4(source(place), NODE, udp(40000 + place, 53), options=ip_options))
        packets.append(ip4(source(place), NODE, icmp(8, 0), options=ip_options))
        packets.append(ip4(source(place), NODE, sctp(1, 2), options=ip_options))
    # Its header says 40 bytes of options, but they are not there: OPT (TRUNCATED)
    packets.append(ip4(source(20), NODE, tcp(7, 22, options=b"\1" * 40).cut(24)))
    lab.send(packets)


def scan(lab: Recording) -> None:
    """A port scan, and beside it clients that knock at one closed port now and then."""
    lab.network.log(Rule())
    for number in range(120):
        packets = [ip4("203.0.113.66", NODE, tcp(40000 + number, 1 + 83 * number % 9000))]
        if number % 5 == 0:
            packets.append(ip4(f"192.0.2.{10 + number % 3}", NODE, tcp(50000 + number, 30080)))
        lab.send(packets)


CASES = (
    Case(
        "scan",
        f"""{IPTABLES}. One source tries 120 ports with a lone SYN each; three others try one port
        again and again. Header form A (traditional).""",
        scan,
    ),
    Case(
        "iptables-tcp-flags",
        f"""{IPTABLES}. TCP with no, each one, each two and all of the nine flags that LOG knows (AE
        since Linux 6.15), and with extreme field values. Header form A (traditional).""",
        tcp_flags,
    ),
    Case(
        "iptables-udp-udplite",
        f"""{IPTABLES}. UDP and UDPLITE: their lines have a second LEN, which is not the packet's.
        Header form B (RFC 3339, uptime stripped by imklog).""",
        udp_udplite,
        rsyslog={"template": "file", "uptime": False},
    ),
    Case(
        "iptables-icmp",
        f"""{IPTABLES}. ICMP echo (two ID), timestamp, address mask, types that LOG prints bare, and
        messages shorter than LOG wants (INCOMPLETE). Header form C (RFC 5424 with PRI).""",
        icmp_messages,
        rsyslog={"template": "protocol23"},
    ),
    Case(
        "iptables-icmp-errors",
        f"""{IPTABLES}. Every ICMP error type, each with nested packets of many protocols, whole and
        cut: the nested addresses and ports are not the packet's. Header form B' (RFC 3339 with
        uptime).""",
        icmp_errors,
        rsyslog={"template": "file"},
    ),
    Case(
        "iptables-other-protocols",
        f"""{IPTABLES}. Protocols that LOG prints by number (no ports, whatever they carry), AH and
        ESP. Header form D (traditional, uptime stripped by imklog).""",
        other_protocols,
        rsyslog={"uptime": False},
    ),
    Case(
        "iptables-fragments",
        f"""{IPTABLES}. First, middle and last fragments; no connection tracking is active, so that
        they are not put together before the rule. Later fragments have no ports, and those of AH
        not even PROTO. Header form F: this kernel has no CONFIG_PRINTK_CALLER, so the relay between
        /dev/kmsg and imklog puts in `[ C3]`.""",
        fragments,
        rsyslog={"caller": "C3"},
    ),
    Case(
        "iptables-incomplete",
        f"""{IPTABLES}. Transport headers cut short: LOG says INCOMPLETE and gives no ports. Header
        form F' (RFC 3339, uptime stripped, caller `[ T1234]` put in by the relay).""",
        incomplete,
        rsyslog={"template": "file", "uptime": False, "caller": "T1234"},
    ),
    Case(
        "iptables-options",
        """By iptables in mangle PREROUTING with --log-tcp-sequence --log-tcp-options
        --log-ip-options --log-uid (an arriving packet has no user) and mark 0x4000, then DROP. SEQ
        and ACK as keys, `OPT (...)` of IP and of TCP, `OPT (TRUNCATED)`, MARK. Header form A.""",
        options,
    ),
)
