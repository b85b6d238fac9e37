"""The tutorial's `blacklist` policy and its sets as documents: which rules deny which networks.

Works on plain mappings and knows nothing of files. Calico's limits and validation are in
libcalico-go (`lib/validator/v3`) and, from v3.33, in the schema of the CRD.
"""

import re
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

MAX_ANNOTATIONS = 262_144
"""Bytes. With long IPv6 networks, or much that others wrote, it takes fewer."""

SET_KIND = "GlobalNetworkSet"

LABEL = "calico-logwatch.io/blacklist"
"""With the value `true`, on each set whose networks are denied."""

MAX_NETWORKS_PER_SET = 5_000
"""Kubernetes keeps who owns which network of a set, in annotations that take 262,144 bytes: about
10,000 networks (an API server of Calico's own, from v3.32 on). Replacing 5,000 takes 0.4 s."""

MAX_NETWORKS_IN_SETS = 50_000
"""Ten full sets. Felix takes a million, and stops at more; but it needs seconds for these, and
`calicoctl` reads them all again each time."""

SET_PREFIX = "logwatch-blacklist-"
_SET_NAME = re.compile(rf"{SET_PREFIX}(0|[1-9][0-9]{{0,3}})")

SET_SELECTOR = f'{LABEL} == "true"'
_SET_SELECTOR = re.compile(rf"\s*{re.escape(LABEL)}\s*==\s*(?:'true'|\"true\")\s*")

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


def blacklist_policy_of_sets() -> dict[str, Any]:
    """Build the policy that denies whatever stands in labelled sets; without sets, nothing."""
    rules = [set_rule(protocol) for protocol in PROTOCOLS]
    return policy_document({"name": NAME}, 500, SELECTOR, rules)


def set_rule(protocol: str) -> dict[str, Any]:
    """Build the rule that denies what stands in labelled sets."""
    return {"action": "Deny", "protocol": protocol, "source": {"selector": SET_SELECTOR}}


def set_document(
    number: int, networks: Iterable[str], api_version: str = API_VERSION
) -> dict[str, Any]:
    """Build one of our sets. Both families may stand in it: Calico takes it apart."""
    return {
        "apiVersion": api_version,
        "kind": SET_KIND,
        "metadata": {"name": f"{SET_PREFIX}{number}", "labels": {LABEL: "true"}},
        "spec": {"nets": list(networks)},
    }


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


def is_set(document: Mapping[str, Any]) -> bool:
    """Whether a document is a global network set, under either API group."""
    return (
        document.get("kind") == SET_KIND
        and document.get("apiVersion") in API_VERSIONS
        and isinstance(document.get("metadata"), Mapping)
    )


def number_of_set(document: Mapping[str, Any]) -> int | None:
    """Return the number of one of our sets; None of somebody else's."""
    found = _SET_NAME.fullmatch(str(document["metadata"].get("name")))
    return int(found[1]) if found else None


def is_labelled(document: Mapping[str, Any]) -> bool:
    """Whether our policy denies what stands in a set."""
    labels = document["metadata"].get("labels")
    return isinstance(labels, Mapping) and labels.get(LABEL) == "true"


def read_set_rule(rule: object) -> tuple[str, ...]:
    """Tell for which protocols a rule denies labelled sets whatever the destination and port."""
    source = rule.get("source") if isinstance(rule, Mapping) else None
    if (
        not isinstance(rule, Mapping)
        or rule.get("action") != "Deny"
        or rule.get("destination")
        or not set(rule) <= _DENY_KEYS
        or not isinstance(source, Mapping)
        or set(source) != {"selector"}
        or not _SET_SELECTOR.fullmatch(str(source["selector"]))
    ):
        return ()
    return _BY_PROTOCOL.get(str(rule.get("protocol", "")).upper(), ())


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
    if not isinstance(source["nets"], list):
        return None
    nets = list.copy(source["nets"])  # its own iterator takes several times as long
    if not all(isinstance(net, str) for net in nets):
        return None
    protocols = _BY_PROTOCOL.get(str(rule.get("protocol", "")).upper())
    try:
        networks = [parse_network(net) for net in nets]
    except NetworkError:
        return None
    return (protocols, networks) if protocols and networks else None
