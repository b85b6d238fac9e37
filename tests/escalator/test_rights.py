"""Rights and definitions that are missing or taken away: told by name, and nothing is lost."""

import json
from pathlib import Path

import pytest
import yaml
from escalator.conftest import Cluster
from escalator.faults import (
    attack,
    complaint,
    leads,
    make_node,
    sources,
    wait_for_all_once,
    without,
)
from lab.definitions import serve, withdraw
from lab.deployment import DEPLOY, NAMESPACE
from lab.silent_proxy import SilentProxy

READ = (
    "nodereports",
    "blacklistentries",
    "nodes",
    "services",
    "servicecidrs",
    "hostendpoints",
    "ippools",
    "globalnetworksets",
)
"""What is watched all the time, anywhere in the cluster."""


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_each_right_to_read_that_was_taken_away_is_named(cluster: Cluster, verb: str) -> None:
    """It goes on with what it has read, and bans again as before with the rights back."""
    make_node(cluster)
    with SilentProxy(cluster.server.url) as proxy:
        escalator = cluster.start("one", "--mode", "enforce", url=proxy.url)
        attack(cluster, sources(1, 2))
        wait_for_all_once(escalator, cluster, sources(1, 2))
        with (
            without(cluster.admin, verb),
            without(cluster.admin, verb, "endpointslices", namespace="default"),
        ):
            proxy.cut()
            for resource in (*READ, "endpointslices"):
                complaint(escalator, f'cannot {verb} resource "{resource}"', "grant it")
            attack(cluster, sources(1, 4))
        wait_for_all_once(escalator, cluster, sources(1, 4))


def test_each_right_to_write_that_was_taken_away_is_named(cluster: Cluster) -> None:
    """What can't be written waits, and holds up nothing else."""
    make_node(cluster)
    escalator = cluster.start("one", "--mode", "enforce")
    escalator.wait_for(lambda: leads(escalator), "leader")
    rights = (
        ("create", "globalnetworksets", ""),
        ("patch", "globalnetworksets", ""),
        ("create", "blacklistentries", ""),
        ("patch", "blacklistentries/status", ""),
        ("create", "events", "default"),
        ("update", "leases", NAMESPACE),
    )
    for number, (verb, resource, namespace) in enumerate(rights, start=1):
        with without(cluster.admin, verb, resource, namespace=namespace):
            attack(cluster, sources(1, number))
            complaint(escalator, f'cannot {verb} resource "{resource}"', "grant it")
        wait_for_all_once(escalator, cluster, sources(1, number))


def test_an_undo_is_kept_when_it_may_be_written_again(cluster: Cluster) -> None:
    """The ConfigMap of what was undone is made, and changed, as soon as that is allowed."""
    make_node(cluster)
    escalator = cluster.start("one", "--mode", "enforce")
    with without(cluster.admin, "create", "configmaps", namespace=NAMESPACE):
        attack(cluster, sources(1, 3))
        complaint(escalator, 'cannot create resource "configmaps"', "grant it")
        wait_for_all_once(escalator, cluster, sources(1, 3))
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/logwatch-escalator"
    escalator.wait_for(lambda: cluster.admin.has(path), "ConfigMap")
    entries = "/apis/calico-logwatch.io/v1alpha1/blacklistentries"
    with without(cluster.admin, "update", "configmaps", namespace=NAMESPACE):
        cluster.admin.call("DELETE", f"{entries}/203.0.113.1-32")
        complaint(escalator, 'cannot update resource "configmaps"', "grant it")
        wait_for_all_once(escalator, cluster, sources(2, 2))

    def undone() -> bool:
        saved = cluster.admin.call("GET", path)["data"]["state.json"]
        return "203.0.113.1/32" in json.loads(saved)["undone"]

    escalator.wait_for(undone, "undo in the ConfigMap")


def definition() -> dict:
    """Give the definition of BlacklistEntries, as deploy/ has it."""
    path = Path(DEPLOY / "crds" / "blacklistentries.yaml")
    made: dict = yaml.safe_load(path.read_text())
    return made


def test_a_definition_that_is_missing_at_the_start_is_waited_for(cluster: Cluster) -> None:
    """It is not ready and says why, touches no set, and leads once the definition is there."""
    make_node(cluster)
    cluster.calico.make_set("logwatch-blacklist-0", ["203.0.113.250/32"])
    withdraw(cluster.admin, [definition()])
    escalator = cluster.start("one", "--mode", "enforce")
    attack(cluster, sources(1, 2))
    complaint(escalator, "blacklistentries", "install its CRD")
    assert "blacklist entries: GET " in escalator.get("/readyz")
    assert {"203.0.113.250/32"} == cluster.denied()
    serve(cluster.admin, [definition()])
    wait_for_all_once(escalator, cluster, sources(1, 2))


def test_bans_outlive_a_definition_that_is_deleted(cluster: Cluster) -> None:
    """With the definition all entries go: nobody is let in, and all get an entry again."""
    make_node(cluster)
    escalator = cluster.start("one", "--mode", "enforce")
    attack(cluster, sources(1, 3))
    spec = {"cidr": "198.51.100.7/32", "reason": "asked for by a person"}
    body = {
        "apiVersion": "calico-logwatch.io/v1alpha1",
        "kind": "BlacklistEntry",
        "metadata": {"name": "by-hand"},
        "spec": spec,
    }
    cluster.admin.call("POST", "/apis/calico-logwatch.io/v1alpha1/blacklistentries", body)
    everybody = {*(f"{source}/32" for source in sources(1, 3)), "198.51.100.7/32"}
    escalator.wait_for(lambda: set(cluster.phases().values()) == {"Enforced"}, "entries")
    escalator.wait_for(lambda: cluster.denied() == everybody, "set")
    withdraw(cluster.admin, [definition()])
    complaint(escalator, "blacklistentries", "install its CRD")
    attack(cluster, sources(1, 4))
    everybody |= {"203.0.113.4/32"}
    escalator.wait_for(lambda: cluster.denied() == everybody, "set")
    serve(cluster.admin, [definition()])
    escalator.wait_for(lambda: cluster.phases() == dict.fromkeys(everybody, "Enforced"), "entries")
    assert everybody == cluster.denied()
    assert "asked for by a person" == cluster.entries()["198.51.100.7/32"]["spec"]["reason"]
