"""The grammar reads each kind of line as a person would, by hand-written cases."""

import sys
import time
from typing import Any

import pytest

from logwatch.packets.grammar import Token, parse_line, read_by_grammar
from logwatch.packets.protocols import PROTOCOLS, protocol_name
from logwatch.packets.reading import Reading

STAMP = "Sep  5 14:34:40"
HEADER = f"{STAMP} worker-1 kernel: [158271.044316] "
PREFIX = "calico-packet: "
IN4 = "IN=eth1 OUT= MAC=08:00:27:01:02:03:0a:00:27:00:00:01:08:00 "
IP4 = "SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=52866 "
TCP = "PROTO=TCP SPT=42962 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0 "
SYN = f"{PREFIX}{IN4}{IP4}DF {TCP}"
IP6 = (
    "SRC=2001:0db8:0000:0000:0000:0000:0000:0007 DST=2001:0db8:0000:0000:0001:0000:0000:0001"
    " LEN=80 TC=0 HOPLIMIT=63 FLOWLBL=123456 "
)


def read(text: str, *prefixes: str) -> Reading:
    return read_by_grammar(text.encode(), prefixes or ("calico-packet",))


def packet(**fields: Any) -> Reading:  # noqa: ANN401 - fields of all types
    """Make the reading of an IPv4 packet with HEADER, IN4 and IP4, and these fields."""
    known: dict[str, Any] = {
        "kind": "packet",
        "count": 1,
        "prefix": 0,
        "stamp": STAMP.encode(),
        "interface": b"eth1",
        "out_interface": b"",
        "source": "203.0.113.7",
        "destination": "198.51.100.9",
        "length": 60,
    }
    return Reading(**(known | fields))


def packet6(**fields: Any) -> Reading:  # noqa: ANN401 - fields of all types
    addresses = {"source": "2001:db8::7", "destination": "2001:db8::1:0:0:1", "length": 80}
    return packet(**(addresses | fields))


def syn(**fields: Any) -> Reading:  # noqa: ANN401 - fields of all types
    flow = {"protocol": "tcp", "source_port": 42962, "port": 22, "flags": ("syn",)}
    return packet(**(flow | fields))


ALL_FLAGS = ("ae", "cwr", "ece", "urg", "ack", "psh", "rst", "syn", "fin")

