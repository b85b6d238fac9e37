"""The API server takes everything in deploy/, and nothing in it is misspelt."""

import copy
import re
import shlex
import tomllib
from pathlib import Path
from typing import Literal

import pytest
from deploy.asking import refusal
from deploy.manifests import DEPLOY, Object, found, path, with_components
from lab.api_server import ApiServer, kubectl

from logwatch.config.file import load
from logwatch.offenders.language import default_rules, read

STRICT = "?fieldManager=test&force=true&fieldValidation=Strict&dryRun=All"
RULES = DEPLOY / "config" / "offenders.rules"


def strictly(cluster: ApiServer, each: Object) -> str:
    return refusal(cluster.admin, "PATCH", path(each) + STRICT, each)


def test_every_manifest_is_accepted_with_strict_validation(
    cluster: ApiServer, objects: list[Object]
) -> None:
    assert [] == [answer for each in objects if (answer := strictly(cluster, each))]


def test_a_cluster_can_be_changed_to_the_components(cluster: ApiServer, tmp_path: Path) -> None:
    directory = with_components(tmp_path, "state-in-pod", "policy-shape")
    told = kubectl(
        *(cluster.admin, cluster.directory),
        *("apply", "--dry-run=server", "--validate=strict", "-k", str(directory)),
    )
    assert "daemonset.apps/logwatch-agent configured (server dry run)" in told
    assert "clusterrole.rbac.authorization.k8s.io/logwatch-escalator-policy created" in told


def test_a_misspelt_field_would_be_told(cluster: ApiServer, objects: list[Object]) -> None:
    daemonset = copy.deepcopy(found(objects, "DaemonSet", "logwatch-agent"))
    daemonset["spec"]["template"]["spec"]["toleration"] = []
    assert ".spec.template.spec.toleration: field not declared" in strictly(cluster, daemonset)


def test_applying_it_again_changes_nothing(cluster: ApiServer) -> None:
    """So that Git and the cluster don't differ for ever."""
    assert "" == kubectl(cluster.admin, cluster.directory, "diff", "-k", str(DEPLOY))


def test_the_commands_of_the_document_work(cluster: ApiServer) -> None:
    """With a Namespace of this cluster where the document has NAME."""
    text = (DEPLOY.parent / "docs" / "cluster.md").read_text()
    commands = re.findall(r"^kubectl ([^#\n]+)", text, re.MULTILINE)
    assert 5 == len(commands)
    for command in commands:
        arguments = shlex.split(command.replace("NAME", "default"))
        places = {"deploy/": str(DEPLOY)}
        kubectl(cluster.admin, cluster.directory, *(places.get(each, each) for each in arguments))


def test_the_image_has_the_version_of_this_source(objects: list[Object]) -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    assert {f"{project['name']}:{project['version']}"} == {
        container["image"]
        for each in objects
        if each["kind"] in {"DaemonSet", "Deployment"}
        for kind in ("containers", "initContainers")
        for container in each["spec"]["template"]["spec"].get(kind, [])
    }


def test_the_rules_are_those_of_logwatch_and_one_for_many_nodes() -> None:
    rules = read(RULES.read_bytes(), str(RULES)).rules
    assert default_rules() == rules[:-1]
    assert "many-nodes" == rules[-1].name


@pytest.mark.parametrize("part", ["agent", "escalator"])
def test_the_configuration_is_understood(part: Literal["agent", "escalator"]) -> None:
    """As the Pod reads it, to which the node's name is told."""
    config = load(
        DEPLOY / "config" / f"{part}.yaml", part=part, environment={"NODE_NAME": "worker-1"}
    )
    assert ("observe", "/etc/logwatch/offenders.rules") == (config.mode, config.rules)
    assert (True, "worker-1") == (config.cluster.enabled, config.cluster.node)


def test_a_change_of_the_configuration_restarts_its_readers_alone(
    objects: list[Object],
) -> None:
    """What is mounted has a name that is made from what is in it."""
    mounted = {
        each["metadata"]["name"]: volume["configMap"]["name"]
        for each in objects
        if each["kind"] in {"DaemonSet", "Deployment"}
        for volume in each["spec"]["template"]["spec"]["volumes"]
        if "configMap" in volume
    }
    assert {
        name: found(objects, "ConfigMap", name)["data"].keys() for name in mounted.values()
    } == {
        mounted["logwatch-agent"]: {"agent.yaml", "offenders.rules"},
        mounted["logwatch-escalator"]: {"escalator.yaml", "offenders.rules"},
    }
