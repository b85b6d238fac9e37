"""The page of metrics in the format that the scraper asks for."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from logwatch.export.collector import LogwatchCollector
from logwatch.export.view import View


class Metrics:
    """A private registry with our own collector and the process's; any thread may render.

    `view` is called once a rendering and must give what is durable at that moment.
    """

    def __init__(self, view: Callable[[], View], *, version: str) -> None:
        self.view = view
        self.version = version
        self._registry = CollectorRegistry()
        self._registry.register(LogwatchCollector(view, version))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Give the page and its content type, for the value of an `Accept` header.

        Prometheus's text format, or OpenMetrics where that is accepted.
        """
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is not made of numbers
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type
