"""The tutorial's `blacklist` policy as a document: which rules deny which networks.

Works on plain mappings and knows nothing of files. Calico's limits and validation are in
libcalico-go (`lib/validator/v3`) and, from v3.33, in the schema of the CRD.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from logwatch.blacklist.networks import Network, NetworkError, parse_network

NAME = "blacklist"
KIND = "GlobalNetworkPolicy"
API_VERSION = "projectcalico.org/v3"

SELECTOR = "ibm.role=='worker_public'"
"""The hosts' public interfaces, as the tutorial has them."""

ANNOTATION = "calico-logwatch.io/networks"
"""Holds the networks that are ours, separated by spaces: they are removed again, no other is."""

MAX_NETWORKS_PER_RULE = 256
"""`maxItems` of `source.nets` from Calico v3.33 on; a longer list is refused with 422."""

MAX_RULES = 1024
"""`maxItems` of `ingress` from Calico v3.33 on."""

MAX_NETWORKS = 2048
"""Kubernetes caps all annotations of an object at 262,144 bytes. A network costs at most 25 bytes
in ours and 79 in the copy of the whole object that `kubectl apply` adds: 2,048 stay below it."""

PROTOCOLS = ("TCP", "UDP")

API_VERSIONS = (API_VERSION, "crd.projectcalico.org/v1")
_NAMES = (NAME, "default.blacklist")
"""Calico before v3.32 stores the policy under its tier's name."""

_BY_PROTOCOL: dict[str, tuple[str, ...]] = {
    "": PROTOCOLS,
    "TCP": ("TCP",),
    "6": ("TCP",),
    "UDP": ("UDP",),
    "17": ("UDP",),
}

_DENY_KEYS = {"action", "protocol", "source", "destination"}


class Deny(NamedTuple):
    """One rule: deny these networks for this protocol, whatever the destination."""

    protocol: str
    networks: tuple[Network, ...]


def blacklist_policy(networks: Iterable[Network]) -> dict[str, Any]:
    """Build the whole policy that denies `networks`, which must be disjoint and sorted.

    Without networks it has no rule at all. A rule with empty `source.nets` would match, and so
    deny, everyone; a preDNAT policy without rules does nothing, since Calico's default drop does
    not apply to preDNAT policies.
    """
    networks = tuple(networks)
    annotations = {ANNOTATION: " ".join(str(network) for network in networks)}
    rules = [rule_document(rule) for rule in deny_rules(networks, networks)]
    return policy_document({"name": NAME, "annotations": annotations}, 500, SELECTOR, rules)


def policy_document(
    metadata: dict[str, Any], order: int, selector: str, rules: list[dict[str, Any]]
) -> dict[str, Any]:
    """Build a policy that holds in front of NAT, from its ingress rules."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": metadata,
        "spec": {
            "order": order,
            "preDNAT": True,
            "applyOnForward": True,
            "selector": selector,
            "types": ["Ingress"],
            "ingress": rules,
        },
    }


def deny_rules(tcp: Iterable[Network], udp: Iterable[Network]) -> list[Deny]:
    """List the rules that deny `tcp` for TCP and `udp` for UDP, in the order they are written.

    A rule holds one family: Calico refuses the policy otherwise ("rule contains both IPv4 and IPv6
    CIDRs"). A rule never holds more than `MAX_NETWORKS_PER_RULE` networks, and never none.
    """
    tcp, udp = list(tcp), list(udp)
    rules: list[Deny] = []
    for version in (4, 6):
        pairs = zip_longest(chunks(tcp, version), chunks(udp, version))
        for pair in pairs:
            rules += [
                Deny(protocol, chunk)
                for protocol, chunk in zip(PROTOCOLS, pair, strict=True)
                if chunk
            ]
    return rules


def chunks(networks: Sequence[Network], version: int) -> list[tuple[Network, ...]]:
    """Cut the networks of one family into as many as a rule may hold."""
    family = [network for network in networks if network.version == version]
    size = MAX_NETWORKS_PER_RULE
    return [tuple(family[start : start + size]) for start in range(0, len(family), size)]


def rule_document(rule: Deny) -> dict[str, Any]:
    """Write a rule in the form Calico reads."""
    return {
        "action": "Deny",
        "protocol": rule.protocol,
        "source": {"nets": [str(network) for network in rule.networks]},
    }


def is_blacklist(document: object) -> bool:
    """Whether a document is the blacklist policy, under either API group and either name."""
    if not isinstance(document, Mapping) or document.get("kind") != KIND:
        return False
    metadata = document.get("metadata")
    return (
        document.get("apiVersion") in API_VERSIONS
        and isinstance(metadata, Mapping)
        and metadata.get("name") in _NAMES
    )


def read_deny(rule: object) -> tuple[tuple[str, ...], list[Network]] | None:
    """Tell what a rule denies whatever the destination and the port: protocols and networks.

    None for every other rule (another action, a port, a destination, a selector, no networks, a
    net that can't be read): it may deny less than its nets say, so nothing is concluded from it.
    """
    if not isinstance(rule, Mapping) or rule.get("action") != "Deny" or rule.get("destination"):
        return None
    source = rule.get("source")
    if not isinstance(source, Mapping) or not set(rule) <= _DENY_KEYS or set(source) != {"nets"}:
        return None
    nets = source["nets"]
    if not isinstance(nets, list) or not all(isinstance(net, str) for net in nets):
        return None
    protocols = _BY_PROTOCOL.get(str(rule.get("protocol", "")).upper())
    try:
        networks = [parse_network(net) for net in nets]
    except NetworkError:
        return None
    return (protocols, networks) if protocols and networks else None
