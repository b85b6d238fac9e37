"""Bytes in: follow a live file over rotation and truncation.

The room knows nothing of packets. A follower feeds sinks and gives a checkpoint; what is made
durable, and when, is the caller's decision. `logwatch.tail.wake` is a door of its
own: only who waits for a file needs watchdog.
"""

from logwatch.tail.checkpoint import Checkpoint, CheckpointError, FileMark, read_checkpoint
from logwatch.tail.follow import Follower
from logwatch.tail.sink import Sink
from logwatch.tail.status import FollowerState, FollowerStatus

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "FileMark",
    "Follower",
    "FollowerState",
    "FollowerStatus",
    "Sink",
    "read_checkpoint",
]
