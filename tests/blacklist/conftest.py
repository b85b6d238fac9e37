"""Calico's reading of a policy, as far as the blacklist uses it."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from ruamel.yaml import YAML

Policy = dict[str, Any]


def _load(text: str) -> list[Any]:
    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each is not None]


def _validate(policy: Policy) -> None:
    """Refuse what Calico refuses (libcalico-go's validator, the CRD of v3.33)."""
    assert policy["apiVersion"] in ("projectcalico.org/v3", "crd.projectcalico.org/v1")
    assert policy["kind"] == "GlobalNetworkPolicy"
    spec = policy["spec"]
    assert spec["applyOnForward"] is True
    assert "egress" not in spec
    assert len(spec["ingress"]) <= 1024
    for rule in spec["ingress"]:
        nets = rule.get("source", {}).get("nets", [])
        assert len(nets) <= 256
        assert len(set(nets)) == len(nets)
        assert [str(ip_network(net)) for net in nets] == nets
        assert len({ip_network(net).version for net in nets}) <= 1


def _denies(policy: Policy, address: str, protocol: str, port: int = 80) -> bool:
    """Evaluate the rules in order as Felix does: an empty match matches everything."""
    for rule in policy["spec"]["ingress"] or ():
        source, destination = rule.get("source", {}), rule.get("destination", {})
        nets = [ip_network(net, strict=False) for net in source.get("nets", [])]
        if nets and not any(ip_address(address) in net for net in nets):
            continue
        if rule.get("protocol", protocol) != protocol or "nets" in destination:
            continue
        if port not in destination.get("ports", [port]):
            continue
        if rule["action"] != "Log":
            return bool(rule["action"] == "Deny")
    return False


@pytest.fixture(scope="session")
def load() -> Callable[[str], list[Any]]:
    """All documents of a text."""
    return _load


@pytest.fixture(scope="session")
def validate() -> Callable[[Policy], None]:
    """Fails for a policy that Calico refuses."""
    return _validate


@pytest.fixture(scope="session")
def denies() -> Callable[..., bool]:
    """Whether a policy denies a packet."""
    return _denies
