"""Recorded scans and floods, told apart by the rules that come with logwatch.

`fixtures/scans/` holds what real tools sent, as the kernel and rsyslog wrote it; each folder says
by which commands. Lines are judged at the times that they bear.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from offenders.packets import Sent

from logwatch.blacklist import Network, network_of
from logwatch.config import Brakes
from logwatch.offenders import Offence, Offenders, Protected, read_rules
from logwatch.offenders.language import Rule, read
from logwatch.packets import Scanner, Summary

SCANS = Path(__file__).parents[2] / "fixtures" / "scans"
CASES = sorted(path.name for path in SCANS.iterdir())
PREFIX = "calico-packet"
RULES = read_rules(None).rules
SCANNER = "192.0.2.66/32"
START = 1_800_000_000.0


class Banned(NamedTuple):
    """Who is banned by which rule, with its so manyth packet, within so many seconds."""

    network: str
    rule: str
    packets: int
    seconds: float


class Line(NamedTuple):
    """A line, and when it was written: Unix seconds."""

    at: float
    text: bytes


# nmap sends ten probes and, since nothing answers, the same ten again before it goes on.
EXPECTED = {
    "nmap-syn": [Banned(SCANNER, "many-ports", 25, 3.1)],
    "nmap-connect": [Banned(SCANNER, "many-ports", 38, 3.1)],
    "nmap-slow-syn": [Banned(SCANNER, "slow-scan", 30, 150)],
    "nmap-odd-flags": [
        Banned("192.0.2.61/32", "many-ports", 25, 3.1),
        Banned("192.0.2.62/32", "many-ports", 26, 3.1),
        Banned("192.0.2.63/32", "many-ports", 27, 3.1),
    ],
    "nmap-sweep": [Banned(SCANNER, "sweep", 10, 0.1)],
    "nmap-fin-sweep": [Banned(SCANNER, "sweep", 10, 0.1)],
    "nmap-ping-sweep": [Banned(SCANNER, "sweep", 39, 3.1)],
    "nmap-ipv6": [Banned("2001:db8:bad:1::/64", "many-ports", 15, 2.3)],
    "scanner-in-flood": [Banned(SCANNER, "many-ports", 15, 0.1)],
    "one-source-floods": [Banned("192.0.2.70/32", "many-packets", 1500, 1.0)],
}
"""By case. Who is not named in it is not banned, and in cases that are not named here nobody is."""

SENT = {
    "nmap-syn": ["syn"],
    "nmap-odd-flags": ["fin", "null", "xmas"],
    "nmap-fin-sweep": ["fin"],
    "one-source-floods": ["syn"],
}
"""By case, what the evidence of each ban says that was sent."""

INNOCENT = ["retrying-clients", "health-check", "late-replies"]


def read_file(case: str, name: str) -> bytes:
    """A file of a case, which is an archive where it is large."""
    path = SCANS / case / name
    return path.read_bytes() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes())


def lines_of(case: str) -> list[Line]:
    """The lines of a case."""
    lines = read_file(case, "lines.log").splitlines(keepends=True)
    return [
        Line(datetime.fromisoformat(line.split()[0].decode()).timestamp(), line) for line in lines
    ]


def source_of(line: Line) -> Network:
    """What would be banned for a line."""
    return network_of(line.text.split(b"SRC=")[1].split()[0].decode())


def summaries(
    lines: Iterable[Line], seconds: float, prefix: str
) -> Iterator[tuple[float, Summary]]:
    """Count them as an agent does that looks every so many seconds; 0 is line by line."""
    scanner = Scanner([prefix])
    numbered = enumerate(lines)
    for _, batch in groupby(numbered, lambda each: each[1].at // seconds if seconds else each[0]):
        for _, line in batch:
            scanner.feed(line.text)
            at = line.at
        yield at, scanner.drain()


def new_offenders(rules: Iterable[Rule] = RULES) -> Offenders:
    """Nobody is banned yet, nobody is protected but by what nobody may ban."""
    return Offenders(tuple(rules), Protected((), list), mode="enforce", limits=Brakes())


def judge(
    offenders: Offenders, lines: Iterable[Line], seconds: float = 0.0, prefix: str = PREFIX
) -> list[Offence]:
    """Play lines at their own time; give all offences."""
    return [
        offence
        for at, summary in summaries(lines, seconds, prefix)
        for offence in offenders.observe(summary, at, at, [(prefix, "denied")])
    ]


def told(offences: Iterable[Offence], lines: list[Line]) -> list[Banned]:
    """Who was banned, after how many packets of its own and in how many seconds."""
    told = []
    for offence in offences:
        assert offence.refusal is None
        own = [line.at for line in lines if str(source_of(line)) == offence.network]
        packets = sum(at <= offence.at for at in own)
        told.append(Banned(offence.network, offence.rule, packets, offence.at - own[0]))
    return told


def by_rule(offences: Iterable[Offence]) -> dict[str, str]:
    """Which network was banned by which rule."""
    assert all(offence.refusal is None for offence in offences)
    return {offence.network: offence.rule for offence in offences}


def expected_by_rule(case: str) -> dict[str, str]:
    """Which network of a case has to be."""
    return {banned.network: banned.rule for banned in EXPECTED.get(case, [])}


@pytest.mark.parametrize("case", CASES)
def test_the_lines_hold_what_was_seen_on_the_wire(case: str) -> None:
    """Packets, bytes and flows, by a count that never saw a line."""
    truth = json.loads(read_file(case, "expected.json"))
    scanner = Scanner([PREFIX])
    scanner.feed(read_file(case, "lines.log"))
    summary = scanner.drain()
    assert truth["lines"] == summary.lines
    assert (truth["packets"], truth["bytes"]) == (summary.packets, summary.bytes)
    flows = [
        (row["source"], row["port"], row["protocol"], row["packets"]) for row in truth["flows"]
    ]
    assert flows == [row[:4] for row in summary.flows()]


@pytest.mark.parametrize("case", CASES)
def test_scanners_are_banned_and_nobody_else(case: str) -> None:
    """With the very packet that fulfils a rule."""
    lines = lines_of(case)
    found = told(judge(new_offenders(), lines), lines)
    expected = EXPECTED.get(case, [])
    assert [banned[:3] for banned in expected] == [banned[:3] for banned in found]
    for most, banned in zip(expected, found, strict=True):
        assert banned.seconds <= most.seconds


@pytest.mark.parametrize("case", SENT)
def test_the_flags_tell_scans_apart(case: str) -> None:
    found = judge(new_offenders(), lines_of(case))
    assert [(flags,) for flags in SENT[case]] == [offence.evidence.shapes for offence in found]
    assert all(offence.evidence.forgeable for offence in found)


@pytest.mark.parametrize("seconds", [0.05, 10.0])
@pytest.mark.parametrize("case", CASES)
def test_batches_are_judged_as_lines_are(case: str, seconds: float) -> None:
    """Those of an agent that keeps up, and those of one that works off a backlog."""
    assert expected_by_rule(case) == by_rule(judge(new_offenders(), lines_of(case), seconds))


@pytest.mark.parametrize("case", INNOCENT)
def test_who_goes_on_for_an_hour_without_harm_is_not_banned(case: str) -> None:
    """A check every two seconds, clients that do not give up, a server with stale connections."""
    offenders = new_offenders()
    recorded = lines_of(case)
    span = recorded[-1].at - recorded[0].at + 1
    for round_ in range(round(3600 / span)):
        lines = [line._replace(at=line.at + round_ * span) for line in recorded]
        assert [] == judge(offenders, lines, 0.05)


def test_forged_packets_are_evidence_where_a_rule_says_so() -> None:
    """That nobody is banned for them by default is not for want of seeing them."""
    text = b"""
