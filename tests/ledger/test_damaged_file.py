"""A ledger whose file is no longer what it wrote."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from ledger.state import SYSLOG, THREE, add, open_ledger, written_bytes
from offenders.packets import Sent

from logwatch.ledger import Ledger, StateError


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
