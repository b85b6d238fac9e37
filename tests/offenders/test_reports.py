"""Reports of many nodes are judged like the evidence of one that saw it all."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offenders.packets import Sent, policies, summary

from logwatch._core import Evidence as Trails
from logwatch.config import Brakes
from logwatch.offenders import Offence, Offenders, Protected
from logwatch.offenders.language import Rule, read
from logwatch.offenders.plan import plan

RULES = read(
    b"""
rule ports
    when distinct ports >= 15 within 1m
    ban 1h
rule packets
    when packets >= 100 within 1d
    where protocol is tcp and not reply
    ban 2h
    even if forged
""",
    "test.rules",
).rules
WIDE = Brakes(bans_per_minute=1000, bans=1000, freeze_factor=100)
SCANNER = "203.0.113.7"
BANNED = [("203.0.113.7/32", "banned by ports")]
NOW = 1_700_000_000.0
REPORT_AGE = 60.0
SKEW = 300.0


def told(offences: list[Offence]) -> list[tuple[str, str]]:
    """Network and outcome of each offence."""
    return [
        (each.network, each.refusal.reason if each.refusal else f"banned by {each.rule}")
        for each in offences
    ]


class Cluster(Offenders):
    """Nodes that count, and who merges what they report."""

    def __init__(
        self,
        rules: Iterable[Rule] = RULES,
        *,
        limits: Brakes = WIDE,
        never_ban: Iterable[str] = (),
        capacity: int = 10_000,
        near_misses: int = 0,
        age: float = REPORT_AGE,
    ) -> None:
        self.rules = tuple(rules)
        self.nodes: dict[str, Trails] = {}
        self.clocks: dict[str, float] = {}
        self.undone: dict[str, float] = {}
        self.age = age
        super().__init__(
            self.rules,
            Protected([ip_network(each) for each in never_ban], tuple),
            mode="enforce",
            limits=limits,
            capacity=capacity,
            near_misses=near_misses,
        )

    def count(self, node: str, sent: Iterable[Sent], at: float) -> None:
        """A node sees packets; its clock may be wrong."""
        plans = [plan(rule) for rule in self.rules]
        trails = self.nodes.setdefault(node, Trails(plans, 10_000, node=node))
        counted = summary(sent)
        verdicts = [(name, verdict == "denied") for name, verdict in policies(counted)]
        trails.observe(counted, verdicts, at + self.clocks.get(node, 0.0))

    def judge(
        self, now: float, *, ahead: Mapping[str, float] | None = None
    ) -> list[tuple[str, str]]:
        """Judge what all nodes report at a time."""
        reports = [(node, trails.to_bytes(184_000)[0]) for node, trails in self.nodes.items()]
        return told(
            self.judge_reports(reports, self.undone, now - self.age, now, ahead=ahead or {})
        )

    def undo(self, network: str, now: float) -> None:
        """A person lets it in again."""
        self.remove(ip_network(network), now)
        self.undone[network] = now


def scan(ports: Iterable[int] = range(1, 16), source: str = SCANNER) -> list[Sent]:
    return [Sent(source, port) for port in ports]


@pytest.mark.parametrize(
    ("measure", "sent"),
    [
        ("ports", lambda node: Sent(port=node)),
        ("destinations", lambda node: Sent(destination=f"198.51.100.{node}")),
        ("nodes", lambda _: Sent()),
    ],
)
def test_one_packet_to_each_of_many_nodes_is_one_offender(
    measure: str, sent: Callable[[int], Sent]
) -> None:
    text = f"rule wide when distinct {measure} >= 200 within 10m ban 1h"
    cluster = Cluster(read(text.encode(), "test.rules").rules)
    for node in range(1, 200):
        cluster.count(f"worker-{node}", [sent(node)], NOW + node)
    assert [] == cluster.judge(NOW + 200)
    cluster.count("worker-200", [sent(200)], NOW + 200)
    assert [("203.0.113.7/32", "banned by wide")] == cluster.judge(NOW + 201)
    (ban,) = cluster.bans.values()
    assert (200, 200, NOW + 200) == (ban.evidence.packets, ban.evidence.nodes, ban.since)


def test_a_ban_shows_the_lines_that_reports_bring_along() -> None:
    """Five at the most; also if a brake has let it wait."""
    lines = {"203.0.113.7/32": tuple("abcdefg"), "203.0.113.8/32": ("h",)}
    cluster = Cluster(limits=Brakes(bans_per_minute=1, bans=1000, freeze_factor=100))
    cluster.count("worker-1", [*scan(range(1, 20)), *scan(source="203.0.113.8")], NOW)
    for now in (NOW, NOW + 61):
        reports = [("worker-1", cluster.nodes["worker-1"].to_bytes(184_000)[0])]
        cluster.judge_reports(reports, {}, now - 60, now, lines=lines)
    assert {"203.0.113.7/32": tuple("abcde"), "203.0.113.8/32": ("h",)} == {
        network: ban.evidence.samples for network, ban in cluster.bans.items()
    }


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 7.0, 30.0, 61.0, 500.0]),
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "c"]),
                st.integers(1, 3),
                st.integers(1, 20),
                st.integers(1, 9),
                st.integers(1, 50),
            ),
            max_size=4,
        ),
    ),
    max_size=12,
)


@given(_STEPS)
@settings(max_examples=60)
def test_merged_nodes_ban_like_one_that_saw_every_line(
    steps: list[tuple[float, list[tuple[str, int, int, int, int]]]],
) -> None:
    now, cluster = NOW, Cluster()
    protected = Protected((), tuple)
    alone = Offenders(RULES, protected, mode="enforce", limits=WIDE)
    for wait, packets in steps:
        now += wait
        seen = []
        for node, number, first, ports, repeated in packets:
            source = f"203.0.113.{number}"
            sent = [Sent(source, port, repeated) for port in range(first, first + ports)]
            cluster.count(node, sent, now)
            seen += sent
        if seen:
            counted = summary(seen)
            alone.observe(counted, now, now, policies(counted))
        cluster.judge(now)
        assert {
            each.network: (each.rule, each.reason, each.evidence.packets, each.since)
            for each in alone.bans.values()
        } == {
            each.network: (each.rule, each.reason, each.evidence.packets, each.since)
            for each in cluster.bans.values()
        }


def test_the_same_reports_decide_nothing_again() -> None:
    limits = Brakes(bans_per_minute=2, bans=1000, freeze_factor=100)
    cluster = Cluster(limits=limits, never_ban=["192.0.2.0/24"])
    cluster.count("a", scan(range(1, 30), SCANNER), NOW)
    cluster.count("a", scan(source="203.0.113.8"), NOW)
    cluster.count("b", [*scan(source="192.0.2.1"), *scan(source="203.0.113.9")], NOW)
    assert {
        ("203.0.113.7/32", "banned by ports"),
        ("203.0.113.8/32", "banned by ports"),
        ("203.0.113.9/32", "rate"),
        ("192.0.2.1/32", "operator"),
    } == set(cluster.judge(NOW + 1))
    documents = dict(cluster.documents())
    for second in range(2, 40, 5):
        assert [] == cluster.judge(NOW + second)
        assert 1 == cluster.held
    assert documents == dict(cluster.documents())
    cluster.count("b", scan(source="203.0.113.9"), NOW + 61)
    assert [("203.0.113.9/32", "banned by ports")] == cluster.judge(NOW + 62)
    assert 0 == cluster.held


def test_a_ban_is_extended_by_evidence_that_is_newer_than_its_decision() -> None:
    cluster = Cluster()
    cluster.count("a", scan(), NOW)
    assert BANNED == cluster.judge(NOW + 5)
    for seconds in (6, 30, 70):
        cluster.judge(NOW + seconds)
        assert NOW + 3600 == cluster.bans["203.0.113.7/32"].expires
    cluster.count("b", scan(), NOW + 600)
    for seconds in (601, 602):
        assert [] == cluster.judge(NOW + seconds)
        assert NOW + 4200 == cluster.bans["203.0.113.7/32"].expires


@pytest.mark.parametrize("clock", [0.0, SKEW, -SKEW])
def test_what_was_undone_counts_no_more_and_what_comes_after_does(clock: float) -> None:
    cluster = Cluster(age=REPORT_AGE + SKEW)
    cluster.clocks["a"] = clock
    cluster.count("a", [*scan(), Sent(packets=300)], NOW)
    assert BANNED == cluster.judge(NOW + 5)
    cluster.undo("203.0.113.7/32", NOW + 10)
    for seconds in (11, 12, 70, 290, 400, 2000):
        assert [] == cluster.judge(NOW + seconds)
    cluster.count("b", scan(), NOW + 2100)
    assert BANNED == cluster.judge(NOW + 2101)


@pytest.mark.parametrize("clock", [0.0, SKEW, -SKEW])
def test_after_an_undo_new_evidence_counts_at_once_where_the_clock_is_known(clock: float) -> None:
    cluster = Cluster()
    cluster.clocks["a"] = clock
    cluster.count("a", scan(), NOW)
    assert BANNED == cluster.judge(NOW + 1, ahead=cluster.clocks)
    cluster.undo("203.0.113.7/32", NOW + 2)
    assert [] == cluster.judge(NOW + 3, ahead=cluster.clocks)
    cluster.count("a", scan(), NOW + 4)
    assert BANNED == cluster.judge(NOW + 5, ahead=cluster.clocks)


def test_what_led_to_a_ban_does_not_lead_to_another_when_that_is_over() -> None:
    cluster = Cluster()
    cluster.count("a", [Sent(packets=300)], NOW)
    assert [("203.0.113.7/32", "banned by packets")] == cluster.judge(NOW + 1)
    assert 1 == len(cluster.expire(NOW + 7200))
    assert [] == cluster.judge(NOW + 7201)
    after = Cluster()
    after.nodes = cluster.nodes
    after.restore(cluster.documents(), now=NOW + 7202)
    assert [] == after.judge(NOW + 7203)
    after.count("b", [Sent(packets=100)], NOW + 9000)
    assert [("203.0.113.7/32", "banned by packets")] == after.judge(NOW + 9001)
    assert 2 == after.bans["203.0.113.7/32"].offence


def test_what_a_person_banned_and_undid_counts_no_more_in_all_of_a_network() -> None:
    cluster = Cluster()
    network = ip_network("203.0.113.0/24")
    cluster.by_hand.add(network, NOW, seconds=600, reason="noise", force=False)
    cluster.count("a", scan(), NOW + 1)
    assert [] == cluster.judge(NOW + 2)
    cluster.undo(str(network), NOW + 3)
    assert [] == cluster.judge(NOW + 4)
    cluster.by_hand.add(network, NOW + 5, seconds=600, reason="noise", force=False)
    cluster.count("a", scan(), NOW + 590)
    assert 1 == len(cluster.expire(NOW + 606))
    assert [] == cluster.judge(NOW + 607)
    cluster.count("a", scan(), NOW + 608)
    assert BANNED == cluster.judge(NOW + 609)


def test_a_damaged_report_is_named_and_stops_no_other() -> None:
    cluster = Cluster()
    cluster.count("a", scan(), NOW)
    (good, _, _) = cluster.nodes["a"].to_bytes(10_000)
    late = Trails([plan(rule) for rule in RULES], 10)
    counted = summary([Sent()])
    late.observe(counted, [("deny", True)], NOW + 1 + SKEW + 86_400)
    reports = [
        ("cut", good[:-1]),
        ("empty", b""),
        ("late", late.to_bytes(10_000)[0]),
        ("a", good),
    ]
    assert BANNED == told(cluster.judge_reports(reports, {}, NOW, NOW + 1))
    assert {"cut", "empty", "late"} == set(cluster.reports.left_out)
    assert "no evidence: byte 0" in cluster.reports.left_out["empty"]
    assert "86700 s after now" in cluster.reports.left_out["late"]
    assert 3 == cluster.reports.failures
    assert [] == cluster.judge_reports(reports[-1:], {}, NOW, NOW + 2)
    assert {} == cluster.reports.left_out
    assert 3 == cluster.reports.failures


@pytest.mark.parametrize("scanned", ["right", "ahead", "behind"])
def test_a_scan_that_one_node_saw_is_found_whatever_the_clocks(scanned: str) -> None:
    cluster = Cluster(age=REPORT_AGE + SKEW)
    cluster.clocks = {"ahead": SKEW, "behind": -SKEW}
    for node in ("ahead", "right", "behind"):
        cluster.count(node, scan() if node == scanned else [Sent(port=99)], NOW)
    assert BANNED == cluster.judge(NOW + 1)
    ban = cluster.bans["203.0.113.7/32"]
    assert NOW - SKEW <= ban.since <= NOW + 1
    assert ban.evidence.last <= NOW + 1
    for second in (2, 100, 400):
        cluster.judge(NOW + second)
        assert ban.expires == cluster.bans["203.0.113.7/32"].expires


def test_a_scan_over_nodes_whose_clocks_are_known_is_found() -> None:
    cluster = Cluster()
    cluster.clocks = {"ahead": SKEW, "behind": -SKEW}
    for first, node in ((1, "ahead"), (6, "right"), (11, "behind")):
        cluster.count(node, scan(range(first, first + 5)), NOW + first)
    assert BANNED == cluster.judge(NOW + 12, ahead=cluster.clocks)
    assert NOW + 11 == cluster.bans["203.0.113.7/32"].since


def flood(number: int, first: int = 0) -> list[Sent]:
    """So many sources that scan."""
    sources = (f"198.18.{each >> 8}.{each & 255}" for each in range(first, first + number))
    return [packet for source in sources for packet in scan(source=source)]


def test_many_offenders_in_the_reports_freeze_before_one_of_them_is_banned() -> None:
    cluster = Cluster(limits=Brakes(bans_per_minute=3, freeze_factor=10))
    cluster.count("a", flood(16), NOW)
    cluster.count("b", flood(15, 16), NOW + 5)
    assert {"frozen"} == {outcome for _, outcome in cluster.judge(NOW + 6)}
    assert cluster.frozen is not None
    assert 31 == cluster.frozen.offenders
    for second in range(10, 200, 10):
        assert [] == cluster.judge(NOW + second)
    assert cluster.frozen.flooded == NOW + 6, "who stopped does not keep it frozen"


def test_offenders_of_a_whole_day_are_no_flood() -> None:
    cluster = Cluster(limits=Brakes(bans_per_minute=3, freeze_factor=10))
    for hour in range(20):
        sent = [Sent(f"198.18.{hour}.{host}", packets=100) for host in range(4)]
        cluster.count("a", sent, NOW + 3600 * hour)
    assert "frozen" not in {outcome for _, outcome in cluster.judge(NOW + 3600 * 20)}


def test_a_report_from_before_does_not_hide_a_flood() -> None:
    cluster = Cluster(limits=Brakes(bans_per_minute=3, freeze_factor=10), age=600.0)
    cluster.count("a", flood(20), NOW)
    cluster.judge(NOW + 1)
    cluster.count("late", scan(), NOW - 100)
    cluster.count("b", flood(11, 20), NOW + 2)
    cluster.judge(NOW + 3)
    assert cluster.frozen is not None


def test_why_and_near_misses_are_those_of_all_nodes_together() -> None:
    cluster = Cluster(near_misses=5)
    cluster.count("a", scan(range(1, 8)), NOW)
    cluster.count("b", scan(range(8, 13)), NOW + 1)
    cluster.count("b", scan(source="203.0.113.8"), NOW + 1)
    cluster.judge(NOW + 2)
    why = cluster.why(ip_network(SCANNER), NOW + 2)
    assert [("ports", 12, 3), ("packets", 12, 88)] == [
        (each.rule, each.reached, each.missing) for each in why.near
    ]
    (near,) = cluster.near_misses()
    assert ("203.0.113.7/32", "ports", 12, 15, NOW + 1) == (
        near.network,
        near.rule,
        near.reached,
        near.threshold,
        near.at,
    )


def test_memory_is_bounded_and_a_scanner_of_all_nodes_is_found_in_a_flood() -> None:
    cluster = Cluster(capacity=300)
    for node in range(1, 16):
        once = [Sent(f"198.18.{node}.{host}") for host in range(200)]
        cluster.count(f"worker-{node}", [*once, Sent(port=node)], NOW)
    assert BANNED == cluster.judge(NOW + 1)
    assert 300 == cluster.tracked


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=40)), max_size=5))
def test_no_bytes_break_a_round(reports: list[tuple[str, bytes]]) -> None:
    assert [] == Cluster().judge_reports(reports, {}, NOW, NOW)
