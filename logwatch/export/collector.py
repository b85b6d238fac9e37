"""The metric families but for those of `families`, one method each, of one `View` a scrape.

The names and labels are a promise to dashboards and alert rules. Values come only from what is
durable (the ledger's snapshot) or from what is true now (gauges).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from logwatch.export.escalation import escalation_histogram
from logwatch.export.printable import printable
from logwatch.export.view import View
from logwatch.ledger import Labels

KINDS = ("packet", "repeated", "odd", "forged", "other")

SPEAKERS = ("kernel", "journald", "rsyslog")
"""Who may say that messages were lost."""


class LogwatchCollector(Collector):
    """Makes the families of one view."""

    def __init__(self, view: View, version: str) -> None:
        self._view = view
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        view = self._view
        yield self.build_info()
        yield self.ready(view)
        yield self.sources(view)
        yield self.lines(view)
        yield self.read_bytes(view)
        yield self.behind_bytes(view)
        yield self.behind_seconds(view)
        yield self.last_packet(view)
        yield self.rotations(view)
        yield self.truncations(view)
        yield self.destroyed_bytes(view)
        yield self.lost_files(view)
        yield self.lost_messages(view)
        yield self.loss_reports(view)
        yield self.overlong_lines(view)
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

    def build_info(self) -> Metric:
        """`logwatch_build_info`."""
        return InfoMetricFamily(
            "logwatch_build", "The running version.", value={"version": self._version}
        )

    def ready(self, view: View) -> Metric:
        """`logwatch_ready`."""
        return GaugeMetricFamily(
            "logwatch_ready",
            "1 while inputs are read and the state can be written; /readyz tells what is wrong.",
            value=float(view.ready),
        )

    def sources(self, view: View) -> Metric:
        """`logwatch_sources`."""
        return GaugeMetricFamily(
            "logwatch_sources",
            "Distinct source addresses in the last 5 minutes: an estimate with a standard error "
            "of 1.6 %. Not to be summed over nodes.",
            value=view.sources,
        )

    def lines(self, view: View) -> Metric:
        """`logwatch_lines_total`."""
        return _counter(
            view,
            "lines",
            "Lines read. packet: one packet; repeated: several in one line; odd: the prefix, but "
            "no source and destination; forged: the prefix where the kernel never puts it; other: "
            "not about packets.",
            ("kind",),
            [(kind,) for kind in KINDS],
        )

    def read_bytes(self, view: View) -> Metric:
        """`logwatch_read_bytes_total`."""
        return _counter(view, "read_bytes", "Bytes read.", ("input",), _inputs(view))

    def behind_bytes(self, view: View) -> Metric:
        """`logwatch_behind_bytes`."""
        metric = GaugeMetricFamily(
            "logwatch_behind_bytes",
            "Bytes written but not read yet; absent for /dev/kmsg, which does not tell.",
            labels=("input",),
        )
        for shown in view.inputs:
            if shown.behind_bytes is not None:
                metric.add_metric((printable(shown.path),), shown.behind_bytes)
        return metric

    def behind_seconds(self, view: View) -> Metric:
        """`logwatch_behind_seconds`."""
        metric = GaugeMetricFamily(
            "logwatch_behind_seconds",
            "Age of the oldest byte that is not read yet, told by the stamp of the last line read; "
            "0 when all is read, absent while no line read had a stamp.",
            labels=("input",),
        )
        for shown in view.inputs:
            if shown.behind_seconds is not None:
                metric.add_metric((printable(shown.path),), shown.behind_seconds)
        return metric

    def last_packet(self, view: View) -> Metric:
        """`logwatch_last_packet_timestamp_seconds`."""
        metric = GaugeMetricFamily(
            "logwatch_last_packet_timestamp_seconds",
            "When the latest packet was logged; absent before the first one.",
            labels=("input",),
        )
        for shown in view.inputs:
            if shown.last_packet is not None:
                metric.add_metric((printable(shown.path),), shown.last_packet)
        return metric

    def rotations(self, view: View) -> Metric:
        """`logwatch_rotations_total`."""
        text = "Times that another file took the input's place."
        return _counter(view, "rotations", text, ("input",), _inputs(view))

    def truncations(self, view: View) -> Metric:
        """`logwatch_truncations_total`."""
        text = "Times that the input was cut; what was not read by then is lost."
        return _counter(view, "truncations", text, ("input",), _inputs(view))

    def destroyed_bytes(self, view: View) -> Metric:
        """`logwatch_destroyed_bytes_total`."""
        text = (
            "Bytes known to have been cut away before they were read. What was written and cut "
            "between two looks is known to nobody."
        )
        return _counter(view, "destroyed_bytes", text, ("input",), _inputs(view))

    def lost_files(self, view: View) -> Metric:
        """`logwatch_lost_files_total`."""
        text = "Files that were gone before they were known to be read to their end."
        return _counter(view, "lost_files", text, ("input",), _inputs(view))

    def lost_messages(self, view: View) -> Metric:
        """`logwatch_lost_messages_total`."""
        text = (
            "Messages, maybe of the kernel, that never reached the log, as far as those who lost "
            "them give a number: a lower bound. See logwatch_loss_reports_total."
        )
        return _counter(view, "lost_messages", text, ("by", "input"), _by_and_input(view))

    def loss_reports(self, view: View) -> Metric:
        """`logwatch_loss_reports_total`."""
        text = (
            "Times that somebody said in the log that messages, maybe of the kernel, were lost or "
            "cut, with a number or without."
        )
        return _counter(view, "loss_reports", text, ("by", "input"), _by_and_input(view))

    def overlong_lines(self, view: View) -> Metric:
        """`logwatch_overlong_lines_total`."""
        text = "Lines of more than 65,536 bytes, of the kind other: nobody looked into them."
        return _counter(view, "overlong_lines", text, ("input",), _inputs(view))

    def offences(self, view: View) -> Metric:
        """`logwatch_offences_total`."""
        known = [(rule,) for rule in view.rules]
        return _counter(view, "offences", "Times that a source met a rule.", ("rule",), known)

    def bans(self, view: View) -> Metric:
        """`logwatch_bans_total`."""
        text = (
            "Bans decided, by a rule or by hand; only those of mode enforce are written to the "
            "policy. The approval of a proposal counts for its rule, in mode enforce."
        )
        return _counter(view, "bans", text, ("rule", "mode"), view.bans)

    def bans_refused(self, view: View) -> Metric:
        """`logwatch_bans_refused_total`."""
        known = [(reason,) for reason in view.refusals]
        text = (
            "Bans that a rule asked for and that were not decided: for good (never banned, too "
            "wide, past), or held back by a brake (limit, rate, share, frozen) and decided later "
            "if the source offends on."
        )
        return _counter(view, "bans_refused", text, ("reason",), known)

    def dropped_audit_lines(self, view: View) -> Metric:
        """`logwatch_dropped_audit_lines_total`."""
        text = "Lines of the audit log that were dropped, since too many waited for its file."
        return _counter(view, "dropped_audit_lines", text, (), [()])

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
        return _counter(view, "evicted_sources", text, (), [()])

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


def _inputs(view: View) -> list[Labels]:
    return [(shown.path,) for shown in view.inputs]


def _by_and_input(view: View) -> list[Labels]:
    return [(by, *input_) for by, input_ in product(SPEAKERS, _inputs(view))]


def _counter(
    view: View, name: str, text: str, labels: Sequence[str], known: Iterable[Labels]
) -> CounterMetricFamily:
    """Make a family of the ledger's counters of a name; known labels are shown even as 0."""
    metric = CounterMetricFamily(f"logwatch_{name}", text, labels=labels)
    counted = [values for counter, values in view.snapshot.counters if counter == name]
    for values in dict.fromkeys([*known, *sorted(counted)]):
        shown = [printable(value) for value in values]
        metric.add_metric(shown, view.snapshot.counter(name, *values))
    return metric
