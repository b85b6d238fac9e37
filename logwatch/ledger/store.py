"""The SQLite file under a ledger: one transaction a commit, absolute values only.

Write-ahead log with a sync at each commit: a commit is whole or absent after `kill -9` and after a
power cut. The process that opened the file holds a lock beside it until it ends or closes.
"""

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import BinaryIO

from logwatch.ledger.errors import StateError
from logwatch.ledger.series import Saved
from logwatch.ledger.snapshot import Labels

FILE_NAME = "logwatch.sqlite"
LOCK_NAME = "logwatch.lock"
SCHEMA_VERSION = 1

APPLICATION_ID = 0x6C6F6777
"""`logw`; another program's database is never written to."""

PAGE_BYTES = 1024
"""A quiet commit (three series, one checkpoint) writes 4 KiB with these pages, 15 KiB with the
usual 4 KiB ones, and 11 to 38 KiB with a rollback journal; in a flood (768 series) 51 KiB."""

LOG_PAGES = 512
"""Pages in the write-ahead log before they are copied into the database: half a MiB."""

BUSY_SECONDS = 0.5
"""Wait for another program that is looking into the file; a scrape waits for this commit."""

LARGEST_INTEGER = 2**63 - 1
"""SQLite's. A forged "repeated 4294967295 times" makes counts beyond it: they are stored as text,
in columns without a type, so that no conversion makes a rounded number of them."""

TOO_LARGE = 2**128
"""No sum of what lines can say comes near it; such a number is damage."""

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (name TEXT, labels TEXT, value NOT NULL, PRIMARY KEY (name, labels))
    WITHOUT ROWID;
CREATE TABLE series (family TEXT, labels TEXT, packets NOT NULL, bytes NOT NULL,
    used REAL NOT NULL, PRIMARY KEY (family, labels)) WITHOUT ROWID;
