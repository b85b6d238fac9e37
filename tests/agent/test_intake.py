"""When packets came: by their stamps while a backlog is read, now while the reader keeps up."""

import time
from pathlib import Path

from conftest import FIXTURES

from logwatch.agent.intake import SLICE_SECONDS, Batch, Intake
from logwatch.config import Config

BODY = (FIXTURES / "scan" / "lines.log").read_bytes().splitlines()[0].split(b"kernel: ", 1)[1]
NOW = 1_795_521_600.0


def line(seconds: float) -> bytes:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    return stamp.encode() + b" worker-1 kernel: " + BODY + b"\n"


def intake(path: Path, batches: list[Batch], **settings: object) -> Intake:
    return Intake(path, Config(**settings), None, batches.append)  # type: ignore[arg-type]


def test_a_backlog_is_handed_over_slice_by_slice(tmp_path: Path) -> None:
    """A packet a minute: each is a batch of its own, with the time of its stamp."""
    times = [NOW - 60.0 * minutes for minutes in range(500, 0, -1)]
    log = tmp_path / "syslog"
    log.write_bytes(b"".join(map(line, times)))
    batches: list[Batch] = []
    intake(log, batches, start="start").read(NOW)
    assert times == [batch.at for batch in batches]
    assert [1] * 500 == [batch.summary.packets for batch in batches]


def test_packets_of_one_slice_are_one_batch(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    start = NOW // SLICE_SECONDS * SLICE_SECONDS - 100
    log.write_bytes(b"".join(line(start + second) for second in range(SLICE_SECONDS)))
    batches: list[Batch] = []
    intake(log, batches, start="start").read(NOW)
    assert [SLICE_SECONDS] == [batch.summary.packets for batch in batches]
    assert [start + SLICE_SECONDS - 1] == [batch.at for batch in batches]


def test_what_is_written_while_the_reader_keeps_up_came_now(tmp_path: Path) -> None:
    """Also when the clock of the stamps is wrong by hours."""
    log = tmp_path / "syslog"
    log.write_bytes(line(NOW - 9_000))
    batches: list[Batch] = []
    reader = intake(log, batches)
    reader.read(NOW)
    with log.open("ab") as file:
        file.write(line(NOW - 7_200))
    reader.read(NOW + 1)
    assert [NOW + 1] == [batch.at for batch in batches]
    assert NOW + 1 == reader.last_packet


def test_a_file_that_appears_is_a_backlog(tmp_path: Path) -> None:
    """Waiting for it is not keeping up with it."""
    log = tmp_path / "syslog"
    batches: list[Batch] = []
    reader = intake(log, batches)
    reader.read(NOW)
    log.write_bytes(line(NOW - 7_200) + line(NOW - 3_600))
    reader.read(NOW + 1)
    assert [NOW - 7_200, NOW - 3_600] == [batch.at for batch in batches]


def test_a_stamp_of_the_future_is_now(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(line(NOW + 86_400))
    batches: list[Batch] = []
    intake(log, batches, start="start").read(NOW)
    assert [NOW] == [batch.at for batch in batches]
