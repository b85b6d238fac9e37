"""Makes lines as the kernel and syslog write them, with the reading that each must have.

Every function that draws mirrors a function of nf_log_syslog.c and returns its text together with
the fields that a reading takes from it. Texts hold one character for each byte (latin-1).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from packets.naive import owner
from packets.prefixes import PREFIX_SETS, printed

from logwatch.packets.grammar.reader import canonical_address
from logwatch.packets.protocols import protocol_name
from logwatch.packets.reading import Reading

Draw = Callable[[st.SearchStrategy[Any]], Any]
Made = tuple[str, dict[str, Any]]

_EXAMPLES = os.environ.get("LOGWATCH_EXAMPLES")
thorough = settings(
    max_examples=int(_EXAMPLES or 2000),
    derandomize=_EXAMPLES is None,  # the same lines in every run, unless somebody hunts for more
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""For each property here. LOGWATCH_EXAMPLES=100000 tries so many, and others in each run."""


@dataclass(frozen=True)
class Line:
    """A line as made, and what is true of it."""

    line: bytes
    prefixes: tuple[str, ...]
    expected: Reading


def numbers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


BYTE = numbers(8)
SHORT = numbers(16)
WORD = numbers(32)
INTERFACE = st.sampled_from(
    [
        "eth0",
        "eth1",
        "cali527b0801ecb",
        "tunl0",
        "br-lan.40",
        "wg@if3",
        "a=b",
        "[x]",
        "a\tb",
        "\xc3\xbc",
        "\xff",
    ]
)
INTERFACES = st.one_of(st.just(""), INTERFACE)
IP4 = st.one_of(
    st.sampled_from(["203.0.113.7", "0.0.0.0", "255.255.255.255", "10.0.0.1"]),
    WORD.map(lambda address: str(IPv4Address(address))),
)
IP6 = st.one_of(
    st.sampled_from(["2001:0db8:0000:0000:0000:0000:0000:0001", "0000:" * 7 + "0000"]),
    numbers(128).map(lambda address: IPv6Address(address).exploded),
    numbers(33).map(lambda address: IPv6Address(address | 0xFFFE << 32).exploded),  # near v4-mapped
    # any group may be zero
    st.tuples(numbers(128), BYTE).map(
        lambda drawn: (
            IPv6Address(
                drawn[0] & sum(0xFFFF << 16 * bit for bit in range(8) if drawn[1] >> bit & 1)
            ).exploded
        )
    ),
)
MAC6 = st.sampled_from(["02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"])
HEX_BYTES = st.sampled_from(["", "94040000", "0123456789ABCDEF" * 5])
FLAGS = ("AE", "CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN")
FLAG_SETS = st.one_of(
    st.sampled_from([0, 1 << 7, 1 << 4, 1 << 7 | 1 << 4, 1 << 6, 511]), numbers(9)
).map(lambda bits: tuple(flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1))


@st.composite
def devices(draw: Draw) -> Made:
    """As nf_log_dump_packet_common() and dump_mac_header()."""
    incoming, outgoing = draw(INTERFACES), draw(INTERFACES)
    text = f"IN={incoming} OUT={outgoing} "
    form = draw(st.integers(0, 9))
    if form == 0:
        text += f"PHYSIN={draw(INTERFACE)} PHYSOUT={draw(INTERFACE)} "
    elif form == 1:
        text += f"PHYSOUT={draw(INTERFACE)} "
    if form in (2, 3):
        vlan = f"VPROTO=8100 VID={draw(SHORT)} " if form == 2 else ""
        text += f"MACSRC={draw(MAC6)} MACDST={draw(MAC6)} {vlan}MACPROTO=0800 "
    elif form == 4:
        text += "MAC= "
    elif form == 5:
        text += f"MAC={draw(MAC6)} TUNNEL={draw(IP4)}->{draw(IP4)} "
    elif form > 6:
        text += f"MAC={draw(MAC6)}:{draw(MAC6)}:08:00 "
    return text, {
        "interface": incoming.encode("latin-1"),
        "out_interface": outgoing.encode("latin-1"),
    }


