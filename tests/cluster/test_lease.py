"""Who leads, with real leases; the clocks are the tests' own, so that nothing waits."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lab.api_server import ApiServer
from lab.identity import Identity
from lab.rsyslog import eventually
from lab.silent_proxy import SilentProxy

from logwatch.cluster import Api, Forbidden, Kind, Lease, NotLeaderError

LEASES = Kind("coordination.k8s.io", "v1", "leases", "default")
NAME = "logwatch-escalator"
LEADS = 10
FREE = 15
WRITE = (1.0, 3.0)


class Clock:
    """Stands still until the test sets it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


class Candidate:
    """A lease as one process has it, with its own clocks."""

    def __init__(self, api: Api, identity: str) -> None:
        self.clock = Clock()
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)
        self.changes: list[bool] = []
        self.lease = Lease(
            api,
            "default",
            NAME,
            identity,
            clock=self.clock,
            now=lambda: self.now + timedelta(seconds=self.clock.seconds),
            on_change=lambda: self.changes.append(self.lease.is_leader),
        )

    def after(self, seconds: float) -> bool:
        """Let time pass, step, and say whether it leads."""
        self.clock.pass_(seconds)
        self.lease.step()
        return self.lease.is_leader


@pytest.fixture
def install(api: Api) -> Callable[..., None]:
    """Give a function that makes the lease, without a holder unless it is told one."""

    def make(**spec: object) -> None:
        api.create(LEASES, {"metadata": {"name": NAME, "labels": {"x": "y"}}, "spec": spec})

    return make


@pytest.fixture
def pair(api: Api, install: Callable[..., None]) -> tuple[Candidate, Candidate]:
    """Give one that leads and one that waits."""
    install()
    leader, waiting = Candidate(api, "one"), Candidate(api, "two")
    assert leader.after(0)
    assert not waiting.after(0)
    return leader, waiting


def stored(api: Api) -> dict:
    return api.get(LEASES, NAME)["spec"]


