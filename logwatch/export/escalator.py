"""The metric families of an escalator."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from logwatch.export.decided import DecisionCollector, counter_family
from logwatch.export.view import View


@dataclass(frozen=True, slots=True)
class EscalatorView(View):
    """What an escalator knows at one moment."""

    leader: bool = False
    """Whether this replica decides and writes."""
    reports: int = 0
    """Nodes whose reports are there."""
    requests: tuple[tuple[str, str, int], ...] = ()
    """Requests to the API server by verb and resource."""


class EscalatorCollector(DecisionCollector):
    """Makes the families of one view."""

    READY = "1 once node reports, entries and what must never be banned have been read."

    def own(self, view: View) -> Iterator[Metric]:
        """Yield what only the escalator has."""
        if isinstance(view, EscalatorView):
            yield self.leader(view)
            yield self.node_reports(view)
            yield self.requests(view)
        yield self.left_out_reports(view)
        yield self.drift(view)

    def leader(self, view: EscalatorView) -> Metric:
        """`logwatch_leader`."""
        text = "1 on the replica that decides and writes; the others show no entries and networks."
        return GaugeMetricFamily("logwatch_leader", text, value=float(view.leader))

    def node_reports(self, view: EscalatorView) -> Metric:
        """`logwatch_node_reports`."""
        text = "Nodes whose reports are there, however old."
        return GaugeMetricFamily("logwatch_node_reports", text, value=view.reports)

    def requests(self, view: EscalatorView) -> Metric:
        """`logwatch_api_requests_total`."""
        text = "Requests to the Kubernetes API, by verb and resource as RBAC knows them."
        metric = CounterMetricFamily("logwatch_api_requests", text, labels=("verb", "resource"))
        for verb, resource, number in view.requests:
            metric.add_metric((verb, resource), number)
        return metric

    def left_out_reports(self, view: View) -> Metric:
        """`logwatch_left_out_reports_total`."""
        text = "Times that a damaged report of a node was left out of a judgement."
        return counter_family(view, "left_out_reports", text, (), [()])

    def drift(self, view: View) -> Metric:
        """`logwatch_drift_total`."""
        text = "Changes that somebody else made to what logwatch keeps in Calico, put right."
        return counter_family(view, "drift", text, (), [()])
