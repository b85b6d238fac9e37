"""A NodeReport as an object of the API, and back."""

import base64
import os
from datetime import UTC, datetime

import msgspec
import pytest

from logwatch.cluster import (
    EVIDENCE_MOST,
    Counted,
    NodeReport,
    NodeReportError,
    PolicyCount,
    PortCount,
    SourceCount,
    TopSource,
    lines_by_source,
    read_report,
)

REPORT = NodeReport(
    node="worker-1",
    written=datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC),
    version="1.2.3",
    started=datetime(2026, 3, 1, 11, 0, tzinfo=UTC),
    evidence=b"\x00\xff evidence",
    sources=2,
    cut=1,
    top=(
        TopSource("203.0.113.7/32", "scan", 8, 10, ("first line", "second \\ line")),
        TopSource("2001:db8:0:1::/64", "scan", 3, 10),
    ),
    counted=Counted(
        9,
        540,
        1,
        (PolicyCount("deny-all", "denied", 9), PolicyCount("log-all", "logged", 1)),
        (SourceCount("203.0.113.7", 9, 540),),
        (PortCount("tcp", "22", 9), PortCount("icmp", "", 1)),
    ),
)


def encoded(report: NodeReport, **spec: object) -> bytes:
    document = report.document()
    document["spec"] |= spec
    return msgspec.json.encode(document)


def test_a_report_comes_back_as_it_was() -> None:
    """The evidence is base64 in the object and bytes on both sides."""
    document = REPORT.document()
    assert "calico-logwatch.io/v1alpha1" == document["apiVersion"]
    assert base64.b64encode(REPORT.evidence).decode() == document["spec"]["evidence"]
    assert REPORT == read_report(msgspec.json.encode(document))


def test_the_largest_report_stays_below_256_kib() -> None:
    """With ten of everything, of the longest names and lines, and what the API server adds."""
    one = TopSource("2001:db8:1111:2222::/64", "r" * 63, 2**40, 2**40, ('"' * 9999,) * 9)
    top = (one,) * 12
    counted = Counted(
        *(2**62, 2**62, 2**62),
        (PolicyCount("\u00fc" * 99, "denied", 2**62),) * 12,
        (SourceCount("2001:db8:1111:2222:3333:4444:5555:6666", 2**62, 2**62),) * 12,
        (PortCount("n" * 32, "65535", 2**62),) * 12,
    )
    report = msgspec.structs.replace(
        REPORT, node="n" * 253, evidence=os.urandom(EVIDENCE_MOST), top=top, counted=counted
    )
    document = report.document()
    assert 10 == len(document["spec"]["top"])
    assert len(msgspec.json.encode(document)) < 256 * 1024 - 4096


def test_lines_are_cut_to_what_a_report_takes() -> None:
    """Two of a source, 512 bytes of each, 5 KiB of all; written and read in the same way."""
    lines = ("ü" * 300, "x" * 600, "third")
    top = tuple(TopSource(f"203.0.113.{number}/32", "scan", 8, 10, lines) for number in range(9))
    report = msgspec.structs.replace(REPORT, top=top)
    document = report.document()
    cut = ("ü" * 256, "x" * 512)
    found = read_report(msgspec.json.encode(document)).top
    assert [cut] * 4 + [cut[:1]] + [()] * 4 == [each.samples for each in found]
    for each in document["spec"]["top"]:
        each["samples"] = lines
    assert found == read_report(msgspec.json.encode(document)).top


def test_what_can_not_be_printed_is_no_command_to_a_terminal() -> None:
    [first, second] = REPORT.top
    lines = ("\x1b[2Jgone\u202e", "fine: \\ and ü")
    top = (msgspec.structs.replace(first, samples=lines), second)
    report = msgspec.structs.replace(REPORT, top=top)
    shown = ("\ufffd[2Jgone\ufffd", "fine: \\ and ü")
    assert shown == tuple(report.document()["spec"]["top"][0]["samples"])
    assert shown == read_report(encoded(REPORT, top=top)).top[0].samples


def test_a_report_of_an_earlier_version_has_no_lines_and_no_counts() -> None:
    document = REPORT.document()
    del document["spec"]["top"][0]["samples"], document["spec"]["counted"]
    assert Counted() == read_report(msgspec.json.encode(document)).counted
    assert [(), ()] == [each.samples for each in read_report(msgspec.json.encode(document)).top]


def test_lines_of_a_source_come_from_as_many_nodes_as_possible_in_their_order() -> None:
    def of(node: str, *lines: str) -> NodeReport:
        top = (TopSource("203.0.113.7/32", "scan", 8, 10, lines),)
        return msgspec.structs.replace(REPORT, node=node, top=top)

    reports = [of("b", "b1", "b2"), of("a", "a1", "same"), of("c", "same"), of("d")]
    expected = {"203.0.113.7/32": ("a1", "b1", "same", "b2")}
    assert expected == lines_by_source(reports)
    assert expected == lines_by_source(reversed(reports))


def test_too_much_evidence_makes_no_report() -> None:
    report = msgspec.structs.replace(REPORT, evidence=bytes(EVIDENCE_MOST + 1))
    with pytest.raises(NodeReportError, match="184321 bytes, but a report takes 184320"):
        report.document()


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"evidence": "no base64!"}, "damaged: Invalid base64 encoded string"),
        ({"evidence": None}, "damaged: Expected `bytes`, got `null`"),
        ({"written": "yesterday"}, "damaged: Invalid RFC3339 encoded datetime"),
        ({"written": "2026-03-01T12:00:00"}, "timezone"),
        ({"sources": -1}, "damaged: Expected `int` >= 0"),
        ({"node": "worker-2"}, "the report worker-1 says that it is of node worker-2"),
        ({"evidence": "AAAA" * 61_441}, "has 184323 bytes, more than 184320"),
        ({"evidence": "A" * 300_000}, "more than 262144: no agent writes such"),
    ],
)
def test_a_damaged_report_says_what_is_wrong(spec: dict[str, object], sentence: str) -> None:
    with pytest.raises(NodeReportError, match=sentence):
        read_report(encoded(REPORT, **spec))


def test_a_report_tells_when_the_api_server_took_it_from_the_agent() -> None:
    """Others may have touched it since, such as a person its labels."""
    taken = {"manager": "logwatch-agent", "operation": "Apply", "time": "2026-03-01T12:00:01Z"}
    touched = {"manager": "kubectl", "operation": "Update", "time": "2026-03-01T12:30:00Z"}
    document = REPORT.document()
    document["metadata"]["managedFields"] = [taken, touched]
    found = read_report(msgspec.json.encode(document))
    assert datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC) == found.stored
    assert REPORT.is_as(found)


def test_what_a_later_version_adds_is_left_out() -> None:
    assert REPORT == read_report(encoded(REPORT, colour="blue"))


def test_a_report_that_says_the_same_is_told_from_one_that_does_not() -> None:
    later = msgspec.structs.replace(REPORT, written=datetime(2027, 1, 1, tzinfo=UTC))
    assert later.is_as(REPORT)
    assert not msgspec.structs.replace(later, cut=2).is_as(REPORT)
