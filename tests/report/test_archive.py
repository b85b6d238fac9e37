"""Archives as they are found on disks: plain, .gz, .zst, from a pipe, and broken."""

import bz2
import gzip
import lzma
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tail.recorder import numbered, open_descriptors

from logwatch.report.archive import PIECE, Archive, ArchiveError, read_archive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = numbered(0, 20_000)
NOISE = random.Random(1).randbytes(300_000)  # can't be compressed: cuts fall into the data
SKIPPABLE = b"\x5a\x2a\x4d\x18\x04\0\0\0meta"


def written(directory: Path, data: bytes) -> str:
    path = directory / "syslog.1"
    path.write_bytes(data)
    return str(path)


def read(archive: Archive) -> bytes:
    with archive:
        return b"".join(archive)


def read_broken(archive: Archive) -> tuple[bytes, str]:
    """Return what was delivered, and the message."""
    pieces: list[bytes] = []
    with archive, pytest.raises(ArchiveError) as error:
        pieces.extend(archive)
    return b"".join(pieces), str(error.value)


@pytest.mark.parametrize(
    ("data", "compression"),
    [
        (TEXT, None),
        (gzip.compress(TEXT), "gzip"),
        (b"".join(gzip.compress(TEXT[i : i + 1000]) for i in range(0, len(TEXT), 1000)), "gzip"),
        (gzip.compress(TEXT[:10]) + b"\0" * 5000 + gzip.compress(TEXT[10:]) + b"\0" * 9, "gzip"),
        (gzip.compress(b"") + gzip.compress(TEXT), "gzip"),
        (zstd.compress(TEXT), "zstd"),
        (b"".join(zstd.compress(TEXT[i : i + 1000]) for i in range(0, len(TEXT), 1000)), "zstd"),
        (SKIPPABLE + zstd.compress(TEXT) + SKIPPABLE, "zstd"),
    ],
    ids=["plain", "gz", "gz-members", "gz-padding", "gz-empty", "zst", "zst-frames", "zst-skip"],
)
def test_whole_text_is_read(tmp_path: Path, data: bytes, compression: str | None) -> None:
    """Whatever the name: the first bytes tell the compression."""
    archive = read_archive(written(tmp_path, data))
    assert (compression, len(data)) == (archive.compression, archive.size)
    assert TEXT == read(archive)
    assert len(data) == archive.read_bytes


@pytest.mark.parametrize("data", [b"", b"\x1f", b"\x28\xb5", b"BZh", b"one\n"])
def test_short_files_are_plain(tmp_path: Path, data: bytes) -> None:
    assert data == read(read_archive(written(tmp_path, data)))


