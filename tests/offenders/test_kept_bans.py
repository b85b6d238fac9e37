"""Bans as they are kept: over restarts, in another mode, and under protection."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offenders.judging import NOW, PORTS, WIDE, Judge, judge_by, nets, scan
from offenders.packets import Sent

from logwatch.offenders import Mode, Protected
from logwatch.offenders.book import RECALL


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_only_enforced_bans_belong_into_the_policy(mode: Mode) -> None:
    judge = judge_by(mode=mode)
    (offence,) = judge.see(scan(), NOW, NOW)
    assert offence.ban is not None
    assert mode == offence.ban.phase
    assert () == judge.networks()

    enforcing = judge_by(mode="enforce")
    enforcing.restore(judge.documents())
    assert () == enforcing.networks()
    (offence,) = enforcing.see(scan(), NOW + 9, NOW + 9)
    assert offence.ban is not None
    assert ("enforce", 1) == (offence.ban.phase, offence.ban.offence)
    assert ("203.0.113.7/32",) == enforcing.networks()

    again = judge_by(mode=mode)
    again.restore(enforcing.documents())
    assert () == again.networks()


@pytest.mark.parametrize(
    ("before", "mode"), [("enforce", "propose"), ("enforce", "observe"), ("propose", "observe")]
)
def test_a_mode_that_does_less_neither_replaces_nor_extends_a_ban(before: Mode, mode: Mode) -> None:
    """When it is over, the source is judged anew, by what it did since it offended last."""
    earlier = judge_by(mode=before)
    (offence,) = earlier.see(scan(), NOW, NOW)
    judge = judge_by(mode=mode)
    judge.restore(earlier.documents())
    for minute in range(5, 60, 5):
        assert [] == judge.see(scan(), NOW + minute * 60, NOW + minute * 60)
    assert offence.ban == judge.bans["203.0.113.7/32"]
    assert ("203.0.113.7/32",) == judge.networks_of(before)
    end = NOW + 3600
    assert ["expired"] == [ban.ending for ban in judge.expire(end)]
    assert [] == judge.see(scan(ports=range(1, 15)), end, end)
    (offence,) = judge.see(scan(ports=range(15, 16)), end, end)
    assert offence.ban is not None
    assert (mode, 2) == (offence.ban.phase, offence.ban.offence)


def test_a_restart_goes_on_with_the_same_bans() -> None:
    judge = judge_by()
    judge.see([*scan(), Sent("2001:db8::1", packets=100)], NOW, NOW)
    after = judge_by()
    assert 0 == after.restore(judge.documents())
    assert dict(judge.bans) == dict(after.bans)
    assert dict(judge.documents()) == dict(after.documents())
    assert ("203.0.113.7/32", "2001:db8::/64") == after.networks()
    assert ["203.0.113.7/32"] == [ban.network for ban in after.expire(NOW + 3600)]


def test_damaged_documents_are_left_out_and_counted() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    good = judge.documents()["203.0.113.7/32"]
    document = json.loads(good)

    def changed(**values: object) -> bytes:
        return json.dumps(document | values).encode()

    damaged = {
        "203.0.113.1/32": good,
        "203.0.113.2/32": b"",
        "203.0.113.3/32": b"\xff\xfe",
        "203.0.113.4/32": changed(network="203.0.113.4/32", phase="war"),
        "203.0.113.5/32": changed(network="203.0.113.5/32", seconds=0),
        "203.0.113.6/32": changed(network="203.0.113.6/32", expires="soon"),
        "203.0.113.8/32": changed(network="203.0.113.8/32", offence=0),
        "203.0.113.9": changed(network="203.0.113.9"),
        "0.0.0.0/0": changed(network="0.0.0.0/0"),
        "203.0.112.0/20": changed(network="203.0.112.0/20"),
        "everyone": changed(network="everyone"),
    }
    after = judge_by()
    assert len(damaged) == after.restore({**damaged, "203.0.113.7/32": good})
    assert ["203.0.113.7/32"] == list(after.bans)
    assert {"203.0.113.7/32": good} == dict(after.documents())
    newer = judge_by()
    assert 0 == newer.restore({"203.0.113.7/32": changed(unknown=1)})
    assert judge.bans["203.0.113.7/32"] == newer.bans["203.0.113.7/32"]


@given(st.binary())
def test_no_document_breaks_a_restart(document: bytes) -> None:
    assert 1 == judge_by().restore({"203.0.113.7/32": document})


def test_no_ban_lasts_for_ever_whatever_its_document_says() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    good = judge.documents()["203.0.113.7/32"]
    for old, new in (
        (b'"expires":1700003600.0', b'"expires":1e300'),
        (b'"expires":1700003600.0', b'"expires":1e999'),
    ):
        document = good.replace(old, new)
        assert good != document
        after = judge_by()
        after.restore({"203.0.113.7/32": document})
        after.expire(NOW)
        assert [] == [ban for ban in after.bans.values() if ban.expires > NOW + 3600]


def test_a_ban_ends_when_its_network_comes_under_protection() -> None:
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    judge = Judge([PORTS], protected, mode="enforce", limits=WIDE)
    judge.see(scan(), NOW, NOW)
    assert [] == judge.expire(NOW + 1)
    own[0] = nets("203.0.113.7/32")
    protected.refresh()
    assert () == judge.networks()
    (ended,) = judge.expire(NOW + 2)
    assert (NOW + 2, "protected") == (ended.ended, ended.ending)
    assert {} == dict(judge.documents())


def test_a_restored_ban_of_a_protected_network_is_never_enforced() -> None:
    judge = judge_by()
    judge.see(scan(), NOW, NOW)
    after = judge_by(never_ban=["203.0.113.0/24"])
    after.restore(judge.documents())
    assert () == after.networks()
    assert ["protected"] == [ban.ending for ban in after.expire(NOW)]


def test_the_revision_grows_with_every_change_and_only_then() -> None:
    """Bans made, extended, ended, forgotten, restored; the protected list."""
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    judge = Judge([PORTS], protected, mode="enforce", limits=WIDE)
    revisions = [judge.revision]

    def grown() -> bool:
        revisions.append(judge.revision)
        return revisions[-2] < revisions[-1]

    judge.see(scan(ports=range(1, 15)), NOW, NOW)
    judge.expire(NOW)
    assert not grown()
    judge.see(scan(ports=range(15, 16)), NOW, NOW)
    assert grown()
    judge.see(scan(), NOW + 600, NOW + 600)
    assert grown()
    judge.expire(NOW + 601)
    assert not grown()
    judge.expire(NOW - 86_400)
    assert grown()
    judge.expire(NOW)
    assert grown()
    judge.expire(NOW + RECALL)
    assert grown()
    judge.see(scan(), NOW + RECALL, NOW + RECALL)
    own[0] = nets("203.0.113.7/32")
    assert grown()
    protected.refresh()
    assert grown()
    judge.expire(NOW + RECALL)
    assert grown()
    after = judge_by()
    judge.restore(after.documents())
    assert not grown()
    after.see(scan("203.0.113.8"), NOW, NOW)
    judge.restore(after.documents())
    assert grown()


def test_the_same_networks_are_not_listed_anew() -> None:
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    judge = Judge([PORTS], protected, mode="enforce", limits=WIDE)
    assert () == judge.networks()
    judge.see(scan(), NOW, NOW)
    first = judge.networks()
    assert ("203.0.113.7/32",) == first
    judge.see([Sent("203.0.113.8")], NOW + 1, NOW + 1)
    judge.expire(NOW + 1)
    assert judge.networks() is first
    own[0] = nets("203.0.113.7/32")
    protected.refresh()
    assert () == judge.networks()
