"""Entries of a journal become the lines that syslog would have; packets are the kernel's only."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, repeat
from pathlib import Path

import pytest
from conftest import unavailable
from hypothesis import example, given
from hypothesis import strategies as st

from logwatch.packets import Scanner
from logwatch.report import read
from logwatch.report.archive import ArchiveError
from logwatch.report.journal import FIELD_MOST
from logwatch.report.read import syslog_lines

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKET = (
    b"calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00"
    b" TTL=64 ID=1 DF PROTO=TCP SPT=42962 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0 "
)
KERNEL = {
    b"__CURSOR": b"s=6c7a;i=1;b=11;m=1;t=1;x=1",
    b"__REALTIME_TIMESTAMP": b"1795331289123456",
    b"__MONOTONIC_TIMESTAMP": b"12345678",
    b"_BOOT_ID": b"11111111111111111111111111111111",
    b"_TRANSPORT": b"kernel",
    b"PRIORITY": b"5",
    b"SYSLOG_FACILITY": b"0",
    b"SYSLOG_IDENTIFIER": b"kernel",
    b"_HOSTNAME": b"worker-1",
    b"MESSAGE": PACKET,
}
HEADER = b"2026-11-22T07:08:09Z worker-1 "
PROCESS = {b"_TRANSPORT": b"syslog", b"SYSLOG_IDENTIFIER": b"sshd", b"_PID": b"77"}
REMOTE = Path("/lib/systemd/systemd-journal-remote")


def binary(name: bytes, value: bytes) -> bytes:
    return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"


def entry(changes: dict[bytes, bytes | None] | None = None, more: bytes = b"") -> bytes:
    """Make an entry of the kernel's with other fields; None leaves one out."""
    fields = {**KERNEL, **(changes or {})}
    return b"".join(
        [
            *(
                binary(name, value) if b"\n" in value else name + b"=" + value + b"\n"
                for name, value in fields.items()
                if value is not None
            ),
            more,
            b"\n",
        ]
    )


def lines_of(pieces: Iterable[bytes]) -> bytes:
    return b"".join(syslog_lines(iter(pieces), "it"))


def read_broken(pieces: Iterable[bytes]) -> tuple[bytes, str]:
    """Return the lines in front of the failure, and its message; "" when there is none."""
    lines: list[bytes] = []
    try:
        lines.extend(syslog_lines(iter(pieces), "it"))
    except ArchiveError as error:
        return b"".join(lines), str(error)
    return b"".join(lines), ""


def kinds(lines: bytes) -> dict[str, int]:
    scanner = Scanner(["calico-packet"])
    scanner.feed(lines)
    return {kind: count for kind, count in scanner.drain().lines.items() if count}


def test_what_the_kernel_wrote_has_its_tag_and_time() -> None:
    lines = lines_of([entry() * 2])
    assert (HEADER + b"kernel: " + PACKET + b"\n") * 2 == lines
    assert {"packet": 2} == kinds(lines)


def test_order_of_fields_does_not_matter() -> None:
    first, *fields = entry().split(b"\n")[:-2]
    turned = b"\n".join([first, *reversed(fields)]) + b"\n\n"
    assert turned != entry()
    assert lines_of([entry()]) == lines_of([turned])


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        (PROCESS, b"sshd[77]"),
        (PROCESS | {b"_PID": None}, b"sshd[-]"),
        (PROCESS | {b"SYSLOG_IDENTIFIER": b"kernel"}, b"kernel[77]"),
        (PROCESS | {b"SYSLOG_IDENTIFIER": b"kernel", b"_PID": None}, b"kernel[-]"),
        (PROCESS | {b"SYSLOG_IDENTIFIER": b"kernel:"}, b"kernel_[77]"),
        (PROCESS | {b"SYSLOG_IDENTIFIER": b"a kernel:"}, b"a_kernel_[77]"),
        (PROCESS | {b"SYSLOG_IDENTIFIER": b"a\nkernel: "}, b"a_kernel__[77]"),
        (PROCESS | {b"SYSLOG_IDENTIFIER": b"\xff" * 999}, b"_" * 255 + b"[77]"),
        ({b"_TRANSPORT": None}, b"kernel[-]"),
        ({b"SYSLOG_FACILITY": b"1"}, b"kernel[-]"),  # written to /dev/kmsg
        ({b"SYSLOG_IDENTIFIER": b"systemd"}, b"systemd[-]"),
        (PROCESS | {b"_HOSTNAME": None}, b"sshd[77]"),
    ],
)
def test_a_packet_that_a_process_tells_of_is_forged(
    changes: dict[bytes, bytes | None], tag: bytes
) -> None:
    lines = lines_of([entry(changes)])
    assert b" " + tag + b": " + PACKET + b"\n" in lines
    assert {"forged": 1} == kinds(lines)
    assert {"other": 1} == kinds(lines_of([entry({**changes, b"MESSAGE": b"any"})]))


