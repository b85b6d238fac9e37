"""Which reader and which waiter the configuration asks for."""

from pathlib import Path

import pytest
from tail.recorder import LineSink
from tail.ring import Ring

from logwatch.agent.inputs import input_paths, new_waiter, open_input, outdated_inputs
from logwatch.config import Config
from logwatch.tail import KERNEL_LOG, CheckpointError, Follower, KernelLog


def test_a_record_of_the_kernel_wakes_the_daemon() -> None:
    """The path tells nothing: the kernel does not write to it."""
    ring = Ring()
    log = KernelLog(lambda: LineSink([]), boot_id="a-boot", opener=ring.open)
    waiter = new_waiter([KERNEL_LOG], [log])
    assert not waiter.wait(0.0)
    ring.add(1)
    assert waiter.wait(20.0)
    log.poll()
    assert not waiter.wait(0.0)
    waiter.close()
    log.close()
    ring.close()


def test_the_position_of_the_other_kind_is_outdated() -> None:
    known = ["/var/log/syslog", "/dev/kmsg", "/logs/other"]
    assert ["/dev/kmsg"] == outdated_inputs(Config(), known)
    assert ["/var/log/syslog", "/logs/other"] == outdated_inputs(Config(input="kmsg"), known)


def test_each_kind_of_input_has_its_reader_and_its_name(tmp_path: Path) -> None:
    """The name is that of the metrics; the place of a file is none in the kernel's log."""
    path = tmp_path / "syslog"
    file, kmsg = Config(logs=(str(path),)), Config(input="kmsg")
    assert ([path], [Path("/dev/kmsg")]) == (input_paths(file), input_paths(kmsg))
    follower = open_input(path, file, "a-boot", lambda: LineSink([]), None)
    log = open_input(KERNEL_LOG, kmsg, "a-boot", lambda: LineSink([]), None)
    assert (Follower, KernelLog) == (type(follower), type(log))
    saved = follower.checkpoint().to_json()
    with pytest.raises(CheckpointError):
        open_input(KERNEL_LOG, kmsg, "a-boot", lambda: LineSink([]), saved)
    follower.close()
    log.close()
