"""The rules of a blacklist policy of the API, with our networks merged in.

What a file has beside it, comments and style, is in `merge`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from logwatch.blacklist.networks import Network
from logwatch.blacklist.ownership import Ownership, annotation, denials, is_ours, rules_for
from logwatch.blacklist.policy import rule_document


def merged_rules(
    policy: Mapping[str, Any], networks: Sequence[Network], own: Ownership
) -> tuple[list[Any], str]:
    """Give the `ingress` in which exactly `networks` (disjoint, sorted) are ours; the annotation.

    Rules of ours are changed where they stand; from a rule that others added to, ours are taken.
    """
    wanted = rules_for(policy, networks, own)
    rules = list(policy["spec"].get("ingress") or ())
    ours: list[int] = []
    for index, protocols, nets in denials(policy):
        mine = [is_ours(network, protocols, own) for network in nets]
        if all(mine):
            ours.append(index)
        elif any(mine):
            source = rules[index]["source"]
            theirs = [
                text for text, is_mine in zip(source["nets"], mine, strict=True) if not is_mine
            ]
            rules[index] = {**rules[index], "source": {**source, "nets": theirs}}
    documents = [rule_document(rule) for rule in wanted]
    for index, document in zip(ours, documents, strict=False):
        rules[index] = document
    for index in reversed(ours[len(documents) :]):
        del rules[index]
    place = ours[-1] + 1 if ours else len(rules)
    rules[place:place] = documents[len(ours) :]
    return rules, annotation(wanted)
