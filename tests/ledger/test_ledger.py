"""What a ledger counts, keeps and shows."""

import os
from pathlib import Path

import pytest
from ledger.state import NOON, SYSLOG, THREE, add, open_ledger, written_bytes
from offenders.packets import Sent, policies, summary

from logwatch.ledger import Family, Ledger, SeriesLimits
from logwatch.packets import Scanner, Summary


def doubled(counted: Summary, times: int) -> Summary:
    """Let it count itself again and again."""
    for _ in range(times):
        counted.merge(Summary.from_bytes(counted.to_bytes()))
    return counted


def test_a_denied_packet_is_in_four_families_and_a_logged_one_in_one(ledger: Ledger) -> None:
    """Only denied packets are counted by port, source and flow."""
    add(ledger, [THREE, Sent(policy=1, packets=5)])
    ledger.commit({}, {})
    expected = {
        "denied": Family({("deny-nodeports", "eth1", "tcp", "4"): (3, 180)}),
        "logged": Family({("log-denied-packets", "eth1", "tcp", "4"): (5, 300)}),
        "port": Family({("tcp", "22"): (3, 180)}),
        "source": Family({("203.0.113.7",): (3, 180)}),
        "flow": Family({("203.0.113.7", "tcp", "22"): (3, 180)}),
    }
    assert expected == dict(ledger.snapshot.families)


def test_a_checkpoint_is_forgotten_with_the_next_commit(ledger: Ledger, directory: Path) -> None:
    ledger.commit({SYSLOG: b"1", "/dev/kmsg": b"2"}, {})
    ledger.forget(SYSLOG)
    ledger.forget("/never/known")
    assert (None, ["/dev/kmsg"]) == (ledger.checkpoint(SYSLOG), ledger.inputs)
    ledger.close()
    again = open_ledger(directory)
    assert {SYSLOG, "/dev/kmsg"} == set(again.inputs)
    again.forget(SYSLOG)
    again.commit({}, {})
    again.close()
    last = open_ledger(directory)
    assert ["/dev/kmsg"] == last.inputs
    last.close()


def test_rows_of_one_source_add_up(ledger: Ledger) -> None:
    """Rows that differ only by their shape are one source and one flow."""
    add(ledger, [THREE, THREE._replace(shape="other")])
    add(ledger, [THREE._replace(protocol="none")])
    ledger.commit({}, {})
    families = ledger.snapshot.families
    assert {("203.0.113.7",): (9, 540)} == families["source"].series
    expected = {("203.0.113.7", "tcp", "22"): (6, 360), ("203.0.113.7", "none", ""): (3, 180)}
    assert expected == families["flow"].series


def test_what_found_no_room_is_in_other(ledger: Ledger) -> None:
    """Of a thousand sources the smallest table of the scanner takes 192; no packet is missing."""
    counted = summary(
        [THREE._replace(source=f"198.51.{i // 250}.{i % 250}") for i in range(1000)], memory=0
    )
    ledger.add(counted, policies(counted), NOON)
    ledger.commit({}, {})
    families = ledger.snapshot.families
    assert {(3000, 180_000)} == {families[name].total for name in ("denied", "source", "flow")}
    assert Family({("tcp", "22"): (576, 34_560)}, (2424, 145_440)) == families["port"]
    assert 128 == len(families["source"].series)


def test_a_wrong_batch_is_refused_before_anything_counts(ledger: Ledger) -> None:
    """Nothing of it is in one family and missing in the other."""
    counted = summary([THREE, THREE._replace(policy=1)])
    for wrong in ([], [("a", "denied")], [("a", "denied"), ("b\0", "logged")]):
        with pytest.raises(ValueError, match=r"verdicts|NUL"):
            ledger.add(counted, wrong, NOON)
    ledger.commit({}, {})
    assert {(0, 0)} == {family.total for family in ledger.snapshot.families.values()}


def test_control_characters_of_a_line_are_shown_escaped(ledger: Ledger) -> None:
    """A damaged line may hold anything for an interface; it stops neither count nor scrape."""
    scanner = Scanner(["calico-packet"])
    for interface in (b"a\0b", b"a\nb", b"a\x1bb", b"a\xffb", "höhe".encode()):
        scanner.feed(
            b"Sep  5 14:34:40 worker-1 kernel: [158271.044316] calico-packet: IN="
            + interface
            + b" OUT= MAC=08:00:27 SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00"
            b" TTL=64 ID=5 DF PROTO=TCP SPT=429 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0\n"
        )
    counted = scanner.drain()
    ledger.add(counted, [("deny-nodeports", "denied")], NOON)
    ledger.commit({}, {})
    shown = {interface for _, interface, _, _ in ledger.snapshot.families["denied"].series}
    # The line feed ends its line there: an odd one, without an interface to show.
    assert {"a\\x00b", "a\\x1bb", "a\\xffb", "höhe"} == shown


def test_only_what_is_committed_is_shown(ledger: Ledger) -> None:
    """The snapshot stays the same object until a commit succeeds."""
    before = ledger.snapshot
    add(ledger, [THREE])
    ledger.count("lines", ("packet",), 3)
    assert before is ledger.snapshot
    assert 0 == ledger.snapshot.counter("lines", "packet")
    ledger.commit({}, {})
    assert 3 == ledger.snapshot.counter("lines", "packet")
    assert 0 == before.counter("lines", "packet")


