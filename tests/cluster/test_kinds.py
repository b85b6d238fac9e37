"""What is made here fits the definitions of deploy/, on the real API server, with its rights."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from lab import deployment
from lab.api_server import ApiServer

from logwatch.cluster import (
    BLACKLIST_ENTRIES,
    EVIDENCE_MOST,
    NODE_REPORTS,
    Api,
    EntryEvidence,
    EntrySpec,
    EntryStatus,
    Invalid,
    NodeReport,
    TopSource,
    entry_document,
    entry_name,
    read_entry,
    read_report,
    status_document,
)

NOON = datetime(2030, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
FULL = EntryStatus(
    phase="Enforced",
    mode="enforce",
    by="rule",
    offences=3,
    decided=NOON,
    enforced=NOON,
    ended=NOON,
    ending="e" * 999,
    seconds=3600,
    message="ü" * 9999,
    evidence=EntryEvidence(
        packets=2**40,
        ports=tuple(range(99)),
        destinations=("2001:db8:1111:2222:3333:4444:5555:6666",) * 99,
        first=NOON,
        last=NOON,
        shapes=("s" * 99,) * 99,
        forgeable=("f" * 99,) * 99,
        samples=("ü" * 9999,) * 99,
        nodes=5000,
    ),
)


def test_the_largest_report_is_taken(api_server: ApiServer, tmp_path: Path) -> None:
    """And stays below 256 KiB with what the API server adds."""
    deployment.install(api_server, tmp_path)
    agent = deployment.agent(api_server, "worker-1")
    api = Api.connect(agent.kubeconfig(tmp_path / "agent"))
    lines = ('"' * 512, "ü" * 256)
    top = tuple(
        TopSource("2001:db8:1111:2222::/64", "r" * 63, 2**40, 2**40, lines if each < 3 else ())
        for each in range(10)
    )
    evidence = os.urandom(EVIDENCE_MOST)
    report = NodeReport("worker-1", NOON, "1.2.3", NOON, evidence, 2**40, 2**40, top)
    for _ in range(2):
        manager = "logwatch-agent"
        stored = api.apply(NODE_REPORTS, "worker-1", report.document(), manager=manager)
    assert len(msgspec.json.encode(stored)) < 256 * 1024
    found = read_report(msgspec.json.encode(stored))
    assert found.stored is not None
    assert report == msgspec.structs.replace(found, stored=None)
    assert 1 == api.count(NODE_REPORTS)
    api.close()


@pytest.mark.parametrize("cidr", ["203.0.113.7/32", "2001:db8:0:1::/64", "0:0:5::/48"])
def test_an_entry_and_its_status_are_taken(
    api_server: ApiServer, tmp_path: Path, cidr: str
) -> None:
    """A status that says more than the definition takes is cut; the spec is left alone by it."""
    deployment.install(api_server, tmp_path)
    escalator = deployment.escalator(api_server)
    api = Api.connect(escalator.kubeconfig(tmp_path / "escalator"))
    spec = EntrySpec(cidr, "many-ports", "2030-03-01T13:00:00Z", force=True, approved=True)
    api.create(BLACKLIST_ENTRIES, entry_document(spec))
    name = entry_name(cidr)
    stored = api.apply(
        BLACKLIST_ENTRIES,
        name,
        status_document(name, FULL),
        manager="logwatch-escalator",
        subresource="status",
    )
    entry = read_entry(msgspec.json.encode(stored))
    assert spec == entry.spec
    assert cidr == str(entry.network)
    assert (None, None) == (entry.problem, entry.status_problem)
    assert (NOON, NOON) == (entry.status.decided, entry.status.ended)
    assert entry.status.evidence is not None
    assert ("ü" * 1024,) * 5 == entry.status.evidence.samples
    api.close()


@pytest.mark.parametrize(
    ("cidr", "expires"),
    [
        ("203.0.113.7/24", None),
        ("203.0.113.7", None),
        ("::ffff:203.0.113.7/128", None),
        ("203.0.113.7/32", "tomorrow"),
        ("203.0.113.7/32", "2030-03-01T12:00:00"),
    ],
)
def test_what_has_a_problem_here_is_refused_by_the_definition_too(
    api_server: ApiServer, tmp_path: Path, cidr: str, expires: str | None
) -> None:
    deployment.install(api_server, tmp_path)
    escalator = deployment.escalator(api_server)
    api = Api.connect(escalator.kubeconfig(tmp_path / "escalator"))
    document = entry_document(EntrySpec(cidr, expires=expires), "by-hand")
    assert read_entry(msgspec.json.encode(document)).problem
    with pytest.raises(Invalid):
        api.create(BLACKLIST_ENTRIES, document)
    api.close()
