"""The reader of /dev/kmsg on a socket that gives one record a read, as the device does."""

import errno
import os
from collections.abc import Iterator

import pytest
from tail.recorder import LineSink, open_descriptors
from tail.ring import Ring

from logwatch.tail import (
    CheckpointError,
    KernelLog,
    KernelLogCheckpoint,
    read_kernel_log_checkpoint,
)

BOOT, OTHER_BOOT = "a-boot", "another-boot"
STAMP = "2026-11-18T11:06:41Z"


@pytest.fixture
def ring() -> Iterator[Ring]:
    ring = Ring()
    yield ring
    ring.close()


class Reading:
    """A reader with the lines that came of it."""

    def __init__(self, ring: Ring, boot_id: str = BOOT, **options: object) -> None:
        self.lines: list[bytes] = []
        self.log = KernelLog(
            lambda: LineSink(self.lines),
            boot_id=boot_id,
            opener=ring.open,
            booted=lambda: 1_795_000_000.0,
            **options,  # type: ignore[arg-type]
        )

    @property
    def numbers(self) -> list[int]:
        return [int(line.split()[-1]) for line in self.lines]

    def stop(self) -> KernelLogCheckpoint:
        self.log.close()
        return read_kernel_log_checkpoint(self.log.checkpoint().to_json())


def test_records_are_lines_with_the_time_of_the_kernel(ring: Ring) -> None:
    reading = Reading(ring)
    ring.add(1)
    ring.add(2, priority=13)
    assert not reading.log.poll()
    assert [f"{STAMP} kernel: line 1".encode(), b"process: line 2"] == reading.lines
    status = reading.log.status
    assert ("reading", "", True, None) == (
        status.state,
        status.reason,
        status.at_end,
        status.behind_bytes,
    )
    assert len(b"".join(ring.records)) == status.read_bytes
    reading.stop()


def test_the_first_start_passes_over_what_is_there(ring: Ring) -> None:
    """As of the constructor, so that whatever comes after it is read."""
    ring.add(5, 6)
    reading = Reading(ring)
    ring.add(7)
    reading.log.poll()
    assert ([7], 0, 8) == (
        reading.numbers,
        reading.log.status.lost_records,
        reading.stop().sequence,
    )


def test_from_start_reads_what_the_kernel_still_holds(ring: Ring) -> None:
    """What it no longer holds was nobody's to read: not lost."""
    ring.add(5, 6)
    reading = Reading(ring, start="start")
    reading.log.poll()
    assert ([5, 6], 0) == (reading.numbers, reading.log.status.lost_records)
    reading.stop()


def test_a_restart_goes_on_with_the_next_record(ring: Ring) -> None:
    """Also when nothing was read, or nothing was there, before it ended."""
    first = Reading(ring)
    first.log.poll()
    ring.add(0, 1)
    second = Reading(ring, checkpoint=first.stop())
    second.log.poll()
    ring.add(2)
    third = Reading(ring, checkpoint=second.stop())
    third.log.poll()
    fourth = Reading(ring, checkpoint=third.stop())
    fourth.log.poll()
    assert ([], [0, 1], [2], []) == (first.numbers, second.numbers, third.numbers, fourth.numbers)
    assert {0} == {each.log.status.lost_records for each in (first, second, third, fourth)}
    fourth.stop()


def test_another_boot_begins_with_what_the_kernel_still_holds(ring: Ring) -> None:
    """Records of this boot that were overwritten before are lost."""
    ring.add(3, 4)
    saved = KernelLogCheckpoint(OTHER_BOOT, 1_000)
    reading = Reading(ring, checkpoint=saved)
    reading.log.poll()
    assert ([3, 4], 3) == (reading.numbers, reading.log.status.lost_records)
    assert KernelLogCheckpoint(BOOT, 5) == reading.stop()


def test_numbers_that_are_missing_are_lost_records(ring: Ring) -> None:
    """Between two records, and between a checkpoint and the first record after it."""
    ring.add(12, 13, 20)
    reading = Reading(ring, checkpoint=KernelLogCheckpoint(BOOT, 10))
    reading.log.poll()
    assert ([12, 13, 20], 2 + 6) == (reading.numbers, reading.log.status.lost_records)
    reading.stop()