def tcp(draw: Draw) -> Made:
    """As nf_log_dump_tcp_header()."""
    form = draw(st.integers(0, 9))
    if form == 0:
        return "PROTO=TCP ", {"protocol": "tcp"}
    if form == 1:
        return f"PROTO=TCP INCOMPLETE [{draw(BYTE)} bytes] ", {"protocol": "tcp"}
    source_port, port = draw(SHORT), draw(SHORT)
    numbered = f"SEQ={draw(WORD)} ACK={draw(WORD)} " if form == 2 else ""
    flags = draw(FLAG_SETS)
    printed = "".join(f"{flag} " for flag in flags)
    options = draw(st.sampled_from(["", "", "", "OPT (020405B4) ", "OPT () ", "OPT (TRUNCATED)"]))
    text = (
        f"PROTO=TCP SPT={source_port} DPT={port} {numbered}WINDOW={draw(SHORT)}"
        f" RES=0x{draw(st.sampled_from(['00', '0c', '3f']))} {printed}URGP={draw(BYTE)} {options}"
    )
    return text, {
        "protocol": "tcp",
        "source_port": source_port,
        "port": port,
        "flags": tuple(flag.lower() for flag in flags),
    }


def udp(draw: Draw) -> Made:
    """As nf_log_dump_udp_header()."""
    name = draw(st.sampled_from(["UDP", "UDPLITE"]))
    form = draw(st.integers(0, 5))
    if form == 0:
        return f"PROTO={name} ", {"protocol": name.lower()}
    if form == 1:
        return f"PROTO={name} INCOMPLETE [{draw(BYTE)} bytes] ", {"protocol": name.lower()}
    source_port, port = draw(SHORT), draw(SHORT)
    return f"PROTO={name} SPT={source_port} DPT={port} LEN={draw(SHORT)} ", {
        "protocol": name.lower(),
        "source_port": source_port,
        "port": port,
    }


def icmp(draw: Draw, name: str, nested: Callable[[Draw], str] | None) -> Made:
    """As the ICMP parts of dump_ipv4_packet() and dump_ipv6_packet()."""
    form = draw(st.integers(0, 9))
    if form == 0:
        return f"PROTO={name} ", {"protocol": name.lower()}
    if form == 1:
        return f"PROTO={name} INCOMPLETE [{draw(BYTE)} bytes] ", {"protocol": name.lower()}
    kind, code = draw(BYTE), draw(BYTE)
    text = f"PROTO={name} TYPE={kind} CODE={code} "
    if form == 2:
        text += f"INCOMPLETE [{draw(BYTE)} bytes] "
    elif form in (3, 4):
        text += f"ID={draw(SHORT)} SEQ={draw(SHORT)} "
    elif form == 5:
        text += f"PARAMETER={draw(BYTE)} "
    elif form > 5 and nested is not None:
        before = {6: f"GATEWAY={draw(IP4)} ", 7: "POINTER=00000028 "}.get(form, "")
        after = f"MTU={draw(SHORT)} " if form == 8 else ""
        text += f"{before}[{nested(draw)}] {after}"
    return text, {"protocol": name.lower(), "icmp_type": kind, "icmp_code": code}


def other_protocol(draw: Draw) -> Made:
    form = draw(st.integers(0, 5))
    if form < 2:
        name = ("AH", "ESP")[form]
        end = draw(st.sampled_from(["", "SPI=0x1f00 ", "INCOMPLETE [4 bytes] "]))
        return f"PROTO={name} {end}", {"protocol": name.lower()}
    if form == 2:
        return "", {}
    number = draw(st.one_of(st.sampled_from([2, 6, 33, 47, 59, 89, 132]), BYTE))
    return f"PROTO={number} ", {"protocol": protocol_name(number)}


def transport(draw: Draw, icmp_name: str, nested: Callable[[Draw], str] | None) -> Made:
    form = draw(st.integers(0, 9))
    if form < 5:
        return tcp(draw)
    if form < 7:
        return udp(draw)
    if form < 9:
        return icmp(draw, icmp_name, nested)
    return other_protocol(draw)


def addresses(draw: Draw, addresses: st.SearchStrategy[str]) -> Made:
    source, destination = draw(addresses), draw(addresses)
    return f"SRC={source} DST={destination} ", {
        "source": canonical_address(source),
        "destination": canonical_address(destination),
    }


def ipv4(draw: Draw, nested: Callable[[Draw], str] | None) -> Made:
    """As dump_ipv4_packet(), without what it prints of the outermost packet only."""
    text, fields = addresses(draw, IP4)
    length = draw(WORD if draw(st.booleans()) else SHORT)
    text += (
        f"LEN={length} TOS=0x{draw(BYTE):02X} PREC=0x{draw(st.sampled_from(['00', 'C0']))}"
        f" TTL={draw(BYTE)} ID={draw(SHORT)} "
    )
    form = draw(st.integers(0, 15))
    text += {
        0: "CE ",
        1: "MF ",
        2: "FRAG:185 ",
        3: "CE DF MF FRAG:8191 ",
        4: f"OPT ({draw(HEX_BYTES)}) " if form == 4 else "",
        5: "DF OPT () ",
    }.get(form, "DF " if form % 2 else "")
    fields["length"] = length
    if form == 6:
        return f"{text}TRUNCATED", fields
    below, more = transport(draw, "ICMP", nested)
    return text + below, fields | more


