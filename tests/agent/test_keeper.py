"""When evidence is written to its file, and what is taken over from it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from offenders.judging import NOW, Judge, judge_by, nets, scan
from offenders.packets import Sent
from structlog.testing import capture_logs

from logwatch.agent.clock import Clock
from logwatch.agent.evidence_file import EvidenceFile, EvidenceFileError, Kept
from logwatch.agent.keeper import EVERY_SECONDS, RETRY_SECONDS, Keeper
from logwatch.offenders.memory import PART_SOURCES


class Host:
    """A host with clocks that are set here, and with a directory for the file."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "logwatch.evidence"
        self.wall = NOW
        self.steady = 5000.0
        self.boot_id = "boot"
        self.pace = self.ticked = 0.0

    def agent(self, judge: Judge) -> Keeper:
        self.clock = Clock(self.boot_id, wall=lambda: self.wall, steady=lambda: self.steady)
        log = structlog.get_logger()
        file = EvidenceFile(self.path)
        return Keeper(file, judge.memory, self.clock, log, steady=self.ticks)

    def ticks(self) -> float:
        """The keeper's own clock: it also goes by `pace` with each look at it."""
        self.ticked += self.pace
        return self.steady + self.ticked

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def turn(self, keeper: Keeper, *, is_committed: bool = True) -> str | None:
        """Take a turn, and let what it begins come to its end."""
        self.clock.look()
        keeper.turn(self.wall, is_committed=is_committed)
        keeper.wait()
        return keeper.turn(self.wall, is_committed=False)

    @property
    def version(self) -> int | None:
        return self.path.stat().st_ino if self.path.exists() else None


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_is_written_behind_a_commit_once_a_minute_while_there_is_something_new(
    host: Host,
) -> None:
    judge = judge_by()
    keeper = host.agent(judge)
    host.turn(keeper)
    assert host.version is None
    judge.see(scan(ports=[1]), NOW, NOW)
    host.turn(keeper, is_committed=False)
    assert host.version is None
    assert host.turn(keeper) is None
    first = host.version
    assert first is not None
    assert 0o600 == host.path.stat().st_mode & 0o777
    host.pass_time(EVERY_SECONDS + 1)
    host.turn(keeper)
    assert first == host.version, "nothing was denied since"
    judge.see(scan(ports=[2]), host.wall, host.wall)
    host.turn(keeper)
    second = host.version
    assert second != first
    judge.see(scan(ports=[3]), host.wall, host.wall)
    host.pass_time(EVERY_SECONDS - 1)
    host.turn(keeper)
    assert second == host.version
    host.pass_time(1)
    host.turn(keeper)
    assert second != host.version


def test_at_the_end_what_is_new_is_written_and_nothing_else(host: Host) -> None:
    judge = judge_by()
    keeper = host.agent(judge)
    keeper.finish(host.wall)
    assert host.version is None
    judge.see(scan(ports=range(7)), NOW, NOW)
    host.turn(keeper)
    judge.see(scan(ports=range(14)), NOW, NOW)
    assert keeper.finish(host.wall) is None
    written = host.version
    assert keeper.finish(host.wall) is None
    assert written == host.version
    after = judge_by()
    host.agent(after).recall(host.wall, obstacle=None)
    assert 1 == len(after.see(scan(ports=[14]), NOW, NOW))


def test_what_fails_is_told_until_it_succeeds(host: Host) -> None:
    """What was undone is kept until then."""
    judge = judge_by()
    keeper = host.agent(judge)
    judge.see(scan(), NOW, NOW)
    (ban,) = judge.bans
    judge.remove(*nets(ban), NOW)
    host.path.mkdir()
    assert "is not saved in" in (host.turn(keeper) or "")
    assert [] == [each.name for each in host.path.parent.iterdir() if each != host.path]
    host.path.rmdir()
    host.pass_time(RETRY_SECONDS - 1)
    assert "is not saved in" in (host.turn(keeper) or "")
    assert [ban] == list(judge.memory.undone)
    host.pass_time(1)
    assert host.turn(keeper) is None
    assert [] == list(judge.memory.undone)


