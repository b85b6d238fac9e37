"""The section "In a cluster" of the README, done word by word: from observe to enforce."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab import deployment
from lab.admission import wait_until_policies_hold
from lab.agent import RunningAgent
from lab.api_server import ApiServer, program
from lab.calico import definitions
from lab.definitions import serve, wait_until_served
from lab.escalator import RunningEscalator
from lab.identity import Identity
from lab.namespace import LabError
from lab.scanning import scan

ROOT = Path(__file__).parents[2]
SCANNER = 66
"""Last number of the address that the README shows."""


def steps() -> list[list[str]]:
    """The commands of each step."""
    text = (ROOT / "README.md").read_text()
    section = text.partition("## In a cluster\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    command = re.compile(r"^kubectl [^\n]*?(?:<<END\n.*?^END)?\n", re.MULTILINE | re.DOTALL)
    return [command.findall(each) for each in blocks]


def shown(heading: str) -> list[str]:
    """The lines that the README shows under a heading of kubectl's."""
    text = (ROOT / "README.md").read_text()
    [block] = re.findall(rf"```text\n({heading}\b.*?)```", text, re.DOTALL)
    return block.splitlines()


class Newcomer:
    """Somebody with kubectl in a copy of the repository, on a cluster with Calico."""

    def __init__(self, server: ApiServer, directory: Path) -> None:
        self._server = server
        self.directory = directory
        shutil.copytree(ROOT / "deploy", directory / "deploy")
        binaries = directory / "bin"
        binaries.mkdir()
        (binaries / "kubectl").symlink_to(program("kubectl"))
        self._environment = {
            **os.environ,
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "KUBECONFIG": str(server.admin.kubeconfig(directory / "kubeconfig")),
            "HOME": str(directory),
        }

    def runs(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def sets_mode(self, mode: str) -> None:
        file = self.directory / "deploy" / "config" / "escalator.yaml"
        file.write_text(
            re.sub(r"^mode: \w+", f"mode: {mode}", file.read_text(), flags=re.MULTILINE)
        )

    def agent(self, identity: Identity) -> RunningAgent:
        """What the DaemonSet's Pod on worker-1 would run."""
        log = self.directory / "syslog"
        log.touch()
        kubeconfig = identity.kubeconfig(self.directory / "agent-kubeconfig")
        config = self._config("agent").replace(
            "enabled: true", f"enabled: true, node: worker-1, kubeconfig: {kubeconfig}"
        )
        file = self.directory / "agent.yaml"
        file.write_text(re.sub(r"^cluster:\n  (.*)$", r"cluster: {\1}", config, flags=re.MULTILINE))
        return RunningAgent(self.directory / "agent", "--config", str(file), log=log)

    def escalator(self, identity: Identity) -> RunningEscalator:
        """What the Deployment's Pod would run, with the configuration as it was applied."""
        made = RunningEscalator(self.directory / "escalator", identity)
        file = self.directory / "escalator" / "escalator.yaml"
        kubeconfig = self.directory / "escalator" / "kubeconfig"
        config = self._config("escalator").replace(
            "enabled: true", f"enabled: true\n  kubeconfig: {kubeconfig}"
        )
        file.write_text(config)
        return made

    def _config(self, part: str) -> str:
        """The configuration without what only its Pod has."""
        deploy = self.directory / "deploy"
        text = (deploy / "config" / f"{part}.yaml").read_text()
        text = text.replace("/etc/logwatch/", f"{deploy}/config/")
        return re.sub(r"^logs: .*\n", "", text, flags=re.MULTILINE)


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[tuple[Newcomer, ApiServer]]:
    """Give a newcomer, and the cluster, whose Calico serves its own API."""
    with ExitStack() as stack:
        (tmp_path / "server").mkdir()
        try:
            server = stack.enter_context(ApiServer(tmp_path / "server"))
            serve(server.admin, definitions("v3"))
        except LabError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        yield Newcomer(server, tmp_path), server


def test_a_newcomer_gets_from_observe_to_enforce(newcomer: tuple[Newcomer, ApiServer]) -> None:
    person, server = newcomer
    observe, deny, enforce = steps()
    person.runs(observe[0])
    wait_until_served(server.admin, deployment.own_definitions())
    wait_until_policies_hold(server.admin)
    identity = deployment.escalator(server)
    with person.agent(deployment.agent(server, "worker-1")) as agent:
        escalator = person.escalator(identity)
        with escalator:
            with (person.directory / "syslog").open("a") as log:
                log.write(scan(SCANNER, range(20)))
            reports, entries = shown("NAME +SOURCES"), shown("NAME +CIDR")
            agent.wait_for(lambda: "203.0.113.66" in person.runs(observe[1]), "report")
            assert reports[0].split() == person.runs(observe[1]).splitlines()[0].split()
            escalator.wait_for(lambda: "Observed" in person.runs(observe[2]), "entry")
            seen = person.runs(observe[2]).splitlines()
            assert entries[0].split() == seen[0].split()
            assert entries[1].split()[:4] == seen[1].split()[:4]
            escalator.stop()
        person.runs(deny[0])
        person.sets_mode("propose")
        person.runs(deny[1])
        escalator = person.escalator(identity)
        with escalator:
            escalator.wait_for(lambda: escalator.total("logwatch_leader"), "leader")
            person.runs(deny[2])
            sets = shown("NAME +NETWORKS")
            escalator.wait_for(lambda: sets == person.runs(deny[3]).splitlines(), "set")
            escalator.stop()
        person.sets_mode("enforce")
        person.runs(enforce[0])
        escalator = person.escalator(identity)
        with escalator:
            person.runs(enforce[1])
            escalator.wait_for(lambda: "192.0.2.0/24" in person.runs(deny[3]), "ban by hand")
            assert "abuse report" in person.runs(enforce[2])
            person.runs(enforce[3])
            escalator.wait_for(lambda: "203.0.113.66" not in person.runs(deny[3]), "undo")
