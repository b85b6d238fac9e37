"""A running follower against a real file system; each poll is made by hand."""

import os
import socket
from pathlib import Path

import pytest
from tail.recorder import LineSink, Setting, append, lines_of, numbered, open_files

from logwatch.tail import Follower

OLD = numbered(0, 20)
NEW = numbered(100, 20)


def test_reads_what_is_appended(setting: Setting) -> None:
    append(setting.path, b"one\ntwo\n")
    assert [b"one", b"two"] == setting.poll()
    append(setting.path, b"three\n")
    assert [b"three"] == setting.poll()
    assert 14 == setting.follower.status.read_bytes
    assert "reading" == setting.follower.status.state
    assert setting.follower.status.at_end


def test_file_that_appears_later_is_read_from_0(ending: Setting) -> None:
    """Even when starting at the end: what appears later is new as a whole."""
    assert [] == ending.poll()
    assert "missing" == ending.follower.status.state
    assert str(ending.path) in ending.follower.status.reason
    append(ending.path, b"one\n")
    assert [b"one"] == ending.poll()


def test_directory_that_appears_later(tmp_path: Path) -> None:
    setting = Setting(tmp_path / "later" / "syslog", "end")
    assert [] == setting.poll()
    setting.path.parent.mkdir()
    append(setting.path, b"one\n")
    assert [b"one"] == setting.poll()
    setting.follower.close()


def test_start_at_the_end_skips_what_is_there(ending: Setting) -> None:
    append(ending.path, OLD)
    assert [] == ending.poll()
    assert 0 == ending.follower.status.behind_bytes
    append(ending.path, b"one\n")
    assert [b"one"] == ending.poll()


def test_start_at_the_end_reads_the_unfinished_line_whole(ending: Setting) -> None:
    """A line that is finished after the start is read, and never only its second half."""
    append(ending.path, OLD + b"begun before, ")
    assert [] == ending.poll()
    append(ending.path, b"finished after\n")
    assert [b"begun before, finished after"] == ending.poll()


def test_start_at_the_end_of_one_unfinished_line(ending: Setting) -> None:
    append(ending.path, b"x" * 1_000_000)
    assert [] == ending.poll()
    append(ending.path, b"\none\n")
    assert [1_000_000, 3] == [len(line) for line in ending.poll()]


def test_partial_line_waits(setting: Setting) -> None:
    append(setting.path, b"one\ntw")
    assert [b"one"] == setting.poll()
    append(setting.path, b"o\n")
    assert [b"two"] == setting.poll()


def test_writer_that_goes_on_with_the_renamed_file(setting: Setting) -> None:
    """Both files are read; the old one until it was silent for the grace, and then closed."""
    with setting.path.open("ab", buffering=0) as writer:
        writer.write(b"one\n")
        assert [b"one"] == setting.poll()
        setting.path.rename(setting.rotated())
        writer.write(b"two\n")
        append(setting.path, b"new one\n")
        assert {b"two", b"new one"} == set(setting.poll())
        setting.now += 4.9
        setting.poll()
        writer.write(b"three\n")
        assert [b"three"] == setting.poll()
        setting.now += 4.9
        setting.poll()
        setting.now += 4.9
        setting.poll()
        assert 2 == setting.follower.status.open_files
        writer.write(b"four")
        assert [] == setting.poll()
    assert [b"four"] == setting.settle()
    assert 1 == setting.follower.status.open_files
    assert 1 == setting.follower.status.rotations


@pytest.mark.parametrize("gap", [0.0, 100.0])
def test_writer_of_a_log_that_was_quiet_before_it_was_renamed(setting: Setting, gap: float) -> None:
    """As with logrotate's `create`: the silence before the new file came does not count."""
    append(setting.path, b"one\n")
    setting.settle()
    setting.path.rename(setting.rotated())
    if gap:
        setting.poll()
        setting.now += gap
        setting.poll()
    setting.path.touch()
    setting.poll()
    setting.now += 4.9
    setting.poll()
    append(setting.rotated(), b"late\n")
    assert [b"late"] == setting.poll()


