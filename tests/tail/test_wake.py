"""Wake-ups by the real inotify; waits end by the event, their seconds are only a bound."""

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tail.recorder import append, open_descriptors
from watchdog.observers.inotify import InotifyObserver

from logwatch.tail.wake import BUSY_WAITS, Waker

PATIENCE = 20.0  # seconds that no passing test ever waits


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def waker_of(closing: ExitStack, clock: Clock, *paths: Path, retry: float = 1e9) -> Waker:
    waker = Waker(paths, clock=clock, retry=retry)
    closing.callback(waker.close)
    return waker


def drained(waker: Waker) -> Waker:
    """Without what happened before."""
    while waker.wait(0.0):
        pass
    return waker


def wait_for_event(waker: Waker) -> None:
    """Until an event has raised the flag, without lowering it."""
    assert waker._flag.wait(PATIENCE)


@pytest.mark.parametrize("change", ["create", "append", "rename", "remove", "rotated"])
def test_change_of_the_file_wakes(log: Path, closing: ExitStack, clock: Clock, change: str) -> None:
    rotated = log.with_name("syslog.1")
    rotated.touch()
    if change != "create":
        log.touch()
    waker = drained(waker_of(closing, clock, log))
    assert ("inotify", "", True) == (waker.mode, waker.reason, waker.alive)
    match change:
        case "create":
            log.touch()
        case "append":
            append(log, b"one\n")
        case "rename":
            log.rename(log.with_name("other"))
        case "remove":
            log.unlink()
        case _:
            append(rotated, b"late\n")
    assert waker.wait(PATIENCE)


def test_other_files_and_reading_do_not_wake(log: Path, closing: ExitStack, clock: Clock) -> None:
    """A second waker, for the other file, tells when the events have come."""
    log.touch()
    waker = drained(waker_of(closing, clock, log))
    other = drained(waker_of(closing, clock, log.with_name("auth.log")))
    for _ in range(3):
        log.read_bytes()
        append(log.with_name("auth.log"), b"one\n")
        assert other.wait(PATIENCE)
    assert not waker.wait(0.0)


def test_events_are_one_flag(log: Path, closing: ExitStack, clock: Clock) -> None:
    waker = drained(waker_of(closing, clock, log))
    for _ in range(100):
        waker.wake()
    assert waker.wait(PATIENCE)
    assert not waker.wait(0.0)


def test_wait_ends_by_itself(log: Path, closing: ExitStack, clock: Clock) -> None:
    assert not drained(waker_of(closing, clock, log)).wait(0.001)


def test_target_of_a_symbolic_link_wakes(tmp_path: Path, closing: ExitStack, clock: Clock) -> None:
    real, link = tmp_path / "real" / "messages", tmp_path / "link" / "syslog"
    real.parent.mkdir()
    link.parent.mkdir()
    link.symlink_to(real)
    waker = drained(waker_of(closing, clock, link))
    append(real, b"one\n")
    assert waker.wait(PATIENCE)


def test_directory_behind_a_symbolic_link(tmp_path: Path, closing: ExitStack, clock: Clock) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    waker = drained(waker_of(closing, clock, tmp_path / "link" / "syslog"))
    append(tmp_path / "real" / "syslog", b"one\n")
    assert waker.wait(PATIENCE)


def test_missing_directory_is_polled_until_it_appears(
    tmp_path: Path, closing: ExitStack, clock: Clock
) -> None:
    path = tmp_path / "later" / "syslog"
    waker = waker_of(closing, clock, path, retry=0.0)
    assert "polling" == waker.mode
    assert str(path.parent) in waker.reason
    assert "no such file" in waker.reason
    assert waker.alive
    assert not waker.wait(0.0)
    path.parent.mkdir()
    assert waker.wait(0.0)  # the watch begins: something may have happened before
    assert ("inotify", "") == (waker.mode, waker.reason)
    drained(waker)
    path.touch()
    assert waker.wait(PATIENCE)


def test_missing_directory_does_not_keep_others_from_being_watched(
    log: Path, closing: ExitStack, clock: Clock
) -> None:
    waker = drained(waker_of(closing, clock, log.parent.parent / "a" / "missing", log))
    log.touch()
    assert waker.wait(PATIENCE)
    assert "polling" == waker.mode


@pytest.mark.parametrize("way", ["removed", "renamed"])
def test_directory_that_is_replaced(log: Path, closing: ExitStack, clock: Clock, way: str) -> None:
    waker = drained(waker_of(closing, clock, log, retry=0.0))
    if way == "removed":
        log.parent.rmdir()
    else:
        log.parent.rename(log.parent.with_name("away"))
    drained(waker)
    assert "polling" == waker.mode
    log.parent.mkdir()
    drained(waker)
    assert "inotify" == waker.mode
    log.touch()
    assert waker.wait(PATIENCE)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOSPC])
def test_exhausted_inotify_is_polled(
    log: Path, closing: ExitStack, clock: Clock, code: int
) -> None:
    refusals = [OSError(code, os.strerror(code))]

    def new_observer() -> InotifyObserver:
        if refusals:
            raise refusals.pop()
        return InotifyObserver()

    waker = Waker([log], clock=clock, retry=0.0, new_observer=new_observer)
    closing.callback(waker.close)
    assert ("polling", True) == (waker.mode, waker.alive)
    assert os.strerror(code).lower() in waker.reason
    waker.wait(0.0)
    assert "inotify" == waker.mode