def test_of_many_that_begin_together_one_leads(api: Api, install: Callable[..., None]) -> None:
    install()
    candidates = [Candidate(api, str(number)) for number in range(8)]
    together = threading.Barrier(len(candidates))

    def run(candidate: Candidate) -> None:
        together.wait()
        candidate.lease.step()

    threads = [threading.Thread(target=run, args=[candidate]) for candidate in candidates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (leader,) = [candidate for candidate in candidates if candidate.lease.is_leader]
    assert leader.lease.identity == stored(api)["holderIdentity"]


def test_the_lease_says_who_since_when_and_how_often_it_changed(
    api: Api, pair: tuple[Candidate, Candidate]
) -> None:
    """With six digits of fraction, and what others wrote into the object stays."""
    leader, waiting = pair
    leader.now += timedelta(microseconds=1)
    assert leader.after(2)
    expected = {
        "holderIdentity": "one",
        "leaseDurationSeconds": FREE,
        "acquireTime": "2026-11-28T12:00:00.000000Z",
        "renewTime": "2026-11-28T12:00:02.000001Z",
        "leaseTransitions": 1,
    }
    assert expected == stored(api)
    assert {"x": "y"} == api.get(LEASES, NAME)["metadata"]["labels"]
    assert not waiting.after(2)
    assert "one" == waiting.lease.holder


def test_a_leader_that_renews_keeps_the_lease_for_ever(pair: tuple[Candidate, Candidate]) -> None:
    leader, waiting = pair
    for _ in range(20):
        assert leader.after(2)
        assert not waiting.after(2)


def test_a_silent_leader_stops_before_another_begins(
    api_server: ApiServer,
    api: Api,
    connect: Callable[[Identity], Api],
    install: Callable[..., None],
    proxy: SilentProxy,
) -> None:
    """The renewal hangs in a network that is silent, and is given up within the retry period."""
    install()
    leader, waiting = Candidate(connect(api_server.admin.through(proxy.url)), "one"), None
    assert leader.after(0)
    waiting = Candidate(api, "two")
    assert not waiting.after(0)
    proxy.silence()
    assert leader.after(2)
    assert "timed out" in str(leader.lease.problem)
    leader.clock.pass_(LEADS - 2 - 0.01)
    waiting.clock.pass_(LEADS - 0.01)
    assert leader.lease.is_leader
    with pytest.raises(NotLeaderError, match=r"too short for a write of up to 7\.0 s"):
        leader.lease.fence()
    leader.clock.pass_(0.01)
    assert not leader.lease.is_leader
    with pytest.raises(NotLeaderError, match=r"one doesn't hold .*timed out"):
        leader.lease.fence(WRITE)
    assert not waiting.after(FREE - LEADS)
    assert waiting.after(0.02)
    assert "one held the lease default/logwatch-escalator and did not renew it for 15 s" in str(
        waiting.lease.lost
    )
    proxy.resume()
    assert not leader.after(FREE - LEADS)
    assert "two" == leader.lease.holder == stored(api)["holderIdentity"]


def test_two_that_run_by_themselves_never_lead_at_once(
    api_server: ApiServer,
    api: Api,
    connect: Callable[[Identity], Api],
    install: Callable[..., None],
    proxy: SilentProxy,
) -> None:
    """In real time, while the network of the first is silent and comes back."""
    install()
    options = {"duration": 3.0, "renew": 2.0, "retry": 0.5}
    one = Lease(connect(api_server.admin.through(proxy.url)), "default", NAME, "one", **options)
    two = Lease(api, "default", NAME, "two", **options)
    both: list[bool] = []

    def leads(lease: Lease) -> bool:
        both.append(one.is_leader and two.is_leader)
        return lease.is_leader

    one.start()
    assert eventually(lambda: leads(one), 5)
    two.start()
    proxy.silence()
    assert eventually(lambda: leads(two), 10)
    proxy.resume()
    assert eventually(lambda: leads(two) and one.holder == "two", 5)
    two.stop()
    assert eventually(lambda: leads(one), 5)
    one.stop()
    assert not any(both)
    assert "" == stored(api)["holderIdentity"]


def test_a_leader_that_found_nobody_else_goes_on_after_the_network_is_back(
    api_server: ApiServer,
    connect: Callable[[Identity], Api],
    install: Callable[..., None],
    proxy: SilentProxy,
) -> None:
    install()
    leader = Candidate(connect(api_server.admin.through(proxy.url)), "one")
    assert leader.after(0)
    proxy.refuse()
    assert not leader.after(LEADS)
    proxy.resume()
    assert leader.after(2)
    assert [True, False, True] == leader.changes


def test_one_time_of_holding_it_is_told_from_another(pair: tuple[Candidate, Candidate]) -> None:
    """It is the same after a pause in which nobody else held it, and another afterwards."""
    leader, waiting = pair
    first = leader.lease.term
    assert leader.after(FREE)
    assert first == leader.lease.term
    assert waiting.lease.term is None
    assert not waiting.after(0)
    assert waiting.after(FREE)
    assert not leader.after(2)
    assert leader.lease.term is None
    assert leader.after(FREE)
    assert leader.lease.term not in {None, first}


def test_who_stops_leaves_the_lease_to_the_next_at_once(
    api: Api, pair: tuple[Candidate, Candidate]
) -> None:
    leader, waiting = pair
    leader.lease.stop()
    assert not leader.lease.is_leader
    with pytest.raises(NotLeaderError):
        leader.lease.fence(WRITE)
    assert "" == stored(api)["holderIdentity"]
    assert waiting.after(0.1)
    assert waiting.lease.lost is None
    assert 2 == stored(api)["leaseTransitions"]


def test_who_stops_without_leading_leaves_the_leader_alone(
    pair: tuple[Candidate, Candidate],
) -> None:
    leader, waiting = pair
    waiting.lease.stop()
    assert leader.after(2)


def test_a_deleted_lease_is_taken_by_another_only_after_its_time(
    api: Api, pair: tuple[Candidate, Candidate]
) -> None:
    """The old leader may not know yet; when it does, it gives way to who was quicker."""
    leader, waiting = pair
    api.delete(LEASES, NAME)
    assert not waiting.after(1)
    assert leader.lease.is_leader
    assert not leader.after(1)
    assert not waiting.after(FREE - 1)
    assert waiting.after(1)


def test_a_leader_that_finds_its_lease_deleted_first_makes_it_anew_and_leads_on(
    api: Api, pair: tuple[Candidate, Candidate]
) -> None:
    leader, waiting = pair
    api.delete(LEASES, NAME)
    assert leader.after(2)
    assert not waiting.after(2)
    assert "one" == stored(api)["holderIdentity"]


def test_what_the_wall_clocks_say_does_not_matter(pair: tuple[Candidate, Candidate]) -> None:
    """Neither a step of an hour back or forward, nor five minutes between two machines."""
    leader, waiting = pair
    waiting.now += timedelta(minutes=5)
    for step in (timedelta(hours=1), timedelta(hours=-2)):
        leader.now += step
        assert leader.after(2)
        assert not waiting.after(2)


def test_a_holder_is_waited_for_from_when_it_was_seen_not_from_what_is_written(
    api: Api, install: Callable[..., None]
) -> None:
    install(holderIdentity="gone", leaseDurationSeconds=15, renewTime="2020-01-01T00:00:00.000000Z")
    candidate = Candidate(api, "one")
    assert not candidate.after(100)
    assert not candidate.after(FREE - 0.01)
    assert candidate.after(0.02)


def test_a_holder_that_asked_for_longer_gets_it(api: Api, install: Callable[..., None]) -> None:
    install(holderIdentity="slow", leaseDurationSeconds=60)
    candidate = Candidate(api, "one")
    assert not candidate.after(0)
    assert not candidate.after(59)
    assert candidate.after(2)


def test_a_write_passes_the_fence_only_while_it_ends_in_time(
    pair: tuple[Candidate, Candidate],
) -> None:
    leader, waiting = pair
    leader.lease.fence()
    with pytest.raises(NotLeaderError, match=r"two doesn't hold the lease default/.*: one does"):
        waiting.lease.fence(WRITE)
    leader.clock.pass_(8)
    leader.lease.fence(WRITE)
    with pytest.raises(NotLeaderError, match=r"holds .* for 6.2 s more"):
        leader.lease.fence()


def test_it_needs_to_get_create_and_update_leases(
    api_server: ApiServer, api: Api, connect: Callable[[Identity], Api]
) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "escalator")
    group = "rbac.authorization.k8s.io"
    api.create(
        Kind(group, "v1", "roles", "default"),
        {
            "metadata": {"name": "lease"},
            "rules": [
                {"apiGroups": [LEASES.group], "resources": ["leases"], "verbs": ["create"]},
                {
                    "apiGroups": [LEASES.group],
                    "resources": ["leases"],
                    "resourceNames": [NAME],
                    "verbs": ["get", "update"],
                },
            ],
        },
    )
    api.create(
        Kind(group, "v1", "rolebindings", "default"),
        {
            "metadata": {"name": "lease"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "lease"},
            "subjects": [{"kind": "ServiceAccount", "name": "escalator", "namespace": "logwatch"}],
        },
    )
    mine = connect(api_server.identity("logwatch", "escalator"))
    candidate = Candidate(mine, "one")

    def allowed() -> bool:
        candidate.lease.step()
        return candidate.lease.problem is None

    assert eventually(allowed, 5)  # RBAC is read by a cache of the server's
    assert candidate.after(FREE)
    candidate.lease.release()
    assert "" == stored(api)["holderIdentity"]
    with pytest.raises(Forbidden):
        mine.delete(LEASES, NAME)


def test_periods_that_would_let_two_lead_are_refused(api: Api) -> None:
    with pytest.raises(ValueError, match="renew 15 < duration 15"):
        Lease(api, "default", NAME, "one", duration=15, renew=15)
