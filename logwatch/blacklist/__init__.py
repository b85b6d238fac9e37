"""Decisions become a Calico policy: canonical networks, the `blacklist` document, the file.

Knows nothing of why a network is denied.
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
    parse_network,
    unmapped,
)
from logwatch.blacklist.policy import blacklist_policy
from logwatch.blacklist.storage import PolicyError

__all__ = [
    "FLOOR",
    "MOST",
    "Change",
    "Cover",
    "Enforced",
    "Network",
    "NetworkError",
    "PolicyError",
    "PolicyFile",
    "Shape",
    "blacklist_policy",
    "collapse",
    "is_too_wide",
    "network_of",
    "overlap",
    "parse_network",
    "unmapped",
]