rule udp when distinct ports >= 15 within 1m where protocol is udp ban 1h even if forged
rule udp-sweep
    when distinct destinations >= 10 within 1m where protocol is udp ban 1h even if forged
rule replies when distinct ports >= 15 within 1m where reply ban 1h even if forged
rule one-source when packets >= 600 within 1m ban 1h even if forged
"""
    rules = read(text, "forged.rules").rules
    banned = {
        case: by_rule(judge(new_offenders(rules), lines_of(case)))
        for case in ("nmap-udp", "replies", "late-replies", "one-source-floods")
    }
    assert {
        "nmap-udp": {SCANNER: "udp", "192.0.2.67/32": "udp-sweep"},
        "replies": {f"192.0.2.{host}/32": "replies" for host in (64, 65, 66, 67)},
        "late-replies": {"198.51.100.1/32": "replies"},
        "one-source-floods": {f"192.0.2.{host}/32": "one-source" for host in (70, 71, 72, 73)},
    } == banned


def test_a_scanner_is_found_in_a_flood_as_soon_as_without_it() -> None:
    """The flood is some thousand sources, as many as have a trail each."""
    lines = lines_of("scanner-in-flood")
    alone = [line for line in lines if str(source_of(line)) == SCANNER]
    assert len(lines) > 50 * len(alone)
    (without,) = judge(new_offenders(), alone)
    (within,) = judge(new_offenders(), lines)
    assert (without.network, without.rule, without.at) == (within.network, within.rule, within.at)


def flood(count: int, per_second: int) -> Iterator[Line]:
    """SYNs of so many different sources, all over IPv4."""
    head, tail = Sent(source="192.0.2.1").line().encode().split(b"192.0.2.1 ")
    for number in range(count):
        mixed = number * 0x9E3779B1 & 0xFFFFFFFF  # odd, so that no two are alike
        a, b, c, d = mixed.to_bytes(4, "big")
        yield Line(START + number / per_second, b"%b%d.%d.%d.%d %b" % (head, a, b, c, d, tail))


def scan_of(source: str, begin: float) -> list[Line]:
    """Twenty ports in a fifth of a second."""
    return [
        Line(begin + number / 100, Sent(source, port).line().encode())
        for number, port in enumerate(range(1, 21))
    ]


def test_a_million_forged_sources_neither_hide_a_scanner_nor_stop_anything() -> None:
    """At 50,000 packets a second; a scan as it begins, one in its midst, and one afterwards."""
    begins = {"203.0.113.1": 0.01, "203.0.113.2": 10.0, "203.0.113.3": 20.1}
    scans = [line for host, begin in begins.items() for line in scan_of(host, START + begin)]
    lines = merge(flood(1_000_000, 50_000), scans, key=lambda line: line.at)
    found = judge(new_offenders(), lines, 0.05, prefix="deny")
    alone = judge(new_offenders(), scans, 0.05, prefix="deny")
    assert [f"{host}/32" for host in begins] == [offence.network for offence in found]
    for with_flood, without in zip(found, alone, strict=True):
        assert with_flood.ban is not None
        assert ("many-ports", with_flood.network) == (with_flood.rule, without.network)
        assert 0 <= with_flood.at - without.at < 0.2
