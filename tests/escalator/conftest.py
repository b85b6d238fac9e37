"""The real API server with all of deploy/ but its workloads, and escalators as real processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab import deployment
from lab.api_server import ApiServer, kubectl
from lab.calico import definitions
from lab.calico_objects import Objects
from lab.definitions import serve
from lab.escalator import RunningEscalator
from lab.identity import Identity
from lab.namespace import LabError

from logwatch.cluster import BLACKLIST_ENTRIES

ENTRIES = BLACKLIST_ENTRIES.path()


def entry(cidr: str, name: str, **spec: object) -> dict:
    """An entry as a person writes it."""
    return {
        "apiVersion": BLACKLIST_ENTRIES.api_version,
        "kind": "BlacklistEntry",
        "metadata": {"name": name},
        "spec": {"cidr": cidr, **spec},
    }


@dataclass(frozen=True)
class Cluster:
    """A cluster with Calico's v1 kinds and logwatch's rights."""

    server: ApiServer
    identity: Identity
    """The escalator's."""
    directory: Path
    start: Callable[..., RunningEscalator]
    """Starts an escalator, named, with options and settings of RunningEscalator. It speaks to the
    API server, or to a proxy at `url`."""

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
        return {each["spec"]["cidr"]: each for each in self.admin.call("GET", ENTRIES)["items"]}

    def make(self, cidr: str, name: str, **spec: object) -> None:
        """Make an entry by hand."""
        self.admin.call("POST", ENTRIES, entry(cidr, name, **spec))

    def change(self, name: str, **spec: object) -> None:
        """Change what an entry asks for; None takes a field away."""
        content = "application/merge-patch+json"
        self.admin.call("PATCH", f"{ENTRIES}/{name}", {"spec": spec}, content=content)

    def delete(self, name: str) -> None:
        """Delete an entry."""
        self.admin.call("DELETE", f"{ENTRIES}/{name}")

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run the real kubectl, and give what it prints."""
        return kubectl(self.admin, self.directory, *arguments, text=text)

    def events(self) -> list[tuple[str, str, str]]:
        """All Events of the escalator: reason, note, and the name of what they are about."""
        found = self.admin.call("GET", "/apis/events.k8s.io/v1/events")["items"]
        found.sort(key=lambda each: each["eventTime"])
        return [(each["reason"], each["note"], each["regarding"]["name"]) for each in found]

    def messages(self) -> dict[str, str]:
        """What entries tell, by the names of the entries."""
        return {
            each["metadata"]["name"]: each.get("status", {}).get("message", "")
            for each in self.admin.call("GET", ENTRIES)["items"]
        }

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

        def start(
            name: str = "one", *options: str, url: str = "", **settings: object
        ) -> RunningEscalator:
            spoken = identity.through(url or identity.url)
            made = RunningEscalator(tmp_path / name, spoken, *options, **settings)
            return stack.enter_context(made)

        yield Cluster(running_server, identity, tmp_path, start)
    running_server.reset()
