"""The page of metrics in the format that the scraper asks for."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, ProcessCollector

from logwatch.export.collector import LogwatchCollector
from logwatch.export.decided import DecisionCollector
from logwatch.export.families import END, FAMILIES, FamilyWriter, Shown
from logwatch.export.formats import format_for
from logwatch.export.view import View


class Metrics:
    """Our own families and the process's; any thread may render.

    `view` is called once a rendering and must give what is durable at that moment.
    """

    def __init__(
        self,
        view: Callable[[], View],
        *,
        version: str,
        collector: type[DecisionCollector] = LogwatchCollector,
        families: Iterable[Shown] = FAMILIES,
    ) -> None:
        self._view = view
        self._version = version
        self._collector = collector
        self._families = tuple(FamilyWriter(shown) for shown in families)
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Give the page and its content type, for the value of an `Accept` header."""
        encode, content_type = format_for(accept)
        view = self._view()
        body = encode(self._collector(view, self._version)).removesuffix(END)
        parts = [family.write(view, encode) for family in self._families]
        return b"".join((body, *parts, encode(self._process))), content_type
