"""The components for the Prometheus operator and Grafana, on the real API server."""

import copy
import json
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from deploy.asking import refusal
from deploy.manifests import DEPLOY, Object, found, path, read, rendered, with_components
from lab.api_server import ApiServer, kubectl
from lab.definitions import serve
from lab.prometheus_operator import definitions

from logwatch.config.file import load

OBJECTS = {
    ("PodMonitor", "logwatch-agent"),
    ("PodMonitor", "logwatch-escalator"),
    ("PrometheusRule", "logwatch"),
    ("ConfigMap", "logwatch-dashboard"),
}
STRICT = "?fieldManager=test&force=true&fieldValidation=Strict&dryRun=All"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_components(tmp_path_factory.mktemp("components"), "prometheus", "grafana")


@pytest.fixture(scope="module")
def added(directory: Path, objects: list[Object]) -> list[Object]:
    """Give what the components add."""
    return [each for each in rendered(directory) if each not in objects]


def test_the_api_server_takes_what_the_components_add(
    cluster: ApiServer, directory: Path, added: list[Object]
) -> None:
    assert {(each["kind"], each["metadata"]["name"]) for each in added} == OBJECTS
    serve(cluster.admin, definitions())
    kubectl(cluster.admin, cluster.directory, "apply", "--validate=strict", "-k", str(directory))
    for each in added:
        kept = cluster.admin.call("GET", path(each))
        assert each.get("spec", each.get("data")) == kept.get("spec", kept.get("data"))


def test_a_misspelt_field_of_theirs_would_be_told(cluster: ApiServer, added: list[Object]) -> None:
    serve(cluster.admin, definitions())
    rule = copy.deepcopy(found(added, "PrometheusRule", "logwatch"))
    rule["spec"]["groups"][0]["rules"][0]["expression"] = "up"
    monitor = copy.deepcopy(found(added, "PodMonitor", "logwatch-agent"))
    monitor["spec"]["podMetricsEndpoints"][0]["interval"] = "half a minute"
    answers = [
        refusal(cluster.admin, "PATCH", path(each) + STRICT, each) for each in (rule, monitor)
    ]
    assert ".rules[0].expression: field not declared" in answers[0]
    assert "spec.podMetricsEndpoints[0].interval" in answers[1]


def test_the_operator_gets_the_rules_of_the_plain_file(added: list[Object]) -> None:
    [plain] = read((DEPLOY / "prometheus" / "rules.yaml").read_text())
    assert plain == found(added, "PrometheusRule", "logwatch")["spec"]


@pytest.mark.parametrize(
    ("monitor", "kind"), [("logwatch-agent", "DaemonSet"), ("logwatch-escalator", "Deployment")]
)
def test_a_monitor_finds_its_pods_and_their_port(
    added: list[Object], objects: list[Object], monitor: str, kind: str
) -> None:
    asked = found(added, "PodMonitor", monitor)
    pods = found(objects, kind, monitor)["spec"]["template"]
    assert asked["spec"]["selector"]["matchLabels"] == pods["metadata"]["labels"]
    assert asked["metadata"]["namespace"] == "calico-logwatch"
    [endpoint] = asked["spec"]["podMetricsEndpoints"]
    [container] = pods["spec"]["containers"]
    assert endpoint["port"] in {port["name"] for port in container["ports"]}


def test_with_tls_all_who_ask_do_so_by_https(cluster: ApiServer, tmp_path: Path) -> None:
    """Kubelet and Prometheus; what they need is mounted where the configuration looks for it."""
    secure = with_components(tmp_path, "prometheus", "tls")
    section = (DEPLOY / "tls" / "web.yaml").read_text()
    parts: tuple[Literal["agent", "escalator"], ...] = ("agent", "escalator")
    for part in parts:
        with (secure / "config" / f"{part}.yaml").open("a") as file:
            file.write(section)
        config = load(
            secure / "config" / f"{part}.yaml", part=part, environment={"NODE_NAME": "worker-1"}
        )
        assert {"/etc/logwatch-web"} == {
            str(Path(place).parent) for place in msgspec.structs.astuple(config.web) if place
        }
    serve(cluster.admin, definitions())
    kubectl(cluster.admin, cluster.directory, "apply", "--validate=strict", "-k", str(secure))
    changed = rendered(secure)
    for name, kind in (("logwatch-agent", "DaemonSet"), ("logwatch-escalator", "Deployment")):
        pod = found(changed, kind, name)["spec"]["template"]["spec"]
        [container] = pod["containers"]
        for probe in ("livenessProbe", "readinessProbe"):
            assert "HTTPS" == container[probe]["httpGet"]["scheme"]
        assert {"name": "web", "mountPath": "/etc/logwatch-web", "readOnly": True} in container[
            "volumeMounts"
        ]
        [volume] = [each for each in pod["volumes"] if each["name"] == "web"]
        secrets = {source["secret"]["name"] for source in volume["projected"]["sources"]}
        [endpoint] = found(changed, "PodMonitor", name)["spec"]["podMetricsEndpoints"]
        assert "https" == endpoint["scheme"]
        assert secrets == {
            endpoint["tlsConfig"]["ca"]["secret"]["name"],
            endpoint["authorization"]["credentials"]["name"],
        }


def test_tls_needs_no_prometheus_operator(tmp_path: Path) -> None:
    changed = rendered(with_components(tmp_path, "tls"))
    assert not [each for each in changed if each["kind"] == "PodMonitor"]
    assert "HTTPS" in str(found(changed, "DaemonSet", "logwatch-agent"))


def test_grafana_s_sidecar_finds_the_dashboard(added: list[Object]) -> None:
    """One that fits into a ConfigMap, by the label that the sidecar looks for."""
    dashboard = found(added, "ConfigMap", "logwatch-dashboard")
    assert {"grafana_dashboard": "1"} == dashboard["metadata"]["labels"]
    [text] = dashboard["data"].values()
    assert "calico-logwatch" == json.loads(text)["uid"]
    assert len(text) < 1 << 20
