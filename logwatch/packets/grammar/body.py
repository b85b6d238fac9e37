"""The kernel's text behind the prefix, token by token in the order of nf_log_syslog.c.

Functions named here are those of Linux net/netfilter/nf_log_syslog.c (before 5.13: nf_log_ipv4.c,
nf_log_ipv6.c, nf_log_common.c). What they print in a packet inside [...], or behind the last token
that the reading uses, is named here for people only.
"""

from typing import Final, NamedTuple

from pyparsing import Opt, ParserElement, Regex, ZeroOrMore

from logwatch.packets.grammar.elements import (
    DECIMAL,
    WORD,
    Token,
    beginning,
    choice,
    number,
    together,
    token,
)

_INTERFACE: Final = "[^ ]{0,15}"
"""IFNAMSIZ is 16 with the final NUL."""
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IP4: Final = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
"""`%pI4`: no leading zeros."""
_IP6: Final = "[0-9a-f]{4}(?::[0-9a-f]{4}){7}"
"""`%pI6`: never shortened."""
_HEX: Final = "[0-9a-f]{1,8}"


class Rest(NamedTuple):
    """What may follow a transport header: in the outer packet, and in one inside [...]."""

    tail: ParserElement
    """After a header that was printed whole."""
    end: ParserElement
    """Where the kernel stops printing this packet: only the end of the line, or the bracket."""


END = (
    Regex(r"\Z")
    .set_parse_action(lambda _line, place, _found: Token("end", "", place, place))
    .leave_whitespace()
    .set_name("the end of the line")
)

# As nf_log_dump_sk_uid_gid() prints it, and the end of dump_ipv4_packet() and dump_ipv6_packet().
_MARK = beginning(token("MARK=0x", _HEX), END)
_OWNER = beginning(number("UID=", 32), number("GID=", 32), choice(_MARK, END))
_OUTER = Rest(tail=choice(_OWNER, _MARK, END), end=END)

TRUNCATED = token("TRUNCATED", after="")
INCOMPLETE = token("INCOMPLETE [", DECIMAL, " bytes] ")
UNKNOWN_HEADER = token("Unknown Ext Hdr ", DECIMAL, after="")

_FLAGS = [
    Opt(token("", flag, name="flag"))
    for flag in ("AE", "CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN")
]
_URGENT = number("URGP=", 16)
_URGENT_CUT = token("URGP=", after="")
"""The flags are known once the next key stands there, whatever its value."""
_TCP_OPTIONS = token("OPT (", "[0-9A-F]*", ") ", name="TCP OPT")
_TCP_OPTIONS_CUT = token("OPT (TRUNCATED)", after="", name="TRUNCATED")


def _tcp(rest: Rest) -> ParserElement:
    """nf_log_dump_tcp_header(); a later fragment has nothing behind PROTO."""
    options = beginning(_TCP_OPTIONS, rest.tail)
    options_cut = beginning(_TCP_OPTIONS_CUT, rest.end)
    ports = beginning(
        number("SPT=", 16),
        number("DPT=", 16),
        Opt(together(number("SEQ=", 32), number("ACK=", 32))),
        number("WINDOW=", 16),
        token("RES=0x", "[0-9a-f]{2}"),
        *_FLAGS,
        choice(beginning(_URGENT, choice(options, options_cut, rest.tail)), _URGENT_CUT),
    )
    incomplete = beginning(INCOMPLETE, rest.end)
    return beginning(token("PROTO=", "TCP"), choice(ports, incomplete, rest.tail))


def _udp(rest: Rest) -> ParserElement:
    """nf_log_dump_udp_header()."""
    ports = beginning(
        number("SPT=", 16), number("DPT=", 16), number("LEN=", 16, name="UDP LEN"), rest.tail
    )
    incomplete = beginning(INCOMPLETE, rest.end)
    return beginning(token("PROTO=", "UDP|UDPLITE"), choice(ports, incomplete, rest.tail))


def _security(rest: Rest) -> ParserElement:
    """AH and ESP in dump_ipv4_packet()."""
    index = beginning(token("SPI=0x", _HEX), rest.tail)
    incomplete = beginning(INCOMPLETE, rest.tail)
    return beginning(token("PROTO=", "AH|ESP"), choice(index, incomplete, rest.tail))


def _numbered(rest: Rest) -> ParserElement:
    """Every protocol that dump_ipv4_packet() and dump_ipv6_packet() have no name for."""
    return beginning(number("PROTO=", 8), rest.tail)


def _icmp(rest: Rest, nested: ParserElement | None) -> ParserElement:
    """ICMP in dump_ipv4_packet(), ICMPv6 in dump_ipv6_packet(), with the packet an error is about.

    Which of these follows depends on TYPE; the reading uses none of them.
    """
    echo = beginning(
        number("ID=", 16, name="echo ID"), number("SEQ=", 16, name="echo SEQ"), rest.tail
    )
    incomplete = beginning(INCOMPLETE, rest.tail)
    detail = [echo, incomplete, rest.tail]
    if nested is not None:
        parameter = number("PARAMETER=", 8)
        pointer = token("POINTER=", "[0-9a-f]{8}")
        about = choice(nested, rest.tail)
        detail.insert(0, beginning(choice(parameter, pointer), about))
        detail.insert(0, beginning(token("GATEWAY=", _IP4), about))
        detail.insert(0, nested)
    form = beginning(number("TYPE=", 8), number("CODE=", 8), choice(*detail))
    return beginning(token("PROTO=", "ICMPv6|ICMP"), choice(form, incomplete, rest.tail))


