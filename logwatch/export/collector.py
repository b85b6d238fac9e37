"""The metric families but for those of `families`, one method each, of one `View` a scrape.

The names and labels are a promise to dashboards and alert rules. Values come only from what is
durable (the ledger's snapshot) or from what is true now (gauges).
"""

from collections.abc import Iterator
from itertools import product

from prometheus_client.core import GaugeMetricFamily, Metric

from logwatch.export.decided import DecisionCollector, counter_family
from logwatch.export.view import ReportView, View
from logwatch.ledger import Labels
from logwatch.printable import printable

KINDS = ("packet", "repeated", "odd", "forged", "other")

SPEAKERS = ("kernel", "journald", "rsyslog")
"""Who may say that messages were lost."""


class LogwatchCollector(DecisionCollector):
    """Makes the families of one view."""

    READY = "1 while inputs are read and the state can be written; /readyz tells what is wrong."

    def own(self, view: View) -> Iterator[Metric]:
        """Yield what is read."""
        yield self.state_durable(view)
        yield self.input_readable(view)
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
        if view.report is not None:
            yield self.report_writes(view, view.report)
            if view.report.size is not None:
                yield self.report_bytes(view.report.size)
                yield self.report_cut_sources(view.report.cut)

    def state_durable(self, view: View) -> Metric:
        """`logwatch_state_durable`."""
        return GaugeMetricFamily(
            "logwatch_state_durable",
            "1 while counts, positions and bans reach the disk. While it is 0, counting goes on in "
            "memory, and the counters here stand still.",
            value=float(view.is_durable),
        )

    def input_readable(self, view: View) -> Metric:
        """`logwatch_input_readable`."""
        metric = GaugeMetricFamily(
            "logwatch_input_readable",
            "1 while the input is there and may be read.",
            labels=("input",),
        )
        for shown in view.inputs:
            metric.add_metric((printable(shown.path),), float(shown.is_readable))
        return metric

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
        return counter_family(
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
        return counter_family(view, "read_bytes", "Bytes read.", ("input",), _inputs(view))

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
        return counter_family(view, "rotations", text, ("input",), _inputs(view))

    def truncations(self, view: View) -> Metric:
        """`logwatch_truncations_total`."""
        text = "Times that the input was cut; what was not read by then is lost."
        return counter_family(view, "truncations", text, ("input",), _inputs(view))

    def destroyed_bytes(self, view: View) -> Metric:
        """`logwatch_destroyed_bytes_total`."""
        text = (
            "Bytes known to have been cut away before they were read. What was written and cut "
            "between two looks is known to nobody."
        )
        return counter_family(view, "destroyed_bytes", text, ("input",), _inputs(view))

    def lost_files(self, view: View) -> Metric:
        """`logwatch_lost_files_total`."""
        text = "Files that were gone before they were known to be read to their end."
        return counter_family(view, "lost_files", text, ("input",), _inputs(view))

    def lost_messages(self, view: View) -> Metric:
        """`logwatch_lost_messages_total`."""
        text = (
            "Messages, maybe of the kernel, that never reached the log, as far as those who lost "
            "them give a number: a lower bound. See logwatch_loss_reports_total."
        )
        return counter_family(view, "lost_messages", text, ("by", "input"), _by_and_input(view))

    def loss_reports(self, view: View) -> Metric:
        """`logwatch_loss_reports_total`."""
        text = (
            "Times that somebody said in the log that messages, maybe of the kernel, were lost or "
            "cut, with a number or without."
        )
        return counter_family(view, "loss_reports", text, ("by", "input"), _by_and_input(view))

    def overlong_lines(self, view: View) -> Metric:
        """`logwatch_overlong_lines_total`."""
        text = "Lines of more than 65,536 bytes, of the kind other: nobody looked into them."
        return counter_family(view, "overlong_lines", text, ("input",), _inputs(view))

    def report_writes(self, view: View, report: ReportView) -> Metric:
        """`logwatch_report_writes_total`."""
        text = (
            "Node reports by what became of them. written: with something new; repeated: sent "
            "again as it was; else why it was not written then."
        )
        known = [(result,) for result in report.results]
        return counter_family(view, "report_writes", text, ("result",), known)

    def report_bytes(self, size: int) -> Metric:
        """`logwatch_report_bytes`."""
        text = "Size of the node report that was written last; 262,144 at the most."
        return GaugeMetricFamily("logwatch_report_bytes", text, value=size)

    def report_cut_sources(self, cut: int) -> Metric:
        """`logwatch_report_cut_sources`."""
        text = "Sources that had no room in the node report; those furthest from any rule are cut."
        return GaugeMetricFamily("logwatch_report_cut_sources", text, value=cut)


def _inputs(view: View) -> list[Labels]:
    return [(shown.path,) for shown in view.inputs]


def _by_and_input(view: View) -> list[Labels]:
    return [(by, *input_) for by, input_ in product(SPEAKERS, _inputs(view))]
