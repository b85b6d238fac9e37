"""The audit log: every line once, in order, whatever happens to the file."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from logwatch.audit import AuditError, AuditLog

NOW = 1_700_000_000.0


def audit(path: Path | None, saved: dict[str, bytes] | None = None, **limits: int) -> AuditLog:
    return AuditLog(path, saved or {}, "enforce", **limits)


def note(log: AuditLog, *networks: str) -> None:
    for network in networks:
        log.note(NOW, "banned", network=network)


def told(*paths: Path) -> list[tuple[int, str]]:
    """Number and network of each line; it fails for what is no whole line."""
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [(line["number"], line.get("network", "")) for line in lines]


def test_a_line_says_what_applies_and_nothing_else(tmp_path: Path) -> None:
    log = audit(tmp_path / "a")
    log.note(NOW, "policy written", added=("192.0.2.1/32",))
    assert not (tmp_path / "a").exists()
    log.write()
    expected = {
        "number": 1,
        "time": "2023-11-14T22:13:20Z",
        "event": "policy written",
        "mode": "enforce",
        "added": ["192.0.2.1/32"],
    }
    assert expected == json.loads((tmp_path / "a").read_text())
    assert 0o640 == (tmp_path / "a").stat().st_mode & 0o777


@pytest.mark.parametrize("rotation", ["rename", "copytruncate", "create"])
def test_a_rotated_file_is_followed(tmp_path: Path, rotation: str) -> None:
    path, old = tmp_path / "a", tmp_path / "a.old"
    log = audit(path)
    note(log, "one", "two")
    log.write()
    if rotation == "copytruncate":
        shutil.copy(path, old)
        os.truncate(path, 0)
    else:
        path.rename(old)
        if rotation == "create":
            path.touch()
    note(log, "three")
    log.write()
    assert [(1, "one"), (2, "two")] == told(old)
    assert [(3, "three")] == told(path)


@pytest.mark.parametrize("written", [False, True])
def test_a_kill_around_the_writing_neither_loses_nor_doubles(tmp_path: Path, written: bool) -> None:
    """The ledger holds the lines of the last commit; the file has them or has not."""
    path = tmp_path / "a"
    log = audit(path)
    note(log, "one")
    log.write()
    note(log, "two", "three")
    saved = log.documents()
    if written:
        log.write()
    log = audit(path, saved)
    note(log, "four")
    log.write()
    assert [(1, "one"), (2, "two"), (3, "three"), (4, "four")] == told(path)


def test_half_a_line_is_completed(tmp_path: Path) -> None:
    """A kill in the middle of a write, at each byte of the line."""
    path = tmp_path / "a"
    log = audit(path)
    note(log, "one")
    log.write()
    first = path.read_bytes()
    note(log, "two")
    saved = log.documents()
    log.write()
    whole = path.read_bytes()
    for size in range(len(first), len(whole)):
        path.write_bytes(whole[:size])
        audit(path, saved).write()
        assert whole == path.read_bytes()


def test_what_somebody_else_left_unfinished_stays_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("# by hand")
    log = audit(path)
    note(log, "one")
    log.write()
    assert "# by hand" == path.read_text().splitlines()[0]
    assert 1 == json.loads(path.read_text().splitlines()[1])["number"]


def test_numbers_go_on_after_the_file_is_gone(tmp_path: Path) -> None:
    log = audit(tmp_path / "a")
    note(log, "one", "two")
    log.write()
    saved = log.documents()
    (tmp_path / "a").unlink()
    log = audit(tmp_path / "a", saved)
    note(log, "three")
    log.write()
    assert [(3, "three")] == told(tmp_path / "a")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_loses_nothing_up_to_the_bound_and_counts_the_rest(small_disk: Path) -> None:
    log = audit(small_disk / "a", waiting_most=1000)
    note(log, *(f"{number:0200}" for number in range(300)))
    with pytest.raises(AuditError, match="No space left"):
        log.write()
    waiting = log.waiting
    assert 0 < waiting < 300
    with pytest.raises(AuditError):
        log.write()
    assert waiting == log.waiting
    note(log, *(f"late {number}" for number in range(1007 - waiting)))
    assert (1000, 7) == (log.waiting, log.dropped)
    moved = small_disk.parent / "moved"
    shutil.move(small_disk / "a", moved)
    with pytest.raises(AuditError):  # a thousand lines are more than fit
        log.write()
    second = small_disk.parent / "moved too"
    shutil.move(small_disk / "a", second)
    note(log, "after")
    log.write()
    written = b"\n".join(path.read_bytes() for path in (moved, second, small_disk / "a"))
    lines = []
    for line in written.splitlines():
        with suppress(json.JSONDecodeError):  # half was moved away; the next file has it whole
            lines.append(json.loads(line))
    numbers = [line["number"] for line in lines]
    last = 300 + 1007 - waiting
    assert [*range(1, last - 6), last + 1, last + 2] == numbers
    assert ("dropped", 7) == (lines[-2]["event"], lines[-2]["lines"])
    assert "after" == lines[-1]["network"]


def test_what_waits_is_kept_over_a_restart(tmp_path: Path) -> None:
    log = audit(tmp_path / "missing" / "a")
    note(log, "one", "two")
    with pytest.raises(AuditError, match="2 lines wait"):
        log.write()
    (tmp_path / "missing").mkdir()
    log = audit(tmp_path / "missing" / "a", log.documents())
    log.write()
    assert [(1, "one"), (2, "two")] == told(tmp_path / "missing" / "a")


def test_a_large_file_makes_room_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "a"
    log = audit(path, size_most=300)
    for number in range(12):
        note(log, str(number))
        log.write()
    files = [tmp_path / "a.1", path]
    assert all(file.stat().st_size < 500 for file in files)
    numbers = [number for number, _ in told(*files)]
    assert list(range(numbers[0], 13)) == numbers


def test_a_pipe_is_no_audit_log(tmp_path: Path) -> None:
    """Opening one would wait for a reader for ever."""
    os.mkfifo(tmp_path / "a")
    log = audit(tmp_path / "a")
    note(log, "one")
    with pytest.raises(AuditError):
        log.write()


def test_off_keeps_nothing() -> None:
    log = audit(None)
    note(log, "one")
    log.write()
    assert ({}, 0) == (log.documents(), log.waiting)