IPV4 = {
    "SYN": (f"DF {TCP}", syn()),
    "all flags": (
        "PROTO=TCP SPT=1 DPT=2 WINDOW=0 RES=0x3f AE CWR ECE URG ACK PSH RST SYN FIN URGP=0 ",
        packet(protocol="tcp", source_port=1, port=2, flags=ALL_FLAGS),
    ),
    "no flags": (
        "PROTO=TCP SPT=1 DPT=2 WINDOW=0 RES=0x00 URGP=0 ",
        packet(protocol="tcp", source_port=1, port=2, flags=()),
    ),
    "ACK is a number and a flag": (
        "PROTO=TCP SPT=1 DPT=2 SEQ=9 ACK=123 WINDOW=0 RES=0x00 ACK URGP=0 OPT (020405B4) UID=0 ",
        packet(protocol="tcp", source_port=1, port=2, flags=("ack",)),
    ),
    "flags in another order are not the kernel's": (
        "PROTO=TCP SPT=1 DPT=2 WINDOW=0 RES=0x00 SYN ACK URGP=0 ",
        packet(protocol="tcp", source_port=1, port=2),
    ),
    "largest ports": (
        "PROTO=UDP SPT=65535 DPT=65535 LEN=8 ",
        packet(protocol="udp", source_port=65535, port=65535),
    ),
    "a port above the largest": (
        "PROTO=UDP SPT=1 DPT=65536 LEN=8 ",
        packet(protocol="udp", source_port=1),
    ),
    "a port with a leading zero": (
        "PROTO=UDP SPT=1 DPT=022 ",
        packet(protocol="udp", source_port=1),
    ),
    "a port with digits that are not ASCII": (
        "PROTO=UDP SPT=1 DPT=2² ",
        packet(protocol="udp", source_port=1),
    ),
    "UDP's own LEN": (
        "PROTO=UDP SPT=5353 DPT=53 LEN=40 ",
        packet(protocol="udp", source_port=5353, port=53),
    ),
    "UDPLITE": (
        "PROTO=UDPLITE SPT=1 DPT=2 LEN=40 ",
        packet(protocol="udplite", source_port=1, port=2),
    ),
    "owner and mark": (
        "PROTO=UDP SPT=1 DPT=2 LEN=8 UID=1000 GID=1000 MARK=0x2a ",
        packet(protocol="udp", source_port=1, port=2),
    ),
    "every bit of the fragment field": (
        "CE DF MF FRAG:185 OPT (94040000) PROTO=TCP ",
        packet(protocol="tcp"),
    ),
    "first fragment": (f"MF {TCP}", syn()),
    "later fragment": ("FRAG:185 PROTO=UDP ", packet(protocol="udp")),
    "later fragment of AH": ("FRAG:185 ", packet()),
    "options in lower case are not the kernel's": ("OPT (9a) PROTO=TCP ", packet()),
    "AH": ("PROTO=AH SPI=0x100 ", packet(protocol="ah")),
    "ESP": ("PROTO=ESP INCOMPLETE [4 bytes] ", packet(protocol="esp")),
    "IGMP": ("PROTO=2 ", packet(protocol="igmp")),
    "GRE": ("PROTO=47 ", packet(protocol="gre")),
    "OSPF": ("PROTO=89 ", packet(protocol="ospfigp")),
    "SCTP has no ports": ("PROTO=132 MARK=0x1 ", packet(protocol="sctp")),
    "DCCP": ("PROTO=33 ", packet(protocol="dccp")),
    "TCP by its number has no ports": ("PROTO=6 SPT=1 DPT=2 ", packet(protocol="tcp")),
    "a number without a keyword": ("PROTO=253 ", packet(protocol="253")),
    "a number that is none": ("PROTO=256 ", packet()),
    "a name that the kernel has not": ("PROTO=tcp SPT=1 DPT=2 ", packet()),
    "TCP header incomplete": ("PROTO=TCP INCOMPLETE [8 bytes] ", packet(protocol="tcp")),
    "echo has a second ID": (
        "PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=1 ",
        packet(protocol="icmp", icmp_type=8, icmp_code=0),
    ),
    "router solicitation": (
        "PROTO=ICMP TYPE=13 CODE=0 ",
        packet(protocol="icmp", icmp_type=13, icmp_code=0),
    ),
    "the ports of a nested packet are not the packet's": (
        (
            f"PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.1 DST=192.0.2.2 LEN=28 TOS=0x00 PREC=0x00 TTL=1"
            f" ID=1 {TCP}] "
        ),
        packet(protocol="icmp", icmp_type=3, icmp_code=3),
    ),
    "brackets in brackets": (
        (
            "PROTO=ICMP TYPE=3 CODE=4 [SRC=192.0.2.1 DST=192.0.2.2 LEN=1500 TOS=0x00 PREC=0x00"
            " TTL=1 ID=1 DF PROTO=TCP INCOMPLETE [8 bytes] ] MTU=1400 MARK=0x1 "
        ),
        packet(protocol="icmp", icmp_type=3, icmp_code=4),
    ),
    "redirect": (
        (
            "PROTO=ICMP TYPE=5 CODE=1 GATEWAY=192.0.2.9 [SRC=192.0.2.1 DST=192.0.2.2 LEN=28"
            " TOS=0x00 PREC=0x00 TTL=1 ID=1 PROTO=UDP SPT=1 DPT=2 LEN=8 ] "
        ),
        packet(protocol="icmp", icmp_type=5, icmp_code=1),
    ),
    "parameter problem": (
        "PROTO=ICMP TYPE=12 CODE=0 PARAMETER=20 [TRUNCATED] ",
        packet(protocol="icmp", icmp_type=12, icmp_code=0),
    ),
}


