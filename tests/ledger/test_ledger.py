"""A ledger on a real SQLite file: what it keeps, and what it does when writing fails."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from offenders.packets import Sent, policies, summary

from logwatch.errors import LogwatchError
from logwatch.ledger import Family, Ledger, SeriesLimits, StateError
from logwatch.packets import Scanner, Summary

SYSLOG = "/var/log/syslog"
NOON = 1_700_000_000.0


THREE = Sent(packets=3)


def add(ledger: Ledger, sent: Sequence[Sent], now: float = NOON) -> None:
    """Count packets as the agent does."""
    counted = summary(sent)
    ledger.add(counted, policies(counted), now)


def doubled(counted: Summary, times: int) -> Summary:
    """Let it count itself again and again."""
    for _ in range(times):
        counted.merge(Summary.from_bytes(counted.to_bytes()))
    return counted


def open_ledger(
    directory: Path, boot_id: str = "one", limits: SeriesLimits | None = None
) -> Ledger:
    return Ledger.open(
        directory, limits=limits or SeriesLimits(), boot_id=boot_id, clock=lambda: NOON
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ledger(directory: Path) -> Iterator[Ledger]:
    ledger = open_ledger(directory)
    yield ledger
    ledger.close()


def written_bytes(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if "-shm" not in path.name}


def test_a_denied_packet_is_in_four_families_and_a_logged_one_in_one(ledger: Ledger) -> None:
    """Only denied packets are counted by port, source and flow."""
    add(ledger, [THREE, Sent(policy=1, packets=5)])
    ledger.commit({}, {})
    expected = {
        "denied": Family({("deny-nodeports", "eth1", "tcp", "4"): (3, 180)}),
        "logged": Family({("log-denied-packets", "eth1", "tcp", "4"): (5, 300)}),
        "port": Family({("tcp", "22"): (3, 180)}),
        "source": Family({("203.0.113.7",): (3, 180)}),
        "flow": Family({("203.0.113.7", "tcp", "22"): (3, 180)}),
    }
    assert expected == dict(ledger.snapshot.families)


def test_a_checkpoint_is_forgotten_with_the_next_commit(ledger: Ledger, directory: Path) -> None:
    ledger.commit({SYSLOG: b"1", "/dev/kmsg": b"2"}, {})
    ledger.forget(SYSLOG)
    ledger.forget("/never/known")
    assert (None, ["/dev/kmsg"]) == (ledger.checkpoint(SYSLOG), ledger.inputs)
    ledger.close()
    again = open_ledger(directory)
    assert {SYSLOG, "/dev/kmsg"} == set(again.inputs)
    again.forget(SYSLOG)
    again.commit({}, {})
    again.close()
    last = open_ledger(directory)
    assert ["/dev/kmsg"] == last.inputs
    last.close()


def test_rows_of_one_source_add_up(ledger: Ledger) -> None:
    """Rows that differ only by their shape are one source and one flow."""
    add(ledger, [THREE, THREE._replace(shape="other")])
    add(ledger, [THREE._replace(protocol="none")])
    ledger.commit({}, {})
    families = ledger.snapshot.families
    assert {("203.0.113.7",): (9, 540)} == families["source"].series
    expected = {("203.0.113.7", "tcp", "22"): (6, 360), ("203.0.113.7", "none", ""): (3, 180)}
    assert expected == families["flow"].series


def test_what_found_no_room_is_in_other(ledger: Ledger) -> None:
    """Of a thousand sources the smallest table of the scanner takes 192; no packet is missing."""
    counted = summary(
        [THREE._replace(source=f"198.51.{i // 250}.{i % 250}") for i in range(1000)], memory=0
    )
    ledger.add(counted, policies(counted), NOON)
    ledger.commit({}, {})
    families = ledger.snapshot.families
    assert {(3000, 180_000)} == {families[name].total for name in ("denied", "source", "flow")}
    assert Family({("tcp", "22"): (576, 34_560)}, (2424, 145_440)) == families["port"]
    assert 128 == len(families["source"].series)


def test_a_wrong_batch_is_refused_before_anything_counts(ledger: Ledger) -> None:
    """Nothing of it is in one family and missing in the other."""
    counted = summary([THREE, THREE._replace(policy=1)])
    for wrong in ([], [("a", "denied")], [("a", "denied"), ("b\0", "logged")]):
        with pytest.raises(ValueError, match=r"verdicts|NUL"):
            ledger.add(counted, wrong, NOON)
    ledger.commit({}, {})
    assert {(0, 0)} == {family.total for family in ledger.snapshot.families.values()}


def test_control_characters_of_a_line_are_shown_escaped(ledger: Ledger) -> None:
    """A damaged line may hold anything for an interface; it stops neither count nor scrape."""
    scanner = Scanner(["calico-packet"])
    for interface in (b"a\0b", b"a\nb", b"a\x1bb", b"a\xffb", "höhe".encode()):
        scanner.feed(
            b"Sep  5 14:34:40 worker-1 kernel: [158271.044316] calico-packet: IN="
            + interface
            + b" OUT= MAC=08:00:27 SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00"
            b" TTL=64 ID=5 DF PROTO=TCP SPT=429 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0\n"
        )
    counted = scanner.drain()
    ledger.add(counted, [("deny-nodeports", "denied")], NOON)
    ledger.commit({}, {})
    shown = {interface for _, interface, _, _ in ledger.snapshot.families["denied"].series}
    # The line feed ends its line there: an odd one, without an interface to show.
    assert {"a\\x00b", "a\\x1bb", "a\\xffb", "höhe"} == shown


def test_only_what_is_committed_is_shown(ledger: Ledger) -> None:
    """The snapshot stays the same object until a commit succeeds."""
    before = ledger.snapshot
    add(ledger, [THREE])
    ledger.count("lines", ("packet",), 3)
    assert before is ledger.snapshot
    assert 0 == ledger.snapshot.counter("lines", "packet")
    ledger.commit({}, {})
    assert 3 == ledger.snapshot.counter("lines", "packet")
    assert 0 == before.counter("lines", "packet")


def test_all_of_it_survives_a_restart(directory: Path, ledger: Ledger) -> None:
    """Series, counters, checkpoints and documents are as they were, to any byte and size."""
    hostile = 'a"b\\c\n\x00\udc80é'
    add(ledger, [THREE, THREE._replace(source="2001:db8::1")])
    huge = doubled(summary([Sent(packets=2**31)]), times=32)
    for _ in range(2):
        ledger.add(huge, policies(huge), NOON)
    ledger.count("read_bytes", (hostile,), 2**70)
    ledger.count("offences", ("ports",), 0)
    ledger.commit({SYSLOG: b'{"position": 7}', hostile: b"\x00\xff"}, {"bans": {hostile: b"{}"}})
    shown = ledger.snapshot
    assert 2**64 + 3 == shown.families["source"].series["203.0.113.7",][0]
    ledger.close()
    again = open_ledger(directory)
    assert shown == again.snapshot
    assert 2**70 == again.snapshot.counter("read_bytes", hostile)
    assert ("offences", ("ports",)) in again.snapshot.counters
    assert (b'{"position": 7}', b"\x00\xff") == (
        again.checkpoint(SYSLOG),
        again.checkpoint(hostile),
    )
    assert {hostile: b"{}"} == again.documents("bans")
    again.close()


def test_idle_time_survives_a_restart(directory: Path) -> None:
    """A series that was idle before the restart gives up its place after it."""
    limits = SeriesLimits(source=2)
    ledger = open_ledger(directory, limits=limits)
    add(ledger, [Sent("203.0.113.1", packets=20)])
    add(ledger, [Sent("203.0.113.2", packets=20)], NOON + 600)
    ledger.commit({}, {})
    ledger.close()
    ledger = open_ledger(directory, limits=limits)
    add(ledger, [Sent("203.0.113.3", packets=20)], NOON + 901)
    ledger.commit({}, {})
    expected = Family({("203.0.113.2",): (20, 1200), ("203.0.113.3",): (20, 1200)}, (20, 1200))
    assert expected == ledger.snapshot.families["source"]
    ledger.close()
    ledger = open_ledger(directory, limits=limits)
    assert expected == ledger.snapshot.families["source"]
    ledger.close()


def test_what_was_not_committed_is_forgotten(directory: Path, ledger: Ledger) -> None:
    """Counts and position of the last commit stand together."""
    add(ledger, [THREE])
    ledger.commit({SYSLOG: b"1"}, {})
    add(ledger, [THREE])
    ledger.close()
    again = open_ledger(directory)
    assert ((3, 180), b"1") == (again.snapshot.families["source"].total, again.checkpoint(SYSLOG))
    again.close()


def test_after_a_reboot_counts_start_at_zero(directory: Path, ledger: Ledger) -> None:
    """Checkpoints and documents stay, and the next commit removes the old counts for good."""
    add(ledger, [THREE])
    ledger.count("lines", ("packet",), 3)
    ledger.commit({SYSLOG: b"1"}, {"bans": {"203.0.113.7/32": b"{}"}})
    ledger.close()
    for boot_id in ("two", "two"):
        ledger = open_ledger(directory, boot_id)
        assert (0, 0) == ledger.snapshot.families["source"].total
        assert {} == dict(ledger.snapshot.counters)
        assert b"1" == ledger.checkpoint(SYSLOG)
        assert {"203.0.113.7/32": b"{}"} == ledger.documents("bans")
        ledger.commit({}, {})
        ledger.close()


def test_a_collection_is_replaced_as_a_whole(directory: Path, ledger: Ledger) -> None:
    """Missing documents are removed, other collections and other inputs' checkpoints stay."""
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1", "b": b"2"}, "notes": {"a": b"9"}})
    ledger.commit({"/var/log/kern.log": b"5"}, {"bans": {"b": b"3"}})
    ledger.close()
    again = open_ledger(directory)
    assert ({"b": b"3"}, {"a": b"9"}) == (again.documents("bans"), again.documents("notes"))
    assert (b"1", b"5") == (again.checkpoint(SYSLOG), again.checkpoint("/var/log/kern.log"))
    again.close()


