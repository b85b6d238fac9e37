"""One line explained: each part with its meaning, what it counts as, and where reading stopped.

The parts come from the grammar; the fast path's reading is put beside the grammar's. What a line
holds may be hostile, so every text given out here is printable, without control characters.
`logwatch.packets.explain.terminal` is a door of its own, since it imports Rich.
"""

from logwatch.packets.explain.explanation import (
    Difference,
    Explanation,
    Part,
    ReadLine,
    explain_line,
)
from logwatch.packets.explain.printable import printable
from logwatch.packets.explain.render import render_json, render_text

__all__ = [
    "Difference",
    "Explanation",
    "Part",
    "ReadLine",
    "explain_line",
    "printable",
    "render_json",
    "render_text",
]
