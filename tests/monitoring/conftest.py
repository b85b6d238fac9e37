"""A real Prometheus that scrapes two agents while lines are written, and pages of a cluster."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from export.serving import NoPage
from lab.agent import RunningAgent
from lab.namespace import LabError, require
from lab.prometheus import Alertmanager, Prometheus
from lab.rsyslog import eventually

from logwatch.export import (
    EscalatorCollector,
    EscalatorView,
    Metrics,
    ReportView,
    Server,
    View,
)
from logwatch.export.collector import LogwatchCollector
from logwatch.export.decided import DecisionCollector
from logwatch.ledger import Snapshot

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yaml"
SECONDS = 20.0

BODY = (
    "IN={interface} OUT= MAC=08:00:27:6c:d0:ba:08:00:27:2c:4f:40:08:00 SRC={source} "
    "DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 "
)
TCP = "DF PROTO=TCP SPT=40000 DPT={port} WINDOW=29200 RES=0x00 SYN URGP=0 "
UDP = "PROTO=UDP SPT=5000 DPT={port} LEN=40 "
LOST = "worker-1 rsyslogd: imklog: 61 messages lost due to rate-limiting"
SCANNER = "203.0.113.66"

ESCALATOR = EscalatorView(Snapshot(), leader=True, reports=2, requests=(("get", "nodes", 3),))
REPORTING = View(
    Snapshot(),
    report=ReportView(("written", "repeated", "forbidden"), size=4096),
    certificate_ends=4e9,
)


@dataclass(frozen=True, slots=True)
class Packet:
    """What one line tells."""

    prefix: str
    interface: str
    source: str
    protocol: str
    port: int

    def line(self) -> str:
        """Give it as rsyslog writes it now."""
        rest = TCP if self.protocol == "tcp" else UDP
        body = (BODY + rest).format(interface=self.interface, source=self.source, port=self.port)
        return _stamped(f"worker-1 kernel: [1.000000] {self.prefix}: {body}")


@dataclass(frozen=True, slots=True)
class Watched:
    """What runs, and what was written."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    agent: RunningAgent
    blind: RunningAgent
    escalator: str
    sent: list[Packet]

    def escalator_page(self) -> str:
        """Give the escalator's metrics."""
        with urllib.request.urlopen(f"http://{self.escalator}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def counted(self, *names: str) -> dict[tuple[str, ...], float]:
        """Count the packets by some of what they tell, in the order of the names."""
        tuples = (tuple(str(getattr(one, name)) for name in names) for one in self.sent)
        return {key: float(number) for key, number in Counter(tuples).items()}


def packets() -> list[Packet]:
    """A scan, visitors of two policies, and nobody else."""
    return [
        *(Packet("lb", "eth1", SCANNER, "tcp", port) for port in range(1, 21)),
        *(Packet("nodeports", "eth0", f"192.0.2.{host}", "tcp", 30080) for host in range(1, 8)),
        *(Packet("nodeports", "eth1", "192.0.2.9", "udp", port) for port in (53, 123, 53)),
        # Never banned: a resolver of documentation, by the configuration.
        *(Packet("lb", "eth1", "198.51.100.53", "tcp", port) for port in range(1, 21)),
    ]


def unavailable(reason: object) -> Exception:
    """Return a test's failure that is only its reason."""
    return pytest.fail.Exception(str(reason), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    try:
        require("promtool", "prometheus", "prometheus-alertmanager")
    except LabError as error:
        raise unavailable(error) from None


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Start everything, write the lines, and wait until Prometheus has rates of them."""
    directory = tmp_path_factory.mktemp("watched")
    log = directory / "syslog"
    log.touch()
    with ExitStack() as stack:
        agent = stack.enter_context(RunningAgent(directory / "a", *_options(directory), log=log))
        missing = directory / "missing"
        blind = stack.enter_context(RunningAgent(directory / "b", log=missing))
        escalator = _served(stack, ESCALATOR, EscalatorCollector)
        reporting = _served(stack, REPORTING, LogwatchCollector)
        alertmanager = stack.enter_context(Alertmanager(directory / "alertmanager"))
        addresses = [each.url.removeprefix("http://") for each in (agent, blind)]
        jobs = {"logwatch-agent": [*addresses, reporting], "logwatch-escalator": [escalator]}
        prometheus = stack.enter_context(
            Prometheus(directory / "p", jobs, rules=RULES, alertmanager=alertmanager)
        )
        _wait(prometheus, "count (rate(logwatch_ready[1m])) == 4")
        # Twice: a series begins with its first packets, and a rate is of what comes after them.
        for times in (1, 2):
            written = _write(log)
            _wait(prometheus, f"sum (logwatch_lines_total) == {times * written}")
        _wait(prometheus, "cluster:logwatch_denied_packets:rate5m > 0")
        _wait(prometheus, 'ALERTS{alertname="LogwatchMessagesLost"}')
        yield Watched(prometheus, alertmanager, agent, blind, escalator, 2 * packets())


def _write(log: Path) -> int:
    """Write the packets, and two lines more; give the number of lines."""
    lines = [one.line() for one in packets()]
    lines += [_stamped(LOST), _stamped("worker-1 cron[7]: nothing about packets")]
    with log.open("a") as file:
        file.write("".join(lines))
    return len(lines)


def _options(directory: Path) -> list[str]:
    configuration = directory / "agent.yaml"
    prefixes = [
        {"text": "lb", "policy": "deny-lb-port-80"},
        {"text": "nodeports", "policy": "deny-nodeports"},
    ]
    never = ["198.51.100.0/24"]
    configuration.write_text(json.dumps({"prefixes": prefixes, "never_ban": never}))
    policy = ("--mode", "enforce", "--policy-file", str(directory / "blacklist.yaml"))
    return ["--config", str(configuration), *policy]


def _served(stack: ExitStack, view: View, collector: type[DecisionCollector]) -> str:
    """Serve a page as a program in a cluster does, without the cluster; give its address."""
    server = Server(
        ("127.0.0.1", 0),
        metrics=Metrics(lambda: view, version="1", collector=collector, families=()),
        page=NoPage(),
        commit=lambda: None,
        health=list,
        ready=list,
    )
    server.start()
    stack.callback(server.stop)
    host, port = server.address
    return f"{host}:{port}"


def _stamped(text: str) -> str:
    return f"{time.strftime('%b %e %H:%M:%S')} {text}\n"


def _wait(prometheus: Prometheus, expression: str) -> None:
    if not eventually(lambda: bool(prometheus.query(expression)), SECONDS):
        raise AssertionError(f"never true within {SECONDS:g} s: {expression}")