def test_a_poll_is_bounded(ring: Ring) -> None:
    ring.add(*range(7))
    reading = Reading(ring, start="start")
    assert reading.log.poll(limit=3)
    assert ([0, 1, 2], False) == (reading.numbers, reading.log.status.at_end)
    assert KernelLogCheckpoint(BOOT, 3) == reading.log.checkpoint()
    assert reading.log.poll(limit=3)
    assert not reading.log.poll(limit=3)
    assert list(range(7)) == reading.numbers
    reading.stop()


def test_a_place_is_known_when_all_was_passed_over(ring: Ring) -> None:
    """A kill in between must not leave a place in front of what was there at the start."""
    ring.refusals = [PermissionError(errno.EPERM, "not permitted")]
    reading = Reading(ring)
    ring.add(1, 2)
    assert reading.log.poll(limit=1)
    assert reading.log.checkpoint().sequence is None
    assert not reading.log.poll()
    assert (3, []) == (reading.stop().sequence, reading.numbers)


@pytest.mark.parametrize(
    ("number", "state", "words"),
    [
        (errno.EPERM, "unreadable", ["operation not permitted", "CAP_SYSLOG", "root"]),
        (errno.EACCES, "unreadable", ["permission denied", "CAP_SYSLOG"]),
        (errno.ENOENT, "missing", ["does not exist", "container"]),
        (errno.ENODEV, "unsuitable", ["container"]),
        (errno.EMFILE, "unreadable", ["too many open files", "tried again"]),
    ],
)
def test_a_refusal_is_told_and_tried_again(
    ring: Ring, number: int, state: str, words: list[str]
) -> None:
    """Nothing is known until it opens, so a restart meanwhile decides anew where to begin."""
    ring.add(1)
    ring.refusals = [OSError(number, os.strerror(number)) for _ in range(2)]
    reading = Reading(ring)
    assert (state, False) == (reading.log.status.state, reading.log.poll())
    for word in ["/dev/kmsg", *words]:
        assert word in reading.log.status.reason
    assert reading.log.fileno() is None
    assert reading.log.checkpoint().sequence is None
    reading.log.poll()
    ring.add(2)
    reading.log.poll()
    assert ("reading", [2]) == (reading.log.status.state, reading.numbers)
    reading.stop()


def test_a_failing_device_is_opened_again_and_goes_on(ring: Ring) -> None:
    """A directory stands for it: open, but each read is refused."""
    before = open_descriptors()
    reading = Reading(ring, checkpoint=KernelLogCheckpoint(BOOT, 1))
    ring.add(1)
    reading.log.poll()
    descriptor = reading.log.fileno()
    assert descriptor is not None
    broken = os.open("/", os.O_RDONLY)
    os.dup2(broken, descriptor)
    os.close(broken)
    assert not reading.log.poll()
    assert ("unreadable", None) == (reading.log.status.state, reading.log.fileno())
    ring.add(2)
    reading.log.poll()
    assert ([1, 2], 0, "reading") == (
        reading.numbers,
        reading.log.status.lost_records,
        reading.log.status.state,
    )
    reading.stop()
    ring.close()
    assert before == open_descriptors()


def test_a_record_that_no_kernel_writes_does_no_harm(ring: Ring) -> None:
    reading = Reading(ring)
    ring.records.append(b"2026-11-18T11:06:41Z kernel: calico-packet: IN=\nmore\n")
    ring.add(0)
    resumed = Reading(ring, start="start")
    resumed.log.poll()
    assert [
        b"process: 2026-11-18T11:06:41Z kernel: calico-packet: IN= more ",
        f"{STAMP} kernel: line 0".encode(),
    ] == resumed.lines
    reading.stop()
    resumed.stop()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"{", "damaged"),
        (b'{"boot_id":1,"sequence":2,"version":1}', "damaged"),
        (b'{"files":[],"finished":[],"newest":0,"settled":true,"version":1}', "damaged"),
        (b'{"boot_id":"a","sequence":2,"version":2}', "version 2"),
        (b"\xff", "damaged"),
    ],
)
def test_a_damaged_checkpoint_is_refused(data: bytes, word: str) -> None:
    with pytest.raises(CheckpointError, match=word):
        read_kernel_log_checkpoint(data)
