"""The native evidence through its binding, against a model that keeps every line."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwatch._core import Evidence, Scanner, Summary

PREFIXES = ["calico-packet %t.%n", "logged"]
NAMES = ["deny-nodeports", "seen"]
VERDICTS = [(NAMES[0], True), (NAMES[1], False)]
TRUE = ("true",)
SOURCE = "203.0.113.7"
NOW = 1_795_521_600.0
FLAGS = {
    "syn": "SYN ",
    "reply": "ACK ",
    "fin": "FIN ",
    "null": "",
    "xmas": "URG PSH FIN ",
    "tcp": "PSH ",
}


class Line(NamedTuple):
    """What is told apart by rules."""

    source: str = SOURCE
    port: int = 22
    shape: str = "syn"
    interface: str = "eth1"
    out: str = ""
    denied: bool = True
    destination: str = "198.51.100.9"
    length: int = 60

    @property
    def key(self) -> str:
        """The source as it is told of; there is one of IPv6."""
        return "2001:db8:0:1::/64" if ":" in self.source else self.source

    def text(self) -> bytes:
        prefix = "calico-packet default.deny-nodeports" if self.denied else "logged"
        is_v6 = ":" in self.source
        destination = "2001:0db8:0000:0000:0000:0000:0000:0001" if is_v6 else self.destination
        body = "TC=0 HOPLIMIT=64 FLOWLBL=0 " if is_v6 else "TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
        if self.shape == "udp":
            body += f"PROTO=UDP SPT=4000 DPT={self.port} LEN=40 "
        else:
            flags = FLAGS[self.shape]
            body += f"PROTO=TCP SPT=4000 DPT={self.port} WINDOW=1 RES=0x00 {flags}URGP=0 "
        return (
            f"Nov 24 12:00:00 worker-1 kernel: [1.000000] {prefix}: IN={self.interface} "
            f"OUT={self.out} MAC=00 SRC={self.source} DST={destination} LEN={self.length} {body}\n"
        ).encode()


def summary(*lines: Line, destinations: bool = False) -> Summary:
    scanner = Scanner(PREFIXES, destinations=destinations)
    scanner.feed(b"".join(line.text() for line in lines))
    counted = scanner.drain()
    assert len(lines) == counted.packets
    return counted


def verdicts(counted: Summary) -> list[tuple[str, bool]]:
    """As the agent makes them: the name that was printed, or else the prefix's."""
    return [(name or NAMES[prefix], prefix == 0) for prefix, _, _, name, _ in counted.policies()]


def observe(evidence: Evidence, *lines: Line, at: float = NOW) -> list[Any]:
    counted = summary(*lines)
    return evidence.observe(counted, verdicts(counted), at)


LINES = st.builds(
    Line,
    source=st.sampled_from(
        [SOURCE, "203.0.113.8", "192.0.2.1", "2001:0db8:0000:0001:0000:0000:0000:0007"]
    ),
    port=st.integers(1, 6),
    shape=st.sampled_from([*FLAGS, "udp"]),
    interface=st.sampled_from(["eth1", "eth0"]),
    out=st.sampled_from(["", "cali0"]),
    denied=st.sampled_from([True, True, True, False]),
    destination=st.just("198.51.100.9"),
    length=st.integers(40, 80),
)

LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([TRUE, ("syn",), ("reply",), ("forwarded",)]),
    st.tuples(st.just("protocol"), st.sampled_from(["tcp", "udp", "sctp", "6"])),
    st.tuples(
        st.just("ports"),
        st.lists(st.tuples(st.integers(1, 3), st.integers(3, 6)), max_size=2),
    ),
    st.tuples(
        st.just("source"),
        st.lists(st.sampled_from(["203.0.113.0/24", "192.0.2.1", "2001:db8::/32"]), max_size=2),
    ),
    st.tuples(st.just("interface"), st.sampled_from(["eth1", "eth"])),
    st.tuples(st.just("policy"), st.sampled_from([NAMES[0], "other"])),
    st.tuples(st.just("tier"), st.sampled_from(["default", "other"])),
    st.tuples(st.just("family"), st.sampled_from([4, 6])),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: ("and", *parts)),
        st.lists(inner, max_size=3).map(lambda parts: ("or", *parts)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=6,
)


