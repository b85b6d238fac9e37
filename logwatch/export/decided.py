"""The metric families of whoever decides about bans: an agent on its own, or the escalator."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from logwatch.export.escalation import escalation_histogram
from logwatch.export.view import View
from logwatch.ledger import Labels
from logwatch.printable import printable


class DecisionCollector(Collector):
    """Makes the families of one view, one method each."""

    READY = "1 while everything works; /readyz tells what is wrong."
    """What `logwatch_ready` says."""

    def __init__(self, view: View, version: str) -> None:
        self._view = view
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        view = self._view
        yield self.build_info()
        yield self.mode(view)
        yield self.ready(view)
        yield self.http_refusals(view)
        if view.certificate_ends is not None:
            yield self.certificate_ends(view.certificate_ends)
        yield from self.own(view)
        yield self.offences(view)
        yield self.bans(view)
        yield self.bans_refused(view)
        yield self.dropped_audit_lines(view)
        yield self.tracked_sources(view)
        yield self.evicted_sources(view)
        yield self.bans_held(view)
        yield self.frozen(view)
        yield self.blacklist_entries(view)
        yield self.blacklist_networks(view)
        yield self.escalation(view)

    def own(self, view: View) -> Iterator[Metric]:
        """Yield what only this kind of program has."""
        raise NotImplementedError

    def build_info(self) -> Metric:
        """`logwatch_build_info`."""
        return InfoMetricFamily(
            "logwatch_build", "The running version.", value={"version": self._version}
        )

    def mode(self, view: View) -> Metric:
        """`logwatch_mode_info`."""
        return InfoMetricFamily(
            "logwatch_mode",
            "What becomes of an offender. Only in mode enforce are all decided networks to be "
            "enforced; in the others they are shown, or proposed.",
            value={"mode": view.mode},
        )

    def ready(self, view: View) -> Metric:
        """`logwatch_ready`."""
        return GaugeMetricFamily(
            "logwatch_ready",
            self.READY,
            value=float(view.ready),
        )

    def http_refusals(self, view: View) -> Metric:
        """`logwatch_http_refusals_total`."""
        text = (
            "Who was not answered over HTTP. token, certificate: a request without; handshake: TLS "
            "that failed, or took more than 5 s; crowd: closed to make room for others; accept: no "
            "file descriptor was left. Since the start of the process."
        )
        metric = CounterMetricFamily("logwatch_http_refusals", text, labels=("reason",))
        for reason, number in view.http_refusals.items():
            metric.add_metric((reason,), number)
        return metric

    def certificate_ends(self, ends: float) -> Metric:
        """`logwatch_certificate_expires_timestamp_seconds`."""
        return GaugeMetricFamily(
            "logwatch_certificate_expires_timestamp_seconds",
            "When the certificate in use expires; absent without TLS.",
            value=ends,
        )

    def offences(self, view: View) -> Metric:
        """`logwatch_offences_total`."""
        known = [(rule,) for rule in view.rules]
        return counter_family(view, "offences", "Times that a source met a rule.", ("rule",), known)

    def bans(self, view: View) -> Metric:
        """`logwatch_bans_total`."""
        text = (
            "Bans decided, by a rule or by hand; only those of mode enforce are written to the "
            "policy. The approval of a proposal counts for its rule, in mode enforce."
        )
        return counter_family(view, "bans", text, ("rule", "mode"), view.bans)

    def bans_refused(self, view: View) -> Metric:
        """`logwatch_bans_refused_total`."""
        known = [(reason,) for reason in view.refusals]
        text = (
            "Bans that a rule asked for and that were not decided: for good (never banned, too "
            "wide, past), or held back by a brake (limit, rate, share, frozen) and decided later "
            "if the source offends on."
        )
        return counter_family(view, "bans_refused", text, ("reason",), known)

    def dropped_audit_lines(self, view: View) -> Metric:
        """`logwatch_dropped_audit_lines_total`."""
        text = "Lines of the audit log that were dropped, since too many waited for its file."
        return counter_family(view, "dropped_audit_lines", text, (), [()])

    def tracked_sources(self, view: View) -> Metric:
        """`logwatch_tracked_sources`."""
        text = "Sources whose evidence is kept now; tracked_sources in the configuration bounds it."
        return GaugeMetricFamily("logwatch_tracked_sources", text, value=view.tracked)

    def evicted_sources(self, view: View) -> Metric:
        """`logwatch_evicted_sources_total`."""
        text = (
            "Sources whose evidence gave up its place to that of others; those furthest from any "
            "rule go first."
        )
        return counter_family(view, "evicted_sources", text, (), [()])

    def bans_held(self, view: View) -> Metric:
        """`logwatch_bans_held`."""
        text = "Offenders that wait now, their bans held back by a brake; 1,000 at most are kept."
        return GaugeMetricFamily("logwatch_bans_held", text, value=view.held)

    def frozen(self, view: View) -> Metric:
        """`logwatch_frozen`."""
        return GaugeMetricFamily(
            "logwatch_frozen",
            "1 while rules decide nothing, since many times more sources offend than the brakes "
            "let them ban: such a flood may be forged.",
            value=float(view.frozen),
        )

    def blacklist_entries(self, view: View) -> Metric:
        """`logwatch_blacklist_entries`."""
        metric = GaugeMetricFamily(
            "logwatch_blacklist_entries", "Blacklist entries by phase.", labels=("phase",)
        )
        for phase, number in view.entries.items():
            metric.add_metric((printable(phase),), number)
        return metric

    def blacklist_networks(self, view: View) -> Metric:
        """`logwatch_blacklist_networks`."""
        metric = GaugeMetricFamily(
            "logwatch_blacklist_networks",
            "Networks to be denied (decided) and found in the written policy (enforced).",
            labels=("state",),
        )
        for state, number in view.networks.items():
            metric.add_metric((printable(state),), number)
        return metric

    def escalation(self, view: View) -> Metric:
        """`logwatch_escalation_seconds`."""
        buckets, total = escalation_histogram(view.snapshot.counters)
        return HistogramMetricFamily(
            "logwatch_escalation_seconds",
            "Time from reading a log line to the policy written because of it.",
            buckets=buckets,
            sum_value=total,
        )


def counter_family(
    view: View, name: str, text: str, labels: Sequence[str], known: Iterable[Labels]
) -> CounterMetricFamily:
    """Make a family of the ledger's counters of a name; known labels are shown even as 0."""
    metric = CounterMetricFamily(f"logwatch_{name}", text, labels=labels)
    counted = [values for counter, values in view.snapshot.counters if counter == name]
    for values in dict.fromkeys([*known, *sorted(counted)]):
        shown = [printable(value) for value in values]
        metric.add_metric(shown, view.snapshot.counter(name, *values))
    return metric
