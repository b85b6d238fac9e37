"""Kubernetes, without knowing a rule: the API, caches of it, the Lease, Events, our own kinds.

The only room that imports the package `kubernetes`, which costs 36 MiB and half a second: import
this one only where there is a cluster.
"""

from logwatch.cluster.api import Api, Document, Listing, Page
from logwatch.cluster.cache import Cache, Pace, Snapshot
from logwatch.cluster.calico import Calico
from logwatch.cluster.connection import Timeout
from logwatch.cluster.discovery import Discovery
from logwatch.cluster.entry import (
    BLACKLIST_ENTRIES,
    Entry,
    EntryEvidence,
    EntrySpec,
    EntryStatus,
    Phase,
    bounded,
    entry_document,
    entry_name,
    read_entry,
    status_document,
    time_of,
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
from logwatch.cluster.lease import Lease, NotLeaderError, utc_now
from logwatch.cluster.node_report import (
    COUNTED_MOST,
    EVIDENCE_MOST,
    NODE_REPORTS,
    REPORT_MANAGER,
    TOP_MOST,
    Counted,
    NodeReport,
    NodeReportError,
    PolicyCount,
    PortCount,
    SourceCount,
    TopSource,
    lines_by_source,
    read_report,
)
from logwatch.cluster.places import Place, PlaceKind
from logwatch.cluster.policy_writer import PolicyWriter
from logwatch.cluster.sets import SetWriter, is_reached
from logwatch.cluster.watch import Event, Watch
from logwatch.cluster.writer import Drift, Fence, Writer, Written

__all__ = [
    "BLACKLIST_ENTRIES",
    "COUNTED_MOST",
    "EVIDENCE_MOST",
    "NODE_REPORTS",
    "REPORT_MANAGER",
    "TOP_MOST",
    "About",
    "Api",
    "Cache",
    "Calico",
    "ClusterError",
    "Conflict",
    "ConnectError",
    "Counted",
    "Discovery",
    "Document",
    "Drift",
    "Entry",
    "EntryEvidence",
    "EntrySpec",
    "EntryStatus",
    "Event",
    "Events",
    "Fence",
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
    "PolicyCount",
    "PolicyWriter",
    "PortCount",
    "SetWriter",
    "Snapshot",
    "SourceCount",
    "Timeout",
    "TopSource",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Watch",
    "Writer",
    "Written",
    "bounded",
    "entry_document",
    "entry_name",
    "is_reached",
    "lines_by_source",
    "read_entry",
    "read_report",
    "status_document",
    "time_of",
    "utc_now",
]
