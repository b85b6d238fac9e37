"""The cluster part at scale: simulated agents against the real API server and the real escalator.

Each agent has its own evidence, and writes its report by the agents' own schedule over real HTTP;
threads share the connections. `make bench-cluster` runs it, with the lab of the tests. The API
server counts the requests. Prints tables: a steady state in which each node is denied something all
the time, an attack that all nodes see at once, and the time from a line to the written set.
"""

import argparse
import heapq
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import tables
from lab import deployment
from lab.api_server import ApiServer
from lab.calico import definitions
from lab.calico_objects import Objects
from lab.definitions import serve
from lab.escalator import RunningEscalator
from offenders.packets import Sent, policies, summary

from logwatch import _core
from logwatch.agent.schedule import Schedule
from logwatch.cluster import COUNTED_MOST as MOST
from logwatch.cluster import (
    EVIDENCE_MOST,
    NODE_REPORTS,
    REPORT_MANAGER,
    Api,
    ClusterError,
    Counted,
    NodeReport,
    PolicyCount,
    PortCount,
    SourceCount,
)
from logwatch.offenders import plan, read_rules

RULES = read_rules(None).rules
WORKERS = 24
CAPACITY = 200
SETTLE_SECONDS = 3.0
INTERVALS = 2.5
"""Of ordinary reports: a steady state lasts so many at least."""
WAIT_SECONDS = 60.0
IDLE_GOAL, ATTACK_GOAL, MIB_GOAL, P99_GOAL = 20.0, 100.0, 250.0, 1.0
P99_NODES = 10
"""Up to so many nodes the goal for the time to the set holds."""
STARTED = datetime.now(UTC)


class Node:
    """An agent: its evidence, its schedule, and the report that it wrote last."""

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.schedule = Schedule(now)
        self._evidence = _core.Evidence([plan(rule) for rule in RULES], CAPACITY, node=name)
        self._written: NodeReport | None = None
        self._sources: Counter[str] = Counter()
        self._ports: Counter[int] = Counter()

    def see(self, sent: list[Sent]) -> None:
        """Be denied packets now; hurry if that makes an offender."""
        counted = summary(sent)
        verdicts = [(name, verdict == "denied") for name, verdict in policies(counted)]
        with self.lock:
            self._sources.update(one.source for one in sent)
            self._ports.update(one.port for one in sent)
            found = self._evidence.observe(counted, verdicts, time.time())
            for source, index, *_ in found:
                self._evidence.quiet(source, time.time() + RULES[index].within)
            if found:
                self.schedule.hurry(time.monotonic())

    def report(self) -> NodeReport | None:
        """Give the report that is due; None where nothing is new."""
        with self.lock:
            self.schedule.begin(time.monotonic())
            evidence, sources, cut = self._evidence.to_bytes(EVIDENCE_MOST)
            made = NodeReport(
                self.name,
                datetime.now(UTC),
                "bench",
                STARTED,
                evidence,
                sources,
                cut,
                counted=self._counted(),
            )
            if self._written is not None and made.is_as(self._written):
                return None
            self._written = made
            return made

    def _counted(self) -> Counted:
        packets = self._sources.total()
        return Counted(
            packets,
            60 * packets,
            0,
            (PolicyCount("deny-nodeports", "denied", packets),),
            tuple(SourceCount(each, n, 60 * n) for each, n in self._sources.most_common(MOST)),
            tuple(PortCount("tcp", str(each), n) for each, n in self._ports.most_common(MOST)),
        )


