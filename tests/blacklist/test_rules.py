"""The rules of a policy of the API, held against what the same change makes of a file."""

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from policy_text import merge
from ruamel.yaml import YAML

from logwatch.blacklist import (
    ANNOTATION,
    blacklist_policy,
    collapse,
    held_in,
    merged_rules,
    ownership_of,
    parse_network,
)

NETWORKS = [f"198.51.100.{number}/32" for number in range(6)] + [
    "198.51.100.0/24",
    "203.0.113.7/32",
    "2001:db8:0:1::/64",
]
SOME = st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=4, unique=True)
RULE = st.one_of(
    st.just({"action": "Log"}),
    st.builds(
        lambda protocol, nets: {"action": "Deny", **protocol, "source": {"nets": nets}},
        st.sampled_from([{"protocol": "TCP"}, {"protocol": "UDP"}, {}]),
        SOME,
    ),
)
OWN = st.lists(
    st.builds(str.__add__, st.sampled_from(["", "TCP:", "UDP:"]), st.sampled_from(NETWORKS)),
    max_size=4,
).map(" ".join)


def policy_of(rules: list[dict[str, Any]], own: str) -> dict[str, Any]:
    policy = blacklist_policy(())
    policy["spec"]["ingress"] = rules
    policy["metadata"]["annotations"] = {ANNOTATION: own}
    return policy


@settings(deadline=None, max_examples=60)
@given(st.lists(RULE, max_size=5), OWN, st.lists(st.sampled_from(NETWORKS), max_size=5))
def test_the_rules_are_those_that_a_file_would_have(
    rules: list[dict[str, Any]], own: str, networks: list[str]
) -> None:
    wanted = collapse(map(parse_network, networks))
    policy = policy_of(rules, own)
    text = io.StringIO()
    YAML().dump(policy, text)
    after, held = merge(text.getvalue(), wanted)
    document = YAML(typ="safe").load(after)
    ingress, annotation = merged_rules(policy, wanted, ownership_of({ANNOTATION: own}))
    assert (document["spec"]["ingress"] or []) == ingress
    assert document["metadata"]["annotations"][ANNOTATION] == annotation
    assert held == held_in(policy_of(ingress, ""), ownership_of({ANNOTATION: annotation}))
