"""The agent's report on the real API server, with the rights of deploy/ and a token of its node."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from lab import deployment
from lab.agent import RunningAgent
from lab.api_server import ApiServer
from lab.identity import RefusedError
from lab.scanning import scan
from lab.silent_proxy import SilentProxy

from logwatch.cluster import NODE_REPORTS, NodeReport, read_report
from logwatch.config import Brakes
from logwatch.offenders import Offenders, Protected, read_rules

NODE = "worker-1"
JSON_PATCH = "application/json-patch+json"
MANY_PORTS = 15
"""So many different ones make a scan, by the rules that come with logwatch."""

_PORT = re.compile("DPT=[0-9]+ ")

ANOTHER_IS_DUE = timedelta(seconds=14)
"""An interval of 10 s, a fifth longer, and what a round takes."""


class Node:
    """An agent with its log and its identity, and the report as the API server has it."""

    def __init__(self, server: ApiServer, directory: Path, url: str, name: str) -> None:
        self._server = server
        self.name = name
        self.log = directory / "syslog"
        self.log.touch()
        identity = deployment.agent(server, NODE).through(url or server.url)
        self.kubeconfig = identity.kubeconfig(directory / "agent-kubeconfig")
        configuration = directory / "agent.yaml"
        configuration.write_text(
            f"cluster: {{enabled: true, node: {name}, kubeconfig: {self.kubeconfig}}}\n"
        )
        self.agent = RunningAgent(
            directory / "agent", "--config", str(configuration), log=str(self.log)
        )

    def sees(self, text: str) -> None:
        with self.log.open("ab", buffering=0) as file:
            file.write(text.encode())

    @property
    def report(self) -> NodeReport | None:
        try:
            found = self._server.admin.call("GET", NODE_REPORTS.path(self.name))
        except RefusedError:
            return None
        return read_report(msgspec.json.encode(found))

    def wait_for_sources(self, number: int, seconds: float = 20.0) -> NodeReport:
        def look() -> NodeReport | None:
            report = self.report
            return report if report is not None and report.sources == number else None

        found = self.agent.wait_for(look, f"report of {number} sources", seconds)
        assert found is not None
        return found

    def writes(self) -> dict[tuple[str, ...], float]:
        return self.agent.metrics("logwatch_report_writes_total")


@pytest.fixture
def node(api_server: ApiServer, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Give a function that starts an agent with its node's token, maybe through a proxy."""
    deployment.install(api_server, tmp_path)
    with ExitStack() as stack:

        def start(url: str = "", name: str = NODE) -> Node:
            made = Node(api_server, tmp_path, url, name)
            stack.enter_context(made.agent)
            return made

        yield start


def packets(report: NodeReport) -> int:
    """Merge a report as the escalator does, and count the scanner's packets by its evidence."""
    offenders = Offenders(
        read_rules(None).rules, Protected((), own=list), mode="observe", limits=Brakes()
    )
    now = datetime.now(UTC).timestamp()
    told = offenders.judge_reports([(report.node, report.evidence)], {}, now, now)
    return sum(offence.evidence.packets for offence in told)


def test_an_offender_is_in_the_report_at_once(node: Callable[..., Node]) -> None:
    """Long before the next ordinary report, 10 s after the first; and nothing is decided here."""
    worker = node()
    worker.wait_for_sources(0)
    worker.sees(scan(7, range(1, MANY_PORTS + 1)))
    report = worker.wait_for_sources(1, 5)
    [top] = report.top
    assert ("203.0.113.7/32", "many-ports", 15, 15) == (
        top.source,
        top.rule,
        top.reached,
        top.threshold,
    )
    assert ["DPT=1 ", "DPT=2 "] == [port for line in top.samples for port in _PORT.findall(line)]
    assert MANY_PORTS == packets(report)
    assert {("many-ports",): 1.0} == worker.agent.metrics("logwatch_offences_total")
    assert {} == worker.agent.metrics("logwatch_bans_total")
    assert 2.0 == worker.agent.total("logwatch_report_writes_total")
    assert 500 < worker.agent.total("logwatch_report_bytes") < 4096
    assert "ok\n" == worker.agent.get("/readyz")


def test_nothing_is_written_while_nothing_changes(
    node: Callable[..., Node], api_server: ApiServer
) -> None:
    """Of two reports that were due, the first was written."""
    worker = node()
    report = worker.wait_for_sources(0)
    user = f"system:serviceaccount:{deployment.NAMESPACE}:logwatch-agent"
    worker.agent.wait_for(worker.writes, "write")
    before = len(api_server.calls(user))
    worker.agent.wait_for(
        lambda: datetime.now(UTC) - report.written > ANOTHER_IS_DUE, "time of another report"
    )
    assert before == len(api_server.calls(user))
    assert {("written",): 1.0} == worker.writes()
    assert report == worker.report


