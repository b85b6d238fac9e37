"""A small page for a person who opens the address: what is where, and a few plain numbers.

It needs no script and asks nothing of other servers. All text that came from a log is escaped.
"""

from collections.abc import Iterable
from html import escape

from logwatch.export.printable import printable
from logwatch.export.view import View
from logwatch.ledger import Family

TOP = 10

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 0 0 1.5rem }
th, td { text-align: left; padding: .15rem 1.5rem .15rem 0 }
td + td { text-align: right; font-variant-numeric: tabular-nums }
"""

PATHS = (
    ("/metrics", "metrics for Prometheus"),
    ("/healthz", "are all parts alive"),
    ("/readyz", "is everything read and written"),
)


def page(view: View, version: str) -> str:
    """Make the page of what is durable now."""
    families = view.snapshot.families
    denied, logged = families.get("denied", Family()), families.get("logged", Family())
    sources = families.get("source", Family())
    top = sorted(sources.series.items(), key=lambda item: (-item[1][0], item[0]))[:TOP]
    numbers = [
        ("Packets denied", denied.total[0]),
        ("Packets only logged", logged.total[0]),
        ("Distinct sources in the last 5 minutes, estimated", view.sources),
        *((f"Blacklist entries, {phase}", number) for phase, number in view.entries.items()),
        *((f"Blacklist networks, {state}", number) for state, number in view.networks.items()),
    ]
    top_rows = [(source, packets) for (source,), (packets, _) in top]
    body = (
        f"{table(numbers)}"
        f"<h2>Top sources of denied packets</h2>\n{table(top_rows) if top_rows else NONE_YET}"
    )
    return framed("logwatch", body, view, version)


def framed(title: str, body: str, view: View, version: str) -> str:
    """Put the version, what is wrong and the addresses around a page."""
    state = "Ready." if view.ready else 'Not ready: <a href="/readyz">see why</a>.'
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f"<p>Version {_text(version)}. {state}</p>\n"
        f"{body}"
        "<h2>Addresses</h2>\n<ul>"
        + "".join(f'<li><a href="{path}">{path}</a>: {what}</li>' for path, what in PATHS)
        + "</ul></body></html>\n"
    )


NONE_YET = "<p>None yet.</p>\n"


def table(rows: Iterable[tuple[str, int]]) -> str:
    """Write names and numbers."""
    cells = (f"<tr><td>{_text(name)}</td><td>{number:,}</td></tr>\n" for name, number in rows)
    return f"<table>\n{''.join(cells)}</table>\n"


def _text(text: str) -> str:
    return escape(printable(text))
