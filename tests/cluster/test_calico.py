"""Which of Calico's API groups is used, while they come and go on the real API server."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from lab import calico, definitions, deployment
from lab.api_server import ApiServer
from lab.calico_objects import Objects
from lab.rsyslog import eventually

from logwatch.cluster import Api, Calico, NotServed, SetWriter
from logwatch.cluster.calico import HOLDS_SECONDS

A, B = "192.0.2.1/32", "198.51.100.7/32"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
Connect = Callable[..., Api]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect_writer(api_server: ApiServer, connect: Connect, tmp_path: Path) -> Callable[..., Api]:
    """Give a function that connects as the escalator, where Calico is to be installed."""
    deployment.install(api_server, tmp_path)
    return partial(connect, deployment.escalator(api_server))


@pytest.fixture
def writer(connect_writer: Connect, clock: Clock) -> Iterator[SetWriter]:
    api = connect_writer()
    made = SetWriter(api, Calico(api, clock=clock))
    yield made
    made.stop()


def no_fence() -> None:
    """Let everything pass."""


@pytest.mark.parametrize(("arrangement", "version"), [("v1", "v1"), ("v3", "v3"), ("both", "v3")])
def test_v3_is_used_where_it_is_served_else_v1(
    arrangement: calico.Arrangement, version: str, api_server: ApiServer, connect_writer: Connect
) -> None:
    definitions.serve(api_server.admin, calico.definitions(arrangement))
    found = Calico(connect_writer()).kind("globalnetworksets")
    assert (calico.GROUPS[version], version) == (found.group, found.version)


def test_without_calico_a_sentence_says_so(connect_writer: Connect) -> None:
    sentence = (
        r"serves neither projectcalico\.org/v3 nor crd\.projectcalico\.org/v1: install Calico"
    )
    with pytest.raises(NotServed, match=sentence):
        Calico(connect_writer()).kind("globalnetworksets")


def test_a_writer_without_calico_begins_when_it_is_installed(
    api_server: ApiServer, writer: SetWriter
) -> None:
    writer.start()
    assert "install Calico" in (writer.problem or "")
    assert "install Calico" in writer.write([A], no_fence).problems[0]
    definitions.serve(api_server.admin, calico.definitions("v1"))
    assert (A,) == writer.write([A], no_fence).added


def test_v3_that_comes_later_is_used_within_a_minute(
    api_server: ApiServer, writer: SetWriter, clock: Clock
) -> None:
    definitions.serve(api_server.admin, calico.definitions("v1"))
    writer.write([A], no_fence)
    definitions.serve(api_server.admin, calico.definitions("v3"))
    assert () == writer.write([A, B], no_fence).problems
    assert {0: [A, B]} == Objects(api_server.admin, "v1").sets()
    assert {} == Objects(api_server.admin, "v3").sets()
    clock.now += HOLDS_SECONDS
    written = writer.write([A, B], no_fence)
    assert ((A, B), (), ()) == (written.added, written.drift, written.problems)
    assert {0: [A, B]} == Objects(api_server.admin, "v3").sets()


def test_v1_is_used_again_when_v3_goes(api_server: ApiServer, writer: SetWriter) -> None:
    v3 = calico.definitions("v3")
    definitions.serve(api_server.admin, calico.definitions("both"))
    writer.write([A], no_fence)
    definitions.withdraw(api_server.admin, v3)
    assert eventually(lambda: not writer.write([A, B], no_fence).problems, 20)
    assert {0: [A, B]} == Objects(api_server.admin, "v1").sets()


def test_v1_is_not_written_while_the_server_of_v3_is_away(
    api_server: ApiServer, writer: SetWriter, clock: Clock
) -> None:
    """It is registered, so the data may be under way: 503 is waited for, not gone around."""
    definitions.serve(api_server.admin, calico.definitions("v1"))
    writer.write([A], no_fence)
    api_server.admin.call("POST", SERVICES, registered_without_server())
    clock.now += HOLDS_SECONDS
    problems: list[str] = []

    def is_away() -> bool:
        problems.extend(writer.write([A, B], no_fence).problems)
        clock.now += HOLDS_SECONDS
        return bool(problems)

    assert eventually(is_away, 20)
    assert "503" in problems[-1]
    api_server.admin.call("DELETE", f"{SERVICES}/v3.projectcalico.org")
    assert eventually(lambda: not writer.write([A, B], no_fence).problems, 20)
    assert {0: [A, B]} == Objects(api_server.admin, "v1").sets()


def registered_without_server() -> dict:
    return {
        "metadata": {"name": "v3.projectcalico.org"},
        "spec": {
            "group": "projectcalico.org",
            "version": "v3",
            "groupPriorityMinimum": 1500,
            "versionPriority": 200,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "default", "name": "calico-api"},
        },
    }
