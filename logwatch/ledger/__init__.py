"""What has been counted, durably, together with the position it was counted up to."""

from logwatch.ledger.errors import StateError
from logwatch.ledger.ledger import Ledger, SeriesLimits, Verdict
from logwatch.ledger.reading import saved_documents
from logwatch.ledger.snapshot import Count, Family, Labels, Snapshot

__all__ = [
    "Count",
    "Family",
    "Labels",
    "Ledger",
    "SeriesLimits",
    "Snapshot",
    "StateError",
    "Verdict",
    "saved_documents",
]
