"""What each token of a line means to a person; keys are those of `Token.key`."""

from collections.abc import Callable, Mapping
from typing import Final

from logwatch.packets.protocols import protocol_name

_ETHERNET: Final = 14
"""Bytes of an Ethernet header: 6 to, 6 from, 2 type."""


def meaning(key: str, value: str) -> str:
    """Say in a few words what the token `key` with `value` tells; empty for an unknown key."""
    text = _MEANINGS.get(key, "")
    return text if isinstance(text, str) else text(value)


def _priority(value: str) -> str:
    return f"syslog facility {int(value) // 8}, severity {int(value) % 8}"


def _caller(value: str) -> str:
    text = value.strip("[ ]")
    return f"printed on CPU {text[1:]}" if text.startswith("C") else f"printed by thread {text[1:]}"


def _incoming(value: str) -> str:
    return "interface it came in by" if value else "made on this host"


def _outgoing(value: str) -> str:
    return "interface it leaves by" if value else "to this host, or not routed yet"


def _mac(value: str) -> str:
    parts = value.split(":")
    if len(parts) != _ETHERNET:
        return "header of the link layer"
    return f"to {':'.join(parts[:6])} from {':'.join(parts[6:12])}, type {''.join(parts[12:])}"


def _protocol(value: str) -> str:
    return f"protocol: {protocol_name(int(value))}" if value.isdecimal() else "protocol"


_MEANINGS: Final[Mapping[str, str | Callable[[str], str]]] = {
    "NUL": "left by a crash or a truncation",
    "CR": "carriage return",
    # syslog
    "priority": _priority,
    "version": "version of the syslog protocol",
    "stamp": "when syslog got the line",
    "host": "host that wrote the log",
    "tag": "the kernel's tag: nothing else may stand in front of the message",
    "blanks": "blank",
    "uptime": "seconds since the host booted",
    "caller": _caller,
    "repeated": "rsyslog: so many more packets with this very text",
    "repeated end": "end of the repeated text",
    "prefix": "prefix of the Log rule, in its place",
    "tier": "tier of the policy",
    "kind": "kind of the policy",
    "policy": "policy that logged it",
    "namespace": "namespace of the policy",
    # devices
    "IN": _incoming,
    "OUT": _outgoing,
    "PHYSIN": "port of the bridge it came in by",
    "PHYSOUT": "port of the bridge it leaves by",
    "MAC": _mac,
    "TUNNEL": "ends of the SIT tunnel",
    "MACSRC": "sender on the link",
    "MACDST": "receiver on the link",
    "VPROTO": "protocol of the VLAN tag",
    "VID": "VLAN tag: priority and number",
    "MACPROTO": "type of the Ethernet frame",
    # IP
    "SRC": "source",
    "DST": "destination",
    "LEN": "bytes of the whole packet",
    "TOS": "type of service",
    "PREC": "precedence",
    "TTL": "routers that it may still pass",
    "ID": "number of the packet",
    "CE": "reserved bit of the fragment field",
    "DF": "don't fragment",
    "MF": "more fragments follow",
    "FRAG": "place in the whole packet, in 8 bytes",
    "OPT": "options",
    "OPT end": "end of the options",
    "TC": "traffic class",
    "HOPLIMIT": "routers that it may still pass",
    "FLOWLBL": "flow label",
    "IPv6 FRAG": "place in the whole packet, in bytes",
    "IPv6 ID": "number of the fragmented packet",
    "AH SPI": "security association (AH)",
    "ESP SPI": "security association (ESP)",
    "Unknown Ext Hdr": "an extension header that the kernel does not know",
    "PROTO": _protocol,
    # transport
    "SPT": "source port",
    "DPT": "destination port",
    "SEQ": "TCP sequence number",
    "ACK": "TCP acknowledgment number",
    "WINDOW": "TCP window",
    "RES": "reserved TCP bits",
    "flag": "TCP flag",
    "URGP": "TCP urgent pointer; no more flags",
    "TCP OPT": "TCP options",
    "UDP LEN": "bytes of the UDP datagram",
    "SPI": "security association",
    "TYPE": "ICMP type",
    "CODE": "ICMP code",
    "echo ID": "number of the ping",
    "echo SEQ": "number of the request within the ping",
    "PARAMETER": "byte that is wrong",
    "POINTER": "byte that is wrong",
    "GATEWAY": "better router",
    "[": "packet that this ICMP error is about",
    "]": "end of that packet",
    "MTU": "largest packet that would have passed",
    "INCOMPLETE": "bytes that were there: too few",
    "TRUNCATED": "the packet was too short to be read",
    "UID": "user that sent it",
    "GID": "group that sent it",
    "MARK": "mark of the packet",
    "end": "",
    # ARP
    "HTYPE": "ARP hardware type",
    "PTYPE": "ARP protocol type",
    "OPCODE": "ARP: 1 asks, 2 answers",
    "IPSRC": "ARP sender",
    "IPDST": "ARP target",
}
