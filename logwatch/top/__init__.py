"""`logwatch top`: what is denied now, live in a terminal, or once for a pipe.

From a running agent or escalator by its /api/summary, or from a log that is followed here. What it
draws with takes a third of a second to import: `logwatch.top.screen` and `logwatch.top.snapshot`
are doors of their own.
"""

from logwatch.top.log import Log
from logwatch.top.origin import AwayError, Origin, UnknownError
from logwatch.top.server import AddressError, Server

__all__ = ["AddressError", "AwayError", "Log", "Origin", "Server", "UnknownError"]
