"""A report as text for programs: JSON, or CSV for spreadsheets."""

import csv
import io

import msgspec

from logwatch.report.report import Report


def render_json(report: Report) -> str:
    """One JSON document, indented, with a line feed at its end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


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
