"""Who may do what: the rights of both ServiceAccounts as the API server sees them."""

import re

import pytest
from deploy.asking import MERGE, OURS, REPORTS, SETS, applied, network_set, refusal, report
from deploy.manifests import DEPLOY, NAMESPACE
from lab.api_server import ApiServer
from lab.identity import Identity

from logwatch.blacklist.policy import MAX_NETWORKS_IN_SETS, MAX_NETWORKS_PER_SET

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


@pytest.fixture
def nodes(cluster: ApiServer) -> ApiServer:
    """Give the server with two nodes."""
    cluster.node("node-a")
    cluster.node("node-b")
    return cluster


@pytest.fixture
def agent(nodes: ApiServer) -> Identity:
    """Give the agent of node-a, with the token of its Pod."""
    return nodes.identity(NAMESPACE, "logwatch-agent", node="node-a")


@pytest.fixture
def escalator(cluster: ApiServer) -> Identity:
    """Give the escalator."""
    return cluster.identity(NAMESPACE, "logwatch-escalator")


def test_an_agent_writes_the_report_of_its_node_again_and_again(agent: Identity) -> None:
    assert "" == applied(agent, "node-a")
    assert "" == applied(agent, "node-a", report("node-a", sources=4))
    assert 4 == agent.call("GET", f"{REPORTS}/node-a")["spec"]["sources"]


def test_an_agent_can_t_write_the_report_of_another_node(nodes: ApiServer, agent: Identity) -> None:
    """Neither make one nor change one that is there."""
    sentence = "an agent writes the report of its own node alone: this token is of node-a"
    assert sentence in applied(agent, "node-b")
    assert sentence in refusal(agent, "POST", REPORTS, report("node-b"))
    assert "" == applied(nodes.identity(NAMESPACE, "logwatch-agent", node="node-b"), "node-b")
    assert sentence in applied(agent, "node-b", report("node-b", sources=0))
    assert 3 == nodes.admin.call("GET", f"{REPORTS}/node-b")["spec"]["sources"]


def test_a_report_under_a_right_name_can_t_tell_of_another_node(agent: Identity) -> None:
    body = report("node-b")
    body["metadata"]["name"] = "node-a"
    assert "a report has the name of its node" in applied(agent, "node-a", body)


def test_a_token_of_no_node_writes_no_report(nodes: ApiServer) -> None:
    stolen = nodes.identity(NAMESPACE, "logwatch-agent")
    assert "this token belongs to no node, so it may write no node's report" in applied(
        stolen, "node-a"
    )


def rights(identity: Identity, namespace: str) -> set[tuple[str, str, str, str]]:
    """(verb, group, resource, name) of all that it may do there, but what everybody may."""
    body = {"spec": {"namespace": namespace}}
    status = identity.call("POST", REVIEW, body)["status"]
    assert not status["incomplete"]
    return {
        (verb, group, resource, name)
        for rule in status["resourceRules"]
        for verb in rule["verbs"]
        for group in rule.get("apiGroups", [""])
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        if not resource.startswith("selfsubject")
    }


def test_an_agent_may_do_nothing_else(agent: Identity) -> None:
    for namespace in ("default", "kube-system", NAMESPACE):
        assert {
            (verb, "calico-logwatch.io", "nodereports", "")
            for verb in ("create", "get", "list", "patch")
        } == rights(agent, namespace)


DOCUMENT = (DEPLOY.parent / "docs" / "cluster.md").read_text()


def documented(who: str) -> set[tuple[str, str, str, str]]:
    """The rights of the table in docs/cluster.md, with the Namespace in the place of the name."""
    rows = re.findall(rf"^\| {who} \| (.+) \| (.+) \| (.+) \| (.+) \|$", DOCUMENT, re.MULTILINE)
    return {
        (verb, group, resource, where)
        for groups, resources, verbs, where in rows
        for group in groups.replace("`", "").split(", ")
        for resource in resources.replace("`", "").split(", ")
        for verb in verbs.split(", ")
    }


def test_the_table_of_the_document_has_the_rights_of_both(
    agent: Identity, escalator: Identity
) -> None:
    for who, identity in (("agent", agent), ("escalator", escalator)):
        everywhere = rights(identity, "kube-system")
        of = {
            "everywhere": everywhere,
            f"in `{NAMESPACE}`": rights(identity, NAMESPACE) - everywhere,
            "in `default`": rights(identity, "default") - everywhere,
        }
        assert documented(who) == {
            (verb, group or "core", resource, _where(place, name))
            for place, granted in of.items()
            for verb, group, resource, name in granted
        }


def _where(place: str, name: str) -> str:
    if name.startswith("logwatch-blacklist-"):
        return f"{place}, named `logwatch-blacklist-0` to `-19`"
    return f"{place}, named `{name}`" if name else place


def test_an_escalator_makes_sets_of_its_own_name_and_label_alone(escalator: Identity) -> None:
    """A set with a label that some policy allows would open what is closed."""
    assert "" == refusal(escalator, "POST", SETS, network_set("logwatch-blacklist-0"))
    assert "the escalator writes sets named logwatch-blacklist-N alone" in refusal(
        escalator, "POST", SETS, network_set("clients")
    )
    assert "gives its sets the label calico-logwatch.io/blacklist and no other" in refusal(
        escalator, "POST", SETS, network_set("logwatch-blacklist-1", {OURS: "true", "allow": "x"})
    )


def test_an_escalator_changes_no_set_of_others(cluster: ApiServer, escalator: Identity) -> None:
    cluster.admin.call("POST", SETS, network_set("clients", {"allow": "x"}))
    patch = {"spec": {"nets": []}}
    for method in ("PATCH", "DELETE"):
        assert refusal(escalator, method, f"{SETS}/clients", patch, MERGE).startswith("403: ")


def test_a_label_that_a_person_gave_to_a_set_stays_and_does_not_stop_the_escalator(
    cluster: ApiServer, escalator: Identity
) -> None:
    body = network_set("logwatch-blacklist-0", {OURS: "true", "owner": "me"})
    cluster.admin.call("POST", SETS, body)
    path = f"{SETS}/logwatch-blacklist-0"
    assert "" == refusal(escalator, "PATCH", path, {"spec": {"nets": []}}, MERGE)
    relabelled = {"metadata": {"labels": {"owner": "you"}}}
    assert "and no other" in refusal(escalator, "PATCH", path, relabelled, MERGE)


def test_a_name_for_each_set_that_the_most_bans_fill_twice(escalator: Identity) -> None:
    names = {
        name for _, _, kind, name in rights(escalator, "default") if kind == "globalnetworksets"
    }
    wanted = 2 * MAX_NETWORKS_IN_SETS // MAX_NETWORKS_PER_SET
    assert {"", *(f"logwatch-blacklist-{number}" for number in range(wanted))} == names
