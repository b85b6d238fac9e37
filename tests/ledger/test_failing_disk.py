"""A ledger that can't write its file."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ledger.state import SYSLOG, THREE, add, open_ledger
from offenders.packets import Sent

from logwatch.ledger import Ledger, StateError


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