def test_exhausted_instances_for_real(log: Path, closing: ExitStack, clock: Clock) -> None:
    """No descriptor is left, which is what the kernel says when all instances are used."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(open_descriptors()) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(used, soft), hard))
    filled = []
    try:
        while True:
            try:
                filled.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                break
        waker = waker_of(closing, clock, log, retry=0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in filled:
            os.close(descriptor)
    assert "polling" == waker.mode
    waker.wait(0.0)
    assert "inotify" == waker.mode


@pytest.mark.parametrize(
    ("limit", "cause"),
    [("instances", "inotify instance limit reached"), ("watches", "inotify watch limit reached")],
)
def test_limit_of_the_kernel_is_polled(log: Path, limit: str, cause: str) -> None:
    """The kernel itself refuses, in a user namespace whose limit is 0."""
    look = (
        "import sys, pathlib; from logwatch.tail.wake import BUSY_WAITS, Waker;"
        "waker = Waker([pathlib.Path(sys.argv[1])]);"
        "print(waker.mode, waker.alive, waker.wait(0.0), waker.reason); waker.close()"
    )
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "sh", "-c"),
            f'echo 0 >/proc/sys/user/max_inotify_{limit} && exec "$@"',
            *("sh", sys.executable, "-c", look, str(log)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = f"polling True False {log.parent} can't be watched ({cause}): looking in turns"
    assert expected in done.stdout


def test_dead_thread_is_seen_and_replaced(log: Path, closing: ExitStack, clock: Clock) -> None:
    waker = drained(waker_of(closing, clock, log, retry=1000.0))
    observer = waker._observer
    assert observer is not None
    observer._inotify_fd.stop()
    observer._inotify_fd.join()
    assert not waker.alive
    clock.now += 1000.0
    waker.wait(0.0)
    assert waker.alive
    drained(waker)
    log.touch()
    assert waker.wait(PATIENCE)


def test_close_ends_the_watch_and_not_the_waiting(
    log: Path, closing: ExitStack, clock: Clock
) -> None:
    waker = drained(waker_of(closing, clock, log, retry=0.0))
    waker.close()
    log.touch()
    assert not waker.wait(0.01)
    assert "polling" == waker.mode
    waker.wake()
    assert waker.wait(PATIENCE)


@pytest.mark.parametrize("step", ["start", "schedule"])
@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyError("watch")])
def test_refusal_of_a_thread_is_polled(
    log: Path,
    closing: ExitStack,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    step: str,
    error: Exception,
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    before = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(InotifyObserver, step, fail)
        waker = waker_of(closing, clock, log, retry=0.0)
    assert ("polling", True) == (waker.mode, waker.alive)
    assert f"{log.parent} can't be watched ({str(error).lower()})" in waker.reason
    if step == "start":
        assert before == threading.active_count()
    waker.wait(0.0)
    assert "inotify" == waker.mode


def test_asking_whether_it_lives_while_watches_are_made(
    log: Path, closing: ExitStack, clock: Clock
) -> None:
    """Another thread may ask; here each look at a watch makes the next one."""
    waker = waker_of(closing, clock, log)
    observer = waker._observer
    assert observer is not None
    emitters = observer.emitters

    class Arriving:
        @property
        def stopped_event(self) -> threading.Event:
            emitters.add(Arriving())  # type: ignore[arg-type]
            return threading.Event()

        def is_alive(self) -> bool:
            emitters.add(Arriving())  # type: ignore[arg-type]
            return True

    real = emitters.copy()
    emitters.add(Arriving())  # type: ignore[arg-type]
    try:
        assert waker.alive
    finally:
        emitters.intersection_update(real)


def test_a_file_that_grows_all_the_time_is_looked_at_in_turns(
    log: Path, closing: ExitStack, clock: Clock
) -> None:
    """Events would only tell what is known: nothing is watched until the file is quiet again."""
    waker = drained(waker_of(closing, clock, log))
    threads = threading.active_count()
    for _ in range(BUSY_WAITS):
        append(log, b"one\n")
        wait_for_event(waker)
        assert waker.wait(PATIENCE)
    assert threads > threading.active_count()
    append(log, b"one\n")
    assert waker.wait(PATIENCE)
    assert ("inotify", "", True) == (waker.mode, waker.reason, waker.alive)
    assert waker.wait(PATIENCE)  # it is quiet: watched again
    assert threads == threading.active_count()
    drained(waker)
    append(log, b"two\n")
    assert waker.wait(PATIENCE)


def test_a_scrape_wakes_while_files_are_looked_at_in_turns(
    log: Path, closing: ExitStack, clock: Clock
) -> None:
    waker = drained(waker_of(closing, clock, log))
    for _ in range(BUSY_WAITS):
        append(log, b"one\n")
        wait_for_event(waker)
        assert waker.wait(PATIENCE)
    waker.wake()
    assert waker.wait(PATIENCE)
    assert not waker.wait(0.0)
