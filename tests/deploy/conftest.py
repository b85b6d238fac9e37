"""The real API server with all of deploy/ on it, as `kubectl apply -k` puts it there."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from deploy.manifests import DEPLOY, Object, rendered
from lab.admission import wait_until_policies_hold
from lab.api_server import ApiServer, kubectl
from lab.calico import definitions
from lab.definitions import serve, wait_until_served
from lab.namespace import LabError


def unavailable(reason: object) -> Exception:
    """Return a test's failure that is only its reason."""
    return pytest.fail.Exception(str(reason), pytrace=False)


@pytest.fixture(scope="session")
def objects() -> list[Object]:
    """Give the objects of deploy/."""
    try:
        return rendered()
    except LabError as error:
        raise unavailable(error) from None


@pytest.fixture(scope="session")
def running_cluster(
    tmp_path_factory: pytest.TempPathFactory, objects: list[Object]
) -> Iterator[ApiServer]:
    """Start a server with Calico's kinds and deploy/, for all tests here."""
    with ExitStack() as stack:
        directory = tmp_path_factory.mktemp("cluster")
        try:
            server = stack.enter_context(ApiServer(directory))
            serve(server.admin, definitions("v1"))
            kubectl(server.admin, directory, "apply", "-k", str(DEPLOY))
            ours = [each for each in objects if each["kind"] == "CustomResourceDefinition"]
            wait_until_served(server.admin, ours)
            wait_until_policies_hold(server.admin)
        except LabError as error:
            raise unavailable(error) from None
        server.mark()
        yield server


@pytest.fixture
def cluster(running_cluster: ApiServer) -> Iterator[ApiServer]:
    """Give the server; what a test changes is undone after it."""
    yield running_cluster
    running_cluster.reset()
