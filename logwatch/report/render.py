"""A report as text for programs: JSON, or CSV for spreadsheets.

The JSON of flows, sources and ports is put together here: what json writes with an indentation
takes ten times as long, and msgspec, which is as fast, takes 30 ms to import.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from logwatch.report.compare import Changes, Comparison, Key, Period
from logwatch.report.report import FlowEntry, PortEntry, Report, SourceEntry


def render_json(report: Report, comparison: Comparison | None = None) -> str:
    """One JSON document, indented, with a line feed at its end."""
    compared = {"compare": _comparison(comparison)} if comparison else {}
    head = {"schema": report.schema, "totals": report.totals._asdict()}
    tail = {
        "policies": [entry._asdict() for entry in report.policies],
        "lost": {
            **{
                lost.by: {"messages": lost.messages, "reports": lost.reports}
                for lost in report.lost
            },
            "overlong_lines": report.overlong_lines,
        },
        "inputs": [entry._asdict() for entry in report.inputs],
        **compared,
    }
    parts = [
        json.dumps(head, indent=2).removesuffix("\n}"),
        _list("flows", map(_flow, report.flows)),
        _list("sources", map(_source, report.sources)),
        _list("ports", map(_port, report.ports)),
        json.dumps(tail, indent=2, ensure_ascii=False).removeprefix("{\n"),
    ]
    return ",\n".join(parts) + "\n"


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "now": _period(comparison.now),
        "before": _period(comparison.before),
        "sources": _changes(comparison.sources, lambda source: {"source": source}),
        "ports": _changes(
            comparison.ports, lambda key: dict(zip(("port", "protocol"), key, strict=True))
        ),
        "policies": _changes(comparison.policies, lambda policy: {"policy": policy}),
        "inputs": [entry._asdict() for entry in comparison.inputs],
    }


def _period(period: Period) -> dict[str, Any]:
    return period._asdict() | {"totals": period.totals._asdict()}


def _changes(changes: Changes[Key], named: Callable[[Key], dict[str, Any]]) -> dict[str, Any]:
    return {
        **{kind: getattr(changes, kind) for kind in ("new", "gone", "more", "less")},
        "changes": [
            {
                **named(change.key),
                "change": change.kind,
                "packets": change.packets,
                "before": change.before,
            }
            for change in changes.most
        ],
    }


def _list(name: str, entries: Iterable[str]) -> str:
    text = ",\n".join(entries)
    return f'  "{name}": [\n{text}\n  ]' if text else f'  "{name}": []'


def _flow(entry: FlowEntry) -> str:
    source, port, protocol, packets, size, first, last = entry
    return f"""\
    {{
      "source": "{source}",
      "port": {"null" if port is None else port},
      "protocol": {_quoted(protocol)},
      "packets": {packets},
      "bytes": {size},
      "first": {_quoted(first)},
      "last": {_quoted(last)}
    }}"""


def _source(entry: SourceEntry) -> str:
    source, packets, size, ports, destinations, first, last = entry
    return f"""\
    {{
      "source": "{source}",
      "packets": {packets},
      "bytes": {size},
      "ports": {ports},
      "destinations": {destinations},
      "first": {_quoted(first)},
      "last": {_quoted(last)}
    }}"""


def _port(entry: PortEntry) -> str:
    port, protocol, packets, sources = entry
    return f"""\
    {{
      "port": {"null" if port is None else port},
      "protocol": {_quoted(protocol)},
      "packets": {packets},
      "sources": {sources}
    }}"""


def _quoted(text: str | None) -> str:
    """An address, a protocol or a time: nothing in them is to be escaped."""
    return "null" if text is None else f'"{text}"'


def render_csv(report: Report) -> str:
    """One row a flow, with a head."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "port", "protocol", "packets", "bytes", "first", "last"])
    for flow in report.flows:
        writer.writerow(
            [
                flow.source,
                "" if flow.port is None else flow.port,
                flow.protocol or "",
                flow.packets,
                flow.bytes,
                flow.first or "",
                flow.last or "",
            ]
        )
    return text.getvalue()
