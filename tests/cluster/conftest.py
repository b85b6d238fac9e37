"""The real API server for the tests of the cluster.

`api_server` is one server for all tests. Each of them finds what `ApiServer` itself sets up and
nothing else: what a test made, changed or removed is undone after it. A test that takes a server
down, or wants options of its own, asks for `start_api_server` and has one to itself (3 s).
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from lab import calico, definitions
from lab.api_server import ApiServer
from lab.calico import Arrangement
from lab.calico_objects import Objects, writers_account
from lab.namespace import LabError
from lab.silent_proxy import SilentProxy

from logwatch.cluster import Api
from logwatch.cluster.api import Calls


@pytest.fixture(scope="session")
def running_api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """Start the server that tests share."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(ApiServer(tmp_path_factory.mktemp("api-server")))
        except LabError as error:
            raise pytest.fail.Exception(
                f"the API server can't be started: {error}", pytrace=False
            ) from None
        yield server


@pytest.fixture
def api_server(running_api_server: ApiServer) -> Iterator[ApiServer]:
    """Give the shared server in its clean state."""
    yield running_api_server
    running_api_server.reset()


@pytest.fixture
def start_api_server(tmp_path: Path) -> Iterator[Callable[..., ApiServer]]:
    """Give a function that starts a server of the test's own, with options of ApiServer."""
    with ExitStack() as stack:

        def start(*options: str, audit: bool = True) -> ApiServer:
            directory = tmp_path / "api-server"
            directory.mkdir()
            try:
                return stack.enter_context(ApiServer(directory, *options, audit=audit))
            except LabError as error:
                raise pytest.fail.Exception(
                    f"the API server can't be started: {error}", pytrace=False
                ) from None

        yield start


@pytest.fixture
def proxy(api_server: ApiServer) -> Iterator[SilentProxy]:
    """Give a proxy to the shared server."""
    with SilentProxy(api_server.url) as made:
        yield made


@pytest.fixture(scope="module", params=["v1", "v3", "both"])
def calico_server(
    running_api_server: ApiServer, request: pytest.FixtureRequest
) -> Iterator[tuple[ApiServer, Arrangement]]:
    """Serve Calico's kinds in one arrangement, for all tests of a module."""
    made = calico.definitions(request.param)
    definitions.serve(running_api_server.admin, made)
    running_api_server.mark()
    yield running_api_server, request.param
    definitions.withdraw(running_api_server.admin, made)
    running_api_server.mark()


@pytest.fixture
def objects(calico_server: tuple[ApiServer, Arrangement]) -> Iterator[Objects]:
    """Give Calico's objects of the group that is to be used, in the clean state."""
    server, arrangement = calico_server
    yield Objects(server.admin, "v1" if arrangement == "v1" else "v3")
    server.reset()


@pytest.fixture
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Give a function that connects as a ServiceAccount with the rights that writers need.

    It takes the option `calls` of Api.connect.
    """
    clean = "objects" if "objects" in request.fixturenames else "api_server"
    request.getfixturevalue(clean)
    account = writers_account(request.getfixturevalue("running_api_server"))
    kubeconfig = account.kubeconfig(tmp_path / "kubeconfig")
    with ExitStack() as stack:

        def connected(calls: Calls | None = None) -> Api:
            return stack.enter_context(closing(Api.connect(kubeconfig, calls=calls)))

        yield connected
