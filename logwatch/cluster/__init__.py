"""Kubernetes, without knowing a rule: the API, caches of it, the Lease, Events, our own kinds.

The only room that imports the package `kubernetes`, which costs 36 MiB and half a second: import
this one only where there is a cluster.
"""

from logwatch.cluster.api import Api, Document, Listing, Page
from logwatch.cluster.cache import Cache, Pace, Snapshot
from logwatch.cluster.connection import Timeout
from logwatch.cluster.discovery import Discovery, Place, PlaceKind
from logwatch.cluster.entry import (
    BLACKLIST_ENTRIES,
    Entry,
    EntryEvidence,
    EntrySpec,
    EntryStatus,
    Phase,
    entry_document,
    entry_name,
    read_entry,
    status_document,
)
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
from logwatch.cluster.node_report import (
    EVIDENCE_MOST,
    NODE_REPORTS,
    NodeReport,
    NodeReportError,
    TopSource,
    read_report,
)
from logwatch.cluster.watch import Event, Watch

__all__ = [
    "BLACKLIST_ENTRIES",
    "EVIDENCE_MOST",
    "NODE_REPORTS",
    "About",
    "Api",
    "Cache",
    "ClusterError",
    "Conflict",
    "ConnectError",
    "Discovery",
    "Document",
    "Entry",
    "EntryEvidence",
    "EntrySpec",
    "EntryStatus",
    "Event",
    "Events",
    "Forbidden",
    "Gone",
    "Invalid",
    "Kind",
    "Lease",
    "Listing",
    "NodeReport",
    "NodeReportError",
    "NotFound",
    "NotLeaderError",
    "NotServed",
    "Pace",
    "Page",
    "Phase",
    "Place",
    "PlaceKind",
    "Snapshot",
    "Timeout",
    "TopSource",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Watch",
    "entry_document",
    "entry_name",
    "read_entry",
    "read_report",
    "status_document",
]