def holds(condition: tuple[Any, ...], line: Line) -> bool:  # noqa: PLR0911 -- a kind, a return
    """Evaluate a condition on one line."""
    match condition:
        case ("and", *parts):
            return all(holds(part, line) for part in parts)
        case ("or", *parts):
            return any(holds(part, line) for part in parts)
        case ("not", part):
            return not holds(part, line)
        case ("protocol", name):
            return ("udp" if line.shape == "udp" else "tcp", name) in {
                ("tcp", "tcp"),
                ("tcp", "6"),
                ("udp", "udp"),
            }
        case ("ports", ranges):
            return any(first <= line.port <= last for first, last in ranges)
        case ("source", networks):
            begins = {"203.0.113.0/24": "203.0.113.", "2001:db8::/32": "2001:0db8:"}
            return any(line.source.startswith(begins.get(each, each)) for each in networks)
        case ("family", family):
            return family == (6 if ":" in line.source else 4)
        case ("syn" | "reply" as shape,):
            return line.shape == shape
        case _:
            facts = {
                ("true",): True,
                ("forwarded",): bool(line.out),
                ("interface", line.interface): True,
                ("policy", NAMES[0]): True,
                ("tier", "default"): True,
            }
            return facts.get(condition, False)


@given(CONDITIONS, LINES)
def test_a_condition_holds_where_a_naive_reader_says_so(
    condition: tuple[Any, ...], line: Line
) -> None:
    evidence = Evidence([("packets", 1, 60.0, condition)], 10)
    assert (line.denied and holds(condition, line)) == bool(observe(evidence, line))


MEASURES: dict[str, Callable[[list[Line]], int]] = {
    "packets": len,
    "bytes": lambda lines: sum(line.length for line in lines),
    "ports": lambda lines: len({line.port for line in lines}),
    "nodes": lambda lines: min(1, len(lines)),
}
Rule = tuple[str, int, float, tuple[Any, ...]]


def bounds(rule: Rule, kept: list[tuple[float, Line]], source: str, at: float) -> tuple[int, int]:
    """Count by definition; a window of packets or bytes may miss its oldest sixtieth."""
    measure, _, within, condition = rule
    missed = within / 60 if measure in {"packets", "bytes"} else 0

    def count(since: float) -> int:
        lines = [line for when, line in kept if when > since and line.key == source]
        return MEASURES[measure]([line for line in lines if holds(condition, line)])

    return count(at - within + missed), count(at - within)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(MEASURES)),
            st.integers(1, 8),
            st.sampled_from([10.0, 60.0, 600.0]),
            CONDITIONS,
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.tuples(st.integers(0, 80), st.lists(LINES, min_size=1, max_size=6)), max_size=8),
)
def test_numbers_are_those_of_a_model_and_offenders_are_told_of(
    rules: list[Rule], batches: list[tuple[int, list[Line]]]
) -> None:
    evidence = Evidence(rules, 100)
    at, kept = NOW, list[tuple[float, Line]]()
    for wait, batch in batches:
        at += wait
        denied = [line for line in batch if line.denied]
        kept += [(at, line) for line in denied]
        found = {each[0]: each for each in observe(evidence, *batch, at=at)}
        assert set(found) <= {line.key for line in denied}
        for source, index, reached, _ in found.values():
            least, most = bounds(rules[index], kept, source, at)
            assert max(least, rules[index][1]) <= reached <= most
            for earlier in rules[:index]:
                assert bounds(earlier, kept, source, at)[0] < earlier[1]
        for line in denied:
            nearness = evidence.nearness(line.key, at) or [(0, rule[1]) for rule in rules]
            for rule, (reached, threshold) in zip(rules, nearness, strict=True):
                least, most = bounds(rule, kept, line.key, at)
                assert rule[1] == threshold
                assert least <= reached <= most
                if least >= threshold and holds(rule[3], line):
                    assert line.key in found


def test_what_is_told_of_an_offender() -> None:
    evidence = Evidence([("ports", 3, 60.0, ("and", ("protocol", "tcp"), ("syn",)))], 10)
    assert [] == observe(evidence, Line(port=443), Line(port=80, shape="udp"), at=NOW - 5)
    found = observe(evidence, Line(port=22), Line(port=21), Line(port=9, shape="reply"))
    expected = (3, (21, 22, 443), (), NOW - 5, NOW, ("syn",), ())
    assert [(SOURCE, 0, 3, expected)] == found
    assert [(3, 3)] == evidence.nearness(SOURCE, NOW)
    assert [(SOURCE, 0, 3, 3)] == evidence.top(5, NOW)
    assert found == evidence.judge(NOW)
    assert [(0, 3)] == evidence.nearness(SOURCE, NOW + 60)
    assert [] == evidence.nearness("192.0.2.1", NOW)