def test_all_of_it_survives_a_restart(directory: Path, ledger: Ledger) -> None:
    """Series, counters, checkpoints and documents are as they were, to any byte and size."""
    hostile = 'a"b\\c\n\x00\udc80é'
    add(ledger, [THREE, THREE._replace(source="2001:db8::1")])
    huge = doubled(summary([Sent(packets=2**31)]), times=32)
    for _ in range(2):
        ledger.add(huge, policies(huge), NOON)
    ledger.count("read_bytes", (hostile,), 2**70)
    ledger.count("offences", ("ports",), 0)
    ledger.commit({SYSLOG: b'{"position": 7}', hostile: b"\x00\xff"}, {"bans": {hostile: b"{}"}})
    shown = ledger.snapshot
    assert 2**64 + 3 == shown.families["source"].series["203.0.113.7",][0]
    ledger.close()
    again = open_ledger(directory)
    assert shown == again.snapshot
    assert 2**70 == again.snapshot.counter("read_bytes", hostile)
    assert ("offences", ("ports",)) in again.snapshot.counters
    assert (b'{"position": 7}', b"\x00\xff") == (
        again.checkpoint(SYSLOG),
        again.checkpoint(hostile),
    )
    assert {hostile: b"{}"} == again.documents("bans")
    again.close()


def test_idle_time_survives_a_restart(directory: Path) -> None:
    """A series that was idle before the restart gives up its place after it."""
    limits = SeriesLimits(source=2)
    ledger = open_ledger(directory, limits=limits)
    add(ledger, [Sent("203.0.113.1", packets=20)])
    add(ledger, [Sent("203.0.113.2", packets=20)], NOON + 600)
    ledger.commit({}, {})
    ledger.close()
    ledger = open_ledger(directory, limits=limits)
    add(ledger, [Sent("203.0.113.3", packets=20)], NOON + 901)
    ledger.commit({}, {})
    expected = Family({("203.0.113.2",): (20, 1200), ("203.0.113.3",): (20, 1200)}, (20, 1200))
    assert expected == ledger.snapshot.families["source"]
    ledger.close()
    ledger = open_ledger(directory, limits=limits)
    assert expected == ledger.snapshot.families["source"]
    ledger.close()


def test_what_was_not_committed_is_forgotten(directory: Path, ledger: Ledger) -> None:
    """Counts and position of the last commit stand together."""
    add(ledger, [THREE])
    ledger.commit({SYSLOG: b"1"}, {})
    add(ledger, [THREE])
    ledger.close()
    again = open_ledger(directory)
    assert ((3, 180), b"1") == (again.snapshot.families["source"].total, again.checkpoint(SYSLOG))
    again.close()


def test_after_a_reboot_counts_start_at_zero(directory: Path, ledger: Ledger) -> None:
    """Checkpoints and documents stay, and the next commit removes the old counts for good."""
    add(ledger, [THREE])
    ledger.count("lines", ("packet",), 3)
    ledger.commit({SYSLOG: b"1"}, {"bans": {"203.0.113.7/32": b"{}"}})
    ledger.close()
    for boot_id in ("two", "two"):
        ledger = open_ledger(directory, boot_id)
        assert (0, 0) == ledger.snapshot.families["source"].total
        assert {} == dict(ledger.snapshot.counters)
        assert b"1" == ledger.checkpoint(SYSLOG)
        assert {"203.0.113.7/32": b"{}"} == ledger.documents("bans")
        ledger.commit({}, {})
        ledger.close()


def test_a_collection_is_replaced_as_a_whole(directory: Path, ledger: Ledger) -> None:
    """Missing documents are removed, other collections and other inputs' checkpoints stay."""
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1", "b": b"2"}, "notes": {"a": b"9"}})
    ledger.commit({"/var/log/kern.log": b"5"}, {"bans": {"b": b"3"}})
    ledger.close()
    again = open_ledger(directory)
    assert ({"b": b"3"}, {"a": b"9"}) == (again.documents("bans"), again.documents("notes"))
    assert (b"1", b"5") == (again.checkpoint(SYSLOG), again.checkpoint("/var/log/kern.log"))
    again.close()


def test_no_change_is_no_write(directory: Path, ledger: Ledger) -> None:
    """The same position and the same documents again leave every byte on disk as it was."""
    add(ledger, [THREE])
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    before, shown = written_bytes(directory), ledger.snapshot
    add(ledger, [], NOON + 60)
    ledger.commit({SYSLOG: b"1"}, {"bans": {"a": b"1"}})
    assert before == written_bytes(directory)
    assert shown is ledger.snapshot


def test_a_commit_writes_only_what_changed(directory: Path, ledger: Ledger) -> None:
    """With 768 series known, a packet of one source costs a few pages, not the whole state."""
    many = [Sent(f"198.51.{i // 250}.{i % 250}", packets=20) for i in range(512)]
    add(ledger, many)
    ledger.commit({SYSLOG: b"1"}, {})
    log = directory / "logwatch.sqlite-wal"
    before = log.stat().st_size
    add(ledger, many[:1])
    ledger.commit({SYSLOG: b"2"}, {})
    assert 8 * 1024 > log.stat().st_size - before > 0


def test_counters_never_count_backwards(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="backwards"):
        ledger.count("lines", ("packet",), -1)


def test_after_close_a_commit_is_a_mistake(ledger: Ledger) -> None:
    ledger.close()
    with pytest.raises(ValueError, match="closed"):
        ledger.commit({}, {})


def test_ten_thousand_rows_are_counted_in_milliseconds(ledger: Ledger) -> None:
    """A drain of the scanner's full table: 10 ms measured, a second would mean a lost order."""
    flood = [Sent(f"198.{i >> 16}.{i >> 8 & 255}.{i & 255}") for i in range(10_000)]
    counted = summary(flood)
    before = os.times()
    ledger.add(counted, policies(counted), NOON)
    after = os.times()
    assert 0.5 > after.user - before.user
    ledger.commit({}, {})
    families = ledger.snapshot.families
    assert 768 >= sum(len(families[name].series) for name in ("source", "flow"))
