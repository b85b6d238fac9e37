"""What of each kind of a cluster's objects must never be banned: typed, and little of each is kept.

Whoever may make a Service may put any address into its externalIPs, and so protects it; the text
tells by which Service.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import field

from logwatch.cluster.errors import cut
from logwatch.cluster.kind import Kind

Network = IPv4Network | IPv6Network
PlaceKind = Literal[
    "node", "pod network", "service", "load balancer", "api server", "host endpoint"
]


class Place(NamedTuple):
    """A network of the cluster's own."""

    network: Network
    kind: PlaceKind
    text: str
    """What it is, for people: `an address of node worker-3`."""


class Found(NamedTuple):
    """What one object holds. `unread` are values that are no addresses."""

    places: tuple[Place, ...]
    unread: tuple[str, ...] = ()


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""


class _Address(msgspec.Struct):
    type: str = ""
    address: str = ""


class _NodeSpec(msgspec.Struct):
    networks: list[str] = field(default_factory=list, name="podCIDRs")
    network: str = field(default="", name="podCIDR")


class _NodeStatus(msgspec.Struct):
    addresses: list[_Address] = []


class _Node(msgspec.Struct):
    metadata: _Metadata
    spec: _NodeSpec = field(default_factory=_NodeSpec)
    status: _NodeStatus = field(default_factory=_NodeStatus)


class _ServiceSpec(msgspec.Struct):
    address: str = field(default="", name="clusterIP")
    addresses: list[str] = field(default_factory=list, name="clusterIPs")
    external: list[str] = field(default_factory=list, name="externalIPs")
    load_balancer: str = field(default="", name="loadBalancerIP")


class _Ingress(msgspec.Struct):
    ip: str = ""


class _LoadBalancer(msgspec.Struct):
    ingress: list[_Ingress] = []


class _ServiceStatus(msgspec.Struct):
    load_balancer: _LoadBalancer = field(default_factory=_LoadBalancer, name="loadBalancer")


class _Service(msgspec.Struct):
    metadata: _Metadata
    spec: _ServiceSpec = field(default_factory=_ServiceSpec)
    status: _ServiceStatus = field(default_factory=_ServiceStatus)


class _CidrsSpec(msgspec.Struct):
    cidrs: list[str] = []


class _ServiceCidr(msgspec.Struct):
    metadata: _Metadata
    spec: _CidrsSpec = field(default_factory=_CidrsSpec)


class _Endpoint(msgspec.Struct):
    addresses: list[str] = []


class _Slice(msgspec.Struct):
    metadata: _Metadata
    endpoints: list[_Endpoint] | None = None
    address_type: str = field(default="", name="addressType")


class _PoolSpec(msgspec.Struct):
    cidr: str = ""


class _Pool(msgspec.Struct):
    metadata: _Metadata
    spec: _PoolSpec = field(default_factory=_PoolSpec)


class _EndpointSpec(msgspec.Struct):
    addresses: list[str] = field(default_factory=list, name="expectedIPs")


class _HostEndpoint(msgspec.Struct):
    metadata: _Metadata
    spec: _EndpointSpec = field(default_factory=_EndpointSpec)


_Told = Iterator[tuple[PlaceKind, str, Iterable[str]]]
"""Kind, what it is, and the addresses or networks that are it."""


def _node(node: _Node) -> _Told:
    name = node.metadata.name
    addresses = node.status.addresses
    own = [each.address for each in addresses if each.type in {"InternalIP", "ExternalIP"}]
    yield "node", f"an address of node {name}", own
    yield "pod network", f"the pod network of node {name}", (node.spec.network, *node.spec.networks)


def _service(service: _Service) -> _Told:
    name = f"{service.metadata.namespace}/{service.metadata.name}"
    spec = service.spec
    yield "service", f"the address of Service {name}", (spec.address, *spec.addresses)
    yield "service", f"an external address of Service {name}", spec.external
    ingress = (each.ip for each in service.status.load_balancer.ingress)
    yield "load balancer", f"the load balancer of Service {name}", (spec.load_balancer, *ingress)


def _service_cidr(found: _ServiceCidr) -> _Told:
    yield "service", f"the network of Services {found.metadata.name}", found.spec.cidrs


def _slice(found: _Slice) -> _Told:
    if found.address_type != "FQDN":
        for endpoint in found.endpoints or ():
            yield "api server", "an address of the API server", endpoint.addresses


def _pool(pool: _Pool) -> _Told:
    yield "pod network", f"the IP pool {pool.metadata.name}", (pool.spec.cidr,)


def _host_endpoint(found: _HostEndpoint) -> _Told:
    text = f"an expected address of HostEndpoint {found.metadata.name}"
    yield "host endpoint", text, found.spec.addresses


Decoded = TypeVar("Decoded")


class _Decoder(Generic[Decoded]):
    """Makes of an object what is kept of it: its places, and nothing else."""

    def __init__(self, type_: type[Decoded], tell: Callable[[Decoded], _Told]) -> None:
        self._decoder = msgspec.json.Decoder(type_)
        self._tell = tell

    def __call__(self, data: msgspec.Raw) -> Found:
        places: dict[Place, None] = {}
        unread = []
        for kind, text, values in self._tell(self._decoder.decode(data)):
            for value in values:
                if value in {"", "None"}:  # "None" is a Service without an address
                    continue
                try:
                    network = ip_network(value.partition("%")[0], strict=False)
                except ValueError:
                    unread.append(f"{text}, {cut(value)!r}, is no address")
                    continue
                places[Place(network, kind, text)] = None
        return Found(tuple(places), tuple(unread))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read, by the name in which it is told; one of its `kinds` suffices."""

    name: str
    kinds: tuple[Kind, ...]
    decode: Callable[[msgspec.Raw], Found]
    labels: str = ""


def _calico(plural: str) -> tuple[Kind, ...]:
    return Kind("projectcalico.org", "v3", plural), Kind("crd.projectcalico.org", "v1", plural)


NODES = "nodes"

WANTED = (
    Wanted(NODES, (Kind("", "v1", "nodes"),), _Decoder(_Node, _node)),
    Wanted("services", (Kind("", "v1", "services"),), _Decoder(_Service, _service)),
    Wanted(
        "service networks",
        (Kind("networking.k8s.io", "v1", "servicecidrs"),),
        _Decoder(_ServiceCidr, _service_cidr),
    ),
    Wanted(
        "the API server's endpoints",
        (Kind("discovery.k8s.io", "v1", "endpointslices", "default"),),
        _Decoder(_Slice, _slice),
        labels="kubernetes.io/service-name=kubernetes",
    ),
    Wanted("Calico's IP pools", _calico("ippools"), _Decoder(_Pool, _pool)),
    Wanted(
        "Calico's host endpoints", _calico("hostendpoints"), _Decoder(_HostEndpoint, _host_endpoint)
    ),
)
