"""A follower that goes on from a checkpoint, whatever happened to the files meanwhile."""

import os
from pathlib import Path

import pytest
from tail.recorder import Setting, append, lines_of, numbered, open_files

from logwatch.tail import CheckpointError, read_checkpoint

OLD = numbered(0, 20)
NEW = numbered(100, 20)


def test_goes_on_exactly(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    append(setting.path, NEW)
    setting.go_on(saved)
    assert lines_of(NEW) == setting.poll()


def test_goes_on_after_every_limit(setting: Setting) -> None:
    append(setting.path, OLD)
    for limit in range(1, 1400, 130):
        setting.follower.poll(limit)
        setting.restart()
    assert lines_of(OLD) == setting.lines + setting.poll()


def test_partial_line_is_read_whole_after_a_restart(setting: Setting) -> None:
    append(setting.path, OLD + b"begun before, ")
    setting.poll()
    saved = setting.stop()
    append(setting.path, b"finished after\n")
    setting.go_on(saved)
    assert [b"begun before, finished after"] == setting.poll()


def test_short_file_goes_on(setting: Setting) -> None:
    append(setting.path, b"a\n")
    setting.poll()
    saved = setting.stop()
    append(setting.path, b"b\n")
    setting.go_on(saved)
    assert [b"b"] == setting.poll()


def test_start_does_not_count_when_there_is_a_checkpoint(ending: Setting) -> None:
    ending.poll()
    saved = ending.stop()
    append(ending.path, OLD)
    ending.go_on(saved)
    assert lines_of(OLD) == ending.poll()


def test_unsettled_checkpoint_decides_anew(ending: Setting) -> None:
    """Saved before the first poll, it says nothing of where to begin."""
    append(ending.path, OLD)
    ending.restart()
    assert [] == ending.poll()


def test_rotated_while_stopped(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    setting.path.rename(setting.rotated())
    append(setting.path, NEW)
    setting.go_on(saved)
    assert lines_of(OLD[640:] + NEW) == setting.poll()
    assert (1, 0) == (setting.follower.status.rotations, setting.follower.status.lost_files)


def test_rotated_while_stopped_and_not_created_yet(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    setting.path.rename(setting.rotated())
    setting.go_on(saved)
    assert lines_of(OLD[640:]) == setting.settle()
    append(setting.rotated(), b"late\n")
    assert [b"late"] == setting.poll()
    append(setting.path, NEW)
    assert lines_of(NEW) == setting.poll()


def test_rotated_by_date_while_stopped(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    setting.path.rename(setting.path.with_name("syslog-20260124"))
    append(setting.path, NEW)
    setting.go_on(saved)
    assert lines_of(OLD[640:] + NEW) == setting.poll()


def test_rotated_twice_while_stopped(setting: Setting) -> None:
    """The file in the middle was never seen and is read from 0; what was there before is not."""
    append(setting.rotated(9), b"from before\n")
    os.utime(setting.rotated(9), ns=(1, 1))
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    setting.path.rename(setting.rotated(2))
    append(setting.rotated(1), NEW)
    append(setting.path, b"one\n")
    setting.go_on(saved)
    assert [*lines_of(OLD[640:] + NEW), b"one"] == setting.poll()


def test_two_old_files_were_open(setting: Setting) -> None:
    oldest, older = setting.rotated(2), setting.rotated(1)
    append(setting.path, OLD)
    setting.follower.poll(640)
    setting.path.rename(oldest)
    append(setting.path, NEW)
    setting.follower.poll(0)
    setting.path.rename(older)
    append(setting.path, b"one\n")
    setting.follower.poll(0)
    assert 3 == setting.follower.status.open_files
    saved = setting.stop()
    append(oldest, b"late\n")
    append(older, b"later\n")
    append(setting.path, b"two\n")
    setting.go_on(saved)
    expected = [*lines_of(OLD[640:]), b"late", *lines_of(NEW), b"later", b"one", b"two"]
    assert expected == setting.poll()


def test_closed_files_are_not_read_again(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    setting.path.rename(setting.rotated())
    append(setting.path, NEW)
    setting.settle()
    setting.restart()
    assert [] == setting.settle()
    setting.rotated().rename(setting.rotated(2))
    setting.path.rename(setting.rotated())
    append(setting.path, b"one\n")
    setting.restart()
    assert [b"one"] == setting.settle()


def test_file_is_gone(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    setting.path.unlink()
    setting.go_on(saved)
    assert [] == setting.poll()
    setting.restart()
    append(setting.path, NEW)
    assert lines_of(NEW) == setting.poll()
    assert 1 == setting.follower.status.lost_files


@pytest.mark.parametrize("size", [1, 20, 400])
def test_reused_inode_with_other_content(setting: Setting, size: int) -> None:
    """Written in place, which is what a reused inode looks like."""
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    setting.path.write_bytes(numbered(100, size))
    setting.go_on(saved)
    assert lines_of(numbered(100, size)) == setting.poll()


def test_truncated_while_stopped(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    setting.rotated().write_bytes(OLD + NEW)
    setting.path.write_bytes(b"one\n")
    setting.go_on(saved)
    assert sorted([*lines_of(NEW), b"one"]) == sorted(setting.poll())
    assert (1, 0) == (setting.follower.status.truncations, setting.follower.status.lost_files)


def test_replaced_while_stopped(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    other = setting.path.with_name("other")
    other.write_bytes(NEW)
    other.replace(setting.path)
    setting.go_on(saved)
    assert lines_of(NEW) == setting.poll()
    assert 1 == setting.follower.status.lost_files


def test_device_number_that_changed(setting: Setting) -> None:
    """As after a reboot, or a copy to another disk: a full sample of the content is enough."""
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    copy = setting.path.with_name("copy")
    copy.write_bytes(OLD + NEW)
    copy.replace(setting.path)
    setting.go_on(saved)
    assert lines_of(NEW) == setting.poll()


def test_file_rolled_back_by_a_crash(setting: Setting) -> None:
    """What had not reached the disk is gone, and was counted: nothing is counted again."""
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    os.truncate(setting.path, 640)
    setting.go_on(saved)
    assert [] == setting.poll()
    append(setting.path, b"one\n")
    assert [b"one"] == setting.poll()


def test_file_rolled_back_to_zeros_by_a_crash(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    saved = setting.stop()
    os.truncate(setting.path, 640)
    os.truncate(setting.path, len(OLD))
    append(setting.path, b"\none\n")
    setting.go_on(saved)
    assert [b"one"] == [line.lstrip(b"\0") for line in setting.poll() if line.strip(b"\0")]


def test_unreadable_after_a_restart(setting: Setting) -> None:
    """The position is kept until the file can be opened, over further restarts as well."""
    append(setting.path, OLD)
    setting.follower.poll(640)
    setting.opener.error = PermissionError(13, "Permission denied")
    setting.restart()
    setting.poll()
    setting.restart()
    setting.poll()
    setting.opener.error = None
    assert lines_of(OLD[640:]) == setting.poll()


def test_rotated_while_stopped_and_unreadable(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    setting.path.rename(setting.rotated())
    append(setting.path, NEW)
    setting.go_on(saved)
    setting.opener.error = PermissionError(13, "Permission denied")
    setting.poll()
    setting.opener.error = None
    assert sorted(lines_of(OLD[640:] + NEW)) == sorted(setting.poll())


def test_directory_missing_after_a_restart(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    away = setting.path.parent.rename(setting.path.parent.with_name("away"))
    setting.go_on(saved)
    setting.poll()
    away.rename(setting.path.parent)
    assert lines_of(OLD[640:]) == setting.poll()


def test_checkpoint_does_not_change_while_nothing_is_read(setting: Setting) -> None:
    """So that an idle daemon has nothing to write."""
    append(setting.path, OLD + b"partial")
    setting.poll()
    saved = setting.follower.checkpoint().to_json()
    setting.settle()
    assert saved == setting.follower.checkpoint().to_json()
    setting.follower.close()
    assert saved == setting.follower.checkpoint().to_json()


def test_position_is_a_line_end(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(100)
    assert [64] == [mark.position for mark in setting.follower.checkpoint().files]


@pytest.mark.parametrize("size", [10, 255, 256, 257, 300_000])
def test_line_of_any_length_across_a_restart(log: Path, size: int) -> None:
    setting = Setting(log)
    line = b"x" * size
    append(log, b"first\n" + line)
    setting.poll()
    setting.restart()
    setting.poll()
    append(log, b"\nlast\n")
    assert [line, b"last"] == setting.poll()
    setting.restart()
    assert [] == setting.poll()
    setting.follower.close()


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"files": 1}', b'{"version": 2}'])
def test_damaged_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError, match="remove it"):
        read_checkpoint(data)


@pytest.mark.parametrize("working", [0, 1, 2, 3])
@pytest.mark.parametrize("path_is_back", [False, True])
def test_rotated_file_that_can_not_be_sampled_is_tried_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, working: int, *, path_is_back: bool
) -> None:
    """Whichever of its reads fails, while it is recognised or when it is taken in."""
    real_pread = os.pread
    calls = []

    def fail(descriptor: int, size: int, offset: int) -> bytes:
        calls.append(offset)
        if len(calls) > working:
            raise OSError(5, "Input/output error")
        return real_pread(descriptor, size, offset)

    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    setting.path.rename(setting.rotated())
    setting.go_on(saved)
    before = open_files(setting.path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", fail)
        assert [] == setting.poll()
    status = setting.follower.status
    assert ("unreadable", 1) == (status.state, status.read_errors)
    assert "input/output error" in status.reason
    assert before == open_files(setting.path.parent)
    assert setting.follower.checkpoint() == read_checkpoint(saved)
    if path_is_back:
        append(setting.path, NEW)
    expected = lines_of(OLD[640:] + NEW) if path_is_back else lines_of(OLD[640:])
    assert expected == setting.poll()
    assert 0 == setting.follower.status.lost_files