def _transport(rest: Rest, nested: ParserElement | None) -> ParserElement:
    return choice(_tcp(rest), _udp(rest), _icmp(rest, nested), _security(rest), _numbered(rest))


def _ipv4(rest: Rest, nested: ParserElement | None) -> ParserElement:
    """dump_ipv4_packet()."""
    return beginning(
        token("SRC=", _IP4),
        token("DST=", _IP4),
        number("LEN=", 32),  # u32, as BIG TCP passes 65535
        token("TOS=0x", "[0-9A-F]{2}"),
        token("PREC=0x", "[0-9A-F]{2}"),
        number("TTL=", 8),
        number("ID=", 16),
        Opt(token("CE")),
        Opt(token("DF")),
        Opt(token("MF")),
        Opt(number("FRAG:", 16)),
        Opt(token("OPT (", "[0-9A-F]*", ") ")),
        # no PROTO: a later fragment of AH
        choice(_transport(rest, nested), beginning(TRUNCATED, rest.end), rest.tail),
    )


# The extension headers of dump_ipv6_packet(); "OPT ( ... ) " with NF_LOG_IPOPT.
_FRAGMENT = together(
    number("FRAG:", 16, name="IPv6 FRAG"),
    Opt(token("INCOMPLETE", name="MF")),
    token("ID:", "[0-9a-f]{8}", name="IPv6 ID"),
)
_EXTENSION = choice(_FRAGMENT, token("AH SPI=0x", _HEX), token("ESP SPI=0x", _HEX))
_EXTENSIONS = ZeroOrMore(
    choice(together(token("OPT ("), Opt(_EXTENSION), token(")", name="OPT end")), _EXTENSION)
).set_name("an extension header")
_LAST_EXTENSION = choice(
    token("OPT ( ", "[^)]*", ")", name="OPT"),
    TRUNCATED,
    token("FRAG:", "TRUNCATED"),
    UNKNOWN_HEADER,
)
"""Behind these the kernel prints no PROTO."""


def _ipv6(rest: Rest, nested: ParserElement | None) -> ParserElement:
    """dump_ipv6_packet()."""
    return beginning(
        token("SRC=", _IP6),
        token("DST=", _IP6),
        number("LEN=", 32),
        number("TC=", 8),
        number("HOPLIMIT=", 8),
        number("FLOWLBL=", 32),
        Opt(_EXTENSIONS),
        # no PROTO: ESP, and what follows the headers of a later fragment
        choice(_transport(rest, nested), beginning(_LAST_EXTENSION, rest.end), rest.tail),
    )


def _nested() -> ParserElement:
    """Read the packet that an ICMP error is about, one level deep."""
    opened = token("[", after="", name="[")
    path_mtu = beginning(number("MTU=", 32), _OUTER.tail)
    closed = beginning(token("]", name="]"), choice(path_mtu, _OUTER.tail))
    rest = Rest(tail=closed, end=closed)
    truncated = beginning(TRUNCATED, closed)
    return beginning(opened, choice(_ipv4(rest, None), _ipv6(rest, None), truncated))


def _arp() -> ParserElement:
    """dump_arp_packet(), which ends without a blank."""
    addresses = beginning(
        token(" MACSRC=", WORD, after=""),
        token(" IPSRC=", _IP4, after=""),
        token(" MACDST=", WORD, after=""),
        token(" IPDST=", _IP4, after=""),
        END,
    )
    incomplete = beginning(token(" INCOMPLETE [", DECIMAL, " bytes]"), END)
    return beginning(
        token("ARP HTYPE=", DECIMAL, name="HTYPE"),
        token("PTYPE=0x", "[0-9a-f]{4}"),
        token("OPCODE=", DECIMAL, after=""),
        choice(addresses, incomplete, END),
    )


# As dump_mac_header() and nf_log_dump_vlan() print it.
_MAC = choice(
    together(
        token("MACSRC=", WORD),
        token("MACDST=", WORD),
        Opt(together(token("VPROTO=", WORD), token("VID=", WORD))),
        token("MACPROTO=", WORD),
    ),
    together(token("MAC=", WORD), Opt(token("TUNNEL=", WORD))),
)

# nf_log_dump_packet_common(), then what nf_log_ip_packet() and its likes add to it.
BODY: ParserElement = beginning(
    token("IN=", _INTERFACE),
    token("OUT=", _INTERFACE),
    Opt(token("PHYSIN=", _INTERFACE)),
    Opt(token("PHYSOUT=", _INTERFACE)),
    Opt(_MAC),
    choice(_ipv4(_OUTER, _nested()), _ipv6(_OUTER, _nested()), _arp(), TRUNCATED, END),
).parse_with_tabs()
