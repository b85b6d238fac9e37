"""One line through the native fast path, as a `Reading`: for `explain` and for tests.

Counting many lines is `Scanner`'s work.
"""

from collections.abc import Sequence
from typing import cast

from logwatch import _core
from logwatch.packets.reading import Kind, Reading


def read_line(line: bytes, prefixes: Sequence[str]) -> Reading:
    """Read one line (without its line feed) as the scanner does.

    Raises ValueError for prefixes that can't be used, as `Scanner` does.
    """
    kind, count, prefix, stamp, packet = _core.read_line(line, list(prefixes))
    reading = Reading(cast("Kind", kind), count, prefix, stamp)
    if packet is None:
        return reading
    return Reading(cast("Kind", kind), count, prefix, stamp, *packet)
