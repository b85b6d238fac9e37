"""CustomResourceDefinitions on the lab's API server: served, and withdrawn with their objects."""

from collections.abc import Collection, Iterable

from lab.identity import Identity, RefusedError
from lab.namespace import LabError
from lab.rsyslog import eventually

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECONDS = 20.0


def serve(admin: Identity, definitions: Collection[dict]) -> None:
    """Make them, and return when each is Established and answers in discovery and to a list."""
    for definition in definitions:
        admin.call("POST", PATH, definition)
    wait_until_served(admin, definitions)


def wait_until_served(admin: Identity, definitions: Iterable[dict]) -> None:
    """Return when those that were made are served: Established is said a moment earlier."""
    for definition in definitions:
        name = definition["metadata"]["name"]
        if not eventually(lambda definition=definition: _served(admin, definition), SECONDS):
            raise LabError(f"{name} is not served after {SECONDS:g} s")


def withdraw(admin: Identity, definitions: Collection[dict]) -> None:
    """Remove them with all their objects, and return when they are gone from discovery."""
    for definition in definitions:
        admin.call("DELETE", f"{PATH}/{definition['metadata']['name']}")
    for definition in definitions:
        if not eventually(lambda definition=definition: not _found(admin, definition), SECONDS):
            name = definition["metadata"]["name"]
            raise LabError(f"{name} is still there after {SECONDS:g} s")
    groups = {definition["spec"]["group"] for definition in definitions}
    if not eventually(lambda: not groups & _listed_without_kinds(admin), SECONDS):
        raise LabError(f"a group of {groups} is still listed after {SECONDS:g} s")


def path(definition: dict) -> str:
    """Give the path of a definition's objects, in its one version."""
    spec = definition["spec"]
    return f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"


def _served(admin: Identity, definition: dict) -> bool:
    try:
        admin.call("GET", path(definition) + "?limit=1")
    except RefusedError:
        return False
    return _found(admin, definition)


def _found(admin: Identity, definition: dict) -> bool:
    group, _, plural = path(definition).rpartition("/")
    try:
        resources = admin.call("GET", group)["resources"]
    except RefusedError:
        return False
    return any(resource["name"] == plural for resource in resources)


def _listed_without_kinds(admin: Identity) -> set[str]:
    """Groups whose last kind is gone: the list of groups follows a moment later."""
    found = set()
    for group in admin.call("GET", "/apis")["groups"]:
        try:
            admin.call("GET", f"/apis/{group['preferredVersion']['groupVersion']}")
        except RefusedError:
            found.add(group["name"])
    return found