class Agents:
    """So many nodes, and the threads that write what is due."""

    def __init__(self, api: Api, number: int) -> None:
        now = time.monotonic()
        self.nodes = [Node(f"node-{each:05d}", now) for each in range(number)]
        for node in self.nodes:
            node.schedule.nodes = number
        self.failures = 0
        self.sizes: list[int] = []
        self._api = api
        self._wake = threading.Condition()
        self._due: list[tuple[float, int]] = []
        self._stopping = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def start(self) -> None:
        """Write the first reports one after another, then go on by the schedule."""
        for number, node in enumerate(self.nodes):
            self._write(node)
            heapq.heappush(self._due, (node.schedule.due, number))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all threads."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def see(self, number: int, sent: list[Sent]) -> None:
        """Have a node be denied packets."""
        node = self.nodes[number]
        before = node.schedule.due
        node.see(sent)
        if node.schedule.due < before:
            with self._wake:
                heapq.heappush(self._due, (node.schedule.due, number))
                self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._stopping and (not self._due or self._due[0][0] > time.monotonic()):
                    left = self._due[0][0] - time.monotonic() if self._due else None
                    self._wake.wait(left)
                if self._stopping:
                    return
                due, number = heapq.heappop(self._due)
                node = self.nodes[number]
                if due != node.schedule.due:  # an older entry of one that hurried
                    continue
            self._write(node)
            with self._wake:
                heapq.heappush(self._due, (node.schedule.due, number))

    def _write(self, node: Node) -> None:
        report = node.report()
        if report is None:
            return
        document = report.document()
        self.sizes.append(len(report.evidence))
        try:
            self._api.apply(NODE_REPORTS, node.name, document, manager=REPORT_MANAGER)
        except ClusterError:
            self.failures += 1


