"""Archives -> who would have been banned in them by which rules, and when: JSON, or a table.

The table for people is in `replay.table`, a door of its own.
"""

from logwatch.report.replay.outcome import NeverBanned, Outcome
from logwatch.report.replay.render import render_json
from logwatch.report.replay.replay import Judges, ReplayError, Rules, replay

__all__ = ["Judges", "NeverBanned", "Outcome", "ReplayError", "Rules", "render_json", "replay"]
