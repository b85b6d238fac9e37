"""One connection to the API server, by the kubernetes package: TLS, identity, pooled sockets.

Every request has a timeout for connecting and one for silence while reading. None is repeated here,
and no redirect is followed: the token goes to the configured server only.
"""

import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml  # type: ignore[import-untyped]  # its stubs are for one name too few
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import SERVICE_HOST_ENV_NAME, InClusterConfigLoader
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, load_kube_config
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from logwatch.cluster.errors import (
    ConnectError,
    Unauthorized,
    Unreachable,
    cut,
    refusal,
    status_of,
)

Timeout = tuple[float, float]
"""Seconds for connecting (TLS included), and for each silence while reading."""

JSON = "application/json"

MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")

POOL = 32
"""Connections kept open: a dozen watches, and what is written meanwhile."""

SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    # Closing after a timeout throws away what was not delivered yet. Otherwise the kernel would go
    # on sending a write for minutes, and deliver it when somebody else has become the leader.
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: `content` and `accept` are the media types of the body and of the answer."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    content: str = JSON
    accept: str = JSON

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Connection:
    """Sends requests as one identity, from any thread."""

    def __init__(self, configuration: Configuration) -> None:
        configuration.retries = False
        configuration.socket_options = SOCKET_OPTIONS
        configuration.connection_pool_maxsize = POOL
        self._client = ApiClient(configuration)
        self.server: str = configuration.host

    def send(self, request: Request, timeout: Timeout) -> bytes:
        """Give the body of the answer."""
        answer = self.open(request, timeout)
        try:
            return answer.data
        except (HTTPError, OSError) as error:
            raise self.unreachable(request, error) from None

    def open(self, request: Request, timeout: Timeout) -> BaseHTTPResponse:
        """Give an answer below 300 whose body is not read yet, for whoever reads it piece by piece.

        Each piece may raise urllib3's HTTPError or OSError: make it `unreachable`.
        """
        headers = {"Accept": request.accept, "User-Agent": "calico-logwatch"}
        headers |= self._identity(request)
        if request.body is not None:
            headers["Content-Type"] = request.content
        url = self.server + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            answer: BaseHTTPResponse = self._client.rest_client.request(
                request.method, url, headers=headers, body=request.body, _request_timeout=timeout
            ).response
            if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer
            said = answer.data
        except (HTTPError, ApiException, OSError) as error:
            raise self.unreachable(request, error) from None
        token = headers.get("authorization", "").partition(" ")[2].encode()
        if token:  # a proxy's page of errors may repeat what it was sent
            said = said.replace(token, b"(token)")
        raise refusal(str(request), status_of(said, answer.status, after=_seconds(answer)))

    def unreachable(self, request: Request, error: Exception) -> Unreachable:
        """Give the error to raise; drops idle connections, which may be as dead as this one."""
        self._client.rest_client.pool_manager.clear()
        return Unreachable(
            f"{request} got no answer from {self.server} ({_cause(error)}): see that the API server"
            " runs, and that nothing on the way blocks it"
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _identity(self, request: Request) -> dict[str, str]:
        headers: dict[str, str] = {}
        try:
            self._client.update_params_for_auth(headers, None, ["BearerToken"], "", "", None)
        except (OSError, ConfigException) as error:
            raise Unauthorized(
                f"{request} was not sent, for there is no token ({error}): see that the Pod's"
                " ServiceAccount is mounted"
            ) from None
        return headers


def configuration(
    kubeconfig: Path | None, environment: Mapping[str, str], mounted: Path
) -> Configuration:
    """Find the API server and this identity; raises ConnectError."""
    made = Configuration()
    in_cluster = kubeconfig is None and environment.get(SERVICE_HOST_ENV_NAME)
    path = kubeconfig or Path(KUBE_CONFIG_DEFAULT_LOCATION).expanduser()
    try:
        if in_cluster:
            _in_cluster(made, environment, mounted)
        else:
            load_kube_config(str(path), client_configuration=made, persist_config=False)
    except (ConfigException, OSError, yaml.YAMLError, ValueError) as error:
        where = f"the ServiceAccount at {mounted}" if in_cluster else f"the kubeconfig {path}"
        right = (
            "let the Pod mount its ServiceAccount's token"
            if in_cluster
            else "name one that is good"
        )
        raise ConnectError(
            f"no API server can be reached by {where} ({cut(str(error))}): {right}"
        ) from None
    return made


def _in_cluster(made: Configuration, environment: Mapping[str, str], mounted: Path) -> None:
    token = mounted / "token"
    InClusterConfigLoader(
        str(token), str(mounted / "ca.crt"), try_refresh_token=False, environ=environment
    ).load_and_set(made)
    made.refresh_api_key_hook = _reader(token)  # type: ignore[assignment]  # declared as None


def _reader(token: Path) -> Callable[[Configuration], None]:
    """Read the token before each request: 1 KiB, and never one that was rotated a minute ago."""

    def read(configuration: Configuration) -> None:
        configuration.api_key["BearerToken"] = f"Bearer {token.read_text().strip()}"

    return read


def _seconds(answer: BaseHTTPResponse) -> float:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0


def _cause(error: Any) -> str:  # noqa: ANN401 - errors of three packages, wrapped in one another
    if isinstance(error, ApiException):
        return cut(error.reason or "")
    return cut(str(error.reason) if getattr(error, "reason", None) else str(error))
