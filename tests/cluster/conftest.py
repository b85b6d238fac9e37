"""The real API server for the tests of the cluster.

`api_server` is one server for all tests. Each of them finds what `ApiServer` itself sets up and
nothing else: what a test made, changed or removed is undone after it. A test that takes a server
down, or wants options of its own, asks for `start_api_server` and has one to itself (3 s).
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from lab import calico, definitions, deployment
from lab.admission import wait_until_policies_hold
from lab.api_server import ApiServer
from lab.calico import Arrangement
from lab.calico_objects import Objects
from lab.identity import Identity
from lab.namespace import LabError
from lab.silent_proxy import SilentProxy

from logwatch.cluster import Api

Connect = Callable[..., Api]


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
    running_api_server: ApiServer,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[ApiServer, Arrangement]]:
    """Serve Calico's kinds in one arrangement, with all rights of deploy/, for a whole module."""
    directory = tmp_path_factory.mktemp("calico")
    with running_api_server.more():
        definitions.serve(running_api_server.admin, calico.definitions(request.param))
        deployment.install(running_api_server, directory)
        deployment.allow_policies(running_api_server, directory)
        wait_until_policies_hold(running_api_server.admin)
        running_api_server.mark()
        yield running_api_server, request.param


@pytest.fixture
def objects(calico_server: tuple[ApiServer, Arrangement]) -> Iterator[Objects]:
    """Give Calico's objects of the group that is to be used, in the clean state."""
    server, arrangement = calico_server
    yield Objects(server.admin, "v1" if arrangement == "v1" else "v3")
    server.reset()


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Give a function that connects as an identity, with options of Api.connect."""
    with ExitStack() as stack:

        def connected(identity: Identity, **options: object) -> Api:
            api = Api.connect(identity.kubeconfig(tmp_path / "kubeconfig"), **options)
            stack.callback(api.close)
            return api

        yield connected


@pytest.fixture
def api(api_server: ApiServer, connect: Connect) -> Api:
    """Connect as the administrator."""
    return connect(api_server.admin)


@pytest.fixture
def connect_writer(
    calico_server: tuple[ApiServer, Arrangement], objects: Objects, connect: Connect
) -> Callable[..., Api]:
    """Give a function that connects as the escalator, with options of Api.connect."""
    del objects  # asked for only because it cleans
    return partial(connect, deployment.escalator(calico_server[0]))
