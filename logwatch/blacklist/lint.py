"""What is wrong with Calico policies: what would be refused, deny everybody, or do nothing.

Works on plain documents. The limits are those of libcalico-go's validator and of the CRDs from
Calico v3.33 on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Literal

from logwatch.blacklist.networks import Network, NetworkError, parse_network
from logwatch.blacklist.policy import (
    API_VERSIONS,
    KIND,
    LABEL,
    MAX_NETWORKS_PER_RULE,
    MAX_NETWORKS_PER_SET,
    MAX_RULES,
    is_labelled,
    is_set,
    number_of_set,
)

Level = Literal["problem", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a policy; `where` is a path such as `ingress[2].source.nets`."""

    policy: str
    where: str
    level: Level
    what: str
    remedy: str


def is_checked(document: Mapping[str, Any]) -> bool:
    """Whether an object is of a kind that `lint` looks into."""
    return is_set(document) or (
        document.get("kind") == KIND and document.get("apiVersion") in API_VERSIONS
    )


def lint(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell what is wrong with one object; nothing about others than global policies and sets."""
    if is_set(document):
        yield from _set(document)
        return
    if not is_checked(document):
        return
    metadata, spec = document.get("metadata"), document.get("spec")
    name = str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""
    if not name:
        yield Finding("", "metadata.name", "problem", "the policy has no name", "give it one")
    if not isinstance(spec, Mapping):
        yield Finding(name, "spec", "problem", "the policy has no spec", "give it one")
        return
    yield from _kind_of_policy(name, spec)
    for direction in ("ingress", "egress"):
        rules = spec.get(direction) or []
        if not isinstance(rules, list):
            yield Finding(name, direction, "problem", "this is no list", "write a list of rules")
            continue
        if len(rules) > MAX_RULES:
            yield Finding(
                name,
                direction,
                "problem",
                f"{len(rules)} rules; Calico takes {MAX_RULES}",
                "move networks into a GlobalNetworkSet",
            )
        yield from _rules(name, direction, rules)


def _set(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Tell what is wrong with a set. It may hold both families: Calico takes it apart."""
    name, spec = str(document["metadata"].get("name", "")), document.get("spec")
    if not name:
        yield Finding("", "metadata.name", "problem", "the set has no name", "give it one")
    is_denied = is_labelled(document)
    if number_of_set(document) is not None and not is_denied:
        yield Finding(
            name,
            "metadata.labels",
            "problem",
            "without its label the blacklist does not deny this set",
            f'label it {LABEL}: "true", with the quotes',
        )
    nets = spec.get("nets") if isinstance(spec, Mapping) else None
    if nets is None:
        return  # it holds nothing
    if not isinstance(nets, list):
        yield Finding(name, "nets", "problem", "this is no list", "write a list of networks")
        return
    if len(nets) > MAX_NETWORKS_PER_SET:
        yield Finding(
            name,
            "nets",
            "warning",
            f"{len(nets)} networks; above {MAX_NETWORKS_PER_SET} the object may become too large",
            "move some into another set with the same label",
        )
    yield from _each_net(name, "nets", nets, is_denied=is_denied)


def _kind_of_policy(name: str, spec: Mapping[str, Any]) -> Iterator[Finding]:
    is_early = bool(spec.get("preDNAT") or spec.get("doNotTrack"))
    if is_early and not spec.get("applyOnForward"):
        yield Finding(
            name,
            "applyOnForward",
            "problem",
            "preDNAT and doNotTrack policies are refused without it",
            "set applyOnForward: true",
        )
    if spec.get("preDNAT") and spec.get("doNotTrack"):
        yield Finding(
            name, "doNotTrack", "problem", "preDNAT and doNotTrack exclude each other", "leave one"
        )
    if spec.get("preDNAT") and ("Egress" in (spec.get("types") or []) or spec.get("egress")):
        yield Finding(
            name,
            "types",
            "problem",
            "a preDNAT policy has no egress",
            "remove Egress and the egress rules",
        )


def _rules(name: str, direction: str, rules: list[Any]) -> Iterator[Finding]:
    earlier: list[Mapping[str, Any]] = []
    for index, rule in enumerate(rules):
        where = f"{direction}[{index}]"
        if not isinstance(rule, Mapping):
            yield Finding(name, where, "problem", "this is no rule", "write a mapping with action")
            continue
        families = set()
        for end in ("source", "destination"):
            entity = rule.get(end)
            if not isinstance(entity, Mapping) or "nets" not in entity:
                continue
            place = f"{where}.{end}.nets"
            networks = list(_networks(entity["nets"]))
            yield from _nets(name, place, entity["nets"], rule)
            families |= {network.version for network in networks}
        if len(families) > 1:
            yield Finding(
                name,
                where,
                "problem",
                "the rule holds IPv4 and IPv6 networks, and Calico refuses the whole policy",
                "write a rule for each family",
            )
        if rule.get("action") == "Log":
            yield from _log(name, where, rule, earlier)
        earlier.append(rule)


def _nets(name: str, place: str, nets: object, rule: Mapping[str, Any]) -> Iterator[Finding]:
    if not isinstance(nets, list):
        yield Finding(name, place, "problem", "this is no list", "write a list of networks")
        return
    if not nets and rule.get("action") == "Deny":
        yield Finding(
            name,
            place,
            "problem",
            "a Deny with an empty list of networks denies everybody",
            "remove the rule",
        )
    if len(nets) > MAX_NETWORKS_PER_RULE:
        yield Finding(
            name,
            place,
            "problem",
            f"{len(nets)} networks; Calico takes {MAX_NETWORKS_PER_RULE} in a rule",
            "split the rule, or move them into a GlobalNetworkSet",
        )
    yield from _each_net(name, place, nets, is_denied=rule.get("action") == "Deny")


def _each_net(name: str, place: str, nets: list[Any], *, is_denied: bool) -> Iterator[Finding]:
    seen: set[str] = set()
    for net in nets:
        yield from _net(name, place, net, is_denied=is_denied)
        if str(net) in seen:
            yield Finding(name, place, "problem", f"{net} is there twice", "remove one")
        seen.add(str(net))


def _net(name: str, place: str, net: object, *, is_denied: bool) -> Iterator[Finding]:
    try:
        network = parse_network(str(net))
    except NetworkError as error:
        yield Finding(name, place, "problem", str(error), "correct it")
        return
    if network.prefixlen == 0 and is_denied:
        yield Finding(name, place, "problem", f"{net} is everybody", "name what is to be denied")
    try:
        ip_network(str(net), strict=True)
    except ValueError:
        yield Finding(
            name,
            place,
            "problem",
            f"{net} has bits behind its prefix, and some releases of Felix drop the whole policy",
            f"write {network}",
        )


def _networks(nets: object) -> Iterator[Network]:
    for net in nets if isinstance(nets, list) else ():
        try:
            yield parse_network(str(net))
        except NetworkError:
            continue  # told by _net


def _log(
    name: str, where: str, rule: Mapping[str, Any], earlier: list[Mapping[str, Any]]
) -> Iterator[Finding]:
    match = {key: value for key, value in rule.items() if key != "action"}
    for other in earlier:
        if other.get("action") in {"Allow", "Deny", "Pass"} and match == {
            key: value for key, value in other.items() if key != "action"
        }:
            yield Finding(
                name,
                where,
                "warning",
                f"never reached: an earlier rule says {other['action']} for the same packets",
                "put Log in front of it",
            )
            return
