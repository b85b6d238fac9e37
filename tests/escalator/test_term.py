"""What a leader tells of its own work: what failed in a round, and what it has no room for."""

from collections.abc import Iterator

import pytest
import structlog
from escalator.conftest import Cluster
from escalator.reports import report
from msgspec.structs import replace
from offenders.packets import Sent

from logwatch.audit import AuditLog
from logwatch.cluster import Api, Calico, Events, SetWriter, Unavailable
from logwatch.config import Config
from logwatch.escalator import Escalator, Requests
from logwatch.escalator.counts import Counts
from logwatch.escalator.term import Term
from logwatch.offenders import Protected, read_rules

RULES = tuple(read_rules(None).rules)
NOW = 1_700_000_000.0
CAPACITY = 20


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Api]:
    api = Api.connect(cluster.identity.kubeconfig(cluster.directory / "term"))
    yield api
    api.close()


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def term(cluster: Cluster, api: Api, counts: Counts) -> Iterator[Term]:
    config = replace(Config(), mode="observe", tracked_sources=CAPACITY)
    writer = SetWriter(api, Calico(api))
    yield Term(
        config,
        RULES,
        Protected((), own=tuple),
        api=api,
        writer=writer,
        events=Events(api, "test", "test"),
        counts=counts,
        fence=lambda: None,
        log=structlog.get_logger(),
        audit=AuditLog(cluster.directory / "audit.jsonl", {}, "observe"),
        entries={},
    )
    writer.stop()


def turn(term: Term, **reports: object) -> None:
    """Go round once."""
    term.round({}, reports or None, reached="", now=NOW, at=NOW - 60, ahead={})


def test_what_failed_in_a_round_is_told_though_it_was_done_later_in_it(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is written twice in a round."""
    turn(term)
    assert {} == term.problems
    failures = [Unavailable("not now")]

    def write(*_: object) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(term._state, "write", write)
    turn(term)
    assert {"state": "not now"} == term.problems
    turn(term)
    assert {} == term.problems


def test_sources_that_find_no_room_are_counted(term: Term, counts: Counts) -> None:
    """Again with each judgement, as all is merged anew."""
    near = [Sent(f"203.0.113.{host}", port) for host in range(CAPACITY) for port in range(3)]
    far = [Sent(f"198.51.100.{host}") for host in range(CAPACITY)]
    reports = {name: report(name, RULES, sent, NOW) for name, sent in (("a", far), ("b", near))}
    turn(term, a=reports["a"])
    assert 0 == counts.of("evicted_sources")
    turn(term, **reports)
    assert CAPACITY == counts.of("evicted_sources")
    turn(term, **reports)
    assert 2 * CAPACITY == counts.of("evicted_sources")


def test_lines_of_the_audit_log_that_are_dropped_are_counted(cluster: Cluster, api: Api) -> None:
    config = replace(Config(), state=str(cluster.directory / "state"))
    log = structlog.get_logger()
    escalator = Escalator(config, RULES, api, Requests(), identity="one", log=log)
    escalator._audit.dropped = 3
    for _ in range(2):
        escalator._round()
    assert 3 == escalator._counts.of("dropped_audit_lines")