def test_writer_of_a_log_that_was_quiet_before_it_was_removed(setting: Setting) -> None:
    with setting.path.open("ab", buffering=0) as writer:
        writer.write(b"one\n")
        setting.settle()
        setting.path.unlink()
        setting.poll()
        setting.now += 30.0
        setting.poll()
        writer.write(b"late\n")
        assert [b"late"] == setting.poll()


def test_old_file_is_kept_until_the_new_one_exists(setting: Setting) -> None:
    append(setting.path, b"one\n")
    setting.poll()
    setting.path.rename(setting.rotated())
    setting.settle()
    setting.settle()
    assert "missing" == setting.follower.status.state
    append(setting.rotated(), b"two\n")
    assert [b"two"] == setting.poll()
    append(setting.path, b"three\n")
    assert [b"three"] == setting.poll()


def test_file_renamed_back_is_not_read_again(setting: Setting) -> None:
    """Neither while it is still open nor after it was closed."""
    append(setting.path, OLD)
    setting.poll()
    for wait in (setting.poll, setting.settle):
        setting.path.rename(setting.rotated())
        append(setting.path, b"between\n")
        assert [b"between"] == wait()
        setting.rotated().replace(setting.path)
        append(setting.path, b"one\n")
        assert [b"one"] == setting.poll()
        opened = setting.opener.opened
        setting.poll()
        assert opened == setting.opener.opened


def test_file_that_came_and_went_while_the_path_was_empty(setting: Setting) -> None:
    """It is found although the renamed file was written later."""
    append(setting.path, OLD)
    setting.poll()
    setting.path.rename(setting.rotated(2))
    append(setting.rotated(1), NEW)
    append(setting.rotated(2), b"late\n")
    os.utime(setting.rotated(2), (4e9, 4e9))
    assert [b"late"] == setting.poll()
    append(setting.path, b"one\n")
    assert [*lines_of(NEW), b"one"] == setting.poll()


def test_double_rotation_between_two_polls(setting: Setting) -> None:
    """A file that came and went unseen is found beside the path; older ones are left alone."""
    append(setting.rotated(), b"from before\n")
    append(setting.path, OLD)
    assert lines_of(OLD) == setting.poll()
    setting.rotated().rename(setting.rotated(3))
    setting.path.rename(setting.rotated(2))
    append(setting.rotated(2), b"late\n")
    append(setting.rotated(1), NEW)
    append(setting.path, b"latest\n")
    assert sorted([b"late", *lines_of(NEW), b"latest"]) == sorted(setting.poll())
    assert 2 == setting.follower.status.rotations
    setting.settle()
    setting.rotated(3).unlink()
    setting.path.rename(setting.rotated(3))
    append(setting.path, b"next\n")
    assert [b"next"] == setting.poll()


