"""`logwatch top`: what is denied now, live in a terminal, or once for a pipe.

From a running agent or escalator by its /api/summary, or from a log that is followed here. Doors of
their own, since each takes a third of a second to import: `logwatch.top.screen`, with Textual, and
`logwatch.top.log`, with all that counts and judges.
"""

from logwatch.top.origin import AwayError, Origin, UnknownError
from logwatch.top.server import AddressError, Server

__all__ = ["AddressError", "AwayError", "Origin", "Server", "UnknownError"]