CREATE TABLE checkpoints (path TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (collection TEXT, name TEXT, body BLOB NOT NULL,
    PRIMARY KEY (collection, name)) WITHOUT ROWID;
"""

COUNTS = ("counters", "series")
"""The tables that a reboot empties."""
EVERYTHING = (*COUNTS, "checkpoints", "documents")

CounterKey = tuple[str, Labels]
SeriesKey = tuple[str, Labels]
DocumentKey = tuple[str, str]


class _Damage(Exception):  # noqa: N818 - a finding, answered here by setting the file aside
    """The file is not a ledger, or not a whole one."""


@dataclass(frozen=True, slots=True)
class State:
    """All that a file holds; the same shape says what to change in it, None for removal."""

    boot_id: str | None = None
    counters: Sequence[tuple[CounterKey, int | None]] = ()
    series: Sequence[tuple[SeriesKey, Saved | None]] = ()
    checkpoints: Sequence[tuple[str, bytes | None]] = ()
    documents: Sequence[tuple[DocumentKey, bytes | None]] = ()
    emptied: Sequence[str] = ()
    """Changes only: tables to empty first."""


class Store:
    """The file, open and locked; one thread at a time."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or create; raises StateError. `set_aside` names a damaged file that was replaced."""
        self.path = directory / FILE_NAME
        self.set_aside: Path | None = None
        self._damaged = False
        self._clock = clock
        self._lock = _locked(directory)
        try:
            self._connection, self.state = self._open()
        except BaseException:
            self._lock.close()
            raise

    def write(self, changes: State) -> None:
        """Make all changes durable, or none; raises StateError, after which it can be repeated."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            _apply(connection, changes)
            connection.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as error:
            with suppress(sqlite3.Error):  # the failure that is told is the first one
                connection.execute("ROLLBACK")
            self._damaged = isinstance(error, sqlite3.DatabaseError) and _is_damage(error)
            raise StateError(_sentence(self.path, error)) from error

    @property
    def lost(self) -> bool:
        """Whether the open file is no longer the one at its path, as after `rm`, or is damaged."""
        if self._damaged:
            return True
        try:
            status = self.path.stat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._identity

    def close(self) -> None:
        """Close the file and give up the lock."""
        with suppress(sqlite3.Error):  # what is committed is in the log even when this fails
            self._connection.close()
        self._lock.close()

    def _open(self) -> tuple[sqlite3.Connection, State]:
        try:
            return self._open_file()
        except _Damage:
            self.set_aside = self._put_aside()
        try:
            return self._open_file()
        except _Damage as error:
            raise StateError(
                f"A new state file {self.path} can't be read back: look at the disk's health."
            ) from error

    def _open_file(self) -> tuple[sqlite3.Connection, State]:
        usable = os.access(self.path, os.R_OK | os.W_OK, effective_ids=True)
        if self.path.exists() and not usable:
            raise StateError(
                f"The state file {self.path} may not be read and written by this user: give it to "
                f"user {os.geteuid()}, or choose another directory with --state."
            )
        connection: sqlite3.Connection | None = None
        try:
            _make_private(self.path)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            _prepare(connection, self.path)
            state = _read(connection)
            status = self.path.stat()
            self._identity = (status.st_dev, status.st_ino)
        except BaseException as error:
            if connection is not None:
                with suppress(sqlite3.Error):  # the failure that is told is the first one
                    connection.close()
            if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
                raise _Damage from error
            if isinstance(error, (sqlite3.Error, OSError)):
                raise StateError(_sentence(self.path, error)) from error
            raise
        return connection, state

    def _put_aside(self) -> Path:
        """Rename the damaged file and its log, so that they still belong together."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        target = free = self.path.with_name(f"{FILE_NAME}.damaged-{stamp}")
        number = 1
        while free.exists():
            number += 1
            free = target.with_name(f"{target.name}-{number}")
        try:
            for suffix in ("-wal", "-shm", "-journal", ""):
                source = self.path.with_name(FILE_NAME + suffix)
                if source.exists():
                    source.rename(free.with_name(free.name + suffix))
        except OSError as error:
            raise StateError(
                f"The state file {self.path} is damaged and could not be set aside "
                f"({error.strerror}): move it away by hand."
            ) from error
        return free


def _make_private(path: Path) -> None:
    """Make a file that only its owner reads: the sources in it are nobody else's business."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _locked(directory: Path) -> BinaryIO:
    """Take the state directory's lock; the directory is made when it is missing."""
    path = directory / LOCK_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_private(path)
        lock = path.open("a+b", buffering=0)
    except OSError as error:
        raise StateError(
            f"The state directory {directory} can't be used ({error.strerror}): choose one that "
            f"user {os.geteuid()} may write, with --state."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read(20).decode("ascii", "replace").strip()
        lock.close()
        who = f"process {holder}" if holder.isdigit() else "another process"
        raise StateError(
            f"The state directory {directory} is in use by {who}: stop that one, or give each "
            "its own directory with --state."
        ) from error
    with suppress(OSError):  # the number is a courtesy to who is refused; the lock is held anyway
        lock.truncate(0)
        lock.write(b"%d\n" % os.getpid())
    return lock


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set the file's modes, make a new one's tables, and check an old one."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not is_empty and application != APPLICATION_ID:
        raise _Damage
    if version > SCHEMA_VERSION:
        raise StateError(
            f"The state file {path} was written by a newer logwatch (schema {version}, this one "
            f"knows {SCHEMA_VERSION}): install that version again, or move the file away to start "
            "without it."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_PAGES * PAGE_BYTES}")
    if is_empty:
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    elif connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
        raise _Damage


def _read(connection: sqlite3.Connection) -> State:
    """Read all that the file holds."""
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta"))
        return State(
            boot_id=meta.get("boot_id"),
            counters=[
                ((name, _labels(labels)), _natural(value))
                for name, labels, value in connection.execute("SELECT * FROM counters")
            ],
            series=[
                ((family, _labels(labels)), (_natural(packets), _natural(size), float(used)))
                for family, labels, packets, size, used in connection.execute(
                    "SELECT * FROM series"
                )
            ],
            checkpoints=[
                (json.loads(path), bytes(body))
                for path, body in connection.execute("SELECT * FROM checkpoints")
            ],
            documents=[
                ((collection, json.loads(name)), bytes(body))
                for collection, name, body in connection.execute("SELECT * FROM documents")
            ],
        )
    except (ValueError, TypeError) as error:
        raise _Damage from error


def _apply(connection: sqlite3.Connection, changes: State) -> None:
    """Run the statements of one transaction."""
    for table in changes.emptied:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables' names
    if changes.boot_id is not None:
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('boot_id', ?)", [changes.boot_id])
    _put(
        connection,
        "counters",
        ("name", "labels"),
        [
            ((name, _text(labels)), None if value is None else (_stored(value),))
            for (name, labels), value in changes.counters
        ],
    )
    _put(
        connection,
        "series",
        ("family", "labels"),
        [
            (
                (family, _text(labels)),
                None if saved is None else (_stored(saved[0]), _stored(saved[1]), saved[2]),
            )
            for (family, labels), saved in changes.series
        ],
    )
    _put(
        connection,
        "checkpoints",
        ("path",),
        [((_text(path),), None if body is None else (body,)) for path, body in changes.checkpoints],
    )
    _put(
        connection,
        "documents",
        ("collection", "name"),
        [
            ((collection, _text(name)), None if body is None else (body,))
            for (collection, name), body in changes.documents
        ],
    )


Column = str | int | float | bytes


def _put(
    connection: sqlite3.Connection,
    table: str,
    key_columns: Sequence[str],
    rows: Sequence[tuple[tuple[Column, ...], tuple[Column, ...] | None]],
) -> None:
    """Insert or replace rows given as key and value columns; remove those without values."""
    full = [(*key, *values) for key, values in rows if values is not None]
    gone = [key for key, values in rows if values is None]
    if full:
        marks = ", ".join("?" * len(full[0]))
        insert = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 - our own names
        connection.executemany(insert, full)
    if gone:
        condition = " AND ".join(f"{column} = ?" for column in key_columns)
        delete = f"DELETE FROM {table} WHERE {condition}"  # noqa: S608 - our own names
        connection.executemany(delete, gone)


def _text(value: str | Labels) -> str:
    """Labels or a path as JSON in plain ASCII, so that a lone surrogate or a NUL is kept as it is.

    By hand, for a commit writes a thousand of them a second.
    """
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    return f"[{', '.join(map(encode_basestring_ascii, value))}]"


def _labels(text: str) -> Labels:
    parts = json.loads(text)
    if not isinstance(parts, list):
        raise TypeError(text)
    return tuple(str(part) for part in parts)


def _stored(value: int) -> int | str:
    return value if value <= LARGEST_INTEGER else str(value)


def _natural(value: int | str) -> int:
    number = int(value)
    if not 0 <= number < TOO_LARGE:
        raise ValueError(value)
    return number


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the content is at fault, not the disk, the permissions or another process.

    A file of our own kind without its tables or columns gives plain SQLITE_ERROR.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


_REMEDIES = {
    sqlite3.SQLITE_FULL: "free space on its file system",
    sqlite3.SQLITE_READONLY: "make the file, its directory and its file system writable",
    sqlite3.SQLITE_CANTOPEN: "make its directory writable",
    sqlite3.SQLITE_BUSY: "end the program that keeps it locked",
    sqlite3.SQLITE_IOERR: "look at the disk's space, quota and health",
    sqlite3.SQLITE_CORRUPT: "nothing to do, it is set aside and written anew at the next try",
    sqlite3.SQLITE_NOTADB: "nothing to do, it is set aside and written anew at the next try",
}


def _sentence(path: Path, error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    remedy = _REMEDIES.get(code, "look at the file and its directory")
    cause = error.strerror if isinstance(error, OSError) else error
    return f"The state file {path} can't be written ({cause}): {remedy}."
