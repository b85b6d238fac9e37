"""The calls, and each kind of no, by the real API server."""

import gc
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from lab.api_server import ApiServer
from lab.identity import Identity, aged
from lab.silent_proxy import SilentProxy

from logwatch.cluster import (
    Api,
    ClusterError,
    Conflict,
    ConnectError,
    Document,
    Forbidden,
    Gone,
    Invalid,
    Kind,
    NotFound,
    NotServed,
    Unauthorized,
    Unavailable,
    Unreachable,
    errors,
)

MAPS = Kind("", "v1", "configmaps", "default")
REPORTS = Kind("calico-logwatch.io", "v1alpha1", "nodereports")
LEEWAY = 60
"""Seconds that the API server accepts a token after its end."""

Connect = Callable[..., Api]


def config_map(name: str, **data: str) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture
def powerless(api_server: ApiServer) -> Identity:
    """Give a ServiceAccount without any right."""
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "nobody")
    return api_server.identity("logwatch", "nobody")


def mounted(identity: Identity, directory: Path) -> Api:
    """Connect as a Pod does."""
    host, _, port = identity.url.removeprefix("https://").rpartition(":")
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    return Api.connect(environment=environment, mounted=identity.mounted(directory))


def test_what_was_created_is_read_replaced_and_deleted(api: Api) -> None:
    made = api.create(MAPS, config_map("a", x="1"))
    assert made == api.get(MAPS, "a")
    api.replace(MAPS, made | {"data": {"x": "2"}})
    assert {"x": "2"} == api.get(MAPS, "a")["data"]
    api.delete(MAPS, "a")
    with pytest.raises(NotFound):
        api.get(MAPS, "a")


def test_a_list_is_read_page_by_page(api: Api) -> None:
    for number in range(5):
        api.create(MAPS, config_map(f"m{number}", x=str(number)))
    listing = api.list(MAPS, limit=2, label_selector="!none")
    assert ["m0", "m1", "m2", "m3", "m4"] == [item["metadata"]["name"] for item in listing.items]
    assert [1] == [len(api.list(MAPS, field_selector="metadata.name=m3").items)]


def test_of_the_metadata_alone_nothing_else_is_sent(api: Api) -> None:
    api.create(MAPS, config_map("a", x="1"))
    (item,) = api.list(MAPS, metadata_only=True).items
    assert ("a", None) == (item["metadata"]["name"], item.get("data"))


@pytest.mark.parametrize("number", [0, 1, 4])
def test_counting_costs_one_object_whatever_the_number(api: Api, number: int) -> None:
    for each in range(number):
        api.create(MAPS, config_map(f"m{each}"))
    assert number == api.count(MAPS)


def test_the_groups_that_are_served_are_told_with_their_versions(api: Api) -> None:
    assert ["v1"] == api.groups()["coordination.k8s.io"]


def test_what_can_be_done_with_a_kind_is_told_and_nothing_where_it_is_not_served(api: Api) -> None:
    assert {"create", "delete", "watch"} <= set(api.verbs(MAPS))
    assert "create" not in api.verbs(Kind("authentication.k8s.io", "v1", "nothings"))
    assert not api.verbs(Kind("example.org", "v1", "things"))


def test_each_call_is_told_as_rbac_knows_it(api_server: ApiServer, connect: Connect) -> None:
    """The audit log of the API server says the same of them."""
    calls: list[tuple[str, str, str, str]] = []
    api = connect(api_server.admin, calls=lambda *call: calls.append(call))
    api_server.node("worker-1")
    before = len(api_server.calls(user="administrator"))
    nodes = Kind("", "v1", "nodes")
    leases = Kind("coordination.k8s.io", "v1", "leases", "default")
    api.groups()
    version = api.list(nodes).resource_version
    list(api.watch(nodes, version, seconds=1))
    node = api.get(nodes, "worker-1")
    api.replace(nodes, node, subresource="status")
    api.json_patch(
        nodes, "worker-1", [{"op": "add", "path": "/spec/podCIDR", "value": "10.0.0.0/24"}]
    )
    api.apply(
        nodes,
        "worker-1",
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}},
        manager="test",
        subresource="status",
    )
    api.create(leases, {"metadata": {"name": "l"}, "spec": {}})
    api.delete(leases, "l")
    seen = {(call.verb, call.resource) for call in api_server.calls(user="administrator")[before:]}
    assert seen == {(verb, "/".join(part for part in rest if part)) for verb, *rest in calls}
    assert ("patch", "", "nodes", "status") in calls
    assert ("create", "coordination.k8s.io", "leases", "") in calls


