"""Decisions in a log: those that a naive reader makes, whatever the order and packing of files."""

import gzip
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report.replay.lines import BEGIN, line
from report.replay.replays import PORTS, banned, judged

from logwatch.config import Brakes, Prefix
from logwatch.report import Progress
from logwatch.report.replay import ReplayError
from logwatch.report.replay.log import LATE_SECONDS, Log

SCANNER = "203.0.113.66"


def scan(begin: int, ports: int = 4, source: str = SCANNER, **options: str) -> str:
    """A port a second."""
    return "".join(
        line(begin + port, source, begin % 1_000 + port, **options) for port in range(ports)
    )


class Event(NamedTuple):
    second: int
    source: str
    port: int


class Naive:
    """Judges by `PORTS` as its words say, an event at a time; nothing is kept cleverly."""

    def __init__(self, protected: str) -> None:
        self._protected = protected
        self._events: list[Event] = []
        self._last_ban: dict[str, int] = {}
        self._quiet: dict[str, int] = {}
        self.bans: list[list[int | str]] = []
        self.refused: Counter[str] = Counter()
        self.nearest: dict[str, int] = {}

    def see(self, second: int, events: list[Event]) -> None:
        self._events += events
        for source in {event.source for event in events}:
            ports = {
                event.port
                for event in self._events
                if event.source == source and second - 10 < event.second <= second
            }
            if len(ports) < 4:
                self.nearest[source] = max(self.nearest.get(source, 0), len(ports))
            elif source == self._protected:
                if second >= self._quiet.get(source, 0):
                    self.refused[source] += 1
                    self._quiet[source] = second + 10
            else:
                self._offend(source, second)
                self._events = [event for event in self._events if event.source != source]

    def _offend(self, source: str, second: int) -> None:
        earlier = [ban for ban in self.bans if ban[0] == source]
        if earlier and int(earlier[-1][2]) > second:
            self._extend(earlier[-1], second)
            return
        offence = len(earlier) + 1
        length = min(30 * 2 ** (offence - 1), 120)
        self.bans.append([source, second, second + length, offence])

    def _extend(self, ban: list[int | str], second: int) -> None:
        length = min(30 * 2 ** (int(ban[3]) - 1), 120)
        if second + length - int(ban[2]) >= length / 60:
            ban[2] = second + length


EVENTS = st.lists(
    st.builds(
        Event,
        st.integers(0, 150),
        st.sampled_from(["203.0.113.1", "203.0.113.2", "198.51.100.1"]),
        st.integers(1, 6),
    ),
    min_size=30,
    max_size=150,
)


@given(EVENTS)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_decisions_are_those_of_a_naive_reader(tmp_path: Path, events: list[Event]) -> None:
    events.sort()
    log = tmp_path / "syslog"
    log.write_text("".join(line(*event) for event in events))
    naive = Naive(protected="198.51.100.1")
    for second, group in groupby(events, key=lambda event: event.second):
        naive.see(second, list(group))
    outcome = judged([log], never_ban=["198.51.100.0/24"])
    expected = sorted(
        (f"{source}/32", int(begin), int(end), int(offence))
        for source, begin, end, offence in naive.bans
    )
    assert expected == sorted(banned(outcome, BEGIN))
    refused = {each.cidr: each.times for each in outcome.decisions.refused}
    assert {f"{source}/32": times for source, times in naive.refused.items()} == refused
    offenders = {ban[0] for ban in naive.bans} | set(naive.refused)
    near = {miss.network: miss.reached for miss in outcome.decisions.near}
    assert {
        f"{source}/32": ports
        for source, ports in naive.nearest.items()
        if source not in offenders and ports > 1
    } == near
    assert len(events) == outcome.totals.packets == outcome.totals.lines


