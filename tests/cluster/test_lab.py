"""The parts of the lab that the tests of the cluster stand on."""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kubernetes import client
from lab import calico, definitions
from lab.admission import wait_until_policies_hold
from lab.api_server import ADVERTISED, KUBERNETES, ApiServer, kubectl
from lab.calico import Arrangement
from lab.identity import Identity, RefusedError, aged
from lab.namespace import LabError
from lab.rsyslog import eventually
from lab.silent_proxy import SilentProxy
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

NODE_NAME = "authentication.kubernetes.io/node-name"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name: str) -> dict:
    return {"metadata": {"name": name}}


def gns(name: str, *networks: str) -> dict:
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "GlobalNetworkSet",
        "metadata": {"name": name},
        "spec": {"nets": list(networks)},
    }


def refused(status: int, identity: Identity, method: str, path: str, body: object = None) -> str:
    """Send what must be refused, and give the sentence."""
    with pytest.raises(RefusedError) as error:
        identity.call(method, path, body)
    assert status == error.value.status
    return error.value.message


def names(identity: Identity, path: str) -> list[str]:
    return [item["metadata"]["name"] for item in identity.call("GET", path)["items"]]


def test_the_server_is_of_the_release_that_was_asked_for(api_server: ApiServer) -> None:
    assert "v1.34.4" == api_server.admin.call("GET", "/version")["gitVersion"]


def test_the_kubernetes_service_leads_to_the_advertised_address(api_server: ApiServer) -> None:
    endpoints = api_server.admin.call("GET", KUBERNETES)["endpoints"]
    assert [ADVERTISED] == endpoints[0]["addresses"]


def test_a_token_bound_to_a_pod_carries_the_name_of_its_node(api_server: ApiServer) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "agent")
    api_server.node("worker-1")
    agent = api_server.identity("logwatch", "agent", node="worker-1")
    user = agent.user()
    assert "system:serviceaccount:logwatch:agent" == user["username"]
    assert ["worker-1"] == user["extra"][NODE_NAME]


def test_a_token_without_a_pod_carries_no_node(api_server: ApiServer) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "escalator")
    assert NODE_NAME not in api_server.identity("logwatch", "escalator").user()["extra"]


def test_an_identity_without_rights_is_refused(api_server: ApiServer) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "agent")
    agent = api_server.identity("logwatch", "agent")
    message = refused(403, agent, "GET", "/api/v1/nodes")
    assert message.startswith('nodes is forbidden: User "system:serviceaccount:logwatch:agent"')


def test_a_token_that_has_expired_is_not_accepted(api_server: ApiServer) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "agent")
    agent = api_server.identity("logwatch", "agent")
    assert aged(agent, api_server.key, 60).accepted()
    assert not aged(agent, api_server.key, -61).accepted()


def test_a_policy_ties_a_name_to_the_node_of_the_token_until_the_reset(
    api_server: ApiServer,
) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "agent")
    api_server.node("worker-1")
    agent = api_server.identity("logwatch", "agent", node="worker-1")
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["configmaps"],
    }
    expression = f"object.metadata.name == request.userInfo.extra['{NODE_NAME}'][0]"
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": "not the node of the token"}],
    }
    policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
    binding = {"policyName": "own", "validationActions": ["Deny"]}
    api_server.admin.call("POST", f"{policies}ies", {"metadata": {"name": "own"}, "spec": spec})
    api_server.admin.call(
        "POST", f"{policies}ybindings", {"metadata": {"name": "own"}, "spec": binding}
    )
    rights = ("create", "role", "writer", "--verb=create", "--resource=configmaps")
    kubectl(api_server.admin, api_server.directory, *rights)
    account = "--serviceaccount=logwatch:agent"
    kubectl(
        api_server.admin,
        api_server.directory,
        "create",
        "rolebinding",
        "writer",
        "--role=writer",
        account,
    )
    wait_until_policies_hold(api_server.admin)
    agent.call("POST", CONFIG_MAPS, config_map("worker-1"))
    message = refused(422, agent, "POST", CONFIG_MAPS, config_map("worker-2"))
    assert message.endswith("not the node of the token")
    api_server.reset()
    api_server.admin.call("POST", CONFIG_MAPS, config_map("worker-2"))