@pytest.mark.parametrize("name", [b"SYSLOG_FACILITY", b"SYSLOG_IDENTIFIER", b"_HOSTNAME"])
def test_a_field_that_older_journals_lack(name: bytes) -> None:
    assert {"packet": 1} == kinds(lines_of([entry({name: None})]))


@pytest.mark.parametrize("time", [None, b"", b"-1", b"1e9", b"9" * 20, b"\xd9\xa1"])
def test_a_packet_without_a_time_counts(time: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(entry({b"__REALTIME_TIMESTAMP": time}))
    [flow] = read([str(path)], ["calico-packet"]).flows
    assert (1, None) == (flow.packets, flow.last)


def test_a_message_of_several_lines_stays_one_line() -> None:
    """What stands behind its first line was not put there by the kernel's packet log."""
    lines = lines_of(
        [entry({b"MESSAGE": b"first\n" + PACKET}), entry({b"MESSAGE": PACKET + b"\n"})]
    )
    assert HEADER + b"kernel: first " + PACKET + b"\n" == lines.splitlines(keepends=True)[0]
    assert {"forged": 1, "packet": 1} == kinds(lines)


def test_a_message_of_any_bytes() -> None:
    """An entry seems to end in it, and one of the kernel's to begin."""
    message = b"\xff\0\n\n" + entry() + b"\n_TRANSPORT=kernel\n"
    lines = lines_of([entry(PROCESS | {b"MESSAGE": message}) + entry()])
    assert 2 == lines.count(b"\n")
    assert {"forged": 1, "packet": 1} == kinds(lines)


def test_a_message_without_text() -> None:
    assert HEADER + b"kernel: \n" == lines_of([entry({b"MESSAGE": None})])
    assert HEADER + b"kernel: \n" == lines_of([entry({b"MESSAGE": None}, binary(b"MESSAGE", b""))])


def test_blank_lines_between_entries_are_no_entries() -> None:
    assert lines_of([entry()]) == lines_of([entry() + b"\n\n"])


@pytest.mark.parametrize("size", [4096, 100_000, 10_000_000])
@pytest.mark.parametrize("length", [FIELD_MOST + 1, 3_000_000])
@pytest.mark.parametrize("is_text", [True, False])
@pytest.mark.parametrize("name", [b"MESSAGE", b"COREDUMP"])
def test_a_huge_field_is_left_out_of_its_entry(
    name: bytes, is_text: bool, length: int, size: int
) -> None:
    value = b"x" * length
    field = name + b"=" + value + b"\n" if is_text else binary(name, value)
    message = PACKET if name == b"COREDUMP" else None
    export = entry({b"MESSAGE": message}, field) + entry()
    lines = lines_of(export[at : at + size] for at in range(0, len(export), size))
    assert HEADER + b"kernel: " + (message or b"") + b"\n" + lines_of([entry()]) == lines


def test_a_field_of_the_most_that_is_looked_into() -> None:
    value = b"x" * (FIELD_MOST - len("MESSAGE="))
    expected = HEADER + b"kernel: " + value + b"\n"
    assert expected == lines_of([entry({b"MESSAGE": value})])
    assert expected == lines_of([entry({b"MESSAGE": None}, binary(b"MESSAGE", value))])


@pytest.mark.parametrize(
    "field",
    [b"MESSAGE=", b"COREDUMP=", b"MESSAGE\n" + (2**29).to_bytes(8, "little"), b"NO_FIELD"],
)
def test_a_field_without_an_end_takes_no_memory(field: bytes) -> None:
    assert "it is cut off" in read_in_little_memory(
        chain([b"__CURSOR=x\n" + field], repeat(b"x" * 65_536, 500))
    )


@pytest.mark.parametrize("is_text", [True, False])
def test_an_entry_without_an_end_takes_no_memory(is_text: bool) -> None:
    value = b"x" * 65_536
    names = (b"FIELD_%d" % number for number in range(500))
    fields = (name + b"=" + value + b"\n" if is_text else binary(name, value) for name in names)
    assert "it is cut off" in read_in_little_memory(chain([b"__CURSOR=x\n"], fields))


def read_in_little_memory(pieces: Iterable[bytes]) -> str:
    """Return the message of the failure."""
    tracemalloc.start()
    _, message = read_broken(pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
    return message


def test_a_huge_line_that_is_no_field_is_left_out_however_it_was_split() -> None:
    export = entry(more=b"X" * (FIELD_MOST + 1) + b"\n") + entry()
    assert lines_of([entry() * 2]) == lines_of([export])
    assert lines_of([entry() * 2]) == lines_of([export[:500_000], export[500_000:]])


def test_an_export_that_is_cut_anywhere() -> None:
    """Whole entries count, and no line is made of a part."""
    one, two = entry({b"MESSAGE": b"a\nb"}), entry()
    export = one + two
    whole = [b"", lines_of([one]), lines_of([export])]
    for cut in range(len(b"__CURSOR="), len(export)):
        lines, message = read_broken([export[:cut]])
        assert whole[cut >= len(one)] == lines
        assert (cut != len(one)) == (f"after {cut} bytes" in message and "is cut off" in message)


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (b"no field\n", "a line is no field"),
        (b"MESSAGE\n" + b"\xff" * 8 + b"x\n", "a field is too long"),
        (b"MESSAGE\n" + (3).to_bytes(8, "little") + b"xxxx\n", "a field is not as long as it says"),
    ],
)
def test_a_damaged_export_gives_what_came_before(damage: bytes, cause: str) -> None:
    export = entry() + b"__CURSOR=x\n" + damage + entry()
    lines, message = read_broken([export])
    assert lines_of([entry()]) == lines
    assert message.startswith("it is damaged: its journal entries can't be read on after ")
    assert cause in message