def test_recorded_lines_of_a_scan_ban_who_scanned(pytestconfig: pytest.Config) -> None:
    log = pytestconfig.rootpath / "fixtures" / "scan" / "lines.log"
    outcome = judged([log], "rule ports\n    when distinct ports >= 15 within 1m\n    ban 1h\n")
    (ban,) = outcome.decisions.bans
    assert ("203.0.113.66/32", "ports", 120) == (ban.network, ban.rule, ban.evidence.packets)
    assert () == outcome.decisions.near  # the others tried one port each


def test_rotated_files_are_read_in_the_order_of_their_times(tmp_path: Path) -> None:
    """A scan over the end of one file is one scan, however the files were named."""
    newest, middle, oldest = (tmp_path / name for name in ("syslog", "syslog.1", "syslog.2.gz"))
    oldest.write_bytes(gzip.compress((scan(0) + line(100, port=1) + line(101, port=2)).encode()))
    middle.write_text(line(102, port=3) + line(103, port=4) + "no stamp\n")
    newest.write_text("no stamp\n" + scan(300))
    expected = [
        (f"{SCANNER}/32", 3, 33, 1),
        (f"{SCANNER}/32", 103, 163, 2),
        (f"{SCANNER}/32", 303, 423, 3),
    ]
    assert expected == banned(judged([newest, middle, oldest]), BEGIN)
    assert expected == banned(judged([oldest, newest, middle]), BEGIN)


def test_logs_of_several_hosts_are_read_side_by_side(tmp_path: Path) -> None:
    """Who scans two nodes by turns is found by what both have seen."""
    one, two = tmp_path / "worker-1", tmp_path / "worker-2"
    one.write_text(line(0, port=1) + line(2, port=3) + line(500, port=9))
    two.write_text(line(1, port=2) + line(3, port=4) + line(400, port=9))
    outcome = judged([one, two])
    assert [(f"{SCANNER}/32", 3, 33, 1)] == banned(outcome, BEGIN)
    assert (BEGIN, BEGIN + 500) == (outcome.first, outcome.last)
    assert () == outcome.notes


def test_a_log_that_begins_meanwhile_is_read_beside_one_that_goes_on(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("worker-1", "worker-2", "worker-3"))
    one.write_text(line(0, port=1) + line(1, port=2) + line(500, port=9))
    two.write_text(line(600, port=9))
    three.write_text(line(2, port=3) + line(3, port=4))
    assert [(f"{SCANNER}/32", 3, 33, 1)] == banned(judged([one, two, three]), BEGIN)


def test_a_source_that_goes_on_is_banned_on_and_one_that_returns_doubly(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    soon = scan(1_000, source="203.0.113.7") + scan(1_040, source="203.0.113.7")
    log.write_text(scan(0) + scan(20) + scan(60) + line(300) + soon)
    expected = [
        *((f"{SCANNER}/32", 3, 53, 1), (f"{SCANNER}/32", 63, 123, 2)),
        *(("203.0.113.7/32", 1_003, 1_033, 1), ("203.0.113.7/32", 1_043, 1_103, 2)),
    ]
    assert expected == banned(judged([log]), BEGIN)


def test_a_refusal_is_told_once_with_its_number(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0) + scan(30) + scan(500))
    (refused,) = judged([log], never_ban=["203.0.113.0/24"]).decisions.refused
    assert (f"{SCANNER}/32", "operator", 3) == (refused.cidr, refused.reason, refused.times)
    assert (BEGIN + 3, BEGIN + 503) == (refused.first, refused.last)
    assert "203.0.113.0/24 is on the never-ban list" == refused.why


