"""What must never be banned, read from the real API server with the escalator's rights."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab import calico, definitions, deployment
from lab.api_server import ADVERTISED, ApiServer
from lab.silent_proxy import SilentProxy

from logwatch.cluster import Api, Discovery, Pace

PACE = Pace(watch=2.0, margin=1.0, first=0.05, longest=0.5)
SECONDS = 20.0


class Watched:
    """A discovery whose changes are waited for."""

    def __init__(self, api: Api) -> None:
        self._changed = threading.Condition()
        self.discovery = Discovery(api, on_change=self._wake, pace=PACE)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, look: Callable[[], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(look, SECONDS), self.discovery.problems

    @property
    def texts(self) -> set[tuple[str, str, str]]:
        _, places = self.discovery.networks()
        return {(str(place.network), place.kind, place.text) for place in places}

    def wait_until_ready(self) -> None:
        self.wait_for(lambda: self.discovery.ready)


@pytest.fixture
def discover(api_server: ApiServer, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Give a function that starts a discovery with the escalator's rights, maybe at another URL."""
    deployment.install(api_server, tmp_path)
    with ExitStack() as stack:

        def start(url: str = "") -> Watched:
            identity = deployment.escalator(api_server).through(url or api_server.url)
            api = Api.connect(identity.kubeconfig(tmp_path / "escalator"))
            stack.callback(api.close)
            watched = Watched(api)
            stack.callback(watched.discovery.stop)
            watched.discovery.start()
            return watched

        yield start


def load_balancer(name: str, *addresses: str) -> tuple[dict, dict]:
    spec = {
        "type": "LoadBalancer",
        "clusterIP": "10.96.7.7",
        "externalIPs": ["203.0.113.80"],
        "loadBalancerIP": "203.0.113.81",
        "ports": [{"port": 80}],
    }
    status = {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}}
    return {"metadata": {"name": name}, "spec": spec}, {"status": status}


def test_everything_of_the_cluster_is_found(
    api_server: ApiServer, discover: Callable[..., Watched]
) -> None:
    """Each by its own kind, with a text that names the object."""
    admin = api_server.admin
    definitions.serve(admin, calico.definitions("v1"))
    api_server.node("worker-3", podCIDRs=["10.244.3.0/24", "fd00:3::/64"], podCIDR="10.244.3.0/24")
    addresses = [
        {"type": "InternalIP", "address": "192.0.2.3"},
        {"type": "ExternalIP", "address": "203.0.113.3"},
        {"type": "Hostname", "address": "worker-3"},
    ]
    path = "/api/v1/nodes/worker-3/status"
    merge = "application/merge-patch+json"
    admin.call("PATCH", path, {"status": {"addresses": addresses}}, content=merge)
    service, status = load_balancer("front", "203.0.113.82", "2001:db8::82")
    services = f"/api/v1/namespaces/{deployment.NAMESPACE}/services"
    admin.call("POST", services, service)
    admin.call("PATCH", f"{services}/front/status", status, content=merge)
    for kind, name, spec in (
        ("IPPool", "default-pool", {"cidr": "10.245.0.0/16"}),
        ("HostEndpoint", "worker-3-eth1", {"expectedIPs": ["198.51.100.33"]}),
    ):
        version = "crd.projectcalico.org/v1"
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
        admin.call("POST", calico.path("v1", kind), body)
    watched = discover()
    watched.wait_until_ready()
    front = f"Service {deployment.NAMESPACE}/front"
    assert {
        ("192.0.2.3/32", "node", "an address of node worker-3"),
        ("203.0.113.3/32", "node", "an address of node worker-3"),
        ("10.244.3.0/24", "pod network", "the pod network of node worker-3"),
        ("fd00:3::/64", "pod network", "the pod network of node worker-3"),
        ("10.245.0.0/16", "pod network", "the IP pool default-pool"),
        ("10.96.7.7/32", "service", f"the address of {front}"),
        ("203.0.113.80/32", "service", f"an external address of {front}"),
        ("203.0.113.81/32", "load balancer", f"the load balancer of {front}"),
        ("203.0.113.82/32", "load balancer", f"the load balancer of {front}"),
        ("2001:db8::82/128", "load balancer", f"the load balancer of {front}"),
        ("10.96.0.1/32", "service", "the address of Service default/kubernetes"),
        ("10.96.0.0/16", "service", "the network of Services kubernetes"),
        (f"{ADVERTISED}/32", "api server", "an address of the API server"),
        ("198.51.100.33/32", "host endpoint", "an expected address of HostEndpoint worker-3-eth1"),
    } == watched.texts
    assert () == watched.discovery.missing
    assert () == watched.discovery.problems


def test_a_cluster_without_calico_is_ready_and_tells(discover: Callable[..., Watched]) -> None:
    watched = discover()
    watched.wait_until_ready()
    assert ("Calico's IP pools", "Calico's host endpoints") == watched.discovery.missing
    assert () == watched.discovery.problems


def test_a_new_node_is_known_and_what_does_not_change_is_no_revision(
    api_server: ApiServer, discover: Callable[..., Watched]
) -> None:
    watched = discover()
    watched.wait_until_ready()
    before, places = watched.discovery.networks()
    api_server.node("worker-9", podCIDRs=["10.244.9.0/24"], podCIDR="10.244.9.0/24")
    place = ("10.244.9.0/24", "pod network", "the pod network of node worker-9")
    watched.wait_for(lambda: place in watched.texts)
    after, more = watched.discovery.networks()
    assert before < after
    assert places < more
    labels = {"metadata": {"labels": {"a": "b"}}}
    merge = "application/merge-patch+json"
    api_server.admin.call("PATCH", "/api/v1/nodes/worker-9", labels, content=merge)
    api_server.node("worker-10")  # is seen after the label
    nodes = watched.discovery._sources["nodes"][0].cache
    watched.wait_for(lambda: "worker-10" in nodes.snapshot().objects)
    assert {"worker-9", "worker-10"} == watched.discovery.nodes
    assert (after, more) == watched.discovery.networks()
    assert more is watched.discovery.networks()[1]
    api_server.admin.call("DELETE", "/api/v1/nodes/worker-9")
    watched.wait_for(lambda: place not in watched.texts)


def test_what_was_known_stays_while_the_api_server_is_away(
    api_server: ApiServer, discover: Callable[..., Watched]
) -> None:
    with SilentProxy(api_server.url) as proxy:
        watched = discover(proxy.url)
        watched.wait_until_ready()
        known = watched.discovery.networks()
        proxy.refuse()
        proxy.cut()
        watched.wait_for(lambda: len(watched.discovery.problems) >= 4)
        assert known == watched.discovery.networks()
        watched.wait_for(lambda: watched.discovery.nodes is None)  # they may be others by now
        assert watched.discovery.ready
        assert "are not up to date: GET" in watched.discovery.problems[0]


def test_nothing_is_ready_before_each_kind_was_read(
    api_server: ApiServer, discover: Callable[..., Watched]
) -> None:
    """Here the right to list services is missing."""
    role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/logwatch-escalator"
    rules = api_server.admin.call("GET", role)["rules"]
    for rule in rules:
        rule["resources"] = [each for each in rule["resources"] if each != "services"]
    merge = "application/merge-patch+json"
    api_server.admin.call("PATCH", role, {"rules": rules}, content=merge)
    watched = discover()
    watched.wait_for(lambda: ("services",) == watched.discovery.waiting)
    assert not watched.discovery.ready
    watched.wait_for(lambda: watched.discovery.problems)
    assert "grant it to this identity" in watched.discovery.problems[0]
