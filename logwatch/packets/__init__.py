"""A line -> a packet -> counts.

`Scanner` is the fast path, in Rust. The readable definition of the same language is in `grammar`,
and a test holds them against each other. `logwatch.packets.explain` and `logwatch.packets.grammar`
are doors of their own, since pyparsing takes longer to import than a short log to count.
"""

from logwatch._core import Scanner, SourceSketch, Summary
from logwatch.packets.fast import read_line
from logwatch.packets.protocols import PROTOCOLS, protocol_name
from logwatch.packets.reading import Kind, LinkRow, PolicyRow, Reading, Row

__all__ = [
    "PROTOCOLS",
    "Kind",
    "LinkRow",
    "PolicyRow",
    "Reading",
    "Row",
    "Scanner",
    "SourceSketch",
    "Summary",
    "protocol_name",
    "read_line",
]
