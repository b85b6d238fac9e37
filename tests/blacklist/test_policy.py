from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from logwatch.blacklist import blacklist_policy
from logwatch.blacklist.policy import is_blacklist, read_deny


def test_the_policy_is_the_tutorials() -> None:
    expected = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkPolicy",
        "metadata": {
            "name": "blacklist",
            "annotations": {"calico-logwatch.io/networks": "203.0.113.7/32"},
        },
        "spec": {
            "order": 500,
            "preDNAT": True,
            "applyOnForward": True,
            "selector": "ibm.role=='worker_public'",
            "types": ["Ingress"],
            "ingress": [
                {"action": "Deny", "protocol": "TCP", "source": {"nets": ["203.0.113.7/32"]}},
                {"action": "Deny", "protocol": "UDP", "source": {"nets": ["203.0.113.7/32"]}},
            ],
        },
    }
    assert expected == blacklist_policy([IPv4Network("203.0.113.7/32")])


def test_without_networks_there_is_no_rule_that_would_match_everyone(
    denies: Callable[..., bool],
) -> None:
    policy = blacklist_policy([])
    assert [] == policy["spec"]["ingress"]
    assert not denies(policy, "198.51.100.1", "TCP")


def test_families_are_in_rules_of_their_own(validate: Callable[[Any], None]) -> None:
    """Calico: "rule contains both IPv4 and IPv6 CIDRs"."""
    policy = blacklist_policy([IPv4Network("203.0.113.7/32"), IPv6Network("2001:db8::/64")])
    validate(policy)
    assert [
        ("TCP", ["203.0.113.7/32"]),
        ("UDP", ["203.0.113.7/32"]),
        ("TCP", ["2001:db8::/64"]),
        ("UDP", ["2001:db8::/64"]),
    ] == [(rule["protocol"], rule["source"]["nets"]) for rule in policy["spec"]["ingress"]]


def test_a_rule_takes_256_networks_and_the_next_rule_the_rest(
    validate: Callable[[Any], None], denies: Callable[..., bool]
) -> None:
    networks = [IPv4Network((0xCB00_0000 + number, 32)) for number in range(257)]
    policy = blacklist_policy(networks)
    validate(policy)
    assert [256, 256, 1, 1] == [len(rule["source"]["nets"]) for rule in policy["spec"]["ingress"]]
    for protocol in ("TCP", "UDP"):
        assert all(denies(policy, str(each.network_address), protocol) for each in networks)


def test_the_policy_is_known_under_both_groups_and_names() -> None:
    for version in ("projectcalico.org/v3", "crd.projectcalico.org/v1"):
        for name in ("blacklist", "default.blacklist"):
            policy = {
                "apiVersion": version,
                "kind": "GlobalNetworkPolicy",
                "metadata": {"name": name},
            }
            assert is_blacklist(policy)
    assert not is_blacklist({**policy, "metadata": {"name": "whitelist"}})
    assert not is_blacklist({**policy, "kind": "NetworkPolicy"})
    assert not is_blacklist({**policy, "apiVersion": ["projectcalico.org/v3"]})
    assert not is_blacklist({**policy, "metadata": None})
    assert not is_blacklist("blacklist")


def test_only_a_rule_that_denies_networks_everything_is_read() -> None:
    plain = {"action": "Deny", "protocol": "TCP", "source": {"nets": ["203.0.113.7/32"]}}
    network = IPv4Network("203.0.113.7/32")
    assert (("TCP",), [network]) == read_deny(plain)
    assert (("UDP",), [network]) == read_deny({**plain, "protocol": 17})
    assert (("TCP", "UDP"), [network]) == read_deny(
        {"action": "Deny", "source": {"nets": ["203.0.113.7"]}, "destination": {}}
    )
    for other in (
        {**plain, "action": "Allow"},
        {**plain, "action": "Log"},
        {**plain, "protocol": "SCTP"},
        {**plain, "destination": {"ports": [80]}},
        {**plain, "notProtocol": "UDP"},
        {**plain, "source": {"nets": []}},
        {**plain, "source": {"nets": ["everyone"]}},
        {**plain, "source": {"nets": [7]}},
        {**plain, "source": {"nets": ["203.0.113.7/32"], "ports": [80]}},
        {**plain, "source": {"selector": "all()"}},
        "Deny",
    ):
        assert read_deny(other) is None