def test_while_the_api_server_is_away_counting_goes_on(
    node: Callable[..., Node], api_server: ApiServer
) -> None:
    """It stays ready with a note, and the newest evidence is written when the server is back."""
    with SilentProxy(api_server.url) as proxy:
        worker = node(proxy.url)
        worker.wait_for_sources(0)
        proxy.refuse()
        worker.sees(scan(7, range(1, MANY_PORTS + 1)))
        worker.agent.wait_for(lambda: "note: " in worker.agent.get("/readyz"), "note")
        assert worker.agent.get("/readyz").startswith("ok\nnote: the report of worker-1 is not ")
        assert 1.0 == worker.agent.total("logwatch_ready")
        assert ("unreachable",) in worker.writes()
        worker.sees(scan(8, range(1, 4)))
        worker.agent.wait_for(
            lambda: worker.agent.total("logwatch_denied_packets_total") == 18, "packets"
        )
        proxy.resume()
        worker.wait_for_sources(2)
        worker.agent.wait_for(lambda: "ok\n" == worker.agent.get("/readyz"), "end of the note")
    told = [event for event in worker.agent.events if event.get("part") == "node report"]
    assert ["degraded", "node report works again"] == [event["event"] for event in told]


def test_a_restart_keeps_what_was_reported(node: Callable[..., Node]) -> None:
    """Each packet counts once, also after kill -9."""
    worker = node()
    worker.sees(scan(7, range(1, 9)))
    worker.wait_for_sources(1)
    worker.agent.kill()
    worker.sees(scan(7, range(9, MANY_PORTS + 1)))
    worker.agent.start()
    worker.agent.wait_for(
        lambda: worker.report is not None and packets(worker.report) == MANY_PORTS, "whole report"
    )


def test_an_agent_that_stops_reports_once_more(node: Callable[..., Node]) -> None:
    worker = node()
    worker.wait_for_sources(0)
    worker.sees(scan(7, range(1, 4)))
    worker.agent.wait_for(
        lambda: worker.agent.total("logwatch_denied_packets_total") == 3, "packets"
    )
    worker.agent.stop()
    assert worker.report is not None
    assert 1 == worker.report.sources


@pytest.mark.parametrize(
    ("fault", "result", "sentence"),
    [
        ("definition", "not served", "install its CRD"),
        ("rights", "forbidden", "grant it to this identity"),
        ("schema", "invalid", "put the object right"),
    ],
)
def test_why_a_report_is_not_written_is_one_sentence(
    node: Callable[..., Node], api_server: ApiServer, fault: str, result: str, sentence: str
) -> None:
    """Each fault is made for real while the agent runs."""
    worker = node()
    worker.wait_for_sources(0)
    admin = api_server.admin
    definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    definition += f"/{NODE_REPORTS.plural}.{NODE_REPORTS.group}"
    if fault == "definition":
        admin.call("DELETE", definition)
    elif fault == "rights":
        admin.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/logwatch-agent")
    else:
        limit = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/evidence"
        operation = {"op": "replace", "path": f"{limit}/maxLength", "value": 10}
        admin.call("PATCH", definition, [operation], content=JSON_PATCH)
    ports = iter(range(1, 60_000, 20))

    def offend() -> bool:
        """A change of the definition or the rights takes a moment to be in force."""
        first = next(ports)
        worker.sees(scan(first % 200, range(first, first + MANY_PORTS)))
        return sentence in worker.agent.get("/readyz")

    worker.agent.wait_for(offend, "note")
    assert worker.agent.get("/readyz").startswith("ok\n")
    assert (result,) in worker.writes()
    told = [event["problem"] for event in worker.agent.events if event.get("part") == "node report"]
    assert 1 == len([text for text in told if sentence in str(text)])


def test_an_agent_can_not_write_the_report_of_another_node(node: Callable[..., Node]) -> None:
    """The token is of worker-1, whatever the configuration says."""
    worker = node(name="worker-2")
    worker.agent.wait_for(lambda: "note: " in worker.agent.get("/readyz"), "note")
    assert "an agent writes the report of its own node alone" in worker.agent.get("/readyz")
    assert worker.report is None


def test_an_agent_that_may_not_count_nodes_reports_all_the_same(
    node: Callable[..., Node], api_server: ApiServer
) -> None:
    """And tells, since it may report too often."""
    rules = [{"op": "replace", "path": "/rules/0/verbs", "value": ["create", "get", "patch"]}]
    role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/logwatch-agent"
    api_server.admin.call("PATCH", role, rules, content=JSON_PATCH)
    worker = node()
    worker.wait_for_sources(0)
    worker.agent.wait_for(lambda: "how often worker-1" in worker.agent.get("/readyz"), "note")
    assert {("written",): 1.0} == worker.writes()


def test_an_agent_outside_a_cluster_loads_no_kubernetes(tmp_path: Path) -> None:
    """36 MiB, and half a second."""
    program = f"""
import sys, structlog
from logwatch.agent import Agent
from logwatch.config import Config
config = Config(state={str(tmp_path)!r}, logs=({str(tmp_path / "log")!r},))
Agent(config, boot_id="", log=structlog.get_logger())
print([name for name in sys.modules if name.startswith(("kubernetes", "logwatch.cluster"))])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "[]\n" == done.stdout
