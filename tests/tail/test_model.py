"""Any order of what writers, rotation and a crash do, with short polls in between.

A list of actions shrinks better than a state machine: leaving out any of them leaves a valid list.
MODEL_EXAMPLES says how many lists are tried; `make torture` tries thousands.
"""

import os
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tail.world import World

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "300"))
ACTIONS = {
    "append": World.append,
    "partial": World.partial,
    "rename": World.rename,
    "create": World.create,
    "late": World.late,
    "copytruncate": World.copytruncate,
    "truncate": World.truncate,
    "remove": World.remove,
    "commit": World.commit,
    "kill": World.kill,
    "restart": World.restart,
    "poll": World.poll,
    "catch up": World.catch_up,
    "settle": World.settle,
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(ACTIONS)), st.integers(1, 12)), max_size=40))
@example([("append", 3), ("poll", 1), ("rename", 1), ("append", 2), ("create", 1), ("late", 1)])
@example([(a, 3) for a in ("append", "poll", "rename", "create", "append", "rename", "restart")])
@example([(a, 1) for a in ("remove", "create", "rename", "settle", "create", "append", "rename")])
@example([(a, 1) for a in ("remove", "create", "restart", "append", "rename", "create", "rename")])
def test_every_line_is_seen_once(actions: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory) / "syslog")
        for action, size in actions:
            ACTIONS[action](world, size)
        world.finish()
        seen = Counter(world.setting.lines)
        lost = {line for line, fate in world.fates.items() if fate != "may"} - seen.keys()
        unknown = seen.keys() - world.fates.keys()
        doubled = {line for line, times in seen.items() if times > 1}
        assert (set(), set(), set()) == (lost, unknown, doubled)