def test_the_caller_decides_what_follows() -> None:
    """A ban starts anew, a refusal is told once, a wrong clock is forgotten."""
    evidence = Evidence([("packets", 1, 60.0, TRUE)], 10)
    assert 1 == observe(evidence, Line())[0][2]
    assert evidence.quiet(SOURCE, NOW + 60)
    assert [] == observe(evidence, Line(), at=NOW + 59)
    assert 2 == observe(evidence, Line(), at=NOW + 60)[0][2]
    assert evidence.restart(SOURCE)
    assert 1 == observe(evidence, Line(), at=NOW + 60)[0][2]
    evidence.forget_after(NOW)
    assert 0 == len(evidence)
    assert not evidence.restart(SOURCE)
    assert not evidence.quiet("2001:db8::/64", NOW)


def test_destinations_come_from_pairs() -> None:
    inside = ("destination", ["198.51.100.0/28"])
    rules = [("destinations", 3, 60.0, TRUE), ("destinations", 99, 60.0, inside)]
    lines = [Line(destination=f"198.51.100.{number}") for number in range(14, 19)]
    counted = summary(*lines, destinations=True)
    evidence = Evidence(rules, 10)
    ((_, rule, reached, found),) = evidence.observe(counted, verdicts(counted), NOW)
    assert (0, 5) == (rule, reached)
    assert {line.destination for line in lines} == set(found[2])
    assert [(5, 3), (2, 99)] == evidence.nearness(SOURCE, NOW)
    assert [] == observe(Evidence(rules, 10), *lines), "without pairs nobody knows them"


def sampled(*lines: bytes, size: int) -> Summary:
    scanner = Scanner(PREFIXES, samples=size)
    scanner.feed(b"".join(lines))
    return scanner.drain()


def test_lines_are_kept_from_a_third_of_the_way_on() -> None:
    evidence = Evidence([("ports", 6, 60.0, TRUE)], 10)
    other = Line(source="192.0.2.1").text()
    texts = [Line(port=port).text() for port in range(1, 9)]
    for second, kept in enumerate((0, 1, 2)):
        counted = sampled(b"systemd[1]: no packet\n", other, texts[second], size=10_000)
        assert [] == evidence.observe(counted, verdicts(counted), NOW + second)
        assert kept == len(evidence.samples(SOURCE))
    logged = Line(port=9, denied=False).text()
    counted = sampled(logged, *texts[3:], size=10_000)
    ((_, _, reached, found),) = evidence.observe(counted, verdicts(counted), NOW + 2)
    assert 8 == reached
    assert tuple(text.decode().removesuffix("\n") for text in texts[1:6]) == found[-1]
    assert list(found[-1]) == evidence.samples(SOURCE)
    assert [] == evidence.samples("192.0.2.1")
    assert evidence.restart(SOURCE)
    assert [] == evidence.samples(SOURCE)


def test_kept_lines_are_bounded_and_text() -> None:
    evidence = Evidence([("packets", 1, 60.0, TRUE)], 10)
    text = Line().text()
    host = text.replace(b"worker-1", b"worker-\xff", 1)
    longest = text.replace(b"MAC=00", b"MAC=" + b"00:" * 200 + b"00", 1)
    counted = sampled(host, longest, text, size=len(host) + len(longest) + len(text) - 1)
    evidence.observe(counted, verdicts(counted), NOW)
    first, second = evidence.samples(SOURCE)
    assert "worker-\ufffd" in first
    assert longest.decode()[:512] == second
    counted = sampled(text, size=0)
    assert evidence.restart(SOURCE)
    evidence.observe(counted, verdicts(counted), NOW)
    assert [] == evidence.samples(SOURCE)


