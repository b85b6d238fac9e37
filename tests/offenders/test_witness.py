"""What a node tells of what it saw, and that telling decides nothing."""

from ipaddress import ip_network

import pytest
from offenders.packets import Sent, policies, summary

from logwatch.config import Brakes
from logwatch.offenders import Nearest, Offenders, Protected, Witness
from logwatch.offenders.language import read

RULES = read(
    b"rule ports\n    when distinct ports >= 5 within 1m\n    ban 1h\n", "test.rules"
).rules
NOW = 1_700_000_000.0
SIZE = 100_000


def offenders(never_ban: str = "192.0.2.0/24") -> Offenders:
    protected = Protected([ip_network(never_ban)], own=list)
    return Offenders(RULES, protected, mode="observe", limits=Brakes())


def see(witness: Witness, sent: list[Sent], at: float = NOW, samples: int = 0) -> list[str]:
    """Have it see packets now, of which so many bytes are kept; give what it tells."""
    counted = summary(sent, samples=samples)
    return witness.observe(counted, at, at, policies(counted))


def scan(source: str, ports: range) -> list[Sent]:
    return [Sent(source=source, port=port) for port in ports]


def test_an_offender_is_told_of_once_and_nothing_is_forgotten() -> None:
    """A ban would have its evidence begin anew."""
    made = offenders()
    witness = made.witness
    assert [] == see(witness, scan("203.0.113.7", range(4)))
    assert not witness.take_news()
    more = scan("203.0.113.7", range(4, 6))
    assert ["ports"] == see(witness, more)
    assert [] == see(witness, more, NOW + 1)
    assert witness.take_news()
    assert not witness.take_news()
    told = witness.testify(SIZE, top=10, at=NOW + 1)
    nearest = Nearest("203.0.113.7/32", "ports", 6, 5, ())
    assert (1, 0, (nearest,)) == (told.sources, told.cut, told.top)
    assert {} == made.bans


def test_lines_are_told_of_who_offends_or_nearly_does() -> None:
    witness = offenders().witness
    near, far = scan("203.0.113.7", range(4)), scan("203.0.113.8", range(1))
    see(witness, [*near, *far], samples=10_000)
    told = {each.network: each.samples for each in witness.testify(SIZE, top=10, at=NOW).top}
    lines = tuple(each.line().rstrip("\n") for each in near)
    assert {"203.0.113.7/32": lines, "203.0.113.8/32": ()} == told


def test_who_is_never_banned_is_no_news() -> None:
    """The evidence of it is told all the same: the escalator knows better."""
    witness = offenders().witness
    assert [] == see(witness, scan("192.0.2.7", range(9)))
    assert not witness.take_news()
    assert 1 == witness.testify(SIZE, top=10, at=NOW).sources


def test_the_same_evidence_is_told_in_the_same_bytes() -> None:
    witness = offenders().witness
    sent = [each for host in range(9) for each in scan(f"203.0.113.{host}", range(host))]
    see(witness, sent)
    assert witness.testify(SIZE, top=3, at=NOW) == witness.testify(SIZE, top=3, at=NOW)


def test_no_two_nodes_prefer_the_same_of_equally_near_sources() -> None:
    """Or who knows which could have a scanner left out of all reports."""
    sent = [each for host in range(250) for each in scan(f"203.0.113.{host}", range(1))]
    told = []
    for _ in range(2):
        witness = offenders().witness
        see(witness, sent)
        told.append(witness.testify(2_000, top=0, at=NOW))
    one, other = (each.evidence for each in told)
    assert 20 < told[0].sources < 100
    assert one != other


def test_a_scanner_of_many_nodes_is_found_though_reports_have_no_room_for_all() -> None:
    """A report holds half of what its node saw, each another half; five ports suffice."""
    reports = []
    for node in range(40):
        witness = offenders().witness
        flood = [Sent(f"198.51.{node}.{host}", 1) for host in range(100)]
        see(witness, [*flood, Sent("203.0.113.7", node)])
        reports.append((f"node-{node}", witness.testify(2_000, top=0, at=NOW).evidence))
    found = offenders().judge_reports(reports, {}, NOW, NOW)
    assert ["203.0.113.7/32"] == [each.network for each in found]


def test_what_was_told_before_a_restart_counts_on() -> None:
    before, after = offenders().witness, offenders().witness
    see(before, scan("203.0.113.7", range(3)))
    evidence = before.testify(SIZE, top=0, at=NOW).evidence
    assert 1 == after.recall(evidence, NOW + 1)
    assert ["ports"] == see(after, scan("203.0.113.7", range(3, 5)), NOW + 1)


def test_what_a_clock_that_was_ahead_told_is_left_out() -> None:
    before, after = offenders().witness, offenders().witness
    see(before, scan("203.0.113.7", range(3)), NOW + 3600)
    after.recall(before.testify(SIZE, top=0, at=NOW).evidence, NOW)
    assert 0 == after.testify(SIZE, top=0, at=NOW).sources
    with pytest.raises(ValueError, match="evidence"):
        after.recall(b"no evidence", NOW)
