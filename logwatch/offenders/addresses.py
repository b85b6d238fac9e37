"""The host's own addresses, as the kernel lists them under `/proc/net`, and its resolvers.

Reads the network namespace of the process, or of another one's directory (`/proc/1/net` with the
host's process namespace). Addresses of other nodes are not known here.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from logwatch.blacklist import Network, NetworkError, network_of
from logwatch.errors import LogwatchError

PROC_NET = Path("/proc/net")
RESOLV_CONF = Path("/etc/resolv.conf")

_TABLES = ("Main:", "Local:")
"""Other routing tables may hold `local 0.0.0.0/0` for transparent proxies; that is no address."""

_LEAF = re.compile(r"\s*\|-- (?P<address>[0-9.]+)\s*")
_LOCAL = re.compile(r"\s*/(?P<length>\d+) host LOCAL\s*")


class AddressesError(LogwatchError):
    """The host's addresses can't be read, so none of them can be protected."""


def own_addresses(directory: Path = PROC_NET) -> frozenset[Network]:
    """Read every address (or local network) of this host's interfaces.

    IPv4 from `fib_trie` (net/ipv4/fib_trie.c), IPv6 from `if_inet6` (net/ipv6/addrconf.c), which is
    missing where IPv6 is switched off. Raises `AddressesError`.
    """
    try:
        trie = (directory / "fib_trie").read_text()
        interfaces = directory / "if_inet6"
        lines = interfaces.read_text().splitlines() if interfaces.exists() else []
        return frozenset([*_ipv4(trie), *(_ipv6(line) for line in lines)])
    except (OSError, ValueError) as error:
        raise AddressesError(
            f"own addresses can't be read from {directory} ({error}); a mounted /proc is needed"
        ) from error


def resolvers(path: Path = RESOLV_CONF) -> frozenset[Network]:
    """Read the name servers of resolv.conf(5); none where it can't be read, or names none.

    Whoever forges the address of a resolver would have its answers denied.
    """
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    found = set()
    for words in (line.split() for line in lines):
        if len(words) > 1 and words[0] == "nameserver":
            with suppress(NetworkError):  # what the C library would not understand either
                found.add(network_of(words[1].partition("%")[0]))
    return frozenset(found)


def _ipv4(trie: str) -> Iterator[IPv4Network]:
    is_wanted, address = False, ""
    for line in trie.splitlines():
        if line and not line[0].isspace():
            is_wanted = line.strip() in _TABLES
        elif leaf := _LEAF.fullmatch(line):
            address = leaf["address"]
        elif is_wanted and (local := _LOCAL.fullmatch(line)):
            yield IPv4Network((address, int(local["length"])))


def _ipv6(line: str) -> IPv6Network:
    digits = line.split(maxsplit=1)[0]
    return IPv6Network(bytes.fromhex(digits))
