"""Which networks in the rules of the blacklist policy are ours, and which are those of others.

Works on plain mappings, of a file or of the API. A network is ours when it stands in the policy's
annotation.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logwatch.blacklist.networks import Cover, Network, collapse, parse_network
from logwatch.blacklist.policy import ANNOTATION, NAME, PROTOCOLS, Deny, deny_rules, read_deny

Ownership = dict[str, frozenset[Network]]
"""For each protocol the networks that are ours."""

_ONLY = ":"
"""In the annotation, `UDP:203.0.113.7/32` is ours for UDP only: others deny it for TCP."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the rules deny for TCP and UDP alike, whatever the destination and the port."""

    own: tuple[Network, ...] = ()
    """Those of the annotation's networks that are denied."""
    other: tuple[Network, ...] = ()
    """What others wrote."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why nothing may be added to a policy, and the index of the rule that it is about."""

    text: str
    rule: int | None = None


def objection(policy: Mapping[str, Any]) -> Objection | None:
    """Tell what keeps a policy from being the tutorial's: adding to it might do harm."""
    annotations = policy["metadata"].get("annotations")
    if annotations is not None and not isinstance(annotations, dict):
        return Objection(f"metadata.annotations of policy {NAME!r} is no mapping; make it one")
    spec = policy.get("spec")
    if not isinstance(spec, dict):
        return Objection(f"spec of policy {NAME!r} is no mapping; make it one")
    if spec.get("preDNAT") is not True and spec.get("doNotTrack") is not True:
        return Objection(
            f"policy {NAME!r} has neither preDNAT nor doNotTrack, so Calico would deny all that "
            "its rules don't name; set preDNAT and applyOnForward to true"
        )
    rules = spec.get("ingress")
    if rules is not None and not isinstance(rules, list):
        return Objection(f"spec.ingress of policy {NAME!r} is no list; make it a list of rules")
    for index, rule in enumerate(rules or ()):
        action = rule.get("action") if isinstance(rule, dict) else None
        if action not in ("Deny", "Log", "Pass"):
            return Objection(
                f"a rule of policy {NAME!r} has action {action!r}; only Deny, Log and Pass belong "
                "into a blacklist",
                index,
            )
    return None


def ownership_of(annotations: Mapping[str, Any] | None) -> Ownership:
    """Read the annotation. Raises NetworkError when it is damaged."""
    own: dict[str, set[Network]] = {protocol: set() for protocol in PROTOCOLS}
    for word in str((annotations or {}).get(ANNOTATION) or "").split():
        protocol, is_one, text = word.partition(_ONLY)
        protocols = (protocol,) if is_one and protocol in PROTOCOLS else PROTOCOLS
        network = parse_network(text if protocols != PROTOCOLS else word)
        for each in protocols:
            own[each].add(network)
    return {protocol: frozenset(networks) for protocol, networks in own.items()}


def annotation(rules: Iterable[Deny]) -> str:
    """Write the annotation for the rules that are ours."""
    own: dict[str, set[Network]] = {protocol: set() for protocol in PROTOCOLS}
    for rule in rules:
        own[rule.protocol].update(rule.networks)
    in_all = set.intersection(*own.values())
    return " ".join(
        str(network)
        if network in in_all
        else next(f"{each}{_ONLY}{network}" for each in PROTOCOLS if network in own[each])
        for network in collapse(set.union(*own.values()))
    )


def denials(policy: Mapping[str, Any]) -> Iterator[tuple[int, tuple[str, ...], list[Network]]]:
    """Index, protocols and networks of each rule that denies nothing but networks."""
    for index, rule in enumerate(policy["spec"].get("ingress") or ()):
        denied = read_deny(rule)
        if denied is not None:
            yield index, *denied


def is_ours(network: Network, protocols: Iterable[str], own: Ownership) -> bool:
    """Whether a network is ours for all these protocols."""
    return all(network in own[protocol] for protocol in protocols)


def held_in(policy: Mapping[str, Any], own: Ownership) -> Held:
    """Tell what the rules deny now."""
    ours = frozenset().union(*own.values())
    return Held(
        own=tuple(network for network in _in_both(_denied(policy)) if network in ours),
        other=_in_both(_denied(policy, without=own)),
    )


def rules_for(policy: Mapping[str, Any], networks: Iterable[Network], own: Ownership) -> list[Deny]:
    """List the rules that are to be ours, for disjoint and sorted networks.

    What lies in a network of others is left to them.
    """
    theirs = _denied(policy, without=own)
    networks = tuple(networks)
    return deny_rules(*(_left(networks, theirs[protocol]) for protocol in PROTOCOLS))


def _denied(
    policy: Mapping[str, Any], without: Ownership | None = None
) -> dict[str, list[Network]]:
    """Collect the networks denied for each protocol, leaving some out."""
    result: dict[str, list[Network]] = {protocol: [] for protocol in PROTOCOLS}
    for _, protocols, networks in denials(policy):
        for network in networks:
            if without is None or not is_ours(network, protocols, without):
                for protocol in protocols:
                    result[protocol].append(network)
    return result


def _in_both(networks: dict[str, list[Network]]) -> tuple[Network, ...]:
    tcp, udp = (networks[protocol] for protocol in PROTOCOLS)
    if tcp == udp:
        return collapse(tcp)
    return collapse([*_inside(tcp, udp), *_inside(udp, tcp)])


def _inside(networks: Iterable[Network], holders: Iterable[Network]) -> list[Network]:
    cover = Cover(holders)
    return [network for network in networks if cover.holds(network)]


def _left(networks: Iterable[Network], holders: Iterable[Network]) -> list[Network]:
    cover = Cover(holders)
    return [network for network in networks if not cover.holds(network)]
