"""One line through the native fast path, as a `Reading`: for `explain` and for tests.

Counting many lines is `Scanner`'s work.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from logwatch import _core
from logwatch.packets.reading import Kind, Reading


def read_line(line: bytes, prefixes: Sequence[str]) -> Reading:
    """Read one line (without its line feed) as the scanner does.

    Raises ValueError for prefixes that can't be used, as `Scanner` does.
    """
    kind, count, prefix, stamp, names, packet = _core.read_line(line, list(prefixes))
    tier, policy_kind, policy, namespace = names
    reading = Reading(cast("Kind", kind), count, prefix, stamp, *(packet or ()))
    return replace(reading, tier=tier, policy_kind=policy_kind, policy=policy, namespace=namespace)
