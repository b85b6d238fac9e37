"""From the words of a file to values: durations, numbers, ports, networks, names.

Each raises `Wrong` for a word that stands for no such value.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Final

from logwatch.blacklist import NetworkError, parse_network
from logwatch.offenders.language.conditions import (
    DestinationIn,
    FamilyIn,
    InterfaceIn,
    Leaf,
    Network,
    PolicyIn,
    PortIn,
    ProtocolIn,
    Range,
    SourceIn,
    TierIn,
)
from logwatch.offenders.language.problem import quoted
from logwatch.packets import PROTOCOLS, protocol_name

PORT_MOST: Final = 65_535
WITHIN_MOST: Final = 7 * 86_400
"""Evidence lies in memory."""
BAN_MOST: Final = 366 * 86_400
"""A ban is to end."""
THRESHOLD_MOST: Final = {"packets": 1_000_000_000, "bytes": 1_000_000_000_000_000}
"""Of the other measures as of packets."""
NAME_MOST: Final = 63
"""A label of a metric, and of a Kubernetes object."""
TEXT_MOST: Final = {"interface": 15, "policy": 317, "tier": 253}
"""IFNAMSIZ without its NUL; a namespace, `/` and a name of Kubernetes; such a name."""
FAMILIES: Final = {"ipv4": 4, "ipv6": 6}
DURATIONS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SIZES: Final = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "": 1}
PROTOCOL_WORDS: Final = ("none", *filter(None, PROTOCOLS))

_OFTEN: Final = ("tcp", "udp", "icmp", "icmpv6", "sctp", "udplite")
"""Meant rather than others that are as much like a word."""

_DIGITS: Final = "[0-9]{1,18}"


class Wrong(Exception):  # noqa: N818 - what it says of a word
    """A word that stands for no value; with what would be right."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


BEGUN_LEAST: Final = 3
"""Letters by which the beginning of a word is taken for it: `prot` is no misspelt `port`."""


def suggestion(word: str, words: Iterable[str]) -> str:
    """Ask for the word that was meant, if there is one like it; else empty."""
    by_lower = {each.lower(): each for each in words}
    low = word[:64].lower()
    begun = [each for each in by_lower if len(low) >= BEGUN_LEAST and each.startswith(low)]
    close = sorted(begun, key=len) or get_close_matches(low, by_lower, n=1)
    return f"did you mean {by_lower[close[0]]}?" if close else ""


def duration(word: str, most: int) -> int:
    """Return the seconds of `90s`, `10m`, `1h` or `7d`, from 1 to `most`."""
    match = re.fullmatch(f"({_DIGITS})([smhd])", word)
    if not match:
        raise Wrong(f"{quoted(word)} is no duration", "write it as 90s, 10m, 1h or 7d")
    seconds = int(match[1]) * DURATIONS[match[2]]
    if not 1 <= seconds <= most:
        raise Wrong(f"{word} is out of range", f"write a duration from 1s to {most // 86_400}d")
    return seconds


def threshold(word: str, measure: str) -> int:
    """Return a threshold: a whole number from 1 on; for bytes also `10MiB`."""
    units = "|".join(SIZES) if measure == "bytes" else ""
    match = re.fullmatch(f"({_DIGITS})({units})", word)
    if not match:
        example = "100000 or 10MiB" if measure == "bytes" else "100"
        raise Wrong(f"{quoted(word)} is no whole number", f"write a number such as {example}")
    number = int(match[1]) * SIZES[match[2]]
    most = THRESHOLD_MOST.get(measure, THRESHOLD_MOST["packets"])
    if not 1 <= number <= most:
        raise Wrong(f"{word} is out of range", f"write a number from 1 to {most}")
    return number


def name(word: str) -> str:
    """Return the name of a rule."""
    if not re.fullmatch(f"[A-Za-z0-9-]{{1,{NAME_MOST}}}", word):
        raise Wrong(
            f"{quoted(word)} is no name",
            f"a name has letters, digits and -, at most {NAME_MOST} of them",
        )
    return word


def _port(word: str) -> Range:
    match = re.fullmatch(f"({_DIGITS})(?:-({_DIGITS}))?", word)
    if not match or max(int(match[1]), int(match[2] or 0)) > PORT_MOST:
        raise Wrong(
            f"{quoted(word)} is no port",
            f"write a number from 0 to {PORT_MOST}, or a range such as 30000-32767",
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise Wrong(f"the range {word} is empty", f"write {last}-{first}")
    return first, last


def _network(word: str) -> Network:
    try:
        network = parse_network(word)
    except NetworkError:
        raise Wrong(
            f"{quoted(word)} is no address and no network",
            "write one such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32",
        ) from None
    try:
        ip_network(word)
    except ValueError:
        raise Wrong(f"{word} is an address within a network", f"write {network}") from None
    return network


def _protocol(word: str) -> str:
    if re.fullmatch("[0-9]{1,3}", word) and int(word) < len(PROTOCOLS):
        return protocol_name(int(word))
    if word not in PROTOCOL_WORDS:
        raise Wrong(
            f"{quoted(word)} is no protocol",
            suggestion(word, _OFTEN)
            or suggestion(word, PROTOCOL_WORDS)
            or "write a name of IANA's such as tcp, udp or icmp, a number, or none",
        )
    return word


def _family(word: str) -> int:
    if word not in FAMILIES:
        raise Wrong(
            f"{quoted(word)} is no family", suggestion(word, FAMILIES) or "write ipv4 or ipv6"
        )
    return FAMILIES[word]


def _text(field: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if len(word) > TEXT_MOST[field] or not word.isprintable():
            raise Wrong(
                f"{quoted(word)} names no {field}",
                f"a name has at most {TEXT_MOST[field]} characters, all of them printable",
            )
        return word

    return read


FIELDS: Final[dict[str, tuple[Callable[[str], object], Callable[..., Leaf]]]] = {
    "protocol": (_protocol, ProtocolIn),
    "port": (_port, PortIn),
    "source": (_network, SourceIn),
    "destination": (_network, DestinationIn),
    "interface": (_text("interface"), InterfaceIn),
    "policy": (_text("policy"), PolicyIn),
    "tier": (_text("tier"), TierIn),
    "family": (_family, FamilyIn),
}
"""Of each field: what reads one of its values, and the condition that holds them."""
