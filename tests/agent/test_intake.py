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


def test_what_others_lost_is_counted_by_input_also_without_packets(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    lines = (FIXTURES / "losses-by-hand" / "lines.log").read_bytes().splitlines(keepends=True)
    quiet = b"".join(line for line in lines if b"calico-packet" not in line)
    log.write_bytes(quiet + b"x" * 70_000 + b"\n")
    reader = intake(log, [], start="start")
    reader.read(NOW)
    counts = {(name, labels): amount for name, labels, amount in reader.take_counts()}
    path = str(log)
    assert 2 == counts["loss_reports", ("kernel", path)]
    assert 2_976 == counts["lost_messages", ("journald", path)]
    assert 24_872 == counts["lost_messages", ("rsyslog", path)]
    assert 18 == counts["loss_reports", ("rsyslog", path)]
    assert 1 == counts["overlong_lines", (path,)]
    assert [] == list(reader.take_counts())


def test_what_was_cut_away_unread_is_counted_by_input(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(line(NOW) + b"unfinished")
    reader = intake(log, [], start="start")
    reader.read(NOW)
    log.write_bytes(b"")
    reader.read(NOW + 1)
    counts = {(name, labels): amount for name, labels, amount in reader.take_counts()}
    assert len(b"unfinished") == counts["destroyed_bytes", (str(log),)]
    assert ("lost_files", (str(log),)) not in counts


def test_a_file_of_the_last_run_that_is_gone_is_counted_as_lost(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(line(NOW))
    before = intake(log, [], start="start")
    before.read(NOW)
    log.rename(tmp_path / "elsewhere")
    log.write_bytes(line(NOW + 1) * 2)
    after = Intake(log, Config(), before.checkpoint(), lambda _: None)
    (tmp_path / "elsewhere").unlink()
    after.read(NOW + 2)
    assert ("lost_files", (str(log),), 1) in list(after.take_counts())


def test_how_far_behind_it_is_is_told_by_the_last_line_read(tmp_path: Path) -> None:
    """Lines of any program; the rest of a large file waits for the next round."""
    log = tmp_path / "syslog"
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - 90)).encode()
    with log.open("wb") as file:
        for _ in range(70):
            file.write((stamp + b" w app: " + b"." * 60_000 + b"\n") * 18)
    reader = intake(log, [], start="start")
    assert 0.0 == reader.behind_seconds(NOW)
    reader.read(NOW)
    assert reader.behind_bytes > 0
    assert 90.0 == reader.behind_seconds(NOW)
    assert 100.0 == reader.behind_seconds(NOW + 10)
    assert 0.0 == reader.behind_seconds(NOW - 100)
    reader.read(NOW)
    assert 0 == reader.behind_bytes
    assert 0.0 == reader.behind_seconds(NOW)


def test_how_far_behind_it_is_is_unknown_without_stamps(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(b"." * 70_000_000)
    reader = intake(log, [], start="start")
    reader.read(NOW)
    assert reader.behind_bytes > 0
    assert reader.behind_seconds(NOW) is None


def test_a_stamp_of_the_future_is_now(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_bytes(line(NOW + 86_400))
    batches: list[Batch] = []
    intake(log, batches, start="start").read(NOW)
    assert [NOW] == [batch.at for batch in batches]
