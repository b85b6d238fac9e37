"""The real API server with all of deploy/ on it, as `kubectl apply -k` puts it there."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from deploy.asking import REPORTS, SETS, network_set, refusal, report
from deploy.manifests import DEPLOY, NAMESPACE, Object, rendered
from lab.api_server import ApiServer, kubectl
from lab.calico import definitions
from lab.definitions import serve, wait_until_served
from lab.namespace import LabError
from lab.rsyslog import eventually


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
        except LabError as error:
            raise unavailable(error) from None
        _wait_for_admission(server)
        server.mark()
        yield server


def _wait_for_admission(server: ApiServer) -> None:
    """Return when both policies are in force: the API server learns of them by a watch."""
    agent = server.identity(NAMESPACE, "logwatch-agent")
    escalator = server.identity(NAMESPACE, "logwatch-escalator")
    asked = ((agent, REPORTS, report("node-a")), (escalator, SETS, network_set("another")))

    def said() -> list[str]:
        return [refusal(who, "POST", f"{path}?dryRun=All", body) for who, path, body in asked]

    if not eventually(lambda: all("ValidatingAdmissionPolicy" in answer for answer in said()), 20):
        raise unavailable(f"the policies of admission.yaml are not in force: {said()}")


@pytest.fixture
def cluster(running_cluster: ApiServer) -> Iterator[ApiServer]:
    """Give the server; what a test changes is undone after it."""
    yield running_cluster
    running_cluster.reset()
