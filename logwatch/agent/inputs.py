"""What the configuration names as input, and what wakes the daemon for it."""

from collections.abc import Callable, Iterable
from pathlib import Path

from logwatch.config import Config
from logwatch.tail import (
    KERNEL_LOG,
    Follower,
    Input,
    KernelLog,
    ReadableWaiter,
    Sink,
    Waiter,
    read_checkpoint,
    read_kernel_log_checkpoint,
)
from logwatch.tail.wake import Waker


def input_paths(config: Config) -> list[Path]:
    """List what is read; these are also the names of the inputs in metrics and in the state."""
    return [KERNEL_LOG] if config.input == "kmsg" else [Path(path) for path in config.logs]


def outdated_inputs(config: Config, known: Iterable[str]) -> list[str]:
    """List the known inputs of the kind that is not read now.

    Their positions are to be forgotten: the one kind counts the lines of the other meanwhile.
    """
    is_kernels = config.input == "kmsg"
    return [path for path in known if (path == str(KERNEL_LOG)) != is_kernels]


def open_input(
    path: Path, config: Config, boot_id: str, open_sink: Callable[[], Sink], saved: bytes | None
) -> Input:
    """Open an input where `saved` says, its checkpoint as JSON. Raises CheckpointError."""
    if config.input == "kmsg":
        place = None if saved is None else read_kernel_log_checkpoint(saved)
        return KernelLog(open_sink, boot_id=boot_id, checkpoint=place, start=config.start)
    mark = None if saved is None else read_checkpoint(saved)
    return Follower(path, open_sink, checkpoint=mark, start=config.start)


def new_waiter(paths: Iterable[Path], inputs: Iterable[Input]) -> Waiter:
    """Wait for the descriptors of inputs that have one, otherwise for what happens at the paths."""
    descriptors = [each.fileno for each in inputs if isinstance(each, KernelLog)]
    return ReadableWaiter(descriptors) if descriptors else Waker(paths)