def test_an_object_that_is_not_there_is_not_found(api: Api) -> None:
    with pytest.raises(
        NotFound, match=r'GET .*/configmaps/a was .* 404 \(configmaps "a" not found'
    ):
        api.get(MAPS, "a")


@pytest.mark.parametrize("kind", [REPORTS, Kind("apps", "v1", "nothings"), Kind("", "v1", "no")])
def test_a_kind_that_nobody_installed_is_not_served(api: Api, kind: Kind) -> None:
    with pytest.raises(NotServed, match=r"404.*install its CRD"):
        api.list(kind)


def test_what_exists_can_not_be_created(api: Api) -> None:
    api.create(MAPS, config_map("a"))
    with pytest.raises(Conflict, match=r"409.*already exists") as error:
        api.create(MAPS, config_map("a"))
    assert "AlreadyExists" == error.value.reason


def test_a_write_on_an_older_version_is_a_conflict(api: Api) -> None:
    old = api.create(MAPS, config_map("a"))
    api.json_patch(MAPS, "a", [{"op": "add", "path": "/data", "value": {"x": "1"}}])
    with pytest.raises(Conflict, match=r"409.*modified"):
        api.replace(MAPS, old | {"data": {"x": "2"}})
    with pytest.raises(Conflict, match=r"409.*precondition"):
        api.delete(MAPS, "a", resource_version=old["metadata"]["resourceVersion"])
    assert {"x": "1"} == api.get(MAPS, "a")["data"]


@pytest.mark.parametrize("path", ["/data/x", "/data/absent", "/metadata/resourceVersion"])
def test_a_json_patch_whose_test_fails_is_a_conflict(api: Api, path: str) -> None:
    api.create(MAPS, config_map("a", x="1"))
    operations = [
        {"op": "test", "path": path, "value": "2"},
        {"op": "replace", "path": "/data/x", "value": "3"},
    ]
    with pytest.raises(Conflict, match="422"):
        api.json_patch(MAPS, "a", operations)
    assert {"x": "1"} == api.get(MAPS, "a")["data"]


def test_a_json_patch_that_breaks_the_schema_is_invalid(api: Api) -> None:
    api.create(MAPS, config_map("a", x="1"))
    with pytest.raises(Invalid, match=r"422.*data"):
        api.json_patch(MAPS, "a", [{"op": "add", "path": "/data/in valid", "value": "3"}])


def test_applying_makes_an_object_and_gives_up_what_is_left_out(api: Api) -> None:
    api.apply(MAPS, "a", config_map("a", x="1", y="1"), manager="one")
    made = api.apply(MAPS, "a", config_map("a", x="2"), manager="one")
    assert {"x": "2"} == made["data"]
    assert [("one", "Apply")] == [
        (entry["manager"], entry["operation"]) for entry in made["metadata"]["managedFields"]
    ]


def test_applying_over_the_field_of_another_names_the_owners(api: Api) -> None:
    api.apply(MAPS, "a", config_map("a", x="1", y="1"), manager="one")
    with pytest.raises(Conflict, match=r'409.*conflict with "one": \.data\.x'):
        api.apply(MAPS, "a", config_map("a", x="2"), manager="two", force=False)
    made = api.apply(MAPS, "a", config_map("a", x="2"), manager="two")
    assert {"x": "2", "y": "1"} == made["data"]


def test_who_has_no_right_is_forbidden_what_it_wants(connect: Connect, powerless: Identity) -> None:
    with pytest.raises(Forbidden, match=r"403.*cannot create resource.*grant it"):
        connect(powerless).create(MAPS, config_map("a"))