def test_two_clocks_in_one_log_do_not_make_a_batch_of_each_line(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text("".join(line(100 + n // 50 - 5 * (n % 2)) for n in range(500)))
    batches = list(Log(str(log), ["calico-packet"], Progress()).batches())
    assert 500 == sum(batch.summary.packets for batch in batches)
    assert list(range(100, 110)) == sorted({(batch.at or 0) - BEGIN for batch in batches})
    assert 10 + 1 == len(batches), "one for each second, and one for an unfinished line"


def test_an_unfinished_last_line_counts(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0, 3) + line(1, port=99).removesuffix("\n"))
    outcome = judged([log])
    assert [(f"{SCANNER}/32", 2, 32, 1)] == banned(outcome, BEGIN)
    assert (4, ()) == (outcome.totals.lines, outcome.notes)


@pytest.mark.parametrize("late", [1, LATE_SECONDS])
def test_a_clock_that_is_late_counts_as_of_the_lines_before(tmp_path: Path, late: int) -> None:
    log = tmp_path / "syslog"
    log.write_text(
        line(100, port=1) + line(100 - late, port=2) + line(101, port=3) + line(101 - late, port=4)
    )
    outcome = judged([log])
    assert [(f"{SCANNER}/32", 101, 131, 1)] == banned(outcome, BEGIN)
    assert () == outcome.notes


def test_a_clock_that_was_set_back_is_followed_and_told(tmp_path: Path) -> None:
    """Summer time ends: what came before neither counts nor hides what comes."""
    log = tmp_path / "syslog"
    log.write_text(scan(7_000) + scan(3_600, 3) + scan(3_650))
    outcome = judged([log])
    # From the new time on, a ban of 30 s lasts no longer than that.
    assert [(3_653, 3_713, 2), (7_003, 3_630, 1)] == [
        (begin, end, offence) for _, begin, end, offence in banned(outcome, BEGIN)
    ]
    (note,) = outcome.notes
    assert "goes back in time once, by 0:56:43 at most" in note
    assert "from 2026-11-24T01:56:43Z to 2026-11-24T01:00:00Z" in note


def test_the_same_lines_twice_are_refused(tmp_path: Path) -> None:
    log, again, packed = (tmp_path / name for name in ("syslog", "again", "syslog.gz"))
    log.write_text(scan(0))
    again.hardlink_to(log)
    packed.write_bytes(gzip.compress(log.read_bytes() + scan(500).encode()))
    for other in (log, again, packed):
        with pytest.raises(ReplayError, match="count twice"):
            judged([log, other])


def test_empty_logs_are_no_copies_of_each_other(tmp_path: Path) -> None:
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.touch()
    other.touch()
    outcome = judged([empty, other])
    assert (f"{empty} is empty.", f"{other} is empty.") == outcome.notes
    assert (None, None) == (outcome.first, outcome.last)


def test_what_came_before_the_end_of_a_cut_archive_is_judged(tmp_path: Path) -> None:
    cut = tmp_path / "syslog.gz"
    filler = "".join(line(1_000 + n, f"192.0.2.{n % 200}", n) for n in range(5_000))
    packed = gzip.compress((scan(0) + filler).encode())
    cut.write_bytes(packed[: len(packed) // 2])
    outcome = judged([cut])
    assert [(f"{SCANNER}/32", 3, 33, 1)] == banned(outcome, BEGIN)[:1]
    (entry,) = outcome.inputs
    assert entry.problem is not None
    assert "cut off" in entry.problem
    assert 4 < outcome.totals.lines < 5_004


def test_a_missing_log_does_not_keep_the_others_from_being_judged(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0))
    outcome = judged([tmp_path / "nothing", log])
    assert 1 == len(outcome.decisions.bans)
    assert [True, False] == [entry.problem is not None for entry in outcome.inputs]


def test_packets_from_before_1970_have_no_time(tmp_path: Path) -> None:
    undated = line(0).replace("2026-", "1960-")
    log = tmp_path / "syslog"
    log.write_text(undated + scan(0, 3) + undated.replace("DPT=22", "DPT=99"))
    outcome = judged([log])
    assert [(f"{SCANNER}/32", 2, 32, 1)] == banned(outcome, BEGIN)
    assert 1 == outcome.totals.undated
    assert "1 packet before the first that has a time was not judged" in outcome.notes[0]


def test_lines_without_a_stamp_are_forged_and_not_judged(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text("".join(each.split(" ", 1)[1] for each in scan(0).splitlines(keepends=True)))
    outcome = judged([log])
    assert ((), 4, 0) == (
        outcome.decisions.bans,
        outcome.totals.forged,
        outcome.totals.packets,
    )


def test_a_second_with_more_than_a_batch_is_one_second(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    filler = "".join(line(0, f"10.0.0.{n % 250}", 1) for n in range(50_000))
    log.write_text(line(0, port=1) + line(0, port=2) + filler + line(0, port=3) + line(0, port=4))
    outcome = judged([log])
    assert [(f"{SCANNER}/32", 0, 30, 1)] == banned(outcome, BEGIN)


def test_bans_beyond_the_limit_are_refused_until_one_ends(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0) + scan(10, source="203.0.113.7") + scan(60, source="203.0.113.7"))
    outcome = judged([log], limits=Brakes(bans=1))
    assert [(f"{SCANNER}/32", 3, 33, 1), ("203.0.113.7/32", 63, 93, 1)] == banned(outcome, BEGIN)
    (refused,) = outcome.decisions.refused
    assert ("203.0.113.7/32", "limit", 1) == (refused.cidr, refused.reason, refused.times)


def test_only_packets_of_policies_that_deny_are_evidence(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0) + scan(100, source="203.0.113.7", prefix="only-log"))
    prefixes = (Prefix(), Prefix(text="only-log", verdict="logged"))
    outcome = judged([log], prefixes=prefixes)
    assert [f"{SCANNER}/32"] == [ban.network for ban in outcome.decisions.bans]
    assert 8 == outcome.totals.packets


def test_a_rule_on_a_policy_sees_the_name_that_the_kernel_printed(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0, prefix="cp shop/web") + scan(100, source="203.0.113.7", prefix="cp db"))
    text = PORTS.replace("    ban", '    where policy is "shop/web"\n    ban')
    outcome = judged([log], text, prefixes=(Prefix(text="cp %p"),))
    assert [f"{SCANNER}/32"] == [ban.network for ban in outcome.decisions.bans]


def test_other_rules_are_judged_in_the_same_pass(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(
        scan(0)
        + scan(100, 3, "203.0.113.7")
        + scan(200, 5, "203.0.113.8")
        + "".join(line(300, "203.0.113.9", port) for port in range(5))
    )
    two = "rule two\n    when distinct ports >= 2 within 1s\n    ban 30s\n"
    against = PORTS.replace("4", "3").replace("30s", "40s") + two
    outcome = judged([log], two + PORTS, against=against)
    difference = outcome.difference
    assert difference is not None
    assert [] == [ban.network for ban in difference.only]
    assert ["203.0.113.7/32"] == [ban.network for ban in difference.only_other]
    assert [f"{SCANNER}/32", "203.0.113.8/32", "203.0.113.9/32"] == [
        changed.cidr for changed in difference.changed
    ]
    told = [
        (ban.rule, int(ban.since) - BEGIN)
        for changed in difference.changed
        for ban in (changed.ban, changed.other)
        if ban is not None
    ]
    assert [
        *(("ports", 3), ("ports", 2)),
        *(("ports", 203), ("ports", 202)),
        *(("two", 300), ("ports", 300)),
    ] == told
    assert 0 == difference.same
    alike = judged([log], against=PORTS).difference
    assert alike is not None
    assert ((), (), (), 3) == alike


def test_a_ban_more_is_a_difference_too(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text(scan(0) + scan(100))
    outcome = judged([log], against=PORTS.replace(", doubling up to 2m", ""))
    assert outcome.difference is not None
    (changed,) = outcome.difference.changed
    assert changed.ban is not None
    assert changed.other is not None
    assert (60, 30) == (changed.ban.seconds, changed.other.seconds), "the first bans are alike"
    never = PORTS + "rule once\n    when packets >= 4 within 5m\n    ban 1h\n    even if forged\n"
    outcome = judged([log], against=never.replace("4 within 10s", "5 within 10s"))
    assert outcome.difference is not None
    (changed,) = outcome.difference.changed
    assert ("ports", "once") == tuple(
        ban.rule for ban in (changed.ban, changed.other) if ban is not None
    )
