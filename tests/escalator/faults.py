"""Attacks that go on while something breaks, and what has to hold when it works again."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from escalator.conftest import Cluster
from escalator.reports import report, scan, write
from lab.agent import AgentError
from lab.deployment import NAMESPACE
from lab.escalator import RunningEscalator
from lab.identity import Identity

from logwatch.offenders import read_rules

RULES = read_rules(None).rules
NODE_ADDRESS = "192.0.2.99"
"""Of a node that offends in each attack: never to be banned."""
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
LEASE = f"{LEASES.format(NAMESPACE)}/logwatch-escalator"
ROLES = "/apis/rbac.authorization.k8s.io/v1"


def make_node(cluster: Cluster, name: str = "node-z", address: str = NODE_ADDRESS) -> None:
    """Make a node whose address nobody may ban."""
    cluster.server.node(name)
    status = {"status": {"addresses": [{"type": "InternalIP", "address": address}]}}
    path = f"/api/v1/nodes/{name}/status"
    cluster.admin.call("PATCH", path, status, content="application/merge-patch+json")


def sources(first: int, number: int) -> list[str]:
    """Give so many scanners."""
    return [f"203.0.113.{first + each}" for each in range(number)]


def attack(cluster: Cluster, offenders: Sequence[str], node: str = "node-a") -> None:
    """Have a node report these scanners, and its own cluster's node as one more."""
    sent = [each for source in (*offenders, NODE_ADDRESS) for each in scan(source, 20)]
    write(cluster.admin, report(node, RULES, sent))


def networks(offenders: Sequence[str]) -> set[str]:
    """Give what is denied of each."""
    return {f"{source}/32" for source in offenders}


def all_once(cluster: Cluster, offenders: Sequence[str]) -> bool:
    """Whether each is denied in one place, has one entry that says so, and nothing else is."""
    wanted = dict.fromkeys(networks(offenders), 1)
    denied = Counter(each for inside in cluster.calico.sets().values() for each in inside)
    path = "/apis/calico-logwatch.io/v1alpha1/blacklistentries"
    entries = cluster.admin.call("GET", path)["items"]
    told = Counter(each["spec"]["cidr"] for each in entries)
    phases = {each.get("status", {}).get("phase") for each in entries}
    return wanted == denied == told and phases == {"Enforced"}


def wait_for_all_once(
    escalator: RunningEscalator, cluster: Cluster, offenders: Sequence[str], seconds: float = 30.0
) -> None:
    """Return when all are banned, as `all_once` has it."""
    try:
        escalator.wait_for(lambda: all_once(cluster, offenders), "bans", seconds)
    except AgentError as error:
        found = json.dumps([cluster.phases(), cluster.calico.sets()])
        raise AgentError(f"{error}\n{found[:4000]}") from None


def complaint(escalator: RunningEscalator, *texts: str, seconds: float = 30.0) -> str:
    """Wait until the log has a sentence about a problem with all these texts, and give it."""

    def look() -> str:
        told = (str(each.get("problem") or each.get("why") or "") for each in escalator.events)
        return next((text for text in told if all(each in text for each in texts)), "")

    return escalator.wait_for(look, f"complaint of {texts}", seconds)


def holds(cluster: Cluster) -> str:
    """Tell who holds the Lease."""
    return str(cluster.admin.call("GET", LEASE)["spec"].get("holderIdentity", ""))


def free(cluster: Cluster) -> None:
    """Take the Lease from one that was killed, so that nobody waits until it runs out."""
    spec = {"spec": {"holderIdentity": ""}}
    cluster.admin.call("PATCH", LEASE, spec, content="application/merge-patch+json")


def identity_of(escalator: RunningEscalator) -> str:
    """Tell under which name an escalator would hold the Lease."""
    return str(next(each["identity"] for each in escalator.events if each["event"] == "started"))


def leads(escalator: RunningEscalator) -> bool:
    """Whether it is at work."""
    return escalator.total("logwatch_leader") == 1


@contextmanager
def without(admin: Identity, verb: str, *resources: str, namespace: str = "") -> Iterator[None]:
    """Take one right from the escalator, for so long; for all resources where none is named."""
    kind = f"namespaces/{namespace}/roles" if namespace else "clusterroles"
    path = f"{ROLES}/{kind}/logwatch-escalator"
    role = admin.call("GET", path)
    rules = []
    for rule in role["rules"]:
        untouched = [each for each in rule["resources"] if resources and each not in resources]
        taken = [each for each in rule["resources"] if each not in untouched]
        others = [each for each in rule["verbs"] if each != verb]
        rules += [{**rule, "resources": untouched}] if untouched else []
        rules += [{**rule, "resources": taken, "verbs": others}] if taken and others else []
    change = {"rules": rules}
    admin.call("PATCH", path, change, content="application/merge-patch+json")
    try:
        yield
    finally:
        back = {"rules": role["rules"]}
        admin.call("PATCH", path, back, content="application/merge-patch+json")


def pause(seconds: float) -> None:
    """Let an outage last: it is measured, nothing is waited for."""
    time.sleep(seconds)  # the length of the outage is what is tested
