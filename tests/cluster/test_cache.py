"""Collections kept up over the faults of a network and of servers, each made for real."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from lab import definitions
from lab.api_server import ApiServer
from lab.identity import Identity
from lab.rsyslog import eventually
from lab.silent_proxy import SilentProxy

from logwatch.cluster import Api, Cache, Kind, Pace

MAPS = Kind("", "v1", "configmaps", "default")
THINGS = Kind("example.org", "v1", "things")
QUICK = Pace(watch=1, margin=0.5, first=0.02, longest=0.2)
LONG = Pace(watch=60, margin=1, first=0.02, longest=0.2)
SECONDS = 10.0


class Map(msgspec.Struct):
    """What the tests keep of a ConfigMap."""

    data: dict[str, int]


Made = Callable[..., Cache[Map]]


def config_map(name: str, x: str = "1") -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": x}}


def decode(item: msgspec.Raw) -> Map:
    return msgspec.json.decode(item, type=Map, strict=False)


def things() -> dict:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Cluster",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    """Give a function that starts a cache of what an identity sees."""
    with ExitStack() as stack:

        def made(identity: Identity, kind: Kind = MAPS, **options: object) -> Cache[Map]:
            api = Api.connect(identity.kubeconfig(tmp_path / "kubeconfig"))
            stack.callback(api.close)
            cache = Cache(api, kind, decode, **{"pace": QUICK, **options})
            cache.start()
            stack.callback(cache.stop)
            return cache

        yield made


def held(cache: Cache[Map]) -> dict[str, int]:
    return {name: held.data["x"] for name, held in cache.snapshot().objects.items()}


def comes_to_hold(cache: Cache[Map], **objects: int) -> bool:
    return eventually(lambda: cache.snapshot().synced and objects == held(cache), SECONDS)


def test_it_holds_what_is_there_and_follows_every_change(
    api_server: ApiServer, api: Api, make: Made
) -> None:
    for number in range(3):
        api.create(MAPS, config_map(f"m{number}"))
    cache = make(api_server.admin, page=2)
    assert comes_to_hold(cache, m0=1, m1=1, m2=1)
    api.delete(MAPS, "m0")
    api.apply(MAPS, "m1", config_map("m1", "2"), manager="test")
    api.create(MAPS, config_map("m3"))
    assert comes_to_hold(cache, m1=2, m2=1, m3=1)
    assert eventually(lambda: cache.problem is None, SECONDS)


def test_nothing_is_known_before_the_first_list() -> None:
    cache = Cache(None, MAPS, decode)  # type: ignore[arg-type] - not started: asks nothing
    assert not cache.snapshot().synced


def test_a_snapshot_is_the_same_until_something_changes(
    api_server: ApiServer, api: Api, make: Made
) -> None:
    cache = make(api_server.admin)
    assert comes_to_hold(cache)
    before = cache.snapshot()
    assert before is cache.snapshot()
    api.create(MAPS, config_map("a"))
    assert comes_to_hold(cache, a=1)
    assert {} == before.objects
    assert before.generation < cache.snapshot().generation


def test_every_change_wakes_the_loop_and_none_comes_after_the_stop(
    api_server: ApiServer, api: Api, make: Made
) -> None:
    seen: list[dict[str, int]] = []
    caches: list[Cache[Map]] = []
    wake = lambda: seen.append(held(caches[0])) if caches else None  # noqa: E731
    caches.append(make(api_server.admin, on_change=wake))
    assert comes_to_hold(caches[0])
    api.create(MAPS, config_map("a"))
    assert eventually(lambda: {"a": 1} in seen, SECONDS)
    caches[0].stop()
    del seen[:]
    api.delete(MAPS, "a")
    assert [] == seen


def test_of_all_namespaces_names_carry_theirs(api_server: ApiServer, api: Api, make: Made) -> None:
    api_server.namespace("other")
    api.create(MAPS, config_map("a"))
    api.create(Kind("", "v1", "configmaps", "other"), config_map("a", "2"))
    cache = make(api_server.admin, Kind("", "v1", "configmaps"), field_selector="metadata.name=a")
    assert eventually(lambda: {"default/a": 1, "other/a": 2} == held(cache), SECONDS)


def test_an_object_that_can_not_be_decoded_is_told_and_costs_no_other(
    api_server: ApiServer, api: Api, make: Made
) -> None:
    api.create(MAPS, config_map("a"))
    api.create(MAPS, config_map("b", "none"))
    cache = make(api_server.admin)
    assert comes_to_hold(cache, a=1)
    assert ["b"] == list(cache.snapshot().broken)
    api.apply(MAPS, "a", config_map("a", "none"), manager="test")
    api.apply(MAPS, "b", config_map("b", "2"), manager="test")
    assert comes_to_hold(cache, b=2)
    assert ["a"] == list(cache.snapshot().broken)


def test_what_is_listed_anew_unchanged_is_not_decoded_again(
    api_server: ApiServer, api: Api, make: Made, proxy: SilentProxy
) -> None:
    api.create(MAPS, config_map("a"))
    cache = make(api_server.admin.through(proxy.url), pace=LONG)
    assert comes_to_hold(cache, a=1)
    first = cache.snapshot().objects["a"]
    proxy.cut()
    api.create(MAPS, config_map("b"))
    assert comes_to_hold(cache, a=1, b=1)
    assert first is cache.snapshot().objects["a"]


def test_watches_that_end_in_order_go_on_without_a_list(
    api_server: ApiServer, api: Api, make: Made
) -> None:
    cache = make(api_server.admin)
    assert comes_to_hold(cache)

    def calls() -> list[str]:
        return [call.verb for call in api_server.calls() if call.resource == "configmaps"]

    before = len(calls())
    assert eventually(lambda: calls()[before:].count("watch") >= 2, SECONDS)
    api.create(MAPS, config_map("a"))
    assert comes_to_hold(cache, a=1)
    assert "list" not in calls()[before:]


def test_bookmarks_move_the_place_to_watch_from(
    api_server: ApiServer, api: Api, make: Made
) -> None:
    """Without them a quiet selection would be watched from ever further back, and at last 410."""
    ending = 2  # seconds before the end of a watch the server sends one
    cache = make(
        api_server.admin,
        field_selector="metadata.name=a",
        pace=Pace(watch=ending + 2, margin=2),
    )
    assert comes_to_hold(cache)
    made = api.create(MAPS, config_map("b"))["metadata"]["resourceVersion"]
    assert eventually(lambda: int(cache._version or 0) >= int(made), SECONDS)
    assert {} == held(cache)


def test_a_server_that_falls_silent_in_a_watch_is_noticed_and_left(
    api_server: ApiServer, api: Api, make: Made, proxy: SilentProxy
) -> None:
    """The watch lasts 1 s and may be late by 0.5 s; with the usual 25 s and 2 s it is 27 s."""
    cache = make(api_server.admin.through(proxy.url))
    api.create(MAPS, config_map("a"))
    assert comes_to_hold(cache, a=1)
    proxy.silence()
    silent = time.monotonic()
    assert eventually(lambda: cache.problem is not None, SECONDS)
    assert time.monotonic() - silent < 5
    assert "no answer" in str(cache.problem)
    api.create(MAPS, config_map("b"))
    proxy.cut()
    proxy.resume()
    assert comes_to_hold(cache, a=1, b=1)
    assert eventually(lambda: cache.problem is None, SECONDS)


def test_all_is_listed_anew_on_demand_though_a_watch_hangs(
    api_server: ApiServer, api: Api, make: Made, proxy: SilentProxy
) -> None:
    cache = make(api_server.admin.through(proxy.url), pace=LONG)
    api.create(MAPS, config_map("a"))
    assert comes_to_hold(cache, a=1)
    assert cache.is_renewed
    proxy.silence()
    api.create(MAPS, config_map("b"))
    cache.renew()
    assert not cache.is_renewed
    assert {"a": 1} == held(cache)
    proxy.resume()
    assert eventually(lambda: cache.is_renewed, SECONDS)
    assert {"a": 1, "b": 1} == held(cache)


def test_silence_is_noticed_in_time_for_the_promised_half_minute() -> None:
    pace = Pace()
    assert pace.watch + pace.margin + pace.pause(1) < 30


def test_a_connection_that_is_cut_in_a_watch_costs_no_change(
    api_server: ApiServer, api: Api, make: Made, proxy: SilentProxy
) -> None:
    cache = make(api_server.admin.through(proxy.url), pace=LONG)
    assert comes_to_hold(cache)
    proxy.refuse()
    api.create(MAPS, config_map("a"))
    assert eventually(lambda: cache.problem is not None, SECONDS)
    proxy.resume()
    assert comes_to_hold(cache, a=1)


def test_a_server_that_is_killed_and_started_again_is_found_again(
    start_api_server: Callable[..., ApiServer], make: Made
) -> None:
    """While it is away, what was known stays, and its age and the problem are told."""
    server = start_api_server()
    server.admin.call("POST", MAPS.path(), config_map("a"))
    cache = make(server.admin, pace=LONG)
    assert comes_to_hold(cache, a=1)
    server.kill()
    assert eventually(lambda: "refused" in str(cache.problem), SECONDS)
    age = cache.age
    assert {"a": 1} == held(cache)
    assert eventually(lambda: cache.age > age, SECONDS)
    server.start()
    server.admin.call("POST", MAPS.path(), config_map("b", "2"))
    assert comes_to_hold(cache, a=1, b=2)
    assert eventually(lambda: cache.problem is None, SECONDS)


def test_a_version_that_is_compacted_leads_to_a_list(
    start_api_server: Callable[..., ApiServer], make: Made
) -> None:
    """Without the server's own cache a watch reads etcd, which sends no bookmarks and compacts."""
    server = start_api_server("--watch-cache=false")
    server.admin.call("POST", MAPS.path(), config_map("a"))
    cache = make(server.admin)
    assert comes_to_hold(cache, a=1)
    listed = sum(call.verb == "list" for call in server.calls() if call.resource == "configmaps")
    for number in range(3):
        server.namespace(f"elsewhere-{number}")
    server.etcd.compact()

    def lists() -> int:
        return sum(call.verb == "list" for call in server.calls() if call.resource == "configmaps")

    assert eventually(lambda: lists() > listed, SECONDS)
    server.admin.call("POST", MAPS.path(), config_map("b", "2"))
    assert comes_to_hold(cache, a=1, b=2)
    assert eventually(lambda: cache.problem is None, SECONDS)


