"""Prometheus metrics and the live page's files and addresses, from one consistent view."""

from logwatch.export.errors import ListenError, WebError
from logwatch.export.escalation import escalation_counts
from logwatch.export.escalator import EscalatorCollector, EscalatorView
from logwatch.export.metrics import Metrics
from logwatch.export.server import Server
from logwatch.export.site import (
    Asked,
    BadRequestError,
    BusyError,
    NotHereError,
    Page,
    StaticError,
)
from logwatch.export.view import InputView, ReportView, View

__all__ = [
    "Asked",
    "BadRequestError",
    "BusyError",
    "EscalatorCollector",
    "EscalatorView",
    "InputView",
    "ListenError",
    "Metrics",
    "NotHereError",
    "Page",
    "ReportView",
    "Server",
    "StaticError",
    "View",
    "WebError",
    "escalation_counts",
]
