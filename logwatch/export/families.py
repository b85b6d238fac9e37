"""The bounded families of series on the page of metrics.

prometheus-client makes an object and a text of each sample anew, 16 microseconds a series. Here the
part of a line that never changes, name and labels, is kept from scrape to scrape; the head of a
family and all other metrics are the library's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from logwatch.export.view import View
from logwatch.ledger import Family, Labels
from logwatch.printable import printable

Encode = Callable[[Collector], bytes]
"""One of prometheus-client's, for the format that the scraper asks for."""

END = b"# EOF\n"
"""Ends a page in OpenMetrics; the text format has no end."""

LOWER_BOUND = (
    "Counted is what the log holds: a lower bound if Calico, the kernel or the log daemon limits "
    "the rate of its lines."
)
OTHER = (
    "'other' holds what has no series of its own, so that the sum is exact; a series counts from "
    "when it was given a place."
)
NO_FAMILY = Family()


@dataclass(frozen=True, slots=True)
class Shown:
    """How one family of the ledger is shown."""

    name: str
    """Without `_total`."""
    text: str
    labels: tuple[str, ...]
    family: str
    """Its name in a snapshot."""
    part: int = 0
    """0 for packets, 1 for bytes."""


POLICY_LABELS = ("policy", "interface", "protocol", "family")

FAMILIES = (
    Shown(
        "logwatch_denied_packets",
        f"Packets that policies denied. {LOWER_BOUND} {OTHER}",
        POLICY_LABELS,
        "denied",
    ),
    Shown(
        "logwatch_denied_bytes",
        f"Bytes of denied packets, by their IP headers. {LOWER_BOUND} {OTHER}",
        POLICY_LABELS,
        "denied",
        part=1,
    ),
    Shown(
        "logwatch_logged_packets",
        f"Packets of policies that only log: not denied by them. {LOWER_BOUND} {OTHER}",
        POLICY_LABELS,
        "logged",
    ),
    Shown(
        "logwatch_denied_packets_by_port",
        f"Denied packets by destination port, empty where the line has none. {OTHER}",
        ("protocol", "port"),
        "port",
    ),
    Shown(
        "logwatch_denied_packets_by_source",
        f"Denied packets by source address, which a sender can forge. {OTHER}",
        ("source",),
        "source",
    ),
    Shown(
        "logwatch_denied_packets_by_flow",
        f"Denied packets by source address, protocol and destination port. {OTHER}",
        ("source", "protocol", "port"),
        "flow",
    ),
)


class FamilyWriter:
    """Writes one family; any thread may."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._beginnings: dict[Labels, str] = {}
        """Of the lines, by labels: `name_total{source="203.0.113.7"} `."""

    def write(self, view: View, encode: Encode) -> bytes:
        """Give its part of the page, without the page's end; `other` is always shown."""
        shown = self._shown
        family = view.snapshot.families.get(shown.family, NO_FAMILY)
        before, beginnings = self._beginnings, {}
        lines = []
        for labels, count in family.series.items():
            beginning = before.get(labels) or self._beginning(labels)
            beginnings[labels] = beginning
            lines.append(f"{beginning}{count[shown.part]}\n")
        self._beginnings = beginnings
        other = self._beginning(("other",) * len(shown.labels))
        lines.append(f"{other}{family.other[shown.part]}\n")
        head = CounterMetricFamily(shown.name, shown.text, labels=shown.labels)
        return encode(_Alone(head)).removesuffix(END) + "".join(lines).encode()

    def _beginning(self, values: Labels) -> str:
        # Sorted, as prometheus-client shows labels.
        pairs = sorted(zip(self._shown.labels, values, strict=True))
        labels = ",".join(f'{name}="{_escaped(printable(value))}"' for name, value in pairs)
        return f"{self._shown.name}_total{{{labels}}} "


def _escaped(value: str) -> str:
    """Escape a label's value that is printable, as both formats ask for."""
    return value.replace("\\", r"\\").replace('"', r"\"")


class _Alone(Collector):
    """A collector of one metric."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        yield self._metric