def test_a_kind_is_held_as_soon_as_it_is_served(api_server: ApiServer, make: Made) -> None:
    cache = make(api_server.admin, THINGS)
    assert eventually(lambda: "install its CRD" in str(cache.problem), SECONDS)
    assert not cache.snapshot().synced
    definitions.serve(api_server.admin, [things()])
    thing = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "a"}}
    api_server.admin.call("POST", THINGS.path(), thing | {"data": {"x": 1}})
    assert comes_to_hold(cache, a=1)
    assert eventually(lambda: cache.problem is None, SECONDS)


def test_a_right_that_is_taken_away_is_told(api_server: ApiServer, api: Api, make: Made) -> None:
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "reader")
    roles = Kind("rbac.authorization.k8s.io", "v1", "clusterroles")
    bindings = Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings")
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"}
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": "logwatch"}
    api.create(roles, {"metadata": {"name": "reader"}, "rules": [rule]})
    api.create(bindings, {"metadata": {"name": "reader"}, "roleRef": role, "subjects": [subject]})
    cache = make(api_server.identity("logwatch", "reader"))
    assert comes_to_hold(cache)
    api.delete(bindings, "reader")
    assert eventually(lambda: "403" in str(cache.problem), SECONDS)
    api.create(bindings, {"metadata": {"name": "reader"}, "roleRef": role, "subjects": [subject]})
    api.create(MAPS, config_map("a"))
    assert comes_to_hold(cache, a=1)


@pytest.mark.parametrize("silent", [False, True])
def test_it_stops_within_a_second(
    api_server: ApiServer, make: Made, proxy: SilentProxy, silent: bool
) -> None:
    cache = make(api_server.admin.through(proxy.url), pace=LONG)
    assert eventually(lambda: cache._watch is not None, SECONDS)
    if silent:
        proxy.silence()
    began = time.monotonic()
    cache.stop()
    assert time.monotonic() - began < 1.0
    assert not cache.alive


def test_pauses_grow_to_the_longest_and_are_jittered() -> None:
    pace = Pace(first=0.2, longest=10)
    assert all(0.1 <= pace.pause(1) <= 0.2 for _ in range(100))
    assert all(0.4 <= pace.pause(3) <= 0.8 for _ in range(100))
    assert all(5 <= pace.pause(10_000) <= 10 for _ in range(100))
    assert len({pace.pause(5) for _ in range(100)}) > 50