def test_no_change_is_no_write(directory: Path, ledger: Ledger) -> None:
    """The same position and the same documents again leave every byte on disk as it was."""
    add(ledger, [THREE])
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    before, shown = written_bytes(directory), ledger.snapshot
    add(ledger, [], NOON + 60)
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    assert before == written_bytes(directory)
    assert shown is ledger.snapshot


def test_a_commit_writes_only_what_changed(directory: Path, ledger: Ledger) -> None:
    """With 768 series known, a packet of one source costs a few pages, not the whole state."""
    many = [Sent(f"198.51.{i // 250}.{i % 250}", packets=20) for i in range(512)]
    add(ledger, many)
    ledger.commit({SYSLOG: b"1"}, {})
    log = directory / "logwatch.sqlite-wal"
    before = log.stat().st_size
    add(ledger, many[:1])
    ledger.commit({SYSLOG: b"2"}, {})
    assert 8 * 1024 > log.stat().st_size - before > 0


def test_counters_never_count_backwards(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="backwards"):
        ledger.count("lines", ("packet",), -1)


@contextmanager
def disk_that_fails(ledger: Ledger) -> Iterator[None]:  # noqa: ARG001
    """No file of this process can grow: a write fails in the middle of the transaction."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def disk_that_is_full(ledger: Ledger) -> Iterator[None]:
    """SQLite may not take another page."""
    assert ledger._store is not None
    connection = ledger._store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        connection.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def file_that_is_read_only(ledger: Ledger) -> Iterator[None]:
    assert ledger._store is not None
    ledger._store._connection.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        ledger._store._connection.execute("PRAGMA query_only = OFF")


@contextmanager
def file_that_is_locked(ledger: Ledger) -> Iterator[None]:
    """Another program is in the middle of writing."""
    assert ledger._store is not None
    other = sqlite3.connect(ledger._store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (disk_that_fails, "disk I/O error): look at the disk's space"),
        (disk_that_is_full, "database or disk is full): free space"),
        (file_that_is_read_only, "attempt to write a readonly database): make the file"),
        (file_that_is_locked, "database is locked): end the program"),
    ],
)
def test_a_failed_commit_loses_and_doubles_nothing(
    directory: Path, ledger: Ledger, fault: Callable[[Ledger], Iterator[None]], remedy: str
) -> None:
    """The old state stays shown and durable; the next commit that can be made writes it all."""
    add(ledger, [THREE])
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    before = ledger.snapshot
    for _ in range(2):
        many = [Sent(f"198.51.{i // 250}.{i % 250}", packets=10) for i in range(500)]
        add(ledger, many)
        ledger.count("lines", ("packet",), 500)
        with fault(ledger), pytest.raises(StateError) as caught:
            ledger.commit({SYSLOG: b"2"}, {"bans": {"b": b"2" * 5000}})
        assert remedy in str(caught.value)
        assert str(directory / "logwatch.sqlite") in str(caught.value)
        assert before is ledger.snapshot
    ledger.commit({}, {})
    after = ledger.snapshot
    assert (10_003, 600_180) == after.families["source"].total
    assert 1000 == after.counter("lines", "packet")
    ledger.close()
    again = open_ledger(directory)
    assert after == again.snapshot
    assert (b"2", {"b": b"2" * 5000}) == (again.checkpoint(SYSLOG), again.documents("bans"))
    again.close()


def test_a_state_file_that_was_removed_is_written_anew(directory: Path, ledger: Ledger) -> None:
    """`rm -r` of the state directory under a running daemon costs nothing."""
    add(ledger, [THREE])
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    before = ledger.snapshot
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    ledger.close()
    again = open_ledger(directory)
    assert before == again.snapshot
    assert (b"1", {"a": b"1"}) == (again.checkpoint(SYSLOG), again.documents("bans"))
    assert again.set_aside is None
    again.close()


def test_a_file_damaged_under_a_running_daemon_is_set_aside(
    directory: Path, ledger: Ledger
) -> None:
    """The commit that finds the damage fails, the next one writes everything into a new file."""
    add(ledger, [Sent(f"198.51.{i // 250}.{i % 250}", packets=20) for i in range(512)])
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    ledger.close()
    ledger = open_ledger(directory)
    path = directory / "logwatch.sqlite"
    path.write_bytes(path.read_bytes()[:2048] + b"\xff" * (path.stat().st_size - 2048))
    assert ledger._store is not None
    ledger._store._connection.execute("PRAGMA shrink_memory")
    add(ledger, [Sent(f"198.51.{i // 250}.{i % 250}", packets=20) for i in range(512)])
    with pytest.raises(StateError, match=r"malformed.*written anew at the next try"):
        ledger.commit({SYSLOG: b"2"}, {})
    ledger.commit({SYSLOG: b"2"}, {})
    assert directory / "logwatch.sqlite.damaged-20231114T221320Z" == ledger.set_aside
    shown = ledger.snapshot
    assert (20_480, 1_228_800) == shown.families["source"].total
    ledger.close()
    again = open_ledger(directory)
    assert shown == again.snapshot
    assert (b"2", {"a": b"1"}) == (again.checkpoint(SYSLOG), again.documents("bans"))
    again.close()


def overwritten(path: Path) -> None:
    path.write_bytes(b"\xff" * 10_000)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def holes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2048:8192] = bytes(6144)
    path.write_bytes(content)


def disorder(path: Path) -> None:
    """Make a key that reads well, but stands where no search finds it."""
    content = path.read_bytes()
    assert b'["tcp", "22"]' in content
    path.write_bytes(content.replace(b'["tcp", "22"]', b'["zzz", "99"]'))


def changed_by_statement(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return change


@pytest.mark.parametrize(
    "damage",
    [
        overwritten,
        cut,
        holes,
        disorder,
        changed_by_statement("DROP TABLE series"),
        changed_by_statement("UPDATE series SET packets = -5"),
        changed_by_statement("UPDATE series SET packets = 'many'"),
        changed_by_statement(f"UPDATE series SET packets = '{2**128}'"),
        changed_by_statement("UPDATE series SET labels = 'nonsense' WHERE family = 'source'"),
        changed_by_statement("UPDATE series SET labels = '7' WHERE family = 'source'"),
        changed_by_statement("PRAGMA application_id = 7"),
    ],
)
def test_a_damaged_file_is_set_aside_not_removed(
    directory: Path, damage: Callable[[Path], None]
) -> None:
    """The daemon starts with an empty state; each damaged file is kept under its own name."""
    path = directory / "logwatch.sqlite"
    for name in ("damaged-20231114T221320Z", "damaged-20231114T221320Z-2"):
        ledger = open_ledger(directory)
        add(ledger, [THREE, THREE._replace(port=23)])
        ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
        ledger.close()
        damage(path)
        damaged = path.read_bytes()
        ledger = open_ledger(directory)
        kept = directory / f"logwatch.sqlite.{name}"
        assert (kept, damaged) == (ledger.set_aside, kept.read_bytes())
        assert (0, 0) == ledger.snapshot.families["source"].total
        assert (None, {}) == (ledger.checkpoint(SYSLOG), ledger.documents("bans"))
        add(ledger, [THREE])
        ledger.commit({SYSLOG: b"1"}, {})
        ledger.close()


def test_an_empty_file_is_a_new_state(directory: Path) -> None:
    """A crash between the file's creation and its first transaction leaves it empty."""
    directory.mkdir()
    (directory / "logwatch.sqlite").touch()
    ledger = open_ledger(directory)
    assert ledger.set_aside is None
    ledger.close()


