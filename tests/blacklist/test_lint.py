"""What Calico would refuse, or what would deny everybody, is told; a sound policy is not."""

from typing import Any

import pytest

from logwatch.blacklist.lint import lint

DENY = {"action": "Deny", "protocol": "TCP", "source": {"nets": ["203.0.113.7/32"]}}


def policy(*rules: object, **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "blacklist"},
        "spec": {"preDNAT": True, "applyOnForward": True, "ingress": list(rules), **spec},
    }


def nets(*texts: object, action: str = "Deny") -> dict[str, Any]:
    return {"action": action, "source": {"nets": list(texts)}}


@pytest.mark.parametrize(
    ("document", "where", "what"),
    [
        (policy(nets()), "ingress[0].source.nets", "denies everybody"),
        (policy(DENY, nets("0.0.0.0/0")), "ingress[1].source.nets", "0.0.0.0/0 is everybody"),
        (policy(nets("::/0")), "ingress[0].source.nets", "::/0 is everybody"),
        (policy(nets("10.0.0.1/8")), "ingress[0].source.nets", "bits behind its prefix"),
        (policy(nets("10.0.0.0/8", "10.0.0.0/8")), "ingress[0].source.nets", "there twice"),
        (policy(nets("nobody")), "ingress[0].source.nets", "is not a network"),
        (policy(nets(7.5)), "ingress[0].source.nets", "is not a network"),
        (policy(nets("10.0.0.0/8", "2001:db8::/32")), "ingress[0]", "IPv4 and IPv6"),
        (
            policy({**nets("10.0.0.0/8"), "destination": {"nets": ["2001:db8::/32"]}}),
            "ingress[0]",
            "IPv4 and IPv6",
        ),
        (
            policy(nets(*(f"10.0.{n // 256}.{n % 256}/32" for n in range(257)))),
            "ingress[0].source.nets",
            "257 networks; Calico takes 256",
        ),
        (policy(*[DENY] * 1025), "ingress", "1025 rules; Calico takes 1024"),
        (policy(DENY, {**DENY, "action": "Log"}), "ingress[1]", "never reached"),
        (policy(5), "ingress[0]", "no rule"),
        (policy(ingress="all"), "ingress", "no list"),
        (
            policy({"action": "Deny", "source": {"nets": "10.0.0.0/8"}}),
            "ingress[0].source.nets",
            "no list",
        ),
        (policy(DENY, applyOnForward=False), "applyOnForward", "refused without it"),
        (policy(DENY, doNotTrack=True), "doNotTrack", "exclude each other"),
        (policy(DENY, types=["Ingress", "Egress"]), "types", "no egress"),
        ({**policy(DENY), "metadata": {}}, "metadata.name", "no name"),
        ({**policy(DENY), "spec": None}, "spec", "no spec"),
    ],
)
def test_a_fault_is_told_with_its_place(document: dict[str, Any], where: str, what: str) -> None:
    findings = list(lint(document))
    assert [where] == [finding.where for finding in findings]
    assert what in findings[0].what
    assert findings[0].remedy


def test_sound_policies_and_other_objects_are_left_alone() -> None:
    log = {**DENY, "action": "Log"}
    other = {"apiVersion": "v1", "kind": "Service", "spec": {"ingress": [nets()]}}
    networked = {**policy(nets()), "kind": "NetworkPolicy"}
    allowed = policy(log, DENY, nets("0.0.0.0/0", action="Allow"), nets(action="Allow"))
    for document in (allowed, policy(), other, networked, {}):
        assert [] == list(lint(document))


def network_set(*texts: object, **metadata: object) -> dict[str, Any]:
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkSet",
        "metadata": {
            "name": "logwatch-blacklist-0",
            "labels": {"calico-logwatch.io/blacklist": "true"},
            **metadata,
        },
        "spec": {"nets": list(texts)},
    }


@pytest.mark.parametrize(
    ("document", "where", "what"),
    [
        (network_set("0.0.0.0/0"), "nets", "is everybody"),
        (network_set("10.0.0.1/8"), "nets", "bits behind its prefix"),
        (network_set("10.0.0.0/8", "10.0.0.0/8"), "nets", "there twice"),
        (network_set("nobody"), "nets", "is not a network"),
        (network_set(labels={"calico-logwatch.io/blacklist": True}), "metadata.labels", "label"),
        (network_set(name=""), "metadata.name", "no name"),
        ({**network_set(), "spec": {"nets": "all"}}, "nets", "no list"),
        (
            network_set(*(f"10.{n >> 8}.{n & 255}.0/32" for n in range(5_001))),
            "nets",
            "5001 networks; above 5000",
        ),
    ],
)
def test_a_fault_of_a_set_is_told(document: dict[str, Any], where: str, what: str) -> None:
    findings = list(lint(document))
    assert [where] == [finding.where for finding in findings]
    assert what in findings[0].what


def test_a_sound_set_may_hold_both_families_and_nothing() -> None:
    other = network_set("0.0.0.0/0", name="all", labels={})
    for document in (network_set("10.0.0.0/8", "2001:db8::/32"), network_set(), other):
        assert [] == list(lint(document))
