"""Archives -> what was denied in them: a table, JSON or CSV."""

from logwatch.report.read import Progress, read
from logwatch.report.render import render_csv, render_json, render_table
from logwatch.report.report import Report

__all__ = ["Progress", "Report", "read", "render_csv", "render_json", "render_table"]
