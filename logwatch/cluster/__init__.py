"""Kubernetes, without knowing a rule: the API, caches of it, the Lease, Events.

The only room that imports the package `kubernetes`, which costs 36 MiB and half a second: import
this one only where there is a cluster.
"""

from logwatch.cluster.api import Api, Document, Listing, Page
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
from logwatch.cluster.kind import Kind
from logwatch.cluster.watch import Event, Watch

__all__ = [
    "Api",
    "ClusterError",
    "Conflict",
    "ConnectError",
    "Document",
    "Event",
    "Forbidden",
    "Gone",
    "Invalid",
    "Kind",
    "Listing",
    "NotFound",
    "NotServed",
    "Page",
    "Timeout",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Watch",
]