VALUES = st.one_of(
    st.sampled_from([PACKET, b"kernel", b"", b"\n", b"\n\n", b"=", b"\0\n=\n\nMESSAGE\n"]),
    st.binary(max_size=40),
)
NAMES = st.sampled_from([*KERNEL, b"_PID", b"OTHER"])
FIELDS = st.builds(
    lambda name, value, is_text: (
        name + b"=" + value + b"\n" if is_text and b"\n" not in value else binary(name, value)
    ),
    NAMES,
    VALUES,
    st.booleans(),
)
ENTRIES = st.lists(FIELDS, max_size=6).map(
    lambda fields: b"".join([b"__CURSOR=x\n", *fields, b"\n"])
)
CUTS = st.lists(st.integers(0, 2000), max_size=20)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place for place in cuts if place < len(data))})
    return [data[begin:end] for begin, end in pairwise(places)]


@given(st.lists(ENTRIES, min_size=1, max_size=5), CUTS)
def test_any_split_into_pieces_gives_the_same_lines(entries: list[bytes], cuts: list[int]) -> None:
    export = b"".join(entries)
    lines = lines_of([export])
    assert len(entries) == lines.count(b"\n")
    assert b"".join(lines_of([one]) for one in entries) == lines
    assert lines == lines_of(cut(export, cuts))
    assert lines == lines_of(export[at : at + 1] for at in range(len(export)))


@given(st.lists(st.one_of(ENTRIES, FIELDS, VALUES), max_size=5), CUTS)
def test_damage_is_told_the_same_however_it_was_split(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join([b"__CURSOR=x\n", *parts])
    assert read_broken([data]) == read_broken(cut(data, cuts))


@given(st.binary(max_size=30), CUTS)
@example(b"_CURSOR=", [])
def test_what_is_no_export_passes_as_it_is(data: bytes, cuts: list[int]) -> None:
    for start in (b"", b"_", b"__CURSO", b"__CURSORS=", b"\n__CURSOR="):
        text = start + data
        if not text.startswith(b"__CURSOR="):
            assert text == lines_of(cut(text, cuts))


def test_what_came_before_a_failure_is_delivered() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one\n"
        raise ArchiveError("broken")

    assert (b"one\n", "broken") == read_broken(pieces())


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_report_of_an_export(tmp_path: Path, is_packed: bool) -> None:
    export = entry() * 3000 + entry(PROCESS)
    path = tmp_path / "export"
    path.write_bytes(zstd.compress(export) if is_packed else export)
    report = read([str(path)], ["calico-packet"])
    assert (3001, 3000, 1) == (report.totals.lines, report.totals.packets, report.totals.forged)
    assert (len(export), None) == (report.inputs[0].bytes, report.inputs[0].problem)
    assert ("2026-11-22T07:08:09Z", 22) == (report.flows[0].last, report.flows[0].port)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal as journald keeps it: packets, a text of theirs by a process, other lines."""
    if not REMOTE.exists():
        raise unavailable(f"{REMOTE} is missing; run tests/lab/install.sh")
    path = tmp_path_factory.mktemp("journal") / "system.journal"
    export = (
        entry() * 2
        + entry({b"MESSAGE": b"eth1: link up"})
        + entry(PROCESS)
        + entry({b"MESSAGE": b"first\n" + PACKET})
        + entry()
    )
    command = [REMOTE, "--output", path, "-"]
    subprocess.run(command, input=export, check=True, capture_output=True)
    return path


@pytest.mark.parametrize(
    "form", ["short", "short-precise", "short-iso", "short-iso-precise", "export"]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_what_journalctl_prints_is_read(journal: Path, form: str, zone: str) -> None:
    printed = subprocess.run(
        ["journalctl", "--file", journal, "--dmesg", "--output", form],
        capture_output=True,
        check=True,
        env={"TZ": zone},
    )
    reported = subprocess.run(
        [sys.executable, "-m", "logwatch", "report", "-", "--format", "csv"],
        input=printed.stdout,
        capture_output=True,
        check=True,
        env={"TZ": zone},
    )
    row = reported.stdout.splitlines()[1].decode()
    assert row.startswith("203.0.113.7,22,tcp,3,180,")
    # Stamps without a year are of the one that is nearest to now.
    assert row.endswith("-11-22T07:08:09Z")
