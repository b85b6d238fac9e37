"""Where a ledger is kept, and who may use it."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ledger.state import THREE, add, open_ledger

from logwatch.errors import LogwatchError
from logwatch.ledger import Ledger, StateError


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