@pytest.mark.parametrize(("text", "expected"), IPV4.values(), ids=IPV4)
def test_an_ipv4_packet(text: str, expected: Reading) -> None:
    assert expected == read(HEADER + PREFIX + IN4 + IP4 + text)


IPV6 = {
    "TCP": (TCP, packet6(protocol="tcp", source_port=42962, port=22, flags=("syn",))),
    "first fragment": (
        "FRAG:0 INCOMPLETE ID:0000abcd PROTO=UDP SPT=1 DPT=53 LEN=1456 ",
        packet6(protocol="udp", source_port=1, port=53),
    ),
    "later fragment": ("FRAG:1448 ID:0000abcd PROTO=TCP ", packet6(protocol="tcp")),
    "ESP ends the line": ("", packet6()),
    "headers with options": (
        f"OPT ( ) OPT ( FRAG:0 ID:0000abcd ) OPT ( AH SPI=0x100 ) {TCP}",
        packet6(protocol="tcp", source_port=42962, port=22, flags=("syn",)),
    ),
    "ESP with options ends the line": ("OPT ( ESP SPI=0x100 )", packet6()),
    "what no kernel prints behind the last header": (f"OPT ( AH )PROTO=UDP {TCP}", packet6()),
    "too big, with the packet": (
        f"PROTO=ICMPv6 TYPE=2 CODE=0 [{IP6}{TCP}] MTU=1280 ",
        packet6(protocol="icmpv6", icmp_type=2, icmp_code=0),
    ),
    "no next header": ("PROTO=59 ", packet6(protocol="ipv6-nonxt")),
    "an unknown header": ("Unknown Ext Hdr 135", packet6()),
}


@pytest.mark.parametrize(("text", "expected"), IPV6.values(), ids=IPV6)
def test_an_ipv6_packet(text: str, expected: Reading) -> None:
    assert expected == read(f"{HEADER}{PREFIX}{IN4}{IP6}{text}")


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("::", "0000:0000:0000:0000:0000:0000:0000:0000"),
        ("::1", "0000:0000:0000:0000:0000:0000:0000:0001"),
        ("ff02::16", "ff02:0000:0000:0000:0000:0000:0000:0016"),
        ("2001:db8:0:1:1:1:1:1", "2001:0db8:0000:0001:0001:0001:0001:0001"),
        ("2001:db8::1:0:0:1", "2001:0db8:0000:0000:0001:0000:0000:0001"),
        ("2001:0:0:1::1", "2001:0000:0000:0001:0000:0000:0000:0001"),
        ("::ffff:203.0.113.7", "0000:0000:0000:0000:0000:ffff:cb00:7107"),
        ("::cb00:7107", "0000:0000:0000:0000:0000:0000:cb00:7107"),
        ("1:2:3:4:5:6:7::", "0001:0002:0003:0004:0005:0006:0007:0000"),
    ],
)
def test_an_ipv6_address_becomes_canonical(expected: str, printed: str) -> None:
    """As RFC 5952 says, IPv4-mapped addresses included."""
    text = IP6.replace("2001:0db8:0000:0000:0000:0000:0000:0007", printed)
    if expected == "1:2:3:4:5:6:7::":  # a single group of zeros is not shortened
        expected = "1:2:3:4:5:6:7:0"
    assert expected == read(f"{HEADER}{PREFIX}{IN4}{text}").source


