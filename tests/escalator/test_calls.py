"""The rights of deploy/ are those that are used: no call without one, none without a call."""

from collections.abc import Iterator

import yaml
from escalator.conftest import Cluster
from escalator.reports import report, scan, write
from lab.deployment import DEPLOY, NAMESPACE

from logwatch.offenders import read_rules

RULES = read_rules(None).rules
USER = f"system:serviceaccount:{NAMESPACE}:logwatch-escalator"
ENTRIES = "/apis/calico-logwatch.io/v1alpha1/blacklistentries"
SCANNER = "203.0.113.7"

Right = tuple[str, str]
"""Verb, and `group/resource/subresource`."""

RARE: dict[Right, str] = {
    ("create", "coordination.k8s.io/leases"): "only when somebody has deleted the Lease",
    ("delete", "calico-logwatch.io/blacklistentries"): "a rule's entry a month after its end, or"
    " when its network comes under protection",
    ("patch", "calico-logwatch.io/blacklistentries"): "when a ban is extended",
    ("patch", "events.k8s.io/events"): "when an Event comes again",
}
"""Rights whose calls this test does not provoke, and when they are made."""


def granted() -> set[Right]:
    """What the escalator may, without the group of Calico that is not served here."""
    documents = yaml.safe_load_all((DEPLOY / "rbac.yaml").read_text())
    roles = [
        each
        for each in documents
        if each["kind"] in {"ClusterRole", "Role"}
        and each["metadata"]["name"] == "logwatch-escalator"
    ]
    return {
        (verb, f"{group}/{resource}".lstrip("/"))
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if group != "projectcalico.org"
    }


def called(cluster: Cluster) -> Iterator[Right]:
    """What it did, but for asking what is served, and by the lab itself."""
    for call in cluster.server.calls(USER):
        if not call.resource.startswith(("/", "projectcalico.org/", "authentication.k8s.io/")):
            assert call.code not in {401, 403}, call
            yield call.verb, call.resource


def test_each_right_is_used_and_each_use_is_a_right(cluster: Cluster) -> None:
    escalator = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    escalator.wait_for(lambda: cluster.phases() == {f"{SCANNER}/32": "Enforced"}, "ban")
    entry = cluster.entries()[f"{SCANNER}/32"]["metadata"]["name"]
    cluster.admin.call("DELETE", f"{ENTRIES}/{entry}")
    escalator.wait_for(lambda: not cluster.denied(), "undo")
    body = {
        "apiVersion": "calico-logwatch.io/v1alpha1",
        "kind": "BlacklistEntry",
        "metadata": {"name": "by-hand"},
        "spec": {"cidr": "192.0.2.0/24"},
    }
    cluster.admin.call("POST", ENTRIES, body)
    escalator.wait_for(lambda: cluster.denied() == {"192.0.2.0/24"}, "ban by hand")
    write(cluster.admin, report("node-b", RULES, scan("203.0.113.8", 20)))
    escalator.wait_for(lambda: "203.0.113.8/32" in cluster.denied(), "second ban")
    cluster.calico.delete_set(0)
    escalator.wait_for(lambda: "203.0.113.8/32" in cluster.denied(), "repair")
    escalator.stop()
    made = set(called(cluster))
    assert set() == made - granted()
    assert set() == granted() - made - RARE.keys()