def test_on_a_full_disk_the_earlier_file_stays(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(tmp_path)], check=True)
    try:
        file = EvidenceFile(tmp_path / "logwatch.evidence")
        small, large = Kept(1, b"", [b"x" * 5000]), Kept(2, b"", [b"x" * 100_000])
        file.write(small)
        with pytest.raises(EvidenceFileError, match="No space left"):
            file.write(large)
        assert [file.path] == list(tmp_path.iterdir())
        assert small == file.read()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("step", [-1800.0, 7200.0])
def test_times_are_set_right_when_the_clock_was_set_in_the_same_boot(
    host: Host, step: float
) -> None:
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    host.agent(judge).finish(host.wall)
    host.pass_time(30)
    host.wall += step
    after = judge_by()
    host.agent(after).recall(host.wall, obstacle=None)
    assert 1 == len(after.see(scan(ports=[14]), host.wall, host.wall))
    host.pass_time(31)
    late = judge_by()
    host.agent(late).recall(host.wall, obstacle=None)
    assert [] == late.see(scan(ports=[14]), host.wall, host.wall)


def test_evidence_of_after_now_is_left_out_after_another_boot(host: Host) -> None:
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    host.agent(judge).finish(host.wall)
    host.wall -= 60
    host.boot_id = "another"
    after = judge_by()
    with capture_logs() as logs:
        host.agent(after).recall(host.wall, obstacle=None)
    assert ["it is from 60 s after now: the clock was set back"] == [each["why"] for each in logs]
    assert 0 == after.tracked


@pytest.mark.parametrize("step", [0.0, 7200.0])
def test_evidence_of_many_is_written_in_several_turns(host: Host, step: float) -> None:
    """Parts by two clocks are not put together: they begin anew when it is set."""
    judge = judge_by()
    crowd = [Sent(f"198.18.{number // 250}.{number % 250}") for number in range(2 * PART_SOURCES)]
    judge.see([*scan(ports=range(14)), *crowd], NOW, NOW)
    tracked = judge.tracked
    keeper = host.agent(judge)
    host.pace = 1.0  # no turn has time for more than a part
    host.turn(keeper)
    assert host.version is None
    host.wall += step
    turns = 1
    while host.version is None:
        host.turn(keeper)
        turns += 1
    assert 3 + (step != 0.0) == turns
    after = judge_by()
    host.agent(after).recall(host.wall, obstacle=None)
    assert tracked == after.tracked


def change(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def replace_by_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (change, "it is damaged: its digest is another one"),
        (lambda file: file.write_bytes(b""), "it is no evidence of logwatch"),
        (lambda file: file.write_bytes(b"\0" * 4096), "it is no evidence of logwatch"),
        (
            lambda file: file.write_bytes(b"logwatch evidence 2\n"),
            "it was written by another version of logwatch",
        ),
        (lambda file: os.truncate(file, 1 << 30), "it can't be read (more than 4 MiB)"),
        (replace_by_directory, "it can't be read (Is a directory)"),
        (
            lambda file: EvidenceFile(file).write(Kept(1, b"", [b"logwevi1"])),
            "evidence of version 1, not 3: use one version of logwatch for agents and escalators",
        ),
    ],
)
def test_a_file_that_can_t_be_used_is_told_and_left_out_as_a_whole(
    host: Host, damage: Callable[[Path], None], why: str
) -> None:
    judge = judge_by()
    judge.see(scan(ports=range(14)), NOW, NOW)
    host.agent(judge).finish(host.wall)
    damage(host.path)
    after = judge_by()
    with capture_logs() as logs:
        host.agent(after).recall(host.wall, obstacle=None)
    assert [("evidence left out", why)] == [(each["event"], each["why"]) for each in logs]
    assert 0 == after.tracked


@pytest.mark.parametrize("clock", [b"", b"{", b'{"seconds": 1e300, "boot_id": "boot"}'])
def test_no_clock_breaks_a_start(host: Host, clock: bytes) -> None:
    EvidenceFile(host.path).write(Kept(1, clock, []))
    judge = judge_by()
    host.agent(judge).recall(host.wall, obstacle=None)
    assert 0 == judge.tracked
