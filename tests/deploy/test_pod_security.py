"""What the Pods ask of Pod Security, by the API server's own judgement."""

from pathlib import Path

import pytest
from deploy.asking import refusal
from deploy.manifests import NAMESPACE, Object, found, rendered, with_components
from lab.api_server import ApiServer


@pytest.fixture
def judged(cluster: ApiServer) -> ApiServer:
    """Give the server with a Namespace for each level, each with our ServiceAccounts."""
    for level in ("baseline", "restricted"):
        cluster.namespace(level, level)
        for name in ("logwatch-agent", "logwatch-escalator"):
            cluster.service_account(level, name)
    return cluster


def judgement(server: ApiServer, namespace: str, workload: Object) -> str:
    """What is said of a workload's Pod there; nothing when it is let in."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod", "labels": workload["spec"]["template"]["metadata"]["labels"]},
        "spec": workload["spec"]["template"]["spec"],
    }
    return refusal(server.admin, "POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)


def test_the_namespace_lets_both_pods_in(judged: ApiServer, objects: list[Object]) -> None:
    for kind, name in (("DaemonSet", "logwatch-agent"), ("Deployment", "logwatch-escalator")):
        assert "" == judgement(judged, NAMESPACE, found(objects, kind, name))


def test_an_agent_needs_privileged_for_its_host_paths_alone(
    judged: ApiServer, objects: list[Object]
) -> None:
    assert (
        '403: pods "pod" is forbidden: violates PodSecurity "baseline:latest": '
        'hostPath volumes (volumes "log", "localtime", "state")'
    ) == judgement(judged, "baseline", found(objects, "DaemonSet", "logwatch-agent"))


def test_of_restricted_an_agent_lacks_that_the_owner_of_its_state_is_root(
    judged: ApiServer, objects: list[Object]
) -> None:
    assert (
        '403: pods "pod" is forbidden: violates PodSecurity "restricted:latest": '
        'restricted volume types (volumes "log", "localtime", "state" use restricted volume type '
        '"hostPath"), runAsNonRoot != true (container "state-directory" must not set '
        'securityContext.runAsNonRoot=false), runAsUser=0 (container "state-directory" must not '
        "set runAsUser=0)"
    ) == judgement(judged, "restricted", found(objects, "DaemonSet", "logwatch-agent"))


def test_with_its_state_in_the_pod_an_agent_lacks_its_host_paths_alone(
    judged: ApiServer, tmp_path: Path
) -> None:
    agent = found(
        rendered(with_components(tmp_path, "state-in-pod")), "DaemonSet", "logwatch-agent"
    )
    assert (
        '403: pods "pod" is forbidden: violates PodSecurity "restricted:latest": '
        'restricted volume types (volumes "log", "localtime" use restricted volume type "hostPath")'
    ) == judgement(judged, "restricted", agent)


def test_an_escalator_meets_restricted(judged: ApiServer, objects: list[Object]) -> None:
    assert "" == judgement(judged, "restricted", found(objects, "Deployment", "logwatch-escalator"))
