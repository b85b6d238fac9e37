"""The page of metrics: how long it takes, and what the reader feels of it; in this process.

The peer is prometheus_client's own collector and `generate_latest`, on the same series.
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import tables
from corpora import STORM, make
from peer import warm
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from traffic import PREFIXES

from logwatch.cli.agent import SWITCH_SECONDS
from logwatch.export import Metrics, View
from logwatch.export.families import FAMILIES
from logwatch.ledger import Family, Snapshot
from logwatch.packets import Scanner

SERIES = (10_000, 100_000)
GOAL = 30.0
"""Milliseconds for the smaller page."""
PAUSE_GOAL = 100.0
"""Milliseconds, of all pauses but one in a thousand: the longest is the machine's as well, as the
row without any page shows."""
READING_SECONDS = 2.0
"""A round."""
PIECE = 128 * 1024


class _Peer(Collector):
    """Shows the same families with the means of the library alone."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        for shown in FAMILIES:
            family = self._view.snapshot.families.get(shown.family)
            metric = CounterMetricFamily(shown.name, shown.text, labels=shown.labels)
            for labels, count in family.series.items() if family else ():
                metric.add_metric(labels, count[shown.part])
            yield metric


def run(rounds: int) -> None:
    """Render pages, then read while pages are rendered."""
    rows = []
    pauses = [_pause_row("nobody", rounds, None)]
    for series in SERIES:
        view = _view(series)
        registry = CollectorRegistry()
        registry.register(_Peer(view))
        metrics = Metrics(lambda view=view: view, version="1")
        first, page = _timed(lambda metrics=metrics: metrics.render()[0])
        _check(page, generate_latest(registry), series)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(_timed(lambda metrics=metrics: metrics.render()[0])[0])
            theirs.append(_timed(lambda registry=registry: generate_latest(registry))[0])
        median, peer = statistics.median(ours), statistics.median(theirs)
        goal = tables.at_most(median, GOAL) if series == SERIES[0] else [f"{median:.2f}", ""]
        told = [f"{series:,}", f"{len(page) / 2**20:.2f}", f"{first:.1f}", *goal]
        rows.append([*told, f"{peer:.1f}", f"{peer / median:.1f}"])
        pauses.append(_pause_row(f"{series:,} series", rounds, metrics.render))
        work = lambda registry=registry: generate_latest(registry)  # noqa: E731 - one of two
        pauses.append(_pause_row(f"{series:,} series, `generate_latest`", rounds, work))
    tables.print_table(
        f"page: ms to render it, {rounds} rounds in turn",
        ["series", "MiB", "the first", "the next (median)", "goal", "`generate_latest`", "x"],
        rows,
    )
    tables.print_table(
        f"page: the reader, in pieces of 128 KiB, while another thread renders one page after "
        f"the other; {rounds * READING_SECONDS:.0f} s each",
        ["pages", "MB/s", "pause, ms (longest)", "pause, ms (p99.9)", "goal"],
        pauses,
    )


def _view(series: int) -> View:
    """Half of them by source, half by flow."""
    half = series // 2
    sources = [f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(half)]
    families = {
        "source": Family({(source,): (n + 1, 0) for n, source in enumerate(sources)}),
        "flow": Family({(source, "tcp", "22"): (n + 1, 0) for n, source in enumerate(sources)}),
    }
    return View(Snapshot(MappingProxyType({}), MappingProxyType(families)))


def _timed(work: Callable[[], bytes]) -> tuple[float, bytes]:
    started = time.perf_counter()
    page = work()
    return (time.perf_counter() - started) * 1e3, page


def _check(page: bytes, other: bytes, series: int) -> None:
    """End the program unless both pages have the same series; `other` has none for the rest."""
    ours, theirs = _samples(page), _samples(other)
    if ours != theirs or len(theirs) != series:
        sys.exit(f"page: {len(ours):,} series, {len(theirs):,} of prometheus_client's")


def _samples(page: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        if family.name.endswith(("_by_source", "_by_flow"))
        for sample in family.samples
        if "other" not in sample.labels.values()
    }


def _pause_row(name: str, rounds: int, render: Callable[[], object] | None) -> list[str]:
    """Read for some seconds while pages are rendered, and give the pauses of the reader."""
    path = make(STORM)
    warm(path)
    is_over = threading.Event()

    def rendering() -> None:
        while render is not None and not is_over.is_set():
            render()

    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)  # as the agent's
    thread = threading.Thread(target=rendering)
    thread.start()
    pauses, speed = _read(path, rounds * READING_SECONDS)
    is_over.set()
    thread.join()
    sys.setswitchinterval(before)
    pauses.sort()
    p999 = pauses[int(len(pauses) * 0.999)]
    return [name, f"{speed:,.0f}", f"{pauses[-1]:.1f}", *tables.at_most(p999, PAUSE_GOAL)]


def _read(path: Path, seconds: float) -> tuple[list[float], float]:
    """Give milliseconds from one piece to the next, and MB a second."""
    pauses = []
    scanner = Scanner(list(PREFIXES))
    with path.open("rb", buffering=0) as file:
        began = last = time.perf_counter()
        while last - began < seconds:
            piece = file.read(PIECE)
            if not piece:
                file.seek(0)
            scanner.feed(piece)
            now = time.perf_counter()
            pauses.append((now - last) * 1e3)
            last = now
    return pauses, len(pauses) * PIECE / 1e6 / (last - began)