DEVICES = {
    "IN= OUT=eth0 ": (b"", b"eth0"),
    "IN= OUT= ": (b"", b""),
    "IN=eth1 OUT= MAC= ": (b"eth1", b""),
    "IN=cali527b0801ecb OUT=eth0 MAC=ee:ee:ee:ee:ee:ee:0a:00:27:00:00:01:08:00 ": (
        b"cali527b0801ecb",
        b"eth0",
    ),
    "IN=br0 OUT=br0 PHYSIN=eth0 PHYSOUT=eth1 MAC=08:00 ": (b"br0", b"br0"),
    "IN=br0 OUT=br0 PHYSOUT=eth1 ": (b"br0", b"br0"),
    "IN=sit0 OUT= MAC=45:00 TUNNEL=192.0.2.1->192.0.2.2 ": (b"sit0", b""),
    "IN=eth1 OUT= MACSRC=08:00:27:01:02:03 MACDST=0a:00:27:00:00:01 MACPROTO=0800 ": (b"eth1", b""),
    "IN=eth1 OUT= MACSRC=08:00:27:01:02:03 MACDST=0a:00:27:00:00:01 VPROTO=8100 VID=40970"
    " MACPROTO=0800 ": (b"eth1", b""),
    "IN=a=[b]@\u00fc OUT= ": ("a=[b]@\u00fc".encode(), b""),
    "IN=a\tb OUT=\n ": (b"a\tb", b"\n"),
}


@pytest.mark.parametrize(("text", "expected"), DEVICES.items())
def test_devices(text: str, expected: tuple[bytes, bytes]) -> None:
    reading = read(f"{HEADER}{PREFIX}{text}{IP4}DF {TCP}")
    assert syn(interface=expected[0], out_interface=expected[1]) == reading


