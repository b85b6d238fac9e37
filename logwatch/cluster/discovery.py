"""What of a cluster must never be banned, kept up while it changes.

- Known is the union of all kinds. What was listed once stays known while the API server is away.
- A kind that the API server doesn't serve (no Calico, no ServiceCIDR before 1.33) holds nothing; it
  counts as read, and `missing` tells of it.
- Calico's kinds are looked for in both of its groups. Where both are served, the objects are the
  same, or some are left over from a migration: protecting those as well is the safe side.
- Whoever may make a Service may put any address into its externalIPs, and so protects it; the text
  tells by which Service.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import field

from logwatch.cluster.api import Api
from logwatch.cluster.cache import Cache, Pace
from logwatch.cluster.errors import cut
from logwatch.cluster.kind import Kind

Network = IPv4Network | IPv6Network
PlaceKind = Literal[
    "node", "pod network", "service", "load balancer", "api server", "host endpoint"
]


PACE = Pace()


class Place(NamedTuple):
    """A network of the cluster's own."""

    network: Network
    kind: PlaceKind
    text: str
    """What it is, for people: `an address of node worker-3`."""


class _Found(NamedTuple):
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

    def __call__(self, data: msgspec.Raw) -> _Found:
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
        return _Found(tuple(places), tuple(unread))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read, by the name in which it is told; one of its `kinds` suffices."""

    name: str
    kinds: tuple[Kind, ...]
    decode: Callable[[msgspec.Raw], _Found]
    labels: str = ""


def _calico(plural: str) -> tuple[Kind, ...]:
    return Kind("projectcalico.org", "v3", plural), Kind("crd.projectcalico.org", "v1", plural)


WANTED = (
    _Wanted("nodes", (Kind("", "v1", "nodes"),), _Decoder(_Node, _node)),
    _Wanted("services", (Kind("", "v1", "services"),), _Decoder(_Service, _service)),
    _Wanted(
        "service networks",
        (Kind("networking.k8s.io", "v1", "servicecidrs"),),
        _Decoder(_ServiceCidr, _service_cidr),
    ),
    _Wanted(
        "the API server's endpoints",
        (Kind("discovery.k8s.io", "v1", "endpointslices", "default"),),
        _Decoder(_Slice, _slice),
        labels="kubernetes.io/service-name=kubernetes",
    ),
    _Wanted("Calico's IP pools", _calico("ippools"), _Decoder(_Pool, _pool)),
    _Wanted(
        "Calico's host endpoints", _calico("hostendpoints"), _Decoder(_HostEndpoint, _host_endpoint)
    ),
)


class _Source:
    """One kind in one group: what it held last, compared only when something changed."""

    def __init__(self, cache: Cache[_Found]) -> None:
        self.cache = cache
        self.places: frozenset[Place] = frozenset()
        self.unread: tuple[str, ...] = ()
        self.revision = 0
        self._objects: Mapping[str, _Found] = {}
        self._generation = -1

    def look(self) -> None:
        """Take over what is known by now.

        A Node tells every few minutes that it lives, and mostly nothing else.
        """
        seen = self.cache.snapshot()
        if seen.generation == self._generation:
            return
        self._generation = seen.generation
        unread = [text for found in seen.objects.values() for text in found.unread]
        broken = [f"{self.cache.kind} {name}: {why}" for name, why in seen.broken.items()]
        self.unread = (*broken, *unread)
        if seen.objects != self._objects:
            places = frozenset(place for found in seen.objects.values() for place in found.places)
            self.revision += places != self.places
            self.places = places
        self._objects = seen.objects


class Discovery:
    """Keeps up what must never be banned. `on_change` is called on threads of its caches.

    Ask `ready` before `networks`. Everything may be called from any thread.
    """

    def __init__(
        self, api: Api, *, on_change: Callable[[], None] = lambda: None, pace: Pace = PACE
    ) -> None:
        self._lock = threading.Lock()
        self._networks: frozenset[Place] = frozenset()
        self._revision = 0
        self._sources = {
            wanted.name: [
                _Source(
                    Cache(
                        api,
                        kind,
                        wanted.decode,
                        on_change=on_change,
                        label_selector=wanted.labels,
                        pace=pace,
                    )
                )
                for kind in wanted.kinds
            ]
            for wanted in WANTED
        }

    def start(self) -> None:
        """Begin to read."""
        for source in self._all():
            source.cache.start()

    def stop(self) -> None:
        """End, within a second for each kind that just waits for an answer."""
        for source in self._all():
            source.cache.stop()

    @property
    def alive(self) -> bool:
        """Whether all threads run."""
        return all(source.cache.alive for source in self._all())

    @property
    def ready(self) -> bool:
        """Whether each kind was read once, or is served by nobody: before, ban nothing."""
        return not self.waiting

    @property
    def waiting(self) -> tuple[str, ...]:
        """What was not read yet."""
        return tuple(
            name
            for name, sources in self._sources.items()
            if not any(source.cache.snapshot().synced for source in sources)
            and not all(source.cache.is_missing for source in sources)
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """What this cluster doesn't serve, so that nothing of it is protected."""
        return tuple(
            name
            for name, sources in self._sources.items()
            if all(source.cache.is_missing for source in sources)
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not up to date, or can't be read, in a sentence each."""
        told: list[str] = []
        with self._lock:
            for name, sources in self._sources.items():
                for source in sources:
                    source.look()
                    if source.cache.problem is not None and not source.cache.is_missing:
                        told.append(f"{name} are not up to date: {source.cache.problem}")
                    told += source.unread
        return tuple(told)

    def networks(self) -> tuple[int, frozenset[Place]]:
        """Give a revision, which grows whenever the places change, and all places.

        The same set is returned until something changes.
        """
        with self._lock:
            sources = self._all()
            for source in sources:
                source.look()
            revision = sum(source.revision for source in sources)
            if revision != self._revision:
                self._networks = frozenset(place for source in sources for place in source.places)
                self._revision = revision
            return revision, self._networks

    def _all(self) -> list[_Source]:
        return [source for sources in self._sources.values() for source in sources]
