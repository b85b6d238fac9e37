"""Kubernetes, without knowing a rule: the API, caches of it, the Lease, Events.

The only room that imports the package `kubernetes`, which costs 36 MiB and half a second: import
this one only where there is a cluster.
"""

from logwatch.cluster.api import Api, Document, Listing, Page
from logwatch.cluster.cache import Cache, Pace, Snapshot
from logwatch.cluster.connection import Timeout
from logwatch.cluster.errors import (
    ClusterError,
    Conflict,
    ConnectError,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NotServed,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from logwatch.cluster.events import About, Events
from logwatch.cluster.kind import Kind
from logwatch.cluster.lease import Lease, NotLeaderError
from logwatch.cluster.watch import Event, Watch

__all__ = [
    "About",
    "Api",
    "Cache",
    "ClusterError",
    "Conflict",
    "ConnectError",
    "Document",
    "Event",
    "Events",
    "Forbidden",
    "Gone",
    "Invalid",
    "Kind",
    "Lease",
    "Listing",
    "NotFound",
    "NotLeaderError",
    "NotServed",
    "Pace",
    "Page",
    "Snapshot",
    "Timeout",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Watch",
]