def test_pod_security_judges_by_the_label_of_the_namespace(api_server: ApiServer) -> None:
    api_server.namespace("logwatch", "baseline")
    api_server.service_account("logwatch", "agent")
    volume = {"name": "log", "hostPath": {"path": "/var/log"}}
    container = {"name": "agent", "image": "logwatch"}
    spec = {"serviceAccountName": "agent", "containers": [container], "volumes": [volume]}
    pod = {"metadata": {"name": "agent"}, "spec": spec}
    message = refused(403, api_server.admin, "POST", "/api/v1/namespaces/logwatch/pods", pod)
    assert 'hostPath volumes (volume "log")' in message


def test_the_client_of_the_kubernetes_package_speaks_as_an_identity(api_server: ApiServer) -> None:
    with api_server.admin.client() as api:
        namespaces = client.CoreV1Api(api).list_namespace(_request_timeout=(2, 5))
    assert "default" in [item.metadata.name for item in namespaces.items]


def test_kubectl_speaks_as_an_identity(api_server: ApiServer, tmp_path: Path) -> None:
    manifest = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", **config_map("one")})
    options = ("apply", "--server-side", "-f", "-")
    assert "configmap/one serverside-applied\n" == kubectl(
        api_server.admin, tmp_path, *options, text=manifest
    )
    api_server.service_account("default", "nobody")
    nobody = api_server.identity("default", "nobody")
    with pytest.raises(LabError, match='User "system:serviceaccount:default:nobody" cannot list'):
        kubectl(nobody, tmp_path, "get", "nodes")


def test_kubectl_builds_what_kustomize_describes(api_server: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [map.yaml]\nnamePrefix: made-\n")
    (tmp_path / "map.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map, namespace: default}\n"
    )
    kubectl(api_server.admin, tmp_path, "apply", "-k", str(tmp_path))
    assert "made-map" in names(api_server.admin, CONFIG_MAPS)


def test_requests_are_recorded_with_who_sent_them(api_server: ApiServer) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "agent")
    agent = api_server.identity("logwatch", "agent")
    refused(403, agent, "PUT", "/api/v1/nodes/worker-1/status", {"metadata": {"name": "worker-1"}})
    user = "system:serviceaccount:logwatch:agent"
    calls = api_server.calls(user)
    assert (user, "update", "nodes/status", "worker-1", "", 403) == calls[-1]


def test_a_reset_takes_back_what_was_made_changed_and_removed(api_server: ApiServer) -> None:
    admin = api_server.admin
    made = calico.definitions("v1")
    definitions.serve(admin, made)
    for number in range(300):
        admin.call("POST", calico.path("v1", "GlobalNetworkSet"), gns(f"set-{number}"))
    admin.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view")
    patch = {"metadata": {"labels": {"changed": "true"}}}
    admin.call("PATCH", "/api/v1/namespaces/default", patch, content="application/merge-patch+json")
    api_server.reset()
    refused(404, admin, "GET", calico.path("v1", "GlobalNetworkSet"))
    assert "view" in names(admin, "/apis/rbac.authorization.k8s.io/v1/clusterroles")
    assert "changed" not in admin.call("GET", "/api/v1/namespaces/default")["metadata"]["labels"]
    definitions.serve(admin, made)
    assert [] == names(admin, calico.path("v1", "GlobalNetworkSet"))


@pytest.mark.parametrize("kill", [lambda server: server.kill(), lambda server: server.stop()])
def test_a_server_started_again_goes_on_with_its_data(
    start_api_server: Callable[..., ApiServer], kill: Callable[[ApiServer], None]
) -> None:
    server = start_api_server(audit=False)
    server.admin.call("POST", CONFIG_MAPS, config_map("kept"))
    kill(server)
    assert not server.ready()
    server.start()
    assert "kept" in names(server.admin, CONFIG_MAPS)


def test_a_killed_etcd_started_again_goes_on_with_its_data(
    start_api_server: Callable[..., ApiServer],
) -> None:
    server = start_api_server(audit=False)
    server.admin.call("POST", CONFIG_MAPS, config_map("kept"))
    server.etcd.kill()
    server.etcd.start()
    server.wait_until_ready()
    assert "kept" in names(server.admin, CONFIG_MAPS)


@pytest.mark.parametrize(
    ("arrangement", "served"),
    [("v1", {"v1"}), ("v3", {"v3"}), ("both", {"v1", "v3"})],
)
def test_calicos_kinds_are_served_in_the_groups_of_an_arrangement(
    arrangement: Arrangement, served: set[str], api_server: ApiServer
) -> None:
    made = calico.definitions(arrangement)
    definitions.serve(api_server.admin, made)
    assert served == groups(api_server.admin)
    definitions.withdraw(api_server.admin, made)
    assert set() == groups(api_server.admin)


