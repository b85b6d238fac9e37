"""Logs that are copied and cut (copytruncate), or only cut: what a copy kept is read, once."""

import os
import shutil

import pytest
from tail.recorder import Setting, append, lines_of, numbered

FIRST = numbered(300, 20)
OLD = numbered(0, 20)
NEW = numbered(100, 20)
LAST = numbered(200, 20)


def copy_and_truncate(setting: Setting) -> None:
    """As logrotate does."""
    for number in range(3, 0, -1):
        if setting.rotated(number).exists():
            setting.rotated(number).rename(setting.rotated(number + 1))
    shutil.copyfile(setting.path, setting.rotated())
    os.truncate(setting.path, 0)


def test_truncated_file_is_read_from_0(setting: Setting) -> None:
    append(setting.path, OLD + b"unfinished")
    setting.poll()
    os.truncate(setting.path, 0)
    append(setting.path, b"one\n")
    assert [b"one"] == setting.poll()
    assert 1 == setting.follower.status.truncations
    assert len(b"unfinished") == setting.follower.status.destroyed_bytes


def test_unread_bytes_that_were_truncated_are_counted(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(64)
    os.truncate(setting.path, 0)
    setting.poll()
    assert len(OLD) - 64 == setting.follower.status.destroyed_bytes


@pytest.mark.parametrize("size", [20, 21, 400])
def test_truncated_file_that_grew_again(setting: Setting, size: int) -> None:
    """Even past the old position, or to it exactly: the bytes before it are others."""
    append(setting.path, OLD)
    setting.poll()
    os.truncate(setting.path, 0)
    append(setting.path, numbered(100, size))
    os.utime(setting.path, ns=(1, 1))  # the file's clock may stand still within a poll
    assert lines_of(numbered(100, size)) == setting.poll()
    assert 1 == setting.follower.status.truncations


def test_truncated_file_that_grew_again_with_the_same_tail(setting: Setting) -> None:
    same = b"\0" * 300 + b"\n"
    append(setting.path, b"aaa\n" + same)
    setting.poll()
    os.truncate(setting.path, 0)
    append(setting.path, b"bbb\n" + same + b"one\n")
    assert [b"bbb", same[:-1], b"one"] == setting.poll()


@pytest.mark.parametrize("partial", [b"", b"unfinished"])
def test_what_the_copy_of_a_truncated_file_kept_is_read(setting: Setting, partial: bytes) -> None:
    """Copied and truncated while behind: the rest is read from the copy, nothing twice."""
    append(setting.path, OLD[:640] + partial)
    setting.poll()
    append(setting.path, (b"\n" if partial else b"") + OLD[640:])
    setting.rotated().write_bytes(setting.path.read_bytes())
    os.truncate(setting.path, 0)
    append(setting.path, b"one\n")
    expected = [b"one", *([partial] if partial else []), *lines_of(OLD[640:])]
    assert sorted(expected) == sorted(setting.poll())
    assert 0 == setting.follower.status.destroyed_bytes
    append(setting.path, b"two\n")
    assert [b"two"] == setting.settle()
    assert 1 == setting.follower.status.open_files


def test_earlier_copy_of_another_round_is_not_read(setting: Setting) -> None:
    setting.rotated().write_bytes(OLD + NEW)
    append(setting.path, OLD)
    os.utime(setting.rotated(), ns=(1, 1))
    setting.poll()
    os.truncate(setting.path, 0)
    assert [] == setting.poll()


def test_sparse_hole_of_a_writer_that_does_not_append(setting: Setting) -> None:
    with setting.path.open("wb", buffering=0) as writer:
        writer.write(OLD)
        setting.poll()
        os.truncate(setting.path, 0)
        writer.write(b"one\n")
    assert [b"\0" * len(OLD) + b"one"] == setting.poll()


def test_unread_text_behind_a_hole_that_was_truncated_is_counted(setting: Setting) -> None:
    """The hole itself is no loss: nobody wrote it."""
    with setting.path.open("wb", buffering=0) as writer:
        writer.write(OLD)
        setting.poll()
        os.truncate(setting.path, 0)
        writer.write(b"unfinished")
        setting.poll()
        os.truncate(setting.path, 0)
        setting.poll()
    assert len(b"unfinished") == setting.follower.status.destroyed_bytes


def test_what_a_copy_lacks_is_counted(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(64)
    setting.rotated().write_bytes(OLD[:640])
    os.truncate(setting.path, 0)
    assert lines_of(OLD[64:640]) == setting.poll()
    assert len(OLD) - 640 == setting.follower.status.destroyed_bytes


@pytest.mark.parametrize("is_restarted", [False, True])
def test_two_copies_with_holes_between_two_polls(setting: Setting, *, is_restarted: bool) -> None:
    """All of them begin with NUL bytes, and are told apart by what comes behind."""
    with setting.path.open("wb", buffering=0) as writer:
        writer.write(FIRST)
        setting.poll()
        copy_and_truncate(setting)
        writer.write(OLD[:640])
        setting.poll()
        if is_restarted:
            setting.restart()
        writer.write(OLD[640:])
        copy_and_truncate(setting)
        writer.write(NEW)
        copy_and_truncate(setting)
        writer.write(LAST)
    seen = [line.lstrip(b"\0") for line in setting.settle()]
    assert lines_of(OLD[640:] + NEW + LAST) == sorted(seen)
    assert 0 == setting.follower.status.destroyed_bytes


def test_two_copies_between_two_polls(setting: Setting) -> None:
    """The first one holds the rest of what was read, the second one all that came next."""
    append(setting.path, OLD[:640])
    setting.poll()
    append(setting.path, OLD[640:])
    copy_and_truncate(setting)
    append(setting.path, NEW)
    copy_and_truncate(setting)
    append(setting.path, LAST)
    assert lines_of(OLD[640:] + NEW + LAST) == sorted(setting.poll())
    assert (2, 0) == (setting.follower.status.truncations, setting.follower.status.destroyed_bytes)
    assert [] == setting.settle()
    copy_and_truncate(setting)
    assert [] == setting.settle()


@pytest.mark.parametrize("cut_before", [False, True])
def test_copy_of_what_came_and_went_between_two_polls(
    setting: Setting, *, cut_before: bool
) -> None:
    """Nothing of the log was read before it was cut, so that it does not look cut."""
    if cut_before:
        append(setting.path, OLD)
        setting.poll()
        copy_and_truncate(setting)
    else:
        setting.path.touch()
    assert [] == setting.poll()
    append(setting.path, NEW)
    copy_and_truncate(setting)
    append(setting.path, LAST)
    assert lines_of(NEW + LAST) == sorted(setting.settle())
    assert 1 + cut_before == setting.follower.status.truncations


def test_copy_that_is_being_made_when_an_earlier_cut_is_seen(setting: Setting) -> None:
    """It is a beginning of what is at the path, which is read there."""
    append(setting.path, OLD)
    setting.poll()
    copy_and_truncate(setting)
    append(setting.path, NEW)
    setting.rotated().rename(setting.rotated(2))
    setting.rotated().write_bytes(NEW[:640])
    assert lines_of(NEW) == setting.poll()
    append(setting.rotated(), NEW[640:])
    os.truncate(setting.path, 0)
    append(setting.path, LAST)
    assert lines_of(LAST) == setting.settle()


def test_copy_of_the_beginning_of_what_was_read(setting: Setting) -> None:
    """Made before the last lines were written and read: neither at the cut nor later new."""
    append(setting.path, OLD)
    setting.poll()
    shutil.copyfile(setting.path, setting.rotated())
    append(setting.path, NEW)
    assert lines_of(NEW) == setting.poll()
    os.truncate(setting.path, 0)
    assert [] == setting.poll()
    append(setting.path, LAST)
    assert lines_of(LAST) == setting.settle()
    copy_and_truncate(setting)
    setting.restart()
    assert [] == setting.settle()


@pytest.mark.parametrize("size", [0, 640, len(OLD)])
def test_restart_while_a_copy_is_made(setting: Setting, size: int) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    setting.rotated().write_bytes(OLD[:size])
    setting.restart()
    assert lines_of(OLD[640:]) == setting.poll()
    setting.rotated().write_bytes(OLD)
    os.truncate(setting.path, 0)
    append(setting.path, NEW)
    assert lines_of(NEW) == setting.settle()


def test_copied_twice_while_stopped(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.follower.poll(640)
    saved = setting.stop()
    copy_and_truncate(setting)
    append(setting.path, NEW)
    copy_and_truncate(setting)
    append(setting.path, LAST)
    setting.go_on(saved)
    assert lines_of(OLD[640:] + NEW + LAST) == sorted(setting.poll())


@pytest.mark.parametrize("rest", [b"", b"two\n"])
def test_short_log_that_was_copied_while_stopped(setting: Setting, rest: bytes) -> None:
    """Fewer bytes than a sample are enough, since the log itself was cut."""
    append(setting.path, b"one\n")
    setting.poll()
    saved = setting.stop()
    append(setting.path, rest)
    copy_and_truncate(setting)
    append(setting.path, b"three\n")
    setting.go_on(saved)
    assert [*lines_of(rest), b"three"] == setting.settle()


def test_copy_of_the_beginning_that_was_cut_while_stopped(setting: Setting) -> None:
    append(setting.path, OLD)
    setting.poll()
    shutil.copyfile(setting.path, setting.rotated())
    append(setting.path, NEW)
    setting.poll()
    saved = setting.stop()
    os.truncate(setting.path, 0)
    append(setting.path, LAST)
    setting.go_on(saved)
    assert lines_of(LAST) == setting.settle()


def test_copy_of_the_beginning_of_a_log_that_was_cut_and_renamed(setting: Setting) -> None:
    """The cut is seen while nothing is at the path; the copy is not new to the next file."""
    append(setting.path, OLD)
    shutil.copyfile(setting.path, setting.rotated(2))
    append(setting.path, NEW)
    assert lines_of(OLD + NEW) == setting.poll()
    os.truncate(setting.path, 0)
    os.utime(setting.rotated(2), (4e9, 4e9))  # not older than the log: its clock may stand still
    setting.path.rename(setting.rotated())
    setting.poll()
    append(setting.path, LAST)
    assert lines_of(LAST) == setting.settle()
