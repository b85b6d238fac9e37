"""Any order of what writers, rotation and a crash do, with short polls in between.

A list of actions shrinks better than a state machine: leaving out any of them leaves a valid list.
MODEL_EXAMPLES says how many lists are tried; `make torture` tries thousands.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
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
    "copy": World.copy,
    "copytruncate": World.copytruncate,
    "outgrow": World.outgrow,
    "truncate": World.truncate,
    "remove": World.remove,
    "commit": World.commit,
    "kill": World.kill,
    "restart": World.restart,
    "poll": World.poll,
    "catch up": World.catch_up,
    "settle": World.settle,
}


AMID = (
    *("append", "partial", "late", "rename", "create"),
    *("copy", "copytruncate", "outgrow", "truncate"),
)
"""What may happen in the midst of a look. One that sees a file in the very moment of its removal
may hold it or not, which the model can't tell."""

CALLS = 120
"""System calls of a look that something can come in between of."""

Action = tuple[str, int]
action = st.tuples(st.sampled_from(list(ACTIONS)), st.integers(1, 12))
moment = st.integers(1, 12) | st.integers(1, CALLS)
amid = st.tuples(st.sampled_from(AMID), st.integers(1, 12), moment)

GROWN: list[Action] = [("append", 1), ("catch up", 1), ("append", 2)]
KILLED: list[Action] = [("commit", 1), ("kill", 1)]
EMPTY: list[Action] = [("remove", 1), ("create", 1), ("rename", 1), ("create", 1)]
REUSED: list[Action] = [
    *[("append", 1), ("remove", 1), ("create", 1), ("append", 1), ("kill", 1)],
    *[("rename", 1), ("create", 1), ("catch up", 1), ("restart", 1), ("rename", 1), ("append", 1)],
]
"""The inode of a file that was removed is soon another file's."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(action, max_size=40))
@example([("append", 3), ("poll", 1), ("rename", 1), ("append", 2), ("create", 1), ("late", 1)])
@example([(a, 3) for a in ("append", "poll", "rename", "create", "append", "rename", "restart")])
@example([(a, 1) for a in ("remove", "create", "rename", "settle", "create", "append", "rename")])
@example([(a, 1) for a in ("remove", "create", "restart", "append", "rename", "create", "rename")])
def test_every_line_is_seen_once(actions: list[tuple[str, int]]) -> None:
    play(actions, appends=True)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.lists(action | amid, max_size=10), max_size=10), st.booleans())
@example([[("append", 1, 1), ("copytruncate", 1), ("rename", 1, 5)]], False)
@example([[*GROWN, ("outgrow", 12, 4)]], True)
@example([[*GROWN, ("outgrow", 12, 4)]], False)
@example([REUSED, [("settle", 1), ("append", 1)]], True)
@example([[*EMPTY, ("append", 1), ("poll", 2), ("restart", 1), ("copytruncate", 1)]], True)
@example([[*[("append", 1)] * 2, ("catch up", 1), *KILLED, ("copytruncate", 1, 8)]], True)
def test_every_line_is_seen_once_whatever_happens_during_a_look(
    rounds: list[list[Action | tuple[str, int, int]]], appends: bool
) -> None:
    """Lists in a list come out longer than one list does: what is long enough to fail shrinks."""
    play([each for actions in rounds for each in actions], appends=appends)


def play(actions: Sequence[Action | tuple[str, int, int]], *, appends: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory) / "syslog", appends=appends)
        for name, size, *moments in actions:
            for moment in moments:
                world.amid(moment, ACTIONS[name], size)
            if not moments:
                ACTIONS[name](world, size)
        world.finish()
        seen = Counter(world.seen)
        lost = {line for line, fate in world.fates.items() if fate != "may"} - seen.keys()
        unknown = seen.keys() - world.fates.keys()
        doubled = {line for line, times in seen.items() if times > 1}
        assert (set(), set(), set()) == (lost, unknown, doubled)
