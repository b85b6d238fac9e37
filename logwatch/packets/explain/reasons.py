"""Why the reading passes over a token; keys are those of `Token.key`."""

from collections.abc import Mapping
from typing import Final

USED: Final = frozenset(
    {"stamp", "tag", "repeated", "prefix", "tier", "kind", "policy", "namespace"}
    | {"IN", "OUT", "SRC", "DST", "LEN", "PROTO"}
    | {"SPT", "DPT", "flag", "URGP", "TYPE", "CODE"}
)
"""Keys of the tokens that make the reading."""
NAMES: Final = frozenset({"tier", "kind", "policy", "namespace"})
"""Keys of which only the first token makes the reading."""

NESTED: Final = "belongs to the packet inside the ICMP error, not to this one"
SECOND_NAME: Final = "the first of equal names counts"
UNREAD: Final = "reading stopped in front of it"

_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "padding, not part of the text": ("NUL", "CR"),
    "of syslog's header only time and tag are needed": (
        "priority",
        "version",
        "host",
        "blanks",
        "uptime",
        "caller",
    ),
    "closes rsyslog's wrapper": ("repeated end",),
    "hardware addresses are not counted": ("MAC", "MACSRC", "MACDST", "MACPROTO", "TUNNEL"),
    "ports of a bridge are not counted": ("PHYSIN", "PHYSOUT"),
    "VLAN tags are not counted": ("VPROTO", "VID"),
    "of the IP header only addresses, length and protocol are needed": (
        *("TOS", "PREC", "TTL", "ID", "CE", "DF", "MF", "FRAG", "OPT", "TC", "HOPLIMIT", "FLOWLBL"),
    ),
    "extension headers are only stepped over": (
        "OPT end",
        "IPv6 FRAG",
        "IPv6 ID",
        "AH SPI",
        "ESP SPI",
        "Unknown Ext Hdr",
    ),
    "of the TCP header only ports and flags are needed": ("SEQ", "ACK", "WINDOW", "RES", "TCP OPT"),
    "the length that counts is the IP header's": ("UDP LEN",),
    "of ICMP only type and code are needed": (
        "echo ID",
        "echo SEQ",
        "PARAMETER",
        "POINTER",
        "GATEWAY",
        "MTU",
    ),
    "the sender on this host is not counted": ("UID", "GID"),
    "ARP packets are not counted": ("HTYPE", "PTYPE", "OPCODE", "IPSRC", "IPDST"),
}
_REASONS: Final = {key: reason for reason, keys in _GROUPS.items() for key in keys}


def reason_to_skip(key: str) -> str:
    """Say why the token `key` is not needed."""
    return _REASONS.get(key, "not needed")
