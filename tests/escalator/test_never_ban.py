"""What is the cluster's own is never banned: before it is known nobody is, and as it changes."""

from collections.abc import Iterator
from contextlib import contextmanager

from escalator.conftest import Cluster
from escalator.reports import report, scan, write

from logwatch.offenders import read_rules

RULES = read_rules(None).rules
SCANNER = "203.0.113.7"
NETWORK = f"{SCANNER}/32"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/logwatch-escalator"


@contextmanager
def no_right_to_list_nodes(cluster: Cluster) -> Iterator[None]:
    """Take it from the escalator for a while."""
    role = cluster.admin.call("GET", ROLE)
    rest = [rule for rule in role["rules"] if "nodes" not in rule["resources"]]
    services = {"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}
    _set_rules(cluster, [*rest, services])
    yield
    _set_rules(cluster, role["rules"])


def _set_rules(cluster: Cluster, rules: list[dict]) -> None:
    patch = [{"op": "replace", "path": "/rules", "value": rules}]
    cluster.admin.call("PATCH", ROLE, patch, content="application/json-patch+json")


def node_with(cluster: Cluster, name: str, address: str) -> None:
    """Make a Node with an address."""
    cluster.server.node(name)
    status = {"status": {"addresses": [{"type": "InternalIP", "address": address}]}}
    content = "application/merge-patch+json"
    cluster.admin.call("PATCH", f"/api/v1/nodes/{name}/status", status, content=content)


def test_nobody_is_banned_before_the_nodes_are_known(cluster: Cluster) -> None:
    """Readiness says what is missing, also to people who ban by hand."""
    with no_right_to_list_nodes(cluster):
        running = cluster.start("one", "--mode", "enforce")
        write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
        cluster.make("203.0.113.9/32", "mine")
        running.wait_for(lambda: "never ban: nodes" in running.get("/readyz"), "readiness")
        assert "forbidden" in running.get("/readyz")
        running.wait_for(lambda: "lease" not in running.get("/readyz"), "lease")
        assert {"203.0.113.9/32": ""} == cluster.phases()
        assert {} == cluster.calico.sets()
    running.wait_for(lambda: cluster.denied() == {NETWORK, "203.0.113.9/32"}, "bans", 30)


def test_a_new_nodes_address_leaves_the_set_at_once(cluster: Cluster) -> None:
    """The rule's entry goes, one by hand is refused, and one that was forced stays."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    cluster.make("203.0.113.8/32", "mine")
    cluster.make("203.0.113.9/32", "forced", force=True)
    running.wait_for(lambda: len(cluster.denied()) == 3, "bans")
    for number in (7, 8, 9):
        node_with(cluster, f"node-{number}", f"203.0.113.{number}")
    running.wait_for(lambda: cluster.denied() == {"203.0.113.9/32"}, "set", 2)
    expected = {"203.0.113.8/32": "Refused", "203.0.113.9/32": "Enforced"}
    running.wait_for(lambda: cluster.phases() == expected, "phases", 2)
    assert (
        "203.0.113.8/32 is never banned: 203.0.113.8 is an address of node node-8;"
        " force: true bans it anyway"
    ) == cluster.messages()["mine"]
    cluster.admin.call("DELETE", "/api/v1/nodes/node-8")
    running.wait_for(lambda: "203.0.113.8/32" in cluster.denied(), "ban of what is no node now")
