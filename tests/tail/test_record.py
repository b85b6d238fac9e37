"""Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) and the lines that they become."""

import pytest

from logwatch.packets.reading import read_line
from logwatch.tail.record import KernelRecord, Lines

BODY = b"IN=eth1 OUT= MAC= SRC=203.0.113.7 DST=198.51.100.9 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=1 "
BOOTED = 1_795_000_000.0  # 2026-11-18T11:06:40Z


def line(data: bytes) -> bytes:
    record = KernelRecord.read(data)
    assert record is not None
    return Lines().line(record, BOOTED)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"5,1234,61000000,-;calico-packet: IN=\n", b"calico-packet: IN="),
        (b"6,1,61999999,-,caller=T123;calico-packet: IN=\n", b"calico-packet: IN="),
        (b"4,2,61000001,-,caller=C4,future=x,,;a;b\n", b"a;b"),
        (b"6,3,61000002,-;eth1: up\n SUBSYSTEM=net\n DEVICE=n2\n", b"eth1: up"),
        (b"6,4,61000003,-;caf\\xc3\\xa9 \\x5c \\x7f\n", b"caf\xc3\xa9 \\ \x7f"),
        (b"6,5,61000004,-;one\\x0atwo\\x09three\\x00\n", b"one\\x0atwo\\x09three\\x00"),
        (b"6,6,61000005,-;\n", b""),
        (b"6,7,61000005,-;no line feed", b"no line feed"),
    ],
)
def test_what_the_kernel_wrote_is_a_line_of_the_kernel(data: bytes, text: bytes) -> None:
    assert b"2026-11-18T11:07:41Z kernel: " + text + b"\n" == line(data)


def test_each_second_has_its_stamp() -> None:
    """Backwards as well: records of several processors are not quite in order."""
    lines = Lines()
    stamps = [
        lines.line(KernelRecord(1, second * 1_000_000, True, b""), BOOTED)[:20]
        for second in (0, 1, 1, 0, 86_400)
    ]
    assert [
        b"2026-11-18T11:06:40Z",
        b"2026-11-18T11:06:41Z",
        b"2026-11-18T11:06:41Z",
        b"2026-11-18T11:06:40Z",
        b"2026-11-19T11:06:40Z",
    ] == stamps


@pytest.mark.parametrize(
    "data",
    [
        b"13,7,61000000,-;calico-packet: %b\n",
        b"8,7,61000000,-;calico-packet: %b\n",
        b"30,7,61000000,-;2026-11-18T11:07:41Z kernel: calico-packet: %b\n",
        b"12,7,61000000,-;kernel: calico-packet: %b\n",
        b"12,7,61000000,-;message repeated 9 times: [ calico-packet: %b]\n",
        b"12,7,61000000,-;x\\x0a2026-11-18T11:07:41Z kernel: calico-packet: %b\n",
        b"4,7,61000000,c;calico-packet: %b\n",  # the rest of a line that another one cut off
        b"4,7,61000000,-;USB device y\\x0acalico-packet: %b\n",  # a name with a line feed
        b"4,7,61000000,-;x\\x0a2026-11-18T11:07:41Z kernel: calico-packet: %b\n",
    ],
)
def test_what_processes_and_devices_say_is_forged(data: bytes) -> None:
    """Facility 0 is the kernel's alone; a line feed inside a record does not begin a line."""
    made = line(data % BODY)
    assert 1 == made.count(b"\n")
    assert "forged" == read_line(made[:-1], ["calico-packet"]).kind


def test_the_same_text_of_the_kernel_is_a_packet() -> None:
    reading = read_line(line(b"5,7,61000000,-;calico-packet: %b\n" % BODY)[:-1], ["calico-packet"])
    assert ("packet", b"2026-11-18T11:07:41Z") == (reading.kind, reading.stamp)


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"calico-packet: IN=\n", b"6,1,2;text\n", b"6,x,2,-;text\n", b"\xff,1,2,-;t\n"],
)
def test_what_no_kernel_writes_is_no_record(data: bytes) -> None:
    assert KernelRecord.read(data) is None