@pytest.mark.parametrize("of", ["expired", "unknown"])
def test_a_token_that_is_not_good_is_unauthorized(
    api_server: ApiServer, connect: Connect, powerless: Identity, of: str
) -> None:
    """And never repeated in the message."""
    token = {"expired": aged(powerless, api_server.key, -2 * LEEWAY).token, "unknown": "x" * 40}[of]
    with pytest.raises(Unauthorized, match=r"401.*give a token that is good") as error:
        connect(replace(powerless, token=token)).list(MAPS)
    assert token not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (config_map("In_valid"), 422),
        (config_map("a") | {"data": ["x"]}, 400),
        (config_map("a", x="x" * (4 << 20)), 413),
    ],
    ids=["schema", "type", "size"],
)
def test_an_object_that_breaks_a_rule_is_invalid(api: Api, wrong: Document, status: int) -> None:
    with pytest.raises(Invalid) as error:
        api.create(MAPS, wrong)
    assert status == error.value.status
    assert len(str(error.value)) < errors.MOST_TEXT + 200


def test_a_list_that_is_compacted_while_it_is_read_is_gone(
    start_api_server: Callable[..., ApiServer], connect: Connect
) -> None:
    server = start_api_server("--watch-cache=false")
    api = connect(server.admin)
    for number in range(4):
        api.create(MAPS, config_map(f"m{number}"))
    pages = api.pages(MAPS, limit=2)
    next(pages)
    api.delete(MAPS, "m0")
    server.etcd.compact()
    with pytest.raises(Gone, match=r"410.*list anew"):
        next(pages)


def test_a_watch_from_what_the_server_has_forgotten_is_gone(
    start_api_server: Callable[..., ApiServer], connect: Connect
) -> None:
    server = start_api_server()
    api = connect(server.admin)
    version = api.list(MAPS).resource_version
    api.create(MAPS, config_map("a"))
    server.kill()
    server.start()
    with pytest.raises(Gone, match=r"410.*too old resource version"):
        list(api.watch(MAPS, version, seconds=1))


def test_a_server_that_is_down_is_unreachable(
    start_api_server: Callable[..., ApiServer], connect: Connect
) -> None:
    server = start_api_server()
    api = connect(server.admin)
    assert [] == api.list(MAPS).items
    server.kill()
    with pytest.raises(Unreachable, match=r"GET .*/configmaps got no answer.*refused"):
        api.list(MAPS)
    server.start()
    assert [] == api.list(MAPS).items


def test_a_server_that_is_silent_is_unreachable_after_the_timeout(
    api_server: ApiServer, connect: Connect, proxy: SilentProxy
) -> None:
    """Then it is asked over new connections: those that were idle may have gone dead as well."""
    api = connect(api_server.admin.through(proxy.url))

    def use_two() -> None:
        watch = api.watch(MAPS, api.list(MAPS).resource_version, seconds=1)
        assert [] == api.list(MAPS).items
        assert [] == list(watch)

    use_two()
    assert 2 == proxy.accepted
    proxy.silence()
    with pytest.raises(Unreachable, match="timed out"):
        api.list(MAPS, timeout=(0.1, 0.2))
    proxy.resume()
    use_two()
    assert 4 == proxy.accepted


def test_a_connection_that_is_cut_is_unreachable(
    api_server: ApiServer, connect: Connect, proxy: SilentProxy
) -> None:
    api = connect(api_server.admin.through(proxy.url))
    watch = api.watch(MAPS, api.list(MAPS).resource_version, seconds=20)
    proxy.cut()
    with pytest.raises(Unreachable):
        list(watch)


def test_a_certificate_of_another_is_not_trusted(
    api_server: ApiServer, connect: Connect, start_api_server: Callable[..., ApiServer]
) -> None:
    other = start_api_server()
    api = connect(replace(api_server.admin, certificate=other.certificate))
    with pytest.raises(Unreachable, match="certificate verify failed"):
        api.list(MAPS)


def test_etcd_away_is_said_to_be_not_now(
    start_api_server: Callable[..., ApiServer], connect: Connect
) -> None:
    server = start_api_server("--request-timeout=2s")
    api = connect(server.admin)
    server.etcd.kill()
    with pytest.raises((Unavailable, Unreachable)):
        api.create(MAPS, config_map("a"))


