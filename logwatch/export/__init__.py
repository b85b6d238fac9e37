"""Prometheus metrics and a page for people, from one consistent view."""

from logwatch.export.errors import ListenError, WebError
from logwatch.export.escalation import escalation_counts
from logwatch.export.escalator import EscalatorCollector, EscalatorView, escalator_page
from logwatch.export.metrics import Metrics
from logwatch.export.server import Server
from logwatch.export.view import InputView, ReportView, View

__all__ = [
    "EscalatorCollector",
    "EscalatorView",
    "InputView",
    "ListenError",
    "Metrics",
    "ReportView",
    "Server",
    "View",
    "WebError",
    "escalation_counts",
    "escalator_page",
]
