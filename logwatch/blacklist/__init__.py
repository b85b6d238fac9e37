"""Decisions become a Calico policy: canonical networks, the `blacklist` document, the file.

Knows nothing of why a network is denied, and nothing of a cluster.
"""

from logwatch.blacklist.arrange import MOST, Shape
from logwatch.blacklist.file import Change, Enforced, PolicyFile
from logwatch.blacklist.networks import (
    FLOOR,
    Cover,
    Network,
    NetworkError,
    collapse,
    is_too_wide,
    network_of,
    overlap,
    parse_exact,
    parse_network,
    unmapped,
)
from logwatch.blacklist.ownership import Held, Ownership, held_in, objection, ownership_of
from logwatch.blacklist.placement import placed, ranks
from logwatch.blacklist.policy import (
    ANNOTATION,
    MAX_NETWORKS_PER_SET,
    MAX_RULES,
    SET_KIND,
    SET_PREFIX,
    blacklist_policy,
    number_of_set,
    set_document,
)
from logwatch.blacklist.policy import KIND as POLICY_KIND
from logwatch.blacklist.policy import LABEL as SET_LABEL
from logwatch.blacklist.policy import NAME as POLICY_NAME
from logwatch.blacklist.rules import merged_rules
from logwatch.blacklist.spans import Span, Spans, TooWideError, disjoint, outside
from logwatch.blacklist.storage import PolicyError

__all__ = [
    "ANNOTATION",
    "FLOOR",
    "MAX_NETWORKS_PER_SET",
    "MAX_RULES",
    "MOST",
    "POLICY_KIND",
    "POLICY_NAME",
    "SET_KIND",
    "SET_LABEL",
    "SET_PREFIX",
    "Change",
    "Cover",
    "Enforced",
    "Held",
    "Network",
    "NetworkError",
    "Ownership",
    "PolicyError",
    "PolicyFile",
    "Shape",
    "Span",
    "Spans",
    "TooWideError",
    "blacklist_policy",
    "collapse",
    "disjoint",
    "held_in",
    "is_too_wide",
    "merged_rules",
    "network_of",
    "number_of_set",
    "objection",
    "outside",
    "overlap",
    "ownership_of",
    "parse_exact",
    "parse_network",
    "placed",
    "ranks",
    "set_document",
    "unmapped",
]