def test_a_watch_gives_what_happens_after_the_list(api: Api) -> None:
    version = api.list(MAPS).resource_version
    api.create(MAPS, config_map("a", x="1"))
    api.apply(MAPS, "a", config_map("a", x="2"), manager="one")
    api.delete(MAPS, "a")
    events = list(api.watch(MAPS, version, seconds=1))
    changes = [event for event in events if event.type != "BOOKMARK"]
    assert [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")] == [
        (event.type, json.loads(bytes(event.object))["data"]["x"]) for event in changes
    ]
    assert sorted(events, key=lambda event: int(event.resource_version)) == events


def test_a_pods_token_is_read_anew_when_it_was_rotated(
    api_server: ApiServer, tmp_path: Path
) -> None:
    """The kubelet replaces the file long before the token ends; the next call uses it."""
    api_server.namespace("logwatch")
    api_server.service_account("logwatch", "nobody")
    api_server.node("worker-1")
    bound = api_server.identity("logwatch", "nobody", node="worker-1")
    api = mounted(aged(bound, api_server.key, -2 * LEEWAY), tmp_path)
    with pytest.raises(Unauthorized):
        api.list(MAPS)
    (tmp_path / "token").write_text(bound.token + "\n")
    with pytest.raises(Forbidden, match="system:serviceaccount:logwatch:nobody"):
        api.list(MAPS)
    (tmp_path / "token").unlink()
    with pytest.raises(Unauthorized, match=r"no token.*ServiceAccount is mounted"):
        api.list(MAPS)
    api.close()


def test_without_anything_to_connect_by_it_says_what_is_missing(tmp_path: Path) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "192.0.2.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(ConnectError, match=f"ServiceAccount at {tmp_path}.*mount"):
        Api.connect(environment=environment, mounted=tmp_path)
    with pytest.raises(ConnectError, match=f"kubeconfig {tmp_path}/absent"):
        Api.connect(tmp_path / "absent")
    broken = tmp_path / "broken"
    broken.write_text("{")
    with pytest.raises(ConnectError, match=f"kubeconfig {broken}"):
        Api.connect(broken)


def test_a_proxy_that_repeats_what_it_was_sent_brings_no_token_into_a_message(
    tmp_path: Path,
) -> None:
    """No API server does so; proxies' pages of errors may."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.end_headers()
            self.wfile.write(self.headers.as_bytes())

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}"
        identity = Identity(url, tmp_path / "none", "the-token-of-somebody")
        with pytest.raises(Forbidden, match=r"Bearer \(token\)"):
            Api.connect(identity.kubeconfig(tmp_path / "kubeconfig")).list(MAPS)


def open_connections() -> set[ssl.SSLSocket]:
    """All of this process."""
    gc.collect()
    objects = (each for each in gc.get_objects() if isinstance(each, ssl.SSLSocket))
    return {each for each in objects if each.fileno() >= 0}


def test_a_server_that_was_killed_leaves_no_connection_open(
    start_api_server: Callable[..., ApiServer], connect: Connect
) -> None:
    """Neither of a watch, nor an idle one, nor one that is tried anew."""
    before = open_connections()
    server = start_api_server()
    api = connect(server.admin)
    version = api.list(MAPS).resource_version
    watches = [api.watch(MAPS, version) for _ in range(3)]
    api.list(MAPS)
    assert 4 == len(open_connections() - before)
    server.kill()
    while watches:  # what is idle is closed with the last that was opened beside it
        with pytest.raises(Unreachable):
            list(watches.pop())
    with pytest.raises(Unreachable):
        api.list(MAPS)
    assert set() == open_connections() - before


@pytest.mark.parametrize(
    ("code", "kind"), [(429, Unavailable), (503, Unavailable), (302, ClusterError)]
)
def test_an_answer_that_is_no_status_becomes_a_cut_sentence(
    code: int, kind: type[ClusterError]
) -> None:
    """Pages of proxies, which the real API server doesn't send."""
    page = b"<html>\n" + b"busy " * 1000
    error = errors.refusal("GET /api", errors.status_of(page, code, after=7))
    assert kind is type(error)
    assert 7 == error.after
    assert len(str(error)) < errors.MOST_TEXT + 100
    assert "\n" not in str(error)
