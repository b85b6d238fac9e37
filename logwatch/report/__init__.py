"""Archives -> what was denied in them: JSON or CSV.

A table for people is in `report.table`, a page for browsers in `report.html`.
"""

from logwatch.report.compare import Comparison, compare
from logwatch.report.read import Options, Progress, count, read
from logwatch.report.render import render_csv, render_json
from logwatch.report.report import Report

__all__ = [
    "Comparison",
    "Options",
    "Progress",
    "Report",
    "compare",
    "count",
    "read",
    "render_csv",
    "render_json",
]