def test_compressed_twin_is_not_read(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    setting.path.rename(setting.rotated())
    append(setting.path.with_name("syslog.1.gz"), NEW)
    append(setting.path, b"one\n")
    assert [b"one"] == setting.poll()


def test_removed_file(setting: Setting) -> None:
    """Its writer may still use it; without a successor it is closed after a longer silence."""
    with setting.path.open("ab", buffering=0) as writer:
        writer.write(b"one\n")
        setting.poll()
        setting.path.unlink()
        writer.write(b"two\nthr")
        assert [b"two"] == setting.poll()
    setting.now += 30.0
    setting.poll()
    setting.poll()
    assert 1 == setting.follower.status.open_files
    assert [b"thr"] == setting.settle()
    assert 0 == setting.follower.status.open_files
    append(setting.path, b"new\n")
    assert [b"new"] == setting.poll()


def test_removed_and_created_anew(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    setting.path.unlink()
    append(setting.path, OLD)
    assert lines_of(OLD) == setting.poll()


def test_replaced_by_a_file_of_the_same_size(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    other = setting.path.with_name("other")
    other.write_bytes(NEW)
    other.replace(setting.path)
    assert lines_of(NEW) == setting.poll()


def test_unreadable_for_a_while(setting: Setting) -> None:
    append(setting.path, b"one\n")
    setting.opener.error = PermissionError(13, "Permission denied")
    assert [] == setting.poll()
    status = setting.follower.status
    assert ("unreadable", False, 4) == (status.state, status.at_end, status.behind_bytes)
    assert str(setting.path) in status.reason
    assert "permission denied" in status.reason
    setting.opener.error = None
    assert [b"one"] == setting.poll()
    assert ("reading", "") == (setting.follower.status.state, setting.follower.status.reason)


def test_unreadable_after_rotation(setting: Setting) -> None:
    """The old file is read on, however long the new one can't be opened."""
    append(setting.path, b"one\n")
    setting.poll()
    setting.path.rename(setting.rotated())
    append(setting.path, b"new\n")
    setting.opener.error = PermissionError(13, "Permission denied")
    setting.settle()
    append(setting.rotated(), b"two\n")
    assert [b"two"] == setting.settle()
    setting.opener.error = None
    assert [b"new"] == setting.poll()


def test_unreadable_at_the_start_begins_at_the_end_of_that_moment(ending: Setting) -> None:
    append(ending.path, OLD)
    ending.opener.error = PermissionError(13, "Permission denied")
    ending.poll()
    append(ending.path, b"one\n")
    assert not ending.follower.checkpoint().settled
    ending.opener.error = None
    assert [b"one"] == ending.poll()
    assert ending.follower.checkpoint().settled


def test_unreadable_at_the_start_and_replaced(ending: Setting) -> None:
    append(ending.path, OLD)
    ending.opener.error = PermissionError(13, "Permission denied")
    ending.poll()
    ending.path.rename(ending.path.with_name("away"))
    append(ending.path, NEW)
    ending.opener.error = None
    assert lines_of(NEW) == ending.poll()


def test_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    setting = Setting(tmp_path / "file" / "syslog")
    assert [] == setting.poll()
    assert "unreadable" == setting.follower.status.state


def test_loop_of_symbolic_links(setting: Setting) -> None:
    setting.path.symlink_to(setting.path)
    assert [] == setting.poll()
    assert "unreadable" == setting.follower.status.state


@pytest.mark.parametrize("kind", ["directory", "FIFO", "socket", "character device"])
def test_what_is_no_regular_file_is_not_opened(setting: Setting, kind: str) -> None:
    match kind:
        case "directory":
            setting.path.mkdir()
        case "FIFO":
            os.mkfifo(setting.path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(setting.path))
        case _:
            setting.path.symlink_to("/dev/zero")
    assert [] == setting.poll()
    assert "unsuitable" == setting.follower.status.state
    assert f"{setting.path} is a {kind}" in setting.follower.status.reason
    assert 0 == setting.opener.opened


def test_directory_takes_the_place(setting: Setting) -> None:
    append(setting.path, b"one\n")
    setting.poll()
    setting.path.rename(setting.rotated())
    setting.path.mkdir()
    append(setting.rotated(), b"two\n")
    assert [b"two"] == setting.settle()
    setting.path.rmdir()
    append(setting.path, b"three\n")
    assert [b"three"] == setting.poll()


def test_symbolic_link_is_followed_and_its_switch_is_a_rotation(setting: Setting) -> None:
    first, second = (setting.path.with_name(name) for name in ("first", "second"))
    append(first, b"one\n")
    append(second, b"two\n")
    setting.path.symlink_to(first)
    assert [b"one"] == setting.poll()
    setting.path.unlink()
    setting.path.symlink_to(second)
    append(first, b"late\n")
    assert {b"late", b"two"} == set(setting.poll())
    assert 1 == setting.follower.status.rotations
    setting.path.unlink()
    setting.path.symlink_to(setting.path.with_name("nowhere"))
    setting.poll()
    assert "target is missing" in setting.follower.status.reason


def test_hard_link_is_one_file(setting: Setting) -> None:
    append(setting.path, OLD)
    os.link(setting.path, setting.rotated())
    assert lines_of(OLD) == setting.poll()
    setting.restart()
    assert [] == setting.poll()
    assert 1 == setting.follower.status.open_files


def test_limit_bounds_a_poll(setting: Setting) -> None:
    append(setting.path, OLD)
    assert setting.follower.poll(100)
    status = setting.follower.status
    assert (100, len(OLD) - 100, False) == (status.read_bytes, status.behind_bytes, status.at_end)
    assert lines_of(OLD)[1:] == setting.poll(100)


def test_limit_is_shared_by_all_files(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(64)
    setting.path.rename(setting.rotated())
    append(setting.path, NEW)
    setting.follower.poll(len(OLD))
    assert 64 + len(OLD) == setting.follower.status.read_bytes
    setting.poll()
    assert lines_of(OLD + NEW) == setting.lines


def test_large_backlog_is_read_by_pieces(setting: Setting) -> None:
    data = numbered(0, 100_000)
    append(setting.path, data)
    assert lines_of(data) == setting.poll()


def test_idle_poll_opens_and_reads_nothing(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(setting.path, OLD)
    setting.poll()
    setting.poll()
    with monkeypatch.context() as patch:
        for name in ("pread", "fstat", "scandir"):
            patch.setattr(os, name, None)
        assert not setting.follower.poll()
    assert 1 == setting.opener.opened


def test_read_error_is_told_and_tried_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int, _size: int, _offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    append(setting.path, b"one\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", fail)
        assert [] == setting.poll()
        assert "unreadable" == setting.follower.status.state
    assert [b"one"] == setting.poll()


def test_descriptors_are_closed(setting: Setting) -> None:
    before = open_files(setting.path.parent)
    for number in range(5):
        append(setting.path, numbered(number * 10, 5))
        setting.poll()
        setting.path.rename(setting.rotated(number + 1))
    append(setting.path, OLD)
    setting.settle()
    assert len(before) + 1 == len(open_files(setting.path.parent))
    setting.follower.close()
    assert before == open_files(setting.path.parent)


def test_failed_polls_leave_no_sink(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int, _size: int, _offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    sinks: list[LineSink] = []

    def open_sink() -> LineSink:
        sinks.append(LineSink(setting.lines))
        return sinks[-1]

    follower = Follower(setting.path, open_sink, start="start")
    append(setting.path, b"one\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", fail)
        for number in range(1, 4):
            follower.poll()
            assert number == follower.status.read_errors
    assert [] == sinks
    follower.poll()
    assert ([b"one"], 1) == (setting.lines, len(sinks))
    follower.close()


@pytest.mark.parametrize("call", ["fstat", "pread"])
def test_file_that_can_not_be_sampled_is_tried_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_arguments: int) -> bytes:
        raise OSError(116, "Stale file handle")

    append(setting.path, b"one\n")
    before = open_files(setting.path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        assert [] == setting.poll()
    status = setting.follower.status
    assert ("unreadable", 1) == (status.state, status.read_errors)
    assert "stale file handle" in status.reason
    assert before == open_files(setting.path.parent)
    assert [b"one"] == setting.poll()


def test_deleted_file_that_went_stale_is_told_and_closed_later(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> os.stat_result:
        raise OSError(116, "Stale file handle")

    append(setting.path, b"one\n")
    setting.poll()
    setting.path.unlink()
    setting.poll()
    setting.poll()
    setting.now += 100.0
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        assert [] == setting.poll()
    status = setting.follower.status
    assert ("unreadable", 1) == (status.state, status.open_files)
    assert "stale file handle" in status.reason
    assert status.read_errors > 0
    setting.poll()
    assert ("missing", 0) == (
        setting.follower.status.state,
        setting.follower.status.open_files,
    )


def test_size_larger_than_the_content_ends_the_poll(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in sysfs and in some FUSE; what becomes readable without a sign is read all the same."""
    real_pread = os.pread

    def read_less(descriptor: int, size: int, offset: int) -> bytes:
        return real_pread(descriptor, max(0, min(size, 128 - offset)), offset)

    append(setting.path, OLD)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", read_less)
        assert lines_of(OLD)[:2] == setting.poll()
        status = setting.follower.status
        assert ("reading", True, 0) == (status.state, status.at_end, status.behind_bytes)
    assert lines_of(OLD)[2:] == setting.poll()
