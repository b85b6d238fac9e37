"""A line -> a packet -> counts.

`Scanner` is the fast path, in Rust. The readable definition of the same language is in `grammar`,
and a test holds them against each other. `logwatch.packets.reading`, of one line, and
`logwatch.packets.explain` and `logwatch.packets.grammar`, which need pyparsing, are doors of their
own: they take longer to import than a short log to count.
"""

from logwatch._core import Scanner, SourceSketch, Summary
from logwatch.packets.protocols import PROTOCOLS, protocol_name
from logwatch.packets.rows import LinkRow, PolicyRow, Row

__all__ = [
    "PROTOCOLS",
    "LinkRow",
    "PolicyRow",
    "Row",
    "Scanner",
    "SourceSketch",
    "Summary",
    "protocol_name",
]