ODD = {
    "cut behind the prefix": "",
    "cut in IN": "IN=et",
    "an interface with 16 letters": f"IN=0123456789abcdef OUT= {IP4}",
    "cut in the addresses": f"{IN4}SRC=203.0.113.7 DST=198.51.100.9",
    "another order": f"OUT= IN=eth1 {IP4}",
    "an octet too large": f"{IN4}{IP4}".replace("203.", "256."),
    "an octet with a leading zero": f"{IN4}{IP4}".replace("203.0.", "203.00."),
    "three octets": f"{IN4}{IP4}".replace("203.0.", "203."),
    "a short IPv6 address": f"{IN4}{IP6}".replace("0db8", "db8"),
    "an IPv6 address in capitals": f"{IN4}{IP6}".replace("0db8", "0DB8"),
    "addresses of two families": f"{IN4}SRC=203.0.113.7 DST={'0000:' * 7}0001 LEN=1 ",
    "two blanks": f"{IN4} {IP4}",
    "a tab for a blank": f"{IN4}SRC=203.0.113.7\tDST=198.51.100.9 ",
    "nothing that is IP": IN4,
    "TRUNCATED": f"{IN4}TRUNCATED",
    "ARP": f"{IN4}ARP HTYPE=1 PTYPE=0x0800 OPCODE=2 MACSRC=86:6c:92:ea:d6:73 IPSRC=192.0.2.2"
    " MACDST=0e:3b:eb:86:73:76 IPDST=192.0.2.1",
    "SRC in the device's place": "IN=eth1 SRC=203.0.113.7 DST=198.51.100.9 ",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_a_body_without_source_and_destination_is_odd(text: str) -> None:
    assert Reading("odd", prefix=0, stamp=STAMP.encode()) == read(HEADER + PREFIX + text)


HEADERS = {
    "A": f"{STAMP} worker-1 kernel: [   12.345678] ",
    "A with one blank": "Sep 5 14:34:40 worker-1 kernel: [158271.044316] ",
    "A at the start": "Jan  1 00:00:00 worker-1 kernel: [    0.000000] ",
    "A on a leap day": "Feb 29 23:59:60 worker-1 kernel: [123456.789012] ",
    "B": "2026-11-22T07:08:09.123456+00:00 worker-1 kernel: ",
    "B'": "2026-11-22T07:08:09.123456+00:00 worker-1 kernel: [   12.345678] ",
    "B without a fraction": "2026-11-22T07:08:09-08:00 worker-1 kernel: ",
    "B in UTC": "2026-11-22T07:08:09.1Z worker-1 kernel: ",
    "journalctl -o short-precise": "Nov 22 07:08:09.123456 worker-1 kernel: ",
    "journalctl -o short-iso": "2026-11-22T07:08:09+0100 worker-1 kernel: ",
    "journalctl -o short-iso-precise": "2026-11-22T07:08:09.123456-0930 worker-1 kernel: ",
    "C": "<5>1 2026-11-22T07:08:09.123456+02:00 worker-1 kernel - - - [1154069.463446] ",
    "C without priority": "1 2026-11-22T07:08:09.123456+02:00 worker-1 kernel - - - ",
    "D": "Nov 22 07:08:09 worker-1 kernel: ",
    "F": "Nov 22 07:08:09 worker-1 kernel: [   12.345678][    C3] ",
    "F'": "2026-11-22T07:08:09.123456+00:00 worker-1 kernel: [ T1234] ",
    "no host": "Nov 22 07:08:09 kernel: ",
    "nothing behind the tag": "Nov 22 07:08:09 worker-1 kernel:",
    "a host of other bytes": "Nov 22 07:08:09 \u00fc\t kernel: ",
    "a host named like the tag": "Nov 22 07:08:09 kernel kernel: ",
    "the longest host": f"Nov 22 07:08:09 {'h' * 255} kernel: ",
    "NULs in front": "\0\0\0Nov 22 07:08:09 worker-1 kernel: ",
}


def stamp_of(header: str) -> bytes:
    """Return the stamp, which ends at the clock."""
    words = header.removeprefix("<5>").removeprefix("1 ").strip("\0").split(" ")
    clock = next(index for index, word in enumerate(words) if ":" in word)
    return " ".join(words[: clock + 1]).encode()


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_every_form_of_header(header: str) -> None:
    assert syn(stamp=stamp_of(header)) == read(header + SYN)
    assert syn(stamp=stamp_of(header)) == read(f"{header}{SYN}\r")


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("count", [1, 2, 9999, 2**32 - 1])
def test_repeated_lines_count_as_often_as_they_say(header: str, count: int) -> None:
    expected = syn(kind="repeated", count=count, stamp=stamp_of(header))
    for inner in (
        f"[ {SYN}]",
        f"[{SYN}]",
        f"[ [   12.345678] [ T9] {SYN}]",
        f"[ {SYN}]\r",
        f"[ {SYN}",
    ):
        assert expected == read(f"{header}message repeated {count} times: {inner}")


def test_a_repeated_line_that_was_cut_keeps_what_is_whole() -> None:
    text = f"{PREFIX}{IN4}{IP4}PROTO=TCP SPT=42962 DPT=2"
    expected = packet(kind="repeated", count=3, protocol="tcp", source_port=42962)
    assert expected == read(f"{HEADER}message repeated 3 times: [ {text}]")


@pytest.mark.parametrize(
    "count", ["0", "03", "-1", "+1", "", " 3", "3.0", "4294967296", "99999999999", "\u00b2", "0x3"]
)
def test_repetitions_without_a_number_are_forged(count: str) -> None:
    text = f"{HEADER}message repeated {count} times: [ {SYN}]"
    assert Reading("forged", stamp=STAMP.encode()) == read(text)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "kernel: ",
        "worker-1 kernel: ",
        f"{STAMP} worker-1 sshd[7]: ",
        f"{STAMP} worker-1 kernel ",
        f"{STAMP} worker-1 Kernel: ",
        f"{STAMP} worker-1  kernel: ",
        f"{STAMP}  kernel: ",
        f"{STAMP} worker-1 extra kernel: ",
        f"{STAMP} {'h' * 256} kernel: ",
        "sep  5 14:34:40 worker-1 kernel: ",
        "Sep  0 14:34:40 worker-1 kernel: ",
        "Sep 32 14:34:40 worker-1 kernel: ",
        "Sep   5 14:34:40 worker-1 kernel: ",
        "Sep 05  14:34:40 worker-1 kernel: ",
        "Sep  5 24:34:40 worker-1 kernel: ",
        "Sep  5 14:60:40 worker-1 kernel: ",
        "Sep  5 14:34:61 worker-1 kernel: ",
        "Sep  5 4:34:40 worker-1 kernel: ",
        "2026-11-22 07:08:09Z worker-1 kernel: ",
        "2026-13-22T07:08:09Z worker-1 kernel: ",
        "2026-11-00T07:08:09Z worker-1 kernel: ",
        "2026-11-22T07:08:09 worker-1 kernel: ",
        "2026-11-22T07:08:09.Z worker-1 kernel: ",
        "2026-11-22T07:08:09.1234567890Z worker-1 kernel: ",
        "2026-11-22T07:08:09+24:00 worker-1 kernel: ",
        "2026-11-22T07:08:09+01 worker-1 kernel: ",
        "2026-11-22T07:08:09+01000 worker-1 kernel: ",
        "2026-11-22T07:08:09+2400 worker-1 kernel: ",
        "Sep  5 14:34:40. worker-1 kernel: ",
        "2026-11-22t07:08:09z worker-1 kernel: ",
        "<>Sep  5 14:34:40 worker-1 kernel: ",
        "<1234>Sep  5 14:34:40 worker-1 kernel: ",
        "<5> Sep  5 14:34:40 worker-1 kernel: ",
        "2 2026-11-22T07:08:09Z worker-1 kernel - - - ",
        " Sep  5 14:34:40 worker-1 kernel: ",
        "\nSep  5 14:34:40 worker-1 kernel: ",
    ],
)
def test_without_the_kernels_header_the_prefix_is_forged(header: str) -> None:
    assert Reading("forged") == read(header + SYN)


