"""Bytes in: follow a live file over rotation and truncation, or the kernel's own log.

The room knows nothing of packets. An input feeds sinks and gives a checkpoint; what is made
durable, and when, is the caller's decision. `logwatch.tail.wake` is a door of its
own: only who waits for a file needs watchdog.
"""

from logwatch.tail.checkpoint import Checkpoint, CheckpointError, FileMark, read_checkpoint
from logwatch.tail.follow import Follower
from logwatch.tail.input import Input, Waiter
from logwatch.tail.kernel_log import (
    KERNEL_LOG,
    KernelLog,
    KernelLogCheckpoint,
    read_kernel_log_checkpoint,
)
from logwatch.tail.readable import ReadableWaiter
from logwatch.tail.sink import Sink
from logwatch.tail.status import FollowerStatus, InputState, InputStatus

__all__ = [
    "KERNEL_LOG",
    "Checkpoint",
    "CheckpointError",
    "FileMark",
    "Follower",
    "FollowerStatus",
    "Input",
    "InputState",
    "InputStatus",
    "KernelLog",
    "KernelLogCheckpoint",
    "ReadableWaiter",
    "Sink",
    "Waiter",
    "read_checkpoint",
    "read_kernel_log_checkpoint",
]