def groups(identity: Identity) -> set[str]:
    found = {group["name"] for group in identity.call("GET", "/apis")["groups"]}
    return {version for version, group in calico.GROUPS.items() if group in found}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"preDNAT": True}, "preDNAT and doNotTrack need applyOnForward"),
        (
            {"preDNAT": True, "doNotTrack": True, "applyOnForward": True},
            "preDNAT and doNotTrack cannot both be true",
        ),
        (
            {"preDNAT": True, "applyOnForward": True, "types": ["Ingress", "Egress"]},
            "preDNAT policies cannot have egress rules",
        ),
    ],
)
def test_a_rule_of_a_definition_refuses_with_its_sentence(
    spec: dict, message: str, api_server: ApiServer
) -> None:
    definitions.serve(api_server.admin, calico.definitions("v3"))
    policy = {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "blacklist"},
        "spec": spec,
    }
    path = calico.path("v3", "GlobalNetworkPolicy")
    assert message in refused(422, api_server.admin, "POST", path, policy)
    policy["spec"] = {"preDNAT": True, "applyOnForward": True, "types": ["Ingress"]}
    api_server.admin.call("POST", path, policy)


def test_calicos_limits_hold(api_server: ApiServer) -> None:
    definitions.serve(api_server.admin, calico.definitions("v1"))
    sets = calico.path("v1", "GlobalNetworkSet")
    twice = gns("twice", "192.0.2.7/32", "192.0.2.7/32")
    assert "Duplicate value" in refused(422, api_server.admin, "POST", sets, twice)
    source = {"nets": [f"192.0.2.{number}/32" for number in range(256)] + ["198.51.100.0/32"]}
    policy = {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "blacklist"},
        "spec": {"ingress": [{"action": "Deny", "source": source}]},
    }
    policies = calico.path("v1", "GlobalNetworkPolicy")
    assert "Too many: 257" in refused(422, api_server.admin, "POST", policies, policy)
    source["nets"].pop()
    api_server.admin.call("POST", policies, policy)


def test_a_silent_proxy_leaves_a_watch_hanging_on_its_connection(
    api_server: ApiServer, proxy: SilentProxy
) -> None:
    with api_server.admin.through(proxy.url).client() as api:
        core = client.CoreV1Api(api)
        start = core.list_namespaced_config_map("default").metadata.resource_version
        answer = core.list_namespaced_config_map(
            "default",
            watch=True,
            resource_version=start,
            _preload_content=False,
            _request_timeout=(2, 0.5),
        )
        proxy.silence()
        api_server.admin.call("POST", CONFIG_MAPS, config_map("unseen"))
        with pytest.raises(ReadTimeoutError):
            answer.readline()
        answer.release_conn()
    assert 1 == proxy.accepted


def test_what_silence_held_back_arrives_after_it(api_server: ApiServer, proxy: SilentProxy) -> None:
    admin = api_server.admin.through(proxy.url)
    proxy.silence()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(admin.call, "GET", "/version")
        assert eventually(lambda: 1 == proxy.accepted, 5)
        assert not answer.done()
        proxy.resume()
        assert "v1.34.4" == answer.result(5)["gitVersion"]


def test_a_cut_watch_ends_with_an_error_and_a_new_connection_is_served(
    api_server: ApiServer, proxy: SilentProxy
) -> None:
    with api_server.admin.through(proxy.url).client() as api:
        core = client.CoreV1Api(api)
        answer = core.list_namespace(
            watch=True, resource_version="0", _preload_content=False, _request_timeout=(2, 5)
        )
        assert b"ADDED" in answer.readline()
        proxy.cut()
        with pytest.raises(ProtocolError):
            answer.read()
        core.read_namespace("default")
    assert 2 == proxy.accepted


def test_a_refusing_proxy_serves_again_on_its_port(
    api_server: ApiServer, proxy: SilentProxy
) -> None:
    admin = api_server.admin.through(proxy.url)
    proxy.refuse()
    with pytest.raises(NewConnectionError):
        admin.call("GET", "/version")
    proxy.resume()
    admin.call("GET", "/version")


def test_a_delayed_request_arrives_all_the_same(api_server: ApiServer, proxy: SilentProxy) -> None:
    proxy.delay(0.05)
    began = time.monotonic()
    api_server.admin.through(proxy.url).call("GET", "/version")
    assert time.monotonic() - began > 0.2  # two pieces of the handshake and two of the request


def test_a_proxy_in_front_of_nothing_resets() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with SilentProxy(f"https://127.0.0.1:{unused.getsockname()[1]}") as proxy:
            port = int(proxy.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                assert b"" == connection.recv(1)