class Cluster:
    """The API server, the escalator and the agents."""

    def __init__(self, server: ApiServer, escalator: RunningEscalator, agents: Agents) -> None:
        self.agents = agents
        self.escalator = escalator
        self._admin = server.admin
        self._calico = Objects(server.admin, "v1")

    def denied(self) -> set[str]:
        """All networks in the sets."""
        return {each for networks in self._calico.sets().values() for each in networks}

    def requests(self) -> tuple[float, float]:
        """Requests that the API server has answered, without the one that asks, and at what time.

        The time is the middle of asking: a busy server may take half a second to answer.
        """
        began = time.monotonic()
        text = self._admin.call("GET", "/metrics")["message"]
        asked = time.monotonic()
        lines = (line for line in text.splitlines() if line.startswith("apiserver_request_total{"))
        answered = sum(float(line.rsplit(" ", 1)[1]) for line in lines)
        return answered, (began + asked) / 2

    def processor_seconds(self) -> float:
        """Of the escalator."""
        fields = Path(f"/proc/{self.escalator.process_id}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def mib(self) -> float:
        """Most memory of the escalator so far."""
        status = Path(f"/proc/{self.escalator.process_id}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def running(number: int) -> Iterator[Cluster]:
    """Start everything with so many nodes."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (directory / "server").mkdir()
        server = stack.enter_context(ApiServer(directory / "server", audit=False))
        serve(server.admin, definitions("v1"))
        deployment.install(server, directory)
        identity = deployment.escalator(server)
        escalator = stack.enter_context(
            RunningEscalator(
                directory / "escalator",
                identity,
                *("--mode", "enforce"),
                brakes={"bans_per_minute": 1000, "bans": 10_000, "share_percent": 100},
            )
        )
        api = Api.connect(server.admin.kubeconfig(directory / "kubeconfig"))
        agents = Agents(api, number)
        agents.start()
        stack.callback(agents.stop)
        yield Cluster(server, escalator, agents)


def source(number: int) -> str:
    """Give the address of a scanner."""
    return f"203.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def scan(number: int) -> list[Sent]:
    """Give what a scanner sends to one node."""
    return [Sent(source(number), 1000 + port) for port in range(20)]


def wait_until(there: Callable[[], bool]) -> None:
    """Return when it is so; ends the program when it never is."""
    end = time.monotonic() + WAIT_SECONDS
    while not there():
        if time.monotonic() > end:
            sys.exit(f"not within {WAIT_SECONDS:.0f} s")
        time.sleep(0.02)  # how finely the time to the set is told


def steady(cluster: Cluster, seconds: float) -> list[str]:
    """Have each node be denied something all the time; requests and the escalator's cost."""
    chance = random.Random(1)
    (before, began), used = cluster.requests(), cluster.processor_seconds()
    sizes = len(cluster.agents.sizes)
    while time.monotonic() - began < seconds:
        for number in range(len(cluster.agents.nodes)):
            one = Sent(f"100.64.{chance.randrange(256)}.{chance.randrange(256)}", 23)
            cluster.agents.see(number, [one])
        time.sleep(1.0)  # the pace of what is denied
    total, ended = cluster.requests()
    elapsed = ended - began
    requests = (total - before) / elapsed
    processor = (cluster.processor_seconds() - used) / elapsed * 100
    written = sum(cluster.agents.sizes[sizes:]) / elapsed / 1024
    return [
        f"{len(cluster.agents.nodes):,} nodes, each denied something every second",
        *tables.at_most(requests, IDLE_GOAL),
        f"{written:,.1f}",
        f"{processor:.1f}",
        *tables.at_most(cluster.mib(), MIB_GOAL),
    ]


def attack(cluster: Cluster, number: int, seconds: float) -> list[str]:
    """Have all nodes see a scanner at once; the most requests within any second."""
    used, began = cluster.processor_seconds(), time.monotonic()
    sizes = len(cluster.agents.sizes)
    for each in range(len(cluster.agents.nodes)):
        cluster.agents.see(each, scan(number))
    most, (last, at) = 0.0, cluster.requests()
    while time.monotonic() - began < seconds:
        time.sleep(max(0.0, at + 1.0 - time.monotonic()))
        total, now = cluster.requests()
        most = max(most, (total - last) / (now - at))
        at, last = now, total
    if f"{source(number)}/32" not in cluster.denied():
        sys.exit("the scanner that all nodes saw is not denied")
    elapsed = time.monotonic() - began
    processor = (cluster.processor_seconds() - used) / elapsed * 100
    written = sum(cluster.agents.sizes[sizes:]) / elapsed / 1024
    return [
        f"the same, one scanner seen by all at once; the busiest second of {seconds:.0f}",
        *tables.at_most(most, ATTACK_GOAL),
        f"{written:,.1f}",
        f"{processor:.1f}",
        *tables.at_most(cluster.mib(), MIB_GOAL),
    ]


def latencies(cluster: Cluster, first: int, times: int) -> list[float]:
    """Seconds from the lines of a scanner on one node to the set with it, one after another."""
    chance = random.Random(2)
    taken = []
    for number in range(first, first + times):
        node = chance.randrange(len(cluster.agents.nodes))
        time.sleep(chance.uniform(1.0, 1.5))  # an agent writes once a second at the most
        began = time.monotonic()
        cluster.agents.see(node, scan(number))
        network = f"{source(number)}/32"
        wait_until(lambda network=network: network in cluster.denied())
        taken.append(time.monotonic() - began)
    return sorted(taken)


def main() -> None:
    """Measure each number of nodes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--scanners", type=int, default=40)
    given = parser.parse_args()
    rows, waits = [], []
    for number in given.nodes:
        with running(number) as cluster:
            wait_until(lambda cluster=cluster: cluster.escalator.total("logwatch_leader") == 1.0)
            time.sleep(SETTLE_SECONDS)  # what is left of the start is not measured
            interval = cluster.agents.nodes[0].schedule.interval
            rows.append(steady(cluster, max(given.seconds, INTERVALS * interval)))
            taken = latencies(cluster, 1, given.scanners)
            rows.append(attack(cluster, 60_000, max(20.0, number / 50)))
            p99 = taken[int(len(taken) * 0.99)]
            goal = tables.at_most(p99, P99_GOAL) if number <= P99_NODES else [f"{p99:.2f}", ""]
            waits.append([f"{number:,}", f"{statistics.median(taken):.2f}", *goal])
            if cluster.agents.failures:
                sys.exit(f"{cluster.agents.failures} reports were not written")
    tables.print_table(
        "cluster: requests to the API server, and the escalator",
        ["state", "requests/s", "goal", "KiB/s of evidence", "% of a core", "MiB (peak)", "goal"],
        rows,
    )
    tables.print_table(
        "cluster: seconds from a scanner's lines on one node to the set that denies it",
        ["nodes", "median", "p99", "goal"],
        waits,
    )


if __name__ == "__main__":
    main()
