"""Which format a scraper gets, by its `Accept` header (RFC 9110, sections 12.4.2 and 12.5.1).

prometheus-client knows the formats, but takes the first one that it has in the header's order, at
whatever `q`, and calls it by any version that is asked for.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

OPENMETRICS = "application/openmetrics-text"
VERSIONS = ("", "1.0.0")
"""Of OpenMetrics, which are written; none is the newest."""
TEXT = ("text/plain", "text/*", "*/*")

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")

Format = tuple[Callable[[Collector], bytes], str]
"""What writes it, and its content type."""


class _Range(NamedTuple):
    """What the client takes, how much it wants it, and with which version of it."""

    quality: float
    name: str
    version: str
    text: str


def format_for(accept: str) -> Format:
    """Give what is wanted most, and OpenMetrics where that is wanted as much as another one.

    Where nothing is wanted that is there, Prometheus's text format 0.0.4, which everybody reads.
    """
    ranges = sorted(_ranges(accept), key=lambda one: (-one.quality, one.name != OPENMETRICS))
    for one in ranges:
        if one.name in TEXT or (one.name == OPENMETRICS and one.version in VERSIONS):
            try:
                return choose_encoder(one.text)
            except (TypeError, ValueError):  # a version that is not made of numbers
                break
    return choose_encoder("")


def _ranges(accept: str) -> Iterator[_Range]:
    for text in accept.lower().split(","):
        name, *rest = (part.strip() for part in text.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        quality = parameters.get("q", "1")
        number = float(quality) if _QUALITY.fullmatch(quality) else 1.0
        if number:
            yield _Range(number, name, parameters.get("version", ""), text)