EXTENSIONS = st.sampled_from(
    [
        "OPT ( ) ",
        "FRAG:0 INCOMPLETE ID:0000abcd ",
        "FRAG:1448 ID:ffffffff ",
        "OPT ( FRAG:0 ID:00000001 ) ",
        "OPT ( AH SPI=0x100 ) ",
        "AH SPI=0xffffffff ",
        "ESP SPI=0x1 ",
    ]
)
LAST_EXTENSIONS = st.sampled_from(
    [
        "OPT ( AH )",
        "OPT ( ESP )",
        "OPT ( ESP SPI=0x1 )",
        "OPT ( AH INCOMPLETE [4 bytes] )",
        "OPT ( )",
        "FRAG:TRUNCATED ",
        "TRUNCATED",
        "Unknown Ext Hdr 135",
    ]
)


def ipv6(draw: Draw, nested: Callable[[Draw], str] | None) -> Made:
    """As dump_ipv6_packet(), without what it prints of the outermost packet only."""
    text, fields = addresses(draw, IP6)
    fields["length"] = draw(WORD)
    text += (
        f"LEN={fields['length']} TC={draw(BYTE)} HOPLIMIT={draw(BYTE)} FLOWLBL={draw(numbers(20))} "
    )
    form = draw(st.integers(0, 7))
    if form < 3:
        text += "".join(draw(st.lists(EXTENSIONS, max_size=3)))
    if form == 0:
        return text + draw(LAST_EXTENSIONS), fields
    below, more = transport(draw, "ICMPv6", nested)
    return text + below, fields | more


def nested_packet(draw: Draw) -> str:
    form = draw(st.integers(0, 8))
    if form == 0:
        return "TRUNCATED"
    return (ipv6 if form < 4 else ipv4)(draw, None)[0]


ARP_ENDS = st.sampled_from(
    [
        "",
        " INCOMPLETE [4 bytes]",
        " MACSRC=02:00:00:00:00:01 IPSRC=192.0.2.1 MACDST=02:00:00:00:00:02 IPDST=192.0.2.2",
    ]
)


def arp(draw: Draw) -> str:
    """As dump_arp_packet()."""
    return f"ARP HTYPE=1 PTYPE=0x0800 OPCODE={draw(SHORT)}{draw(ARP_ENDS)}"


@st.composite
def bodies(draw: Draw) -> Made:
    """Make a whole body, and the fields of its reading; without a source the reading is odd."""
    text, fields = draw(devices())
    form = draw(st.integers(0, 19))
    if form == 0:
        return text + arp(draw), {}
    if form == 1:
        return text + draw(st.sampled_from(["", "TRUNCATED"])), {}
    network, more = (ipv4 if form < 12 else ipv6)(draw, nested_packet)
    tail = draw(
        st.sampled_from(
            ["", "", "", "", "UID=0 GID=0 ", "UID=1000 GID=4294967295 MARK=0x1 ", "MARK=0xff "]
        )
    )
    return text + network + tail, fields | more


PLACES = st.sampled_from(
    ["", " ", " [    0.000000] ", " [123456.789012] ", " [   12.345678][    C3] ", " [ T1234] "]
)
TRADITIONAL = [
    "Sep 5 14:34:40",
    "Sep  5 14:34:40",
    "Dec 31 23:59:60",
    "Jan  1 00:00:00",
    "Feb 29 12:00:00",
    "Sep  5 14:34:40.123456",
]
RFC_3339 = [
    "2026-11-22T07:08:09.123456+00:00",
    "2026-11-22T07:08:09Z",
    "2026-12-31T23:59:60.1-11:30",
    "2026-01-01T00:00:00.123456789+14:00",
    "2026-11-22T07:08:09+0100",
    "2026-11-22T07:08:09.123456-0930",
]
PRIORITIES = st.sampled_from(["", "", "", "<5>", "<5>1 ", "1 ", "<191>1 "])
HOSTS = st.sampled_from(
    [
        "worker-1 ",
        "worker-1 ",
        "",
        "kernel ",
        "10.0.0.1 ",
        "\xff\xfe ",
        "kernel:x ",
        "h" * 255 + " ",
    ]
)
TAGS = st.sampled_from(["kernel:", "kernel:", "kernel - - - "])