def test_nodes_merge_what_they_saw() -> None:
    rules = [("ports", 4, 60.0, TRUE), ("nodes", 3, 60.0, TRUE)]
    merged = Evidence(rules, 10)
    for number in range(3):
        node = Evidence(rules, 10, node=f"worker-{number}")
        assert [] == observe(node, Line(port=number))
        data, sources, cut = node.to_bytes(10_000, [SOURCE, "192.0.2.1"])
        assert (1, 0) == (sources, cut)
        assert (0, 1) == node.to_bytes(100)[1:]
        assert 1 == merged.merge_bytes(data)
    ((source, rule, reached, found),) = merged.judge(NOW)
    assert (SOURCE, 1, 3, (0, 1, 2)) == (source, rule, reached, found[1])


@pytest.mark.parametrize("shape", [*FLAGS, "udp"])
def test_the_kind_of_packets_is_told_over_nodes(shape: str) -> None:
    """As one node saw it, and once its report is merged."""
    node, merged = (Evidence([("packets", 1, 60.0, TRUE)], 10) for _ in range(2))
    ((*_, found),) = observe(node, Line(shape=shape))
    merged.merge_bytes(node.to_bytes(10_000)[0])
    ((*_, told),) = merged.judge(NOW)
    assert (shape,) == found[5] == told[5]


def test_reports_that_can_not_be_read_are_refused() -> None:
    merged = Evidence([("packets", 1, 60.0, TRUE)], 10)
    with pytest.raises(ValueError, match="no evidence: byte 0 does not fit"):
        merged.merge_bytes(b"evidence")
    with pytest.raises(ValueError, match="version 2, not 3: use one version of logwatch"):
        merged.merge_bytes(b"logwevi2")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(MEASURES)),
            st.integers(1, 8),
            st.sampled_from([10.0, 60.0, 600.0]),
            CONDITIONS,
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.tuples(st.integers(0, 80), st.lists(LINES, min_size=1, max_size=6)), max_size=8),
    st.integers(0, 300),
)
def test_what_was_dealt_with_counts_no_more_and_the_rest_does(
    rules: list[Rule], batches: list[tuple[int, list[Line]]], time: int
) -> None:
    evidence = Evidence(rules, 100)
    at, cut, kept = NOW, NOW + time + 0.5, list[tuple[float, Line]]()
    for wait, batch in batches:
        at += wait
        kept += [(at, line) for line in batch if line.denied]
        observe(evidence, *batch, at=at)
    for source in {line.key for _, line in kept}:
        is_there = bool(evidence.nearness(source, at))
        assert is_there == evidence.forget_before(source, cut)
        for rule, (reached, _) in zip(rules, evidence.nearness(source, at), strict=is_there):
            part = rule[2] / 60 if rule[0] in {"packets", "bytes"} else 0
            later = [(when, line) for when, line in kept if when > cut]
            whole = [(when, line) for when, line in kept if when > cut + part]
            assert bounds(rule, whole, source, at)[0] <= reached
            assert reached <= bounds(rule, later, source, at)[1]


def test_which_of_equally_near_sources_a_cut_report_holds_is_up_to_the_salt_alone() -> None:
    rules = [("ports", 15, 60.0, TRUE)]
    shared = [f"192.0.2.{host}" for host in range(200)]

    def kept(own: str, salt: int) -> set[str]:
        node = Evidence(rules, 1000)
        others = [f"{own}.{host}" for host in range(200)]
        for hosts in (others, shared) if own == "198.51.100" else (shared, others):
            observe(node, *(Line(source=host) for host in hosts))
        merged = Evidence(rules, 1000)
        data, sources, cut = node.to_bytes(2_000, salt=salt)
        assert (sources, 400 - sources) == (merged.merge_bytes(data), cut)
        return {host for host in shared if merged.nearness(host, NOW)}

    one, other = kept("198.51.100", 1), kept("203.0.113", 1)
    assert min(len(one), len(other)) * 0.8 < len(one & other) < 60
    assert one != kept("198.51.100", 2)
    with pytest.raises(OverflowError):
        kept("198.51.100", -1)


def test_a_report_whose_clock_is_wrong_is_set_right_or_refused() -> None:
    rules = [("packets", 1, 60.0, TRUE)]
    node, merged = Evidence(rules, 10), Evidence(rules, 10)
    observe(node, Line(), at=NOW + 200)
    data, _, _ = node.to_bytes(1_000)
    assert 150.0 == merged.merge_report(data, "a", ahead=150.0, now=NOW + 50)
    assert [(1, 1)] == merged.nearness(SOURCE, NOW + 50)
    assert [NOW + 50] == [found[4] for *_, found in merged.judge(0)]
    merged.forget_all()
    assert 0 == len(merged)
    assert 200.0 == merged.merge_report(data, "a", ahead=150.0, now=NOW)
    with pytest.raises(ValueError, match="from 350 s after now, more than the 300 s"):
        merged.merge_report(data, "a", ahead=-150.0, now=NOW)
    with pytest.raises(ValueError, match="ahead is NaN, but has to be a number of seconds"):
        merged.merge_report(data, "a", ahead=float("nan"), now=NOW)


