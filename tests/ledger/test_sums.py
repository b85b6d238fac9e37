"""The sums of every family are exact, whatever comes, however the places change hands."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offenders.packets import POLICIES, Sent, policies, summary

from logwatch.ledger import Count, Ledger, SeriesLimits, Snapshot, StateError

packets = st.builds(
    Sent,
    source=st.sampled_from([f"203.0.113.{number}" for number in range(9)])
    | st.sampled_from(["2001:db8::1", "2001:db8::2"]),
    port=st.sampled_from([22, 23, 80, 443, 8080]),
    packets=st.integers(1, 15) | st.just(2**32 - 1),
    protocol=st.sampled_from(["tcp", "udp", "icmp", "none"]),
    shape=st.sampled_from(["syn", "reply", "other"]),
    policy=st.integers(0, 1),
    destination=st.just("198.51.100.1"),
    interface=st.sampled_from(["eth0", "eth1", ""]),
    length=st.sampled_from([60, 1500, 65_535]),
)


@dataclass(frozen=True)
class Step:
    """Packets at a time, then perhaps a commit, one that fails, or a crash and a reopening."""

    sent: Sequence[Sent]
    seconds: float
    then: str

    def add_to(self, ledger: Ledger, now: float) -> None:
        counted = summary(self.sent)
        ledger.add(counted, policies(counted), now)


steps = st.lists(
    st.builds(
        Step,
        sent=st.lists(packets, max_size=12),
        seconds=st.sampled_from([0.0, 1.0, 600.0, 901.0, -300.0]),
        then=st.sampled_from(["go on", "commit", "commit", "fail", "crash"]),
    ),
    max_size=25,
)
capacities = st.builds(
    SeriesLimits,
    policy=st.integers(0, 6),
    port=st.integers(0, 6),
    source=st.integers(0, 6),
    flow=st.integers(0, 6),
)


def total(sent: Sequence[Sent], verdict: str) -> Count:
    """Count plainly the sum that a family must have."""
    counted = [each for each in sent if POLICIES[each.policy][1] == verdict]
    return (
        sum(each.packets for each in counted),
        sum(each.packets * each.length for each in counted),
    )


def check(snapshot: Snapshot, before: Snapshot, sent: Sequence[Sent], limits: SeriesLimits) -> None:
    for name, family in snapshot.families.items():
        verdict = "logged" if name == "logged" else "denied"
        assert total(sent, verdict) == family.total, name
        capacity = limits.policy if name in {"denied", "logged"} else getattr(limits, name)
        assert capacity >= len(family.series), name
        old = before.families[name]
        assert all(now >= then for now, then in zip(family.other, old.other, strict=True)), name
        for labels in family.series.keys() & old.series.keys():
            now, then = family.series[labels], old.series[labels]
            assert now[0] >= then[0], (name, labels)
            assert now[1] >= then[1], (name, labels)


@settings(max_examples=200, deadline=None)
@given(steps=steps, limits=capacities)
def test_series_and_other_add_up_to_what_was_counted(
    steps: Sequence[Step], limits: SeriesLimits
) -> None:
    """In each family, after each commit and reopening: exact sums, no series or other shrinks."""
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger.open(Path(directory), limits=limits, boot_id="one")
        ledger.commit({}, {})
        durable: list[Sent] = []
        pending: list[Sent] = []
        now = 1_700_000_000.0
        for number, step in enumerate(steps):
            before = ledger.snapshot
            now += step.seconds
            step.add_to(ledger, now)
            pending += step.sent
            if step.then == "commit":
                ledger.commit({"/var/log/syslog": b"%d" % number}, {})
                durable += pending
                pending.clear()
            elif step.then == "fail":
                assert ledger._store is not None
                ledger._store._connection.execute("PRAGMA query_only = ON")
                with pytest.raises(StateError):
                    ledger.commit({"/var/log/syslog": b"%d" % number}, {})
                ledger._store._connection.execute("PRAGMA query_only = OFF")
            elif step.then == "crash":
                ledger.close()
                pending.clear()
                ledger = Ledger.open(Path(directory), limits=limits, boot_id="one")
            check(ledger.snapshot, before, durable, limits)
        ledger.close()


@settings(max_examples=50, deadline=None)
@given(steps=steps, limits=capacities, smaller=capacities)
def test_another_capacity_keeps_the_sums(
    steps: Sequence[Step], limits: SeriesLimits, smaller: SeriesLimits
) -> None:
    """Reopened with other limits the totals are the same, and still so after the next commit."""
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger.open(Path(directory), limits=limits, boot_id="one")
        counted: list[Sent] = []
        for step in steps:
            step.add_to(ledger, 1_700_000_000.0)
            counted += step.sent
        ledger.commit({}, {})
        ledger.close()
        for _ in range(2):
            ledger = Ledger.open(Path(directory), limits=smaller, boot_id="one")
            check(ledger.snapshot, ledger.snapshot, counted, smaller)
            ledger.commit({"/var/log/syslog": b"1"}, {})
            check(ledger.snapshot, ledger.snapshot, counted, smaller)
            ledger.close()