@pytest.mark.parametrize(
    "place",
    ["x ", "[1.23] ", "[1.0000000] ", "[    C] ", "[ X3] ", "[ C1][1.000000] ", "\t", "kernel: "],
)
def test_a_prefix_that_is_not_directly_behind_the_tag_is_forged(place: str) -> None:
    expected = Reading("forged", stamp=STAMP.encode())
    assert expected == read(f"{STAMP} worker-1 kernel: {place}{SYN}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Reading("other")),
        ("\0\0\r", Reading("other")),
        (f"{HEADER}eth1: link up", Reading("other", stamp=STAMP.encode())),
        (f"{HEADER}x calico-packet: ", Reading("other", stamp=STAMP.encode())),
        (f"{HEADER}calico", Reading("other", stamp=STAMP.encode())),
        (f"{HEADER}last message repeated 5 times", Reading("other", stamp=STAMP.encode())),
        (f"{HEADER}calico-packet", Reading("odd", prefix=0, stamp=STAMP.encode())),
        (f"{HEADER}calico-packets of mine", Reading("odd", prefix=0, stamp=STAMP.encode())),
    ],
)
def test_lines_without_a_prefix_and_its_body(text: str, expected: Reading) -> None:
    assert expected == read(text)


LONG = "log-denied-packets-of-the-public-interface"
PREFIXES = [
    # what the kernel printed, the configured prefixes, the index of the one that it is
    ("calico-packet: ", ["calico-packet"], 0),
    ("calico-packet", ["calico-packet"], 0),
    ("cali deny/gnp: x: ", ["calico-packet", "cali deny/gnp: x"], 1),
    ("a-prefix-with-29-bytes-exactly", ["a-prefix-with-29-bytes-exactly"], 0),
    ("a-prefix-with-28-bytes-in-al:", ["a-prefix-with-28-bytes-in-al"], 0),
    (LONG[:29], [LONG], 0),
    (f"{LONG}: ", [LONG], 0),
    (f"{LONG * 4}"[:127], [LONG * 4], 0),
    (LONG[:29], [f"{LONG}-a", f"{LONG}-b"], 0),
    (f"{LONG}-b: ", [f"{LONG}-a", f"{LONG}-b"], 1),
    ("deny-all: ", ["deny", "deny-all"], 1),
    ("deny: ", ["deny", "deny-all"], 0),
    ("d\u00e9ni\u00e9: ", ["d\u00e9ni\u00e9"], 0),
    ("a IN: ", ["a IN"], 0),
]


