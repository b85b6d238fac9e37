"""A BlacklistEntry as an object of the API, and what a person may write wrongly."""

from datetime import UTC, datetime
from ipaddress import ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis.strategies import integers, ip_addresses

from logwatch.cluster import (
    EntryEvidence,
    EntrySpec,
    EntryStatus,
    entry_document,
    entry_name,
    read_entry,
    status_document,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def stored(spec: dict[str, object], **parts: object) -> bytes:
    metadata = {
        "name": "by-hand",
        "uid": "u-1",
        "resourceVersion": "7",
        "creationTimestamp": "2026-03-01T12:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
    }
    return msgspec.json.encode({"metadata": metadata, "spec": spec, **parts})


@pytest.mark.parametrize(
    ("cidr", "name"),
    [
        ("203.0.113.7/32", "203.0.113.7-32"),
        ("2001:db8:0:1::/64", "2001-db8-0-1---64"),
        ("::5:0:0:0/64", "0--5-0-0-0-64"),
    ],
)
def test_an_entry_has_the_name_of_its_network(cidr: str, name: str) -> None:
    assert name == entry_name(cidr)


@given(ip_addresses(), ip_addresses(), integers(1, 32))
def test_different_networks_have_different_names(one: object, other: object, length: int) -> None:
    """None begins or ends with what a DNS label may not."""
    texts = {str(ip_network((each, length), strict=False)) for each in (one, other)}
    names = {entry_name(text) for text in texts}
    assert len(texts) == len(names)
    assert all(name[0].isalnum() and name[-1].isalnum() for name in names)


def test_an_entry_by_hand_is_read_with_what_it_leaves_out() -> None:
    entry = read_entry(stored({"cidr": "203.0.113.0/24", "colour": "blue"}))
    assert ("by-hand", "u-1", "7", NOON, False) == (
        entry.name,
        entry.uid,
        entry.resource_version,
        entry.created,
        entry.is_going,
    )
    assert ip_network("203.0.113.0/24") == entry.network
    assert EntrySpec("203.0.113.0/24") == entry.spec
    assert EntryStatus() == entry.status
    assert entry.expires is None
    assert entry.problem is None


def test_an_entry_that_is_made_is_read_as_it_was_meant() -> None:
    spec = EntrySpec("203.0.113.7/32", "scan", "2026-03-01T13:00:00Z", approved=True, reason="so")
    document = entry_document(spec)
    assert "203.0.113.7-32" == document["metadata"]["name"]
    assert "force" not in document["spec"]
    entry = read_entry(msgspec.json.encode(document))
    assert spec == entry.spec
    assert datetime(2026, 3, 1, 13, 0, tzinfo=UTC) == entry.expires


def test_a_status_that_is_applied_is_read_as_it_was_meant() -> None:
    evidence = EntryEvidence(7, (22, 80), ("198.51.100.9",), NOON, NOON, ("syn",), nodes=3)
    status = EntryStatus(
        "Enforced", "enforce", "rule", 2, NOON, NOON, seconds=3600, evidence=evidence
    )
    document = status_document("by-hand", status)
    assert "2026-03-01T12:00:00Z" == document["status"]["decidedAt"]
    assert "spec" not in document
    entry = read_entry(stored({"cidr": "203.0.113.7/32"}, status=document["status"]))
    assert status == entry.status


def test_a_status_is_cut_to_what_the_definition_takes() -> None:
    """More would have all of it refused; half of a surrogate pair would not even be sent."""
    evidence = EntryEvidence(
        ports=tuple(range(50)),
        destinations=("198.51.100.9",) * 9,
        shapes=("syn" * 9,) * 99,
        samples=("\udc80" * 2000,) * 6,
    )
    status = status_document("x", EntryStatus(message="m" * 2000, evidence=evidence))["status"]
    assert 1024 == len(status["message"])
    assert 20 == len(status["evidence"]["ports"])
    assert 8 == len(status["evidence"]["destinations"])
    assert [16] * 16 == [len(shape) for shape in status["evidence"]["shapes"]]
    assert ["?" * 1024] * 5 == list(status["evidence"]["samples"])
    msgspec.json.encode(status)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"cidr": "example.org"}, "cidr 'example.org' is not a network, such as 203.0.113.7/32"),
        ({"cidr": "203.0.113.7/24"}, "not in its one form: write 203.0.113.0/24"),
        ({"cidr": "203.0.113.7"}, "not in its one form: write 203.0.113.7/32"),
        ({"cidr": "::ffff:203.0.113.7/128"}, "IPv4 written as IPv6"),
        ({"cidr": "fe80::1%eth0/128"}, "has a zone"),
        ({"cidr": "203.0.113.7/32", "expires": "tomorrow"}, "not a time such as 2030-01-31T"),
        ({"cidr": "203.0.113.7/32", "expires": "2027-03-01T12:00:00"}, "not a time such as"),
        ({"cidr": "203.0.113.7/32", "expires": "2026-03-01T11:00:00Z"}, "was over when"),
    ],
)
def test_what_a_person_wrote_wrongly_is_a_sentence(spec: dict[str, object], problem: str) -> None:
    """Also without the CRD's rules, which refuse most of it."""
    assert problem in (read_entry(stored(spec)).problem or "")


def test_a_status_that_somebody_else_wrote_is_taken_for_none() -> None:
    entry = read_entry(stored({"cidr": "203.0.113.7/32"}, status={"phase": "Splendid"}))
    assert EntryStatus() == entry.status
    assert "Splendid" in (entry.status_problem or "")
