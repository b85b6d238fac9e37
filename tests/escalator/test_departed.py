"""What becomes of the reports of nodes that are gone, with the escalator's rights."""

import time
from collections.abc import Iterator

import msgspec
import pytest
from escalator.conftest import Cluster
from escalator.reports import impatient, report, scan, write

from logwatch.cluster import NODE_REPORTS, Api, NodeReport, NotLeaderError, Snapshot, read_report
from logwatch.escalator.departed import GONE_SECONDS, MOST, Departed
from logwatch.offenders import read_rules

RULES = read_rules(None).rules
LOOKS_BACK = 600.0
OLD = LOOKS_BACK + 60
"""Age of a report that counts no more."""


class Keeper:
    """Looks after reports, by a clock that the test sets."""

    def __init__(self, cluster: Cluster, api: Api) -> None:
        self.seconds = 0.0
        self.leads = True
        self._cluster = cluster
        self._departed = Departed(api, self._fence, LOOKS_BACK, clock=lambda: self.seconds)

    def _fence(self) -> None:
        if not self.leads:
            raise NotLeaderError("another one leads")

    def left(self) -> dict[str, NodeReport]:
        """The reports that there are."""
        found = self._cluster.admin.call("GET", NODE_REPORTS.path())["items"]
        reports = [read_report(msgspec.json.encode(each)) for each in found]
        return {each.node: each for each in reports}

    def after(self, seconds: float, nodes: set[str] | None, age: float = OLD) -> set[str]:
        """Let time pass; reports are of that age by then. Give the nodes whose reports are left."""
        self.seconds += seconds
        list(self._departed.remove(nodes, Snapshot(True, self.left()), time.time() + age))
        return set(self.left())


@pytest.fixture
def keeper(cluster: Cluster) -> Iterator[Keeper]:
    for name in ("node-a", "node-b"):
        write(cluster.admin, report(name, RULES, scan("203.0.113.7", 3)))
    api = Api.connect(cluster.identity.kubeconfig(cluster.directory / "keeper"))
    yield Keeper(cluster, api)
    api.close()


def test_a_report_goes_a_quarter_of_an_hour_after_its_node(keeper: Keeper) -> None:
    assert {"node-a", "node-b"} == keeper.after(0, {"node-a"})
    assert {"node-a", "node-b"} == keeper.after(GONE_SECONDS - 1, {"node-a"})
    assert {"node-a"} == keeper.after(1, {"node-a"})


def test_a_node_that_was_there_meanwhile_is_not_gone(keeper: Keeper) -> None:
    keeper.after(0, {"node-a"})
    keeper.after(GONE_SECONDS - 1, {"node-a", "node-b"})
    assert {"node-a", "node-b"} == keeper.after(1, {"node-a"})
    assert {"node-a"} == keeper.after(GONE_SECONDS, {"node-a"})


def test_nobody_is_gone_while_nodes_are_not_known(keeper: Keeper) -> None:
    """Nor soon after: they may have been there."""
    keeper.after(0, {"node-a"})
    assert {"node-a", "node-b"} == keeper.after(GONE_SECONDS, None)
    assert {"node-a", "node-b"} == keeper.after(1, {"node-a"})
    assert {"node-a"} == keeper.after(GONE_SECONDS, {"node-a"})


def test_what_a_node_saw_counts_as_long_as_rules_look_back(keeper: Keeper) -> None:
    keeper.after(0, {"node-a"})
    assert {"node-a", "node-b"} == keeper.after(GONE_SECONDS, {"node-a"}, age=LOOKS_BACK - 60)
    assert {"node-a"} == keeper.after(0, {"node-a"})


def test_who_leads_no_more_removes_nothing(keeper: Keeper) -> None:
    keeper.after(0, {"node-a"})
    keeper.leads = False
    with pytest.raises(NotLeaderError):
        keeper.after(GONE_SECONDS, {"node-a"})
    assert {"node-a", "node-b"} == set(keeper.left())


def test_one_that_somebody_removed_first_is_no_problem(cluster: Cluster, keeper: Keeper) -> None:
    known = Snapshot(True, keeper.left())
    departed = keeper._departed
    assert [] == list(departed.remove({"node-a"}, known, time.time() + OLD))
    cluster.admin.call("DELETE", NODE_REPORTS.path("node-b"))
    keeper.seconds += GONE_SECONDS
    assert ["node-b"] == list(departed.remove({"node-a"}, known, time.time() + OLD))
    assert [] == list(departed.remove({"node-a"}, known, time.time() + OLD)), "told once"


def test_few_are_removed_at_once_and_damaged_ones_as_well(keeper: Keeper) -> None:
    broken = {f"gone-{number}": "too long" for number in range(MOST + 3)}
    known = Snapshot(True, {}, broken)
    departed = keeper._departed
    assert [] == list(departed.remove(set(), known, time.time()))
    keeper.seconds += GONE_SECONDS
    assert [MOST, 3, 0] == [len(list(departed.remove(set(), known, time.time()))) for _ in range(3)]


def test_the_leader_removes_them_and_says_so(cluster: Cluster) -> None:
    """Of two that are as old, the one whose Node is there stays."""
    cluster.server.node("node-a")
    running = cluster.start("one", through=impatient())
    for name in ("node-a", "node-b"):
        made = report(name, RULES, scan("203.0.113.7", 3), time.time() - 10 * 86_400)
        write(cluster.admin, made, manager="restored")
    running.wait_for(
        lambda: [each["node"] for each in running.events if each["event"] == "report removed"],
        "removal",
    )
    found = cluster.admin.call("GET", NODE_REPORTS.path())["items"]
    assert ["node-a"] == [each["metadata"]["name"] for each in found]