@st.composite
def headers(draw: Draw) -> tuple[str, bytes]:
    """Make a header in one of rsyslog's forms, and its stamp."""
    stamp = draw(st.sampled_from(TRADITIONAL + RFC_3339))
    host = draw(HOSTS)
    if host == "kernel:x ":  # would be read as the tag
        host = ""
    text = f"{draw(PRIORITIES)}{stamp} {host}{draw(TAGS)}{draw(PLACES)}"
    return text, stamp.encode()


@st.composite
def lines(draw: Draw) -> Line:
    """Make a line that the kernel and syslog can have written."""
    prefixes = draw(PREFIX_SETS)
    text_before = draw(printed(draw(st.sampled_from(prefixes))))
    header, stamp = draw(headers())
    body, fields = draw(bodies())
    text = text_before.decode("latin-1") + body
    count = draw(st.sampled_from([0, 0, 0, 1, 2, 9999, 2**32 - 1]))
    found = owner(text_before, prefixes)
    assert found is not None
    index, names = found
    expected = Reading("packet", 1, index, stamp, **fields, **names)
    if count:
        text = f"message repeated {count} times: [{draw(PLACES)}{text}]"
        expected = replace(expected, kind="repeated", count=count)
    if "source" not in fields:
        expected = Reading("odd", prefix=index, stamp=stamp, **names)
    before, after = draw(
        st.sampled_from([("", ""), ("", ""), ("\0", ""), ("\0" * 9, "\r"), ("", "\r")])
    )
    return Line(f"{before}{header}{text}{after}".encode("latin-1"), prefixes, expected)


PIECES = st.sampled_from(
    [
        *(bytes([number]) for number in b" =[]:.-\0\r\n\t\x0b\x1c\x85\xa0\xb2\xff0"),
        *b"IN= OUT= PHYSIN=a MAC= TUNNEL=x SRC= DST= LEN= PROTO=TCP PROTO= FRAG:0".split(),
        *b"SPT=1 DPT=2 SEQ=1 ACK=2 ACK SYN URGP= TYPE=3 CODE=0 CE DF MF 1.2.3.4".split(),
        *b"00 255 256 65535 65536 4294967295 4294967296 kernel: calico-packet".split(),
        *b"ID:0000abcd <5> [ ] calico-packet".split(),
        *(b"OPT ( ", b") ", b"OPT (", b"AH SPI=0x1 ", b"ESP SPI=0x1 ", b"INCOMPLETE ", b"1 "),
        *(b"kernel - - - ", b"message repeated 2 times: [", b"[ 1.000000]", b"[ C1] "),
        *(b"calico-packet: ", b"calico-packet: IN=", b"cp ", b"gnp default/web: IN=", b"a-b", b"/"),
    ]
)


@st.composite
def damaged(draw: Draw) -> tuple[bytes, tuple[str, ...]]:
    """Make a line, then cut it, splice it with another, flip, insert or drop bytes and words."""
    made = draw(lines())
    line = made.line
    for _ in range(draw(st.integers(1, 4))):
        damage = draw(st.sampled_from([_cut, _splice, _flip, _insert, _drop, _on_words, _on_ends]))
        line = damage(draw, line, draw(st.integers(0, len(line))))
    return line, made.prefixes


def _cut(_draw: Draw, line: bytes, place: int) -> bytes:
    return line[:place]


def _splice(draw: Draw, line: bytes, place: int) -> bytes:
    other: bytes = draw(lines()).line
    return line[:place] + other[draw(st.integers(0, len(other))) :]


def _flip(draw: Draw, line: bytes, place: int) -> bytes:
    flipped = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in line[place : place + 1])
    return line[:place] + flipped + line[place + 1 :]


def _insert(draw: Draw, line: bytes, place: int) -> bytes:
    piece: bytes = draw(PIECES)
    return line[:place] + piece + line[place:]


def _drop(draw: Draw, line: bytes, place: int) -> bytes:
    return line[:place] + line[place + draw(st.integers(1, 20)) :]


def _on_words(draw: Draw, line: bytes, _place: int) -> bytes:
    words = line.split(b" ")
    word = draw(st.integers(0, len(words) - 1))
    instead = draw(st.sampled_from([[], [words[word]] * 2, [draw(PIECES)]]))
    return b" ".join([*words[:word], *instead, *words[word + 1 :]])


def _on_ends(draw: Draw, line: bytes, _place: int) -> bytes:
    before: bytes = draw(st.sampled_from([b"", b"\0", b"\0\0", b"\r"]))
    after: bytes = draw(st.sampled_from([b"", b"\r", b"]", b"]\r", b" ", b"\n"]))
    return before + line + after
