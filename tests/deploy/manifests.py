"""What is in deploy/: the objects as kustomize puts them together, and the files by themselves."""

import shutil
from pathlib import Path
from typing import Any

from lab.api_server import program
from lab.namespace import run
from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[2] / "deploy"
NAMESPACE = "calico-logwatch"

Object = dict[str, Any]


def read(text: str) -> list[Object]:
    """Give the objects of a YAML text."""
    return list(YAML(typ="safe", pure=True).load_all(text))


def rendered(directory: Path = DEPLOY) -> list[Object]:
    """Give what `kubectl apply -k` would apply."""
    return read(run(str(program("kubectl")), "kustomize", str(directory)))


def with_components(directory: Path, *components: str) -> Path:
    """Copy deploy/ into a directory, name components in it, and give where it is."""
    copy = directory / "deploy"
    shutil.copytree(DEPLOY, copy)
    with (copy / "kustomization.yaml").open("a") as file:
        file.write(f"components: [{', '.join(components)}]\n")
    return copy


def found(objects: list[Object], kind: str, name: str) -> Object:
    """Give one of them."""
    [one] = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return one


def path(each: Object) -> str:
    """Give where the API server keeps an object."""
    version = each["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = each["metadata"].get("namespace")
    within = f"/namespaces/{namespace}" if namespace else ""
    kind = each["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    return f"{root}{within}/{plural}/{each['metadata']['name']}"