def test_memory_is_bounded_by_the_capacity() -> None:
    evidence = Evidence([("packets", 100, 600.0, TRUE), ("ports", 15, 60.0, ("syn",))], 100)
    for third in range(3):
        hosts = [f"192.0.{third}.{number}" for number in range(1, 200)]
        observe(evidence, *(Line(source=host) for host in hosts))
    assert 100 == len(evidence)
    assert evidence.evictions < 100 < evidence.refused
    least, most = evidence.bytes_per_source
    assert 100 < least < 250
    assert 4_000 < most < 16_000


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (("packets", 0, 60.0, TRUE), "the threshold of rule 0 is 0"),
        (("packets", 1, 0.5, TRUE), "rule 0 is not between 1 second and 7 days"),
        (("packets", 1, float("nan"), TRUE), "rule 0: within is NaN, but has to be a number"),
        (("sources", 1, 60.0, TRUE), 'rule 0: "sources" can\'t be counted; there are packets'),
        (("packets", 1, 60.0, ()), r"rule 0: \(\) is no condition: a tuple such as"),
        (("packets", 1, 60.0, "syn"), "rule 0: 'syn' is no condition: a tuple such as"),
        (("packets", 1, 60.0, ("sin",)), 'rule 0: "sin" is no kind of condition; there are and'),
        (("packets", 1, 60.0, ("syn", 1)), r"\('syn', 1\) does not say what syn asks for"),
        (("packets", 1, 60.0, ("not",)), r"\('not',\) does not say what not asks for"),
        (("packets", 1, 60.0, ("not", ("policy", 5))), "does not say what policy asks for"),
        (("packets", 1, 60.0, ("family", 5)), "a family is 4 or 6"),
        (("packets", 1, 60.0, ("protocol", "ftp")), '"ftp" is no protocol: a name such as tcp'),
        (("packets", 1, 60.0, ("ports", [(1, 65536)])), "ports are a list such as"),
        (("packets", 1, 60.0, ("ports", [(9, 8)])), "ports 9 to 8 are none"),
        (("packets", 1, 60.0, ("source", "192.0.2.1")), "networks are a list such as"),
        (("packets", 1, 60.0, ("source", ["192.0.2.0/33"])), '"192.0.2.0/33" is no network'),
        (("packets", 1, 60.0, ("source", ["192.0.2.1/24"])), "bits behind its first 24"),
        (("packets", 1, 60.0, ("source", ["::1/0"])), "bits behind its first 0"),
        (("packets", 1, 60.0, ("interface", "a" * 16)), "has more than 15 bytes"),
    ],
)
def test_a_wrong_rule_is_refused_with_a_reason(rule: Rule, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Evidence([rule], 10)


def test_other_wrong_arguments_are_refused_with_a_reason() -> None:
    nested: tuple[Any, ...] = TRUE
    for _ in range(40):
        nested = ("not", nested)
    with pytest.raises(ValueError, match="conditions are more than 32 deep"):
        Evidence([("packets", 1, 60.0, nested)], 10)
    with pytest.raises(ValueError, match="65 rules are more than 64"):
        Evidence([("packets", 1, 60.0, TRUE)] * 65, 10)
    with pytest.raises(ValueError, match="capacity is 0"):
        Evidence([], 0)
    evidence = Evidence([], 10)
    with pytest.raises(ValueError, match="there are 2 verdicts, but 1 policies in the summary"):
        evidence.observe(summary(Line()), VERDICTS, NOW)
    with pytest.raises(ValueError, match="at is -1, but has to be a number of seconds"):
        observe(evidence, Line(), at=-1.0)
    for text in ("203.0.113.0/24", "203.0.113.7/64", "2001:db8::/48", "host"):
        with pytest.raises(ValueError, match="is no source: an IPv4 address"):
            evidence.nearness(text, NOW)
