"""Many entries, two that write at once, people who edit sets, clocks that differ."""

import json
import random
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from escalator.conftest import Cluster
from escalator.faults import (
    LEASES,
    ROLES,
    RULES,
    attack,
    complaint,
    leads,
    make_node,
    sources,
    wait_for_all_once,
)
from escalator.reports import report, scan, write
from lab.deployment import NAMESPACE
from lab.identity import Identity

ENTRIES = "/apis/calico-logwatch.io/v1alpha1/blacklistentries"
MEBIBYTE = 1 << 20
MANY = 10_000
SHARD = 5_000
CLIENTS = 8


def numbered(number: int) -> Iterable[str]:
    """Give so many networks of one address each, none beside another."""
    return (
        f"100.{64 + each // 16384}.{each // 64 % 256}.{each % 64 * 4}/32" for each in range(number)
    )


def entry(network: str, **spec: object) -> dict:
    """Make an entry."""
    return {
        "apiVersion": "calico-logwatch.io/v1alpha1",
        "kind": "BlacklistEntry",
        "metadata": {"name": network.replace("/", "-")},
        "spec": {"cidr": network, **spec},
    }


def send(identity: Identity, method: str, calls: Iterable[tuple[str, dict | None]]) -> None:
    """Send many requests over few connections."""
    headers = {"Authorization": f"Bearer {identity.token}", "Content-Type": "application/json"}
    certificate = str(identity.certificate)

    def one(call: tuple[str, dict | None]) -> None:
        path, body = call
        answer = connections.request(
            method, identity.url + path, body=json.dumps(body), headers=headers
        )
        assert answer.status < 300, answer.data

    with (
        urllib3.PoolManager(ca_certs=certificate, maxsize=CLIENTS) as connections,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        list(pool.map(one, calls))


def resident(process_id: int) -> int:
    """Tell how much memory a process has, in bytes."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def test_ten_thousand_entries_are_enforced_in_two_sets(cluster: Cluster) -> None:
    """A set takes 5,000, the next one the others, and a third what a rule bans besides."""
    make_node(cluster)
    networks = list(numbered(MANY))
    send(cluster.admin, "POST", ((ENTRIES, entry(network)) for network in networks))
    escalator = cluster.start("one", "--mode", "enforce", brakes={"bans": 2 * MANY})
    escalator.wait_for(lambda: len(cluster.denied()) == MANY, "sets", 60)
    assert [SHARD, SHARD] == [len(inside) for inside in cluster.calico.sets().values()]
    assert set(networks) == cluster.denied()
    decided = ("decided",), ("enforced",)
    escalator.wait_for(
        lambda: (
            [MANY, MANY]
            == [escalator.metrics("logwatch_blacklist_networks").get(each) for each in decided]
        ),
        "metrics",
    )
    attack(cluster, sources(1, 1))
    escalator.wait_for(lambda: "203.0.113.1/32" in cluster.denied(), "one more", 15)
    assert {0: SHARD, 1: SHARD, 2: 1} == {
        number: len(inside) for number, inside in cluster.calico.sets().items()
    }
    assert resident(escalator.process_id) < 250 * MEBIBYTE


def test_two_that_lead_at_once_lose_and_double_nothing(cluster: Cluster) -> None:
    """Both write the same entries and sets while people delete some: all others stay, once."""
    make_node(cluster)
    admin = cluster.admin
    other = "another-namespace"
    cluster.server.namespace(other)
    for kind in ("roles", "rolebindings"):
        found = admin.call("GET", f"{ROLES}/namespaces/{NAMESPACE}/{kind}/logwatch-escalator")
        found["metadata"] = {"name": "logwatch-escalator"}
        admin.call("POST", f"{ROLES}/namespaces/{other}/{kind}", found)
    lease = {"metadata": {"name": "logwatch-escalator"}, "spec": {"holderIdentity": ""}}
    admin.call("POST", LEASES.format(other), lease)
    both = [
        cluster.start("one", "--mode", "enforce"),
        cluster.start("two", "--mode", "enforce", cluster={"namespace": other}),
    ]
    for each in both:
        each.wait_for(lambda each=each: leads(each), "leader", 40)
    networks = list(numbered(1000))
    bodies = [
        entry(network, **({"rule": "many-ports"} if number % 2 else {}))
        for number, network in enumerate(networks)
    ]
    chosen = random.Random(7).sample(networks, 300)  # the same ones in each run
    with ThreadPoolExecutor(1) as background:
        making = background.submit(send, admin, "POST", [(ENTRIES, body) for body in bodies])
        attack(cluster, sources(1, 5))
        making.result()
    paths = [f"{ENTRIES}/{network.replace('/', '-')}" for network in chosen]
    send(admin, "DELETE", ((path, None) for path in paths))
    left = {*networks, *(f"{source}/32" for source in sources(1, 5))} - set(chosen)

    def is_right() -> bool:
        denied = [each for inside in cluster.calico.sets().values() for each in inside]
        told = [each["spec"]["cidr"] for each in admin.call("GET", ENTRIES)["items"]]
        phases = set(cluster.phases().values())
        return sorted(left) == sorted(denied) == sorted(told) and phases == {"Enforced"}

    both[0].wait_for(is_right, "the same in entries and sets", 60)


@pytest.mark.parametrize("edit", ["edited", "deleted", "restored"])
def test_what_others_do_to_a_set_is_put_right(cluster: Cluster, edit: str) -> None:
    """Within 5 seconds, counted as drift, said in an Event, in the log and on the page."""
    make_node(cluster, "node-a")
    escalator = cluster.start("one", "--mode", "enforce")
    attack(cluster, sources(1, 2))
    wait_for_all_once(escalator, cluster, sources(1, 2))
    old = cluster.calico.sets()[0]
    attack(cluster, sources(1, 4))
    wait_for_all_once(escalator, cluster, sources(1, 4))
    if edit == "edited":
        cluster.calico.replace_networks(0, ["192.0.2.77/32", "203.0.113.1/32"])
    elif edit == "deleted":
        cluster.calico.delete_set(0)
    else:
        cluster.calico.replace_networks(0, old)
    wait_for_all_once(escalator, cluster, sources(1, 4), 5)
    escalator.wait_for(lambda: escalator.total("logwatch_drift_total") == 1, "drift")
    findings = json.loads(escalator.get("/api/summary"))["health"]["findings"]
    assert ["drift"] == [each["check"] for each in findings]
    told = next(each for each in escalator.events if each["event"] == "drift repaired")
    assert "GlobalNetworkSet logwatch-blacklist-0" == told["object"]

    def reasons() -> set[str]:
        path = "/apis/events.k8s.io/v1/namespaces/default/events"
        return {each["reason"] for each in cluster.admin.call("GET", path)["items"]}

    escalator.wait_for(lambda: "Drift" in reasons(), "Event")


def test_clocks_that_differ_by_minutes_hide_nobody(cluster: Cluster) -> None:
    """Who offends on nodes that are 5 minutes ahead, behind, or on both, is banned once.

    The log names the clock that is further off.
    """
    make_node(cluster)
    escalator = cluster.start("one", "--mode", "enforce")
    now = time.time()
    ahead, behind, spread = sources(1, 3)
    ports = scan(spread, 20)
    write(cluster.admin, report("node-a", RULES, [*scan(ahead, 20), *ports[:10]], now + 300))
    write(cluster.admin, report("node-b", RULES, [*scan(behind, 20), *ports[10:]], now - 300))
    wait_for_all_once(escalator, cluster, sources(1, 3))
    complaint(escalator, "2 of 2 nodes' clocks are off, such as that of node-", "see its NTP")