def test_a_newer_schema_is_refused_and_left_alone(directory: Path, ledger: Ledger) -> None:
    """After a downgrade nothing is overwritten; the sentence says both versions."""
    ledger.close()
    changed_by_statement("PRAGMA user_version = 2")(directory / "logwatch.sqlite")
    before = written_bytes(directory)
    with pytest.raises(StateError, match=r"newer logwatch \(schema 2, this one knows 1\)"):
        open_ledger(directory)
    assert before == written_bytes(directory)


def test_a_second_process_is_refused(directory: Path, ledger: Ledger) -> None:
    """One daemon a state directory: the sentence names the directory and the process."""
    assert issubclass(StateError, LogwatchError)
    code = (
        "import sys; from pathlib import Path; from logwatch.ledger import *\n"
        "try: Ledger.open(Path(sys.argv[1]), limits=SeriesLimits(), boot_id='one')\n"
        "except StateError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, directory],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = (
        f"The state directory {directory} is in use by process {os.getpid()}: stop that one, or "
        "give each its own directory with --state.\n"
    )
    assert expected == done.stdout
    with pytest.raises(StateError, match="in use"):
        open_ledger(directory)
    ledger.close()
    open_ledger(directory).close()


def test_another_program_may_look_into_the_file(directory: Path, ledger: Ledger) -> None:
    """A reader neither is refused nor stops the commits."""
    add(ledger, [THREE])
    ledger.commit({}, {})
    reader = sqlite3.connect(directory / "logwatch.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    query = "SELECT packets FROM series WHERE family = 'source' AND labels != '[]'"
    assert [(3,)] == reader.execute(query).fetchall()
    add(ledger, [THREE])
    ledger.commit({}, {})
    assert [(3,)] == reader.execute(query).fetchall()
    reader.close()


def test_a_missing_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """Attackers' addresses and bans are nobody else's business."""
    directory = tmp_path / "var" / "lib" / "logwatch"
    open_ledger(directory).close()
    assert 0o700 == stat.S_IMODE(directory.stat().st_mode)


def test_a_directory_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"file/state can't be used \(Not a directory\)"):
        open_ledger(tmp_path / "file" / "state")


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """Make a directory that every user may enter: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write everywhere; be nobody for a while. Other users stay who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_without_write_permission_is_refused(public_directory: Path) -> None:
    directory = public_directory / "state"
    directory.mkdir()
    directory.chmod(0o555)
    with unprivileged(), pytest.raises(StateError, match=r"can't be used \(Permission denied\)"):
        open_ledger(directory)


def test_a_file_of_another_user_is_refused(public_directory: Path) -> None:
    """SQLite alone would open it for reading and fail at each commit."""
    directory = public_directory / "state"
    open_ledger(directory).close()
    directory.chmod(0o777)
    (directory / "logwatch.lock").chmod(0o666)
    (directory / "logwatch.sqlite").chmod(0o444)
    with (
        unprivileged(),
        pytest.raises(StateError, match="may not be read and written by this user"),
    ):
        open_ledger(directory)


def test_a_directory_in_the_file_s_place_is_refused(directory: Path) -> None:
    (directory / "logwatch.sqlite").mkdir(parents=True)
    with pytest.raises(StateError, match=r"[Ii]s a directory"):
        open_ledger(directory)


def test_after_close_a_commit_is_a_mistake(ledger: Ledger) -> None:
    ledger.close()
    with pytest.raises(ValueError, match="closed"):
        ledger.commit({}, {})


def test_ten_thousand_rows_are_counted_in_milliseconds(ledger: Ledger) -> None:
    """A drain of the scanner's full table: 10 ms measured, a second would mean a lost order."""
    flood = [Sent(f"198.{i >> 16}.{i >> 8 & 255}.{i & 255}") for i in range(10_000)]
    counted = summary(flood)
    before = os.times()
    ledger.add(counted, policies(counted), NOON)
    after = os.times()
    assert 0.5 > after.user - before.user
    ledger.commit({}, {})
    families = ledger.snapshot.families
    assert 768 >= sum(len(families[name].series) for name in ("source", "flow"))