def test_progress_grows_while_reading(tmp_path: Path) -> None:
    archive = read_archive(written(tmp_path, TEXT))
    with archive:
        progress = [archive.read_bytes for _ in archive]
    assert [PIECE, 2 * PIECE] == progress[:2]


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_pieces_are_bounded_however_well_it_was_compressed(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    archive = read_archive(written(tmp_path, pack(b"\0" * 50_000_000)))
    with archive:
        assert PIECE == max(len(piece) for piece in archive)


@pytest.mark.parametrize("data", [TEXT, gzip.compress(TEXT), zstd.compress(TEXT)])
def test_standard_input(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that gives one byte at first; its size is not known."""
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            pipe.write(data[:1])
            pipe.write(data[1:])

    thread = threading.Thread(target=write)
    real_read = os.read
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", lambda _descriptor, size: real_read(reader, size))
        thread.start()
        archive = read_archive("-")
        assert archive.size is None
        assert TEXT == read(archive)
    thread.join()
    os.close(reader)


def test_fifo(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=(TEXT,))
    thread.start()
    archive = read_archive(str(path))
    assert archive.size is None
    assert TEXT == read(archive)
    thread.join()


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (zstd.compress, "zstd")])
@pytest.mark.parametrize("missing", [1, 8, 100_000])
def test_cut_archive_gives_what_is_there(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str, missing: int
) -> None:
    data = pack(NOISE)[:-missing]
    path = written(tmp_path, data)
    delivered, message = read_broken(read_archive(path))
    assert NOISE.startswith(delivered)
    assert len(delivered) > len(NOISE) - missing - 132_000  # a zstd block is 128 KiB
    assert f"{path} is cut off" in message
    assert name in message
    assert f"after {len(data)} bytes ({len(delivered)} bytes of log" in message


def test_damaged_gzip_gives_what_came_before(tmp_path: Path) -> None:
    data = gzip.compress(NOISE[:100_000]) + gzip.compress(NOISE[100_000:])
    second = len(gzip.compress(NOISE[:100_000]))
    path = written(tmp_path, data[: second + 2] + b"\xff" + data[second + 3 :])
    delivered, message = read_broken(read_archive(path))
    assert NOISE[:100_000] == delivered
    assert f"{path} is damaged" in message
    assert f"after {second} bytes" in message


def test_gzip_with_a_wrong_checksum(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(NOISE))
    data[150_000] ^= 1
    delivered, message = read_broken(read_archive(written(tmp_path, bytes(data))))
    assert len(delivered) > len(NOISE) - 8192
    assert "checksum" in message


def test_damaged_zstd_gives_what_came_before(tmp_path: Path) -> None:
    path = written(tmp_path, zstd.compress(TEXT) + b"no frame")
    delivered, message = read_broken(read_archive(path))
    assert delivered == TEXT
    assert f"{path} is damaged" in message


@pytest.mark.parametrize(
    ("data", "name"),
    [(lzma.compress(TEXT), "xz"), (bz2.compress(TEXT), "bzip2"), (b"PK\x03\x04" + TEXT, "zip")],
)
def test_other_compressions_are_named(tmp_path: Path, data: bytes, name: str) -> None:
    before = open_descriptors()
    with pytest.raises(ArchiveError, match=f"compressed with {name}"):
        read_archive(written(tmp_path, data))
    assert before == open_descriptors()


def test_missing_file(tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")
    with pytest.raises(ArchiveError, match=f"{path} does not exist; give"):
        read_archive(path)


def test_missing_syslog_names_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a host that has the file."""

    def refuse(*_arguments: object) -> int:
        raise FileNotFoundError(2, "No such file or directory")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(ArchiveError) as error:
            read_archive("/var/log/syslog")
    assert "/var/log/syslog does not exist; a host without it" in str(error.value)
    assert "journalctl -k -o short-iso | logwatch report - (or -o export)" in str(error.value)


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=f"{tmp_path} is a directory; give"):
        read_archive(str(tmp_path))


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root is never refused, so the refusal is made up."""

    def refuse(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, TEXT)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(ArchiveError) as error:
            read_archive(path)
    assert str(error.value).startswith(f"{path} can't be read: permission denied; run as")


def test_other_refusals(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ArchiveError, match="can't be opened: too many levels"):
        read_archive(str(tmp_path / "loop"))


def test_read_error_says_how_far_it_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = read_archive(written(tmp_path, TEXT))

    def fail(*_arguments: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", fail)
    delivered, message = read_broken(archive)
    assert len(delivered) == PIECE
    assert f"after {PIECE} bytes: input/output error" in message


@pytest.mark.parametrize("data", [b"", b"\x1f", b"\0" * 5000, NOISE[:5000], TEXT])
@pytest.mark.parametrize(("ending", "compression"), [(".gz", "gzip"), (".zst", "zstd")])
def test_name_that_promises_a_compression(
    tmp_path: Path, data: bytes, ending: str, compression: str
) -> None:
    """A damaged archive must not pass for a log without a packet."""
    path = tmp_path / f"syslog.2{ending}"
    path.write_bytes(data)
    before = open_descriptors()
    with pytest.raises(ArchiveError) as error:
        read_archive(str(path))
    assert before == open_descriptors()
    assert str(error.value).startswith(f"{path} is not a {compression} file although its name")
    assert "rename it if it is plain text" in str(error.value)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_compressed_content_is_read_under_any_name(
    tmp_path: Path, pack: Callable[[bytes], bytes], ending: str
) -> None:
    path = tmp_path / f"syslog.2{ending}"
    path.write_bytes(pack(TEXT))
    assert TEXT == read(read_archive(str(path)))
