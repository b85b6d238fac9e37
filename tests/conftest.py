"""The lab's parts for tests. Without root or a package they fail and say what is missing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # where `lab` is found, whatever the rootdir

from lab.kernel_log import KernelLog
from lab.namespace import LabError, require
from lab.network import Network
from lab.rsyslog import Rsyslog
from lab.sender import Sender

FIXTURES = Path(__file__).parents[1] / "fixtures"


def pytest_configure(config: pytest.Config) -> None:
    """Where CPython leaks a socket, bear it: one that was reset before TLS began.

    A server that is killed resets what it had not accepted yet. `ssl` raised without closing that
    until 3.11.8 and 3.12.2 (python/cpython#113280); then the garbage collector does.
    """
    if sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2):
        without_peer = r"unclosed <ssl\.SSLSocket((?!raddr).)*>$"
        config.addinivalue_line("filterwarnings", f"ignore:{without_peer}:ResourceWarning")


def cases() -> list[Path]:
    """Return the folders of recorded lines with their truth."""
    return sorted(path.parent for path in FIXTURES.glob("*/case.json"))


def unavailable(reason: str) -> Exception:
    """Return a test's failure that is only its reason."""
    return pytest.fail.Exception(reason, pytrace=False)


@pytest.fixture
def network() -> Iterator[Network]:
    """Give a fresh node with its namespaces, without LOG rules yet."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(Network())
        except LabError as error:
            raise unavailable(f"the lab's network can't be made: {error}") from None
        yield made


@pytest.fixture
def sender(network: Network) -> Iterator[Sender]:
    """Give a sender of frames from outside to the node."""
    with network.sender() as made:
        yield made


@pytest.fixture
def kernel_log(network: Network) -> Iterator[KernelLog]:
    """Give a reader of the kernel log from now on."""
    del network  # asked for only because it checks that this is root
    with KernelLog() as log:
        yield log


@pytest.fixture
def start_rsyslog(tmp_path: Path) -> Iterator[Callable[..., Rsyslog]]:
    """Give a function that starts rsyslogd with options of Rsyslog; it writes tmp_path/syslog."""
    with ExitStack() as stack:

        def start(**options: object) -> Rsyslog:
            try:
                require("rsyslogd", "logrotate")
                return stack.enter_context(Rsyslog(tmp_path, **options))  # type: ignore[arg-type]
            except LabError as error:
                raise unavailable(f"rsyslogd can't be started: {error}") from None

        yield start


@pytest.fixture
def rsyslog(start_rsyslog: Callable[..., Rsyslog]) -> Rsyslog:
    """Give a running rsyslogd with traditional stamps."""
    return start_rsyslog()
