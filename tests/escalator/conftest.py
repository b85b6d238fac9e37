"""The real API server with all of deploy/ but its workloads, and escalators as real processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab import deployment
from lab.api_server import ApiServer
from lab.calico import definitions
from lab.calico_objects import Objects
from lab.definitions import serve
from lab.escalator import RunningEscalator
from lab.identity import Identity
from lab.namespace import LabError


@dataclass(frozen=True)
class Cluster:
    """A cluster with Calico's v1 kinds and logwatch's rights."""

    server: ApiServer
    directory: Path
    start: Callable[..., RunningEscalator]
    """Starts an escalator, named, with options and settings of RunningEscalator."""

    @property
    def admin(self) -> Identity:
        return self.server.admin

    @property
    def calico(self) -> Objects:
        return Objects(self.admin, "v1")

    def denied(self) -> set[str]:
        """All networks in our sets."""
        return {network for networks in self.calico.sets().values() for network in networks}

    def entries(self) -> dict[str, dict]:
        """All entries, by their networks."""
        path = "/apis/calico-logwatch.io/v1alpha1/blacklistentries"
        return {each["spec"]["cidr"]: each for each in self.admin.call("GET", path)["items"]}

    def phases(self) -> dict[str, str]:
        """Phase by network; empty where there is none yet."""
        return {
            network: each.get("status", {}).get("phase", "")
            for network, each in self.entries().items()
        }


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """Start the server that the tests here share."""
    with ExitStack() as stack:
        directory = tmp_path_factory.mktemp("escalator")
        try:
            server = stack.enter_context(ApiServer(directory))
            serve(server.admin, definitions("v1"))
            deployment.install(server, directory)
        except LabError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        server.mark()
        yield server


@pytest.fixture
def cluster(running_server: ApiServer, tmp_path: Path) -> Iterator[Cluster]:
    """Give a cluster in its clean state; escalators that run are killed after the test."""
    with ExitStack() as stack:
        identity = deployment.escalator(running_server)

        def start(name: str = "one", *options: str, **settings: object) -> RunningEscalator:
            made = RunningEscalator(tmp_path / name, identity, *options, **settings)
            return stack.enter_context(made)

        yield Cluster(running_server, tmp_path, start)
    running_server.reset()
