"""Archives -> what was denied in them: JSON or CSV; a table for people is in `report.table`."""

from logwatch.report.read import Progress, read
from logwatch.report.render import render_csv, render_json
from logwatch.report.report import Report

__all__ = ["Progress", "Report", "read", "render_csv", "render_json"]
