"""The rights of deploy/ are those that are used: no call without one, none without a call."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml
from escalator.conftest import Cluster
from escalator.faults import LEASE, make_node
from escalator.reports import impatient, report, scan, write
from lab.deployment import DEPLOY, NAMESPACE

from logwatch.cluster import NODE_REPORTS
from logwatch.offenders import read_rules

BAN_SECONDS = 30.0
REST_SECONDS = 2.0
"""After which a ban is worth extending: see `Ban.rests_until`."""
USER = f"system:serviceaccount:{NAMESPACE}:logwatch-escalator"
SCANNER, OTHER = "203.0.113.7", "203.0.113.8"

Right = tuple[str, str]
"""Verb, and `group/resource/subresource`."""


def rules(directory: Path) -> Path:
    """Write rules whose bans are soon worth extending."""
    path = directory / "knock.rules"
    path.write_text("rule knock\n    when distinct ports >= 5 within 1m\n    ban 30s\n")
    return path


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


def called(cluster: Cluster, before: int) -> Iterator[Right]:
    """What it did after its first calls, but for asking what is served, and by the lab itself."""
    for call in cluster.server.calls(USER)[before:]:
        if not call.resource.startswith(("/", "projectcalico.org/", "authentication.k8s.io/")):
            assert call.code not in {401, 403}, call
            yield call.verb, call.resource


def test_each_right_is_used_and_each_use_is_a_right(cluster: Cluster) -> None:
    """All is provoked that there is to do: bans and their ends, repairs, what others delete."""
    before = len(cluster.server.calls(USER))
    knock = rules(cluster.directory)
    escalator = cluster.start("one", "--mode", "enforce", rules=str(knock), through=impatient())
    made = read_rules(knock).rules
    write(cluster.admin, report("node-a", made, scan(SCANNER, 20)))
    escalator.wait_for(lambda: cluster.phases() == {f"{SCANNER}/32": "Enforced"}, "ban")
    first = cluster.entries()[f"{SCANNER}/32"]["spec"]["expires"]
    rested = datetime.fromisoformat(first).timestamp() - BAN_SECONDS + REST_SECONDS
    escalator.wait_for(lambda: time.time() > rested, "rest")
    write(cluster.admin, report("node-a", made, scan(SCANNER, 20)))
    escalator.wait_for(
        lambda: cluster.entries()[f"{SCANNER}/32"]["spec"]["expires"] > first, "extension"
    )
    make_node(cluster, "node-b", SCANNER)
    escalator.wait_for(lambda: not cluster.entries(), "protection")
    write(cluster.admin, report("node-a", made, scan(OTHER, 20)))
    escalator.wait_for(lambda: cluster.phases() == {f"{OTHER}/32": "Enforced"}, "other ban")
    cluster.delete(f"{OTHER}-32")
    escalator.wait_for(lambda: not cluster.denied(), "undo")
    cluster.make("192.0.2.0/24", "by-hand")
    escalator.wait_for(lambda: cluster.denied() == {"192.0.2.0/24"}, "ban by hand")
    for _ in range(2):  # the second one adds to the Event of the first
        cluster.calico.delete_set(0)
        escalator.wait_for(lambda: cluster.denied() == {"192.0.2.0/24"}, "repair")
    gone = report("node-c", made, scan(SCANNER, 1), time.time() - 10 * 86_400)
    write(cluster.admin, gone, manager="restored")
    path = NODE_REPORTS.path("node-c")
    escalator.wait_for(lambda: not cluster.admin.has(path), "removal of a report")
    cluster.admin.call("DELETE", LEASE)
    escalator.wait_for(lambda: cluster.admin.has(LEASE), "new Lease")
    escalator.stop()
    calls = set(called(cluster, before))
    assert set() == calls - granted()
    assert set() == granted() - calls
