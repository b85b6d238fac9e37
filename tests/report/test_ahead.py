"""What a thread makes ahead comes as it would without one, and the thread ends with who waits."""

import os
import random
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from logwatch.report import Progress, read
from logwatch.report.ahead import BATCH, BATCHES, ahead
from logwatch.report.archive import ArchiveError, read_archive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NOISE = random.Random(2).randbytes(6_000_000)  # an archive of it is decompressed ahead
LINE = (
    b"2026-11-22T07:08:09Z worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.7"
    b" DST=198.51.100.9 LEN=60 \n"
)
COUNT = 1000
LOG = NOISE + b"\n" + LINE * COUNT


def gzip(data: bytes) -> bytes:
    """Quickly."""
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(data) + packer.flush()


PACKS = pytest.mark.parametrize("pack", [gzip, zstd.compress])


def threads() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate()}


def interrupt(_piece: bytes) -> None:
    signal.raise_signal(signal.SIGINT)


def open_files(folder: Path) -> set[Path]:
    """Below `folder`: what other threads of the tests open meanwhile lies elsewhere."""
    found: set[Path] = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(descriptor.readlink())
    return {path for path in found if path.is_relative_to(folder)}


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    before = threads()
    yield
    assert set() == threads() - before
    assert set() == open_files(tmp_path)


def test_pieces_come_in_order() -> None:
    pieces = [bytes([number % 256]) * (number * 97 % 50_000) for number in range(500)]
    assert pieces == list(ahead(iter(pieces)))


def test_nothing_gives_nothing() -> None:
    assert [] == list(ahead(iter(())))


def test_the_next_piece_is_made_while_one_is_worked_on() -> None:
    second = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield bytes(BATCH)
        second.set()
        yield b"second"

    made = ahead(pieces())
    next(made)
    assert second.wait(10)
    assert [b"second"] == list(made)


def test_no_more_is_made_ahead_than_is_said() -> None:
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield bytes(BATCH)

    running = ahead(pieces())
    for taken in range(1, 6):
        next(running)
        assert taken <= len(made) <= taken + BATCHES
    running.close()
    assert len(made) <= 5 + BATCHES


def test_what_fails_is_raised_behind_all_that_came_before() -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b"one", bytes(BATCH), b"three"]
        raise ArchiveError("broken")

    given: list[bytes] = []
    with pytest.raises(ArchiveError, match="broken"):
        given.extend(ahead(pieces()))
    assert [b"one", bytes(BATCH), b"three"] == given


def test_closing_early_waits_for_the_piece_that_is_being_made() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        yield bytes(BATCH)
        begun.set()
        assert go_on.wait(10)
        ended.set()
        yield bytes(BATCH)

    running = ahead(pieces())
    next(running)
    assert begun.wait(10)
    threading.Timer(0.05, go_on.set).start()
    running.close()
    assert ended.is_set()


@PACKS
def test_an_archive_is_decompressed_in_another_thread(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(pack(NOISE))
    before = threads()
    with read_archive(str(path)) as archive:
        pieces = iter(archive)
        delivered = next(pieces)
        assert 1 == len(threads() - before)
        delivered += b"".join(pieces)
    assert NOISE == delivered
    assert len(NOISE) == archive.log_bytes


@PACKS
def test_a_small_archive_is_read_without_a_thread(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(pack(NOISE[:1_000_000]))
    before = threads()
    with read_archive(str(path)) as archive:
        for _ in archive:
            assert before == threads()


@PACKS
def test_an_interrupt_while_the_thread_is_busy(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(pack(NOISE))
    with read_archive(str(path)) as archive, pytest.raises(KeyboardInterrupt):
        list(map(interrupt, archive))


@PACKS
def test_an_archive_that_is_left_early(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Its file is closed only when the thread no longer reads it."""
    path = tmp_path / "log"
    path.write_bytes(pack(NOISE))
    before = threads()
    with read_archive(str(path)) as archive:
        pieces = iter(archive)
        next(pieces)
    assert before == threads()
    assert [] == list(pieces)


@PACKS
@pytest.mark.parametrize("place", [1000, 3_000_000])
def test_a_cut_archive_gives_what_is_there(
    tmp_path: Path, pack: Callable[[bytes], bytes], place: int
) -> None:
    """Also where it breaks in the first batch."""
    packed = pack(NOISE)
    path = tmp_path / "log"
    path.write_bytes(pack(NOISE[:place]) + b"\x1f\x8b no member, no frame" + packed)
    given: list[bytes] = []
    with read_archive(str(path)) as archive, pytest.raises(ArchiveError) as error:
        given.extend(archive)
    delivered = b"".join(given)
    assert NOISE[:place] == delivered
    assert f"is damaged: its {archive.compression} data can't be read on" in str(error.value)
    assert f"({place} bytes of log came before)" in str(error.value)


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_an_archive_of_three_bytes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log{ending}"
    path.write_bytes(b"\x1f\x8b\x08")
    [entry] = read([str(path)], ["calico-packet"]).inputs
    assert (0, True) == (entry.bytes, "is cut off" in str(entry.problem))


@pytest.mark.parametrize("jobs", [1, 2])
def test_several_large_archives_at_once(tmp_path: Path, jobs: int) -> None:
    """Good ones and a broken one between them."""
    packs = [gzip(LOG), zstd.compress(LOG), gzip(LOG)[:5_000_000], zstd.compress(LOG)]
    paths = [tmp_path / f"log.{number}" for number in range(len(packs))]
    for path, packed in zip(paths, packs, strict=True):
        path.write_bytes(packed)
    report = read([str(path) for path in paths], ["calico-packet"], jobs=jobs)
    assert 3 * COUNT == report.totals.packets
    assert [None, None, True, None] == [entry.problem and True for entry in report.inputs]
    assert "is cut off" in str(report.inputs[2].problem)
    assert [len(LOG)] * 2 == [entry.bytes for entry in report.inputs[:2]]


def test_an_interrupt_while_two_archives_are_read(tmp_path: Path) -> None:
    """Python raises it where the results are waited for; the threads of both end soon."""

    class Interrupts(Progress):
        def started(self, path: str, size: int | None) -> Callable[[int], None]:
            os.kill(os.getpid(), signal.SIGINT)
            return super().started(path, size)

    paths = [tmp_path / "log.1", tmp_path / "log.2"]
    for path in paths:
        path.write_bytes(zstd.compress(NOISE))
    before = set(threading.enumerate())
    report = read([str(path) for path in paths], ["calico-packet"], jobs=2, progress=Interrupts())
    assert sorted(map(str, paths)) == sorted(entry.path for entry in report.inputs)
    assert any((entry.problem or "").startswith("interrupted") for entry in report.inputs)
    patience = time.monotonic() + 10
    while (left := set(threading.enumerate()) - before) and time.monotonic() < patience:
        for thread in left:
            if thread.is_alive():  # else it is about to start
                thread.join(1)
