"""The tutorial's policies mean what they say, for any load balancers and clients."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwatch.blacklist import parse_network
from logwatch.blacklist.lint import lint
from logwatch.blacklist.tutorial import (
    POLICIES,
    LoadBalancer,
    PolicyUsageError,
    Wanted,
    tutorial_policy,
)

WEB = (LoadBalancer.parse("198.51.100.1"),)
CLIENT = (parse_network("203.0.113.7"),)


def ingress(name: str, wanted: Wanted) -> list[dict[str, Any]]:
    return tutorial_policy(name, wanted)["spec"]["ingress"]


def test_orders_and_actions_are_the_tutorial_s() -> None:
    """As in the tutorial, but that UDP is logged as well."""
    wanted = Wanted(WEB, CLIENT)
    found = {name: tutorial_policy(name, wanted)["spec"] for name in POLICIES}
    assert {
        "deny-nodeports": (1100, ["Deny", "Deny"]),
        "deny-lb-port-80": (800, ["Deny", "Deny"]),
        "whitelist": (500, ["Allow", "Allow"]),
        "blacklist": (500, ["Deny", "Deny"]),
        "log-denied-packets": (300, ["Log", "Log"]),
    } == {
        name: (spec["order"], [rule["action"] for rule in spec["ingress"]])
        for name, spec in found.items()
    }
    for spec in found.values():
        assert ["TCP", "UDP"] == [rule["protocol"] for rule in spec["ingress"]]
        assert spec["preDNAT"]
        assert spec["applyOnForward"]
        assert spec["types"] == ["Ingress"]
        assert spec["selector"] == "ibm.role=='worker_public'"


def test_a_rule_holds_one_family_and_one_port() -> None:
    """Two load balancers on two ports, one of them IPv6, and clients of both families."""
    wanted = Wanted(
        tuple(map(LoadBalancer.parse, ("198.51.100.1", "198.51.100.2:443", "[2001:db8::1]:443"))),
        (parse_network("203.0.113.0/24"), parse_network("2001:db8:1::/48")),
    )
    assert [
        ("203.0.113.0/24", "198.51.100.1/32", 80),
        ("203.0.113.0/24", "198.51.100.2/32", 443),
        ("2001:db8:1::/48", "2001:db8::1/128", 443),
    ] == [
        (*rule["source"]["nets"], *rule["destination"]["nets"], *rule["destination"]["ports"])
        for rule in ingress("whitelist", wanted)
        if rule["protocol"] == "TCP"
    ]


def test_a_log_stands_in_front_of_each_deny_and_matches_the_same() -> None:
    rules = ingress("deny-lb-port-80", Wanted(WEB, logs=True))
    assert ["Log", "Deny", "Log", "Deny"] == [rule.pop("action") for rule in rules]
    assert rules[0] == rules[1]
    assert rules[2] == rules[3]


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("deny-lb-port-80", Wanted(clients=CLIENT), "needs --load-balancer"),
        ("whitelist", Wanted(WEB), "needs --client"),
        ("blacklist", Wanted(WEB), "needs --client"),
        ("log-denied-packets", Wanted(), "needs --client or --load-balancer"),
        ("whitelist", Wanted(WEB, CLIENT, logs=True), "nothing to log"),
        ("greylist", Wanted(), "no policy 'greylist'; there are deny-nodeports,"),
    ],
)
def test_what_would_match_everybody_is_refused(name: str, wanted: Wanted, message: str) -> None:
    with pytest.raises(PolicyUsageError, match=message):
        tutorial_policy(name, wanted)


@pytest.mark.parametrize(
    "text", ["", "x", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "[::1", "1.2.3.4:http", "[::1]x:80"]
)
def test_a_load_balancer_that_can_t_be_read_is_refused(text: str) -> None:
    """But for a colon without a port, which asks for the usual one."""
    if text in {"1.2.3.4:", "[::1"}:
        assert 80 == LoadBalancer.parse(text).port
        return
    with pytest.raises(PolicyUsageError, match="load balancer"):
        LoadBalancer.parse(text)


networks = st.lists(
    st.one_of(
        st.ip_addresses().map(lambda address: parse_network(str(address))),
        st.integers(0, 2**24 - 1).map(lambda number: parse_network(f"10.0.0.0/{number % 25 + 8}")),
    ),
    min_size=1,
    max_size=600,
)


@given(networks, networks, st.booleans())
def test_what_is_rendered_has_nothing_to_be_told_about(
    clients: list[Any], balancers: list[Any], logs: bool
) -> None:
    """Any number of networks of both families stays within Calico's limits."""
    wanted = Wanted(tuple(LoadBalancer(network) for network in balancers[:8]), tuple(clients))
    for name, policy in POLICIES.items():
        wants_logs = logs and policy.action == "Deny"
        document = tutorial_policy(
            name, Wanted(wanted.load_balancers, wanted.clients, logs=wants_logs)
        )
        assert [] == list(lint(document))