@pytest.mark.parametrize(("printed", "prefixes", "index"), PREFIXES)
def test_every_spelling_of_a_prefix(printed: str, prefixes: list[str], index: int) -> None:
    text = f"{HEADER}{printed}{IN4}{IP4}DF {TCP}"
    assert syn(prefix=index) == read(text, *prefixes)


def test_a_prefix_that_begins_a_longer_text_is_odd_by_the_longest_stem() -> None:
    text = f"{HEADER}deny-all-of-it: {IN4}{IP4}"
    assert Reading("odd", prefix=1, stamp=STAMP.encode()) == read(text, "deny", "deny-all")


def test_a_line_is_read_up_to_65536_bytes() -> None:
    longest = f"{HEADER}{SYN}".ljust(65536)
    assert syn() == read(longest)
    assert syn() == read(f"\0{longest}")
    assert Reading("other") == read(f"{longest} ")
    assert Reading("other") == read(f"{longest}\r")
    assert Reading("other") == read(f"{HEADER}{SYN}" * 5000)


def test_tokens_cover_the_line_without_gaps_and_tell_where_they_stand() -> None:
    line = f"\0{HEADER}message repeated 2 times: [ {SYN}]\r".encode()
    parse = parse_line(line, ["calico-packet"])
    assert None is parse.stop
    assert line == b"".join(line[token.start : token.end] for token in parse.tokens)
    assert Token("DPT", "22", line.index(b"DPT="), line.index(b"WINDOW=")) in parse.tokens


HOSTILE = {
    "extension headers": IP6 + "OPT ( FRAG:0 ID:00000001 ) " * 2000,
    "open options": IP6 + "OPT ( " * 10000,
    "open brackets": f"{IP4}PROTO=ICMP TYPE=3 CODE=0 " + "[" * 60000,
    "nested packets": f"{IP4}PROTO=ICMP TYPE=3 CODE=0 [" * 500,
    "options": f"{IP4}OPT ({'A' * 60000}",
    "digits": "SRC=" + "1" * 60000,
    "blanks": " " * 60000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines_take_no_long_time_and_no_deep_stack(text: str) -> None:
    line = f"{HEADER}{PREFIX}IN=eth1 OUT= {text}"
    begin = time.perf_counter()
    read(line)
    assert time.perf_counter() - begin < 5  # linear takes 0.2 s, quadratic minutes


def test_the_grammar_needs_few_stack_frames() -> None:
    """The deepest line needs less than a third of Python's stack."""
    nested = f"PROTO=ICMP TYPE=3 CODE=4 [{IP4}{TCP}] MTU=1400 UID=0 GID=0 MARK=0x1 "
    line = f"{HEADER}{PREFIX}{IN4}{IP4}{nested}"
    expected = packet(protocol="icmp", icmp_type=3, icmp_code=4)
    assert expected == read(line)
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + limit // 3)
    try:
        assert expected == read(line)
    finally:
        sys.setrecursionlimit(limit)


def test_protocols_have_a_name_for_every_number() -> None:
    assert len(PROTOCOLS) == 256
    assert len(set(PROTOCOLS) - {""}) == sum(name != "" for name in PROTOCOLS)
    known = {0: "hopopt", 1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre"}
    known |= {50: "esp", 51: "ah", 58: "icmpv6", 89: "ospfigp", 112: "vrrp", 132: "sctp"}
    known |= {136: "udplite", 139: "hip", 147: "bit-emu", 61: "61", 148: "148", 255: "255"}
    assert known == {number: protocol_name(number) for number in known}
