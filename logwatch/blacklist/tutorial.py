"""The five policies that block traffic in front of NAT, for any load balancers and clients.

`deny-nodeports` and `deny-lb-port-80` close what a cluster opens to the world, `whitelist` opens it
for some clients, `blacklist` closes it for others, `log-denied-packets` has the kernel log them.
All are preDNAT policies of hosts' public interfaces: they see the client's own address.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Any

from logwatch.blacklist.arrange import Shape
from logwatch.blacklist.networks import Network, NetworkError, collapse, parse_exact
from logwatch.blacklist.policy import (
    MAX_NETWORKS_PER_SET,
    PROTOCOLS,
    SELECTOR,
    SET_SELECTOR,
    chunks,
    policy_document,
    set_document,
)
from logwatch.blacklist.policy import NAME as BLACKLIST
from logwatch.errors import UsageError

NODE_PORTS = "30000:32767"
HTTP = 80
LARGEST_PORT = 65_535

Document = dict[str, Any]


class PolicyUsageError(UsageError):
    """A policy can't be made of what was given."""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """An address of a load balancer, and its port."""

    network: Network
    port: int = HTTP

    @classmethod
    def parse(cls, text: str) -> "LoadBalancer":
        """Read `IP`, `IP:PORT`, `[IPv6]` or `[IPv6]:PORT`. Raises PolicyUsageError."""
        host, port = text, ""
        if text.startswith("["):
            host, _, port = text[1:].partition("]")
            port = port.removeprefix(":")
        elif text.count(":") == 1:
            host, port = text.split(":")
        try:
            network = parse_exact(host)
        except NetworkError as error:
            raise PolicyUsageError(
                f"load balancer {text!r}: {error}; give IP, IP:PORT or [IPv6]:PORT"
            ) from error
        if not port:
            return cls(network)
        if not (port.isascii() and port.isdigit() and 1 <= int(port) <= LARGEST_PORT):
            raise PolicyUsageError(
                f"load balancer {text!r}: {port!r} is no port from 1 to {LARGEST_PORT}"
            )
        return cls(network, int(port))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policies are to be about."""

    load_balancers: Sequence[LoadBalancer] = ()
    clients: Sequence[Network] = ()
    selector: str = SELECTOR
    shape: Shape = "policy"
    """Where `blacklist` has its clients: in its rules, or in sets."""
    logs: bool = False
    """A Log in front of each Deny: what is logged is then exactly what is denied."""


@dataclass(frozen=True, slots=True)
class Tutorial:
    """One of the policies."""

    order: int
    action: str
    about: str
    needs: tuple[str, ...]
    """Fields of `Wanted` without which it would mean something else."""
    rules: Callable[[Wanted], Iterable[Document]]
    """Its matches; each becomes a rule for TCP and one for UDP."""


def _node_ports(_wanted: Wanted) -> Iterable[Document]:
    yield {"destination": {"ports": [NODE_PORTS]}}


def _load_balancers(wanted: Wanted) -> Iterable[Document]:
    for destination, _ in _destinations(wanted):
        yield {"destination": destination}


def _clients_to_load_balancers(wanted: Wanted) -> Iterable[Document]:
    """A rule holds one family: Calico refuses the policy otherwise."""
    pairs = product(_sources(wanted), _destinations(wanted))
    for (source, family), (destination, its_family) in pairs:
        if family == its_family:
            yield {"source": source, "destination": destination}


def _clients(wanted: Wanted) -> Iterable[Document]:
    for source, _ in _sources(wanted):
        yield {"source": source}


def _clients_or_sets(wanted: Wanted) -> Iterable[Document]:
    if wanted.shape == "sets":
        return [{"source": {"selector": SET_SELECTOR}}]
    return _clients(wanted)


def _clients_and_load_balancers(wanted: Wanted) -> Iterable[Document]:
    if wanted.clients and wanted.load_balancers:
        return _clients_to_load_balancers(wanted)
    return _load_balancers(wanted) if wanted.load_balancers else _clients(wanted)


POLICIES: Mapping[str, Tutorial] = MappingProxyType(
    {
        "deny-nodeports": Tutorial(
            1100, "Deny", "Closes all node ports to the outside.", (), _node_ports
        ),
        "deny-lb-port-80": Tutorial(
            800,
            "Deny",
            "Closes the given ports of load balancers to everyone.",
            ("load_balancers",),
            _load_balancers,
        ),
        "whitelist": Tutorial(
            500,
            "Allow",
            "Opens load balancers to some clients, ahead of what closes them.",
            ("load_balancers", "clients"),
            _clients_to_load_balancers,
        ),
        "blacklist": Tutorial(
            500, "Deny", "Closes everything to some clients.", ("clients",), _clients_or_sets
        ),
        "log-denied-packets": Tutorial(
            300,
            "Log",
            "Has the kernel log what some clients send, or what is sent to load balancers.",
            ("clients or load_balancers",),
            _clients_and_load_balancers,
        ),
    }
)
"""By name, in the order of the tutorial."""


def tutorial_documents(name: str, wanted: Wanted) -> list[Document]:
    """Make one of `POLICIES`, and the sets that it denies, if it is to have some.

    Raises PolicyUsageError as `tutorial_policy` does.
    """
    documents = [tutorial_policy(name, wanted)]
    if wanted.shape == "sets":
        texts = [str(network) for network in collapse(wanted.clients)]
        size = MAX_NETWORKS_PER_SET
        documents += [
            set_document(start // size, texts[start : start + size])
            for start in range(0, len(texts), size)
        ]
    return documents


def tutorial_policy(name: str, wanted: Wanted) -> Document:
    """Make one of `POLICIES`. Raises PolicyUsageError for an unknown name or what is missing."""
    policy = POLICIES.get(name)
    if policy is None:
        raise PolicyUsageError(f"no policy {name!r}; there are {', '.join(POLICIES)}")
    if wanted.shape == "sets" and name != BLACKLIST:
        raise PolicyUsageError(f"{name} has no sets, only {BLACKLIST} has")
    for need in policy.needs if wanted.shape == "policy" else ():
        fields = need.split(" or ")
        if not any(getattr(wanted, field) for field in fields):
            options = " or ".join(_OPTIONS[field] for field in fields)
            raise PolicyUsageError(
                f"{name} needs {options}: without it, it would match everybody or nobody"
            )
    if policy.action == "Deny" and any(client.prefixlen == 0 for client in wanted.clients):
        raise PolicyUsageError(f"{name} would deny everybody: name the clients that are meant")
    if wanted.logs and policy.action != "Deny":
        raise PolicyUsageError(f"{name} denies nothing, so there is nothing to log in it")
    actions = ("Log", policy.action) if wanted.logs else (policy.action,)
    rules = [  # each with its own lists, or YAML would refer from one to the other
        {"action": action, "protocol": protocol, **deepcopy(match)}
        for match in policy.rules(wanted)
        for protocol in PROTOCOLS
        for action in actions
    ]
    return policy_document({"name": name}, policy.order, wanted.selector, rules)


_OPTIONS = {"load_balancers": "--load-balancer", "clients": "--client"}


def _sources(wanted: Wanted) -> Iterable[tuple[Document, int]]:
    """Give the clients by family, at most as many as a rule may hold."""
    for networks, family in _by_family(wanted.clients):
        yield {"nets": networks}, family


def _destinations(wanted: Wanted) -> Iterable[tuple[Document, int]]:
    """Give the load balancers by port and family."""
    for port in sorted({each.port for each in wanted.load_balancers}):
        with_port = [each.network for each in wanted.load_balancers if each.port == port]
        for networks, family in _by_family(with_port):
            yield {"nets": networks, "ports": [port]}, family


def _by_family(networks: Iterable[Network]) -> Iterable[tuple[list[str], int]]:
    disjoint = collapse(networks)
    for family in (4, 6):
        for chunk in chunks(disjoint, family):
            yield [str(network) for network in chunk], family
