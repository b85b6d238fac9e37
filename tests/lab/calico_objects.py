"""Calico's objects on the lab's API server, as an administrator reads and changes them by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lab.calico import GROUPS, path
from lab.identity import Identity

LABEL = "calico-logwatch.io/blacklist"
POLICY: dict[str, Any] = {"preDNAT": True, "applyOnForward": True, "types": ["Ingress"]}


@dataclass(frozen=True, slots=True)
class Objects:
    """Those of one API group."""

    admin: Identity
    version: Literal["v1", "v3"]

    def set(self, number: int) -> dict:
        """Give one of our sets."""
        return self.admin.call("GET", self._set(number))

    def sets(self) -> dict[int, list[str]]:
        """Give the networks of our sets, in their order; an absent label counts as no network."""
        found = self.admin.call("GET", path(self.version, "GlobalNetworkSet"))["items"]
        prefix = "logwatch-blacklist-"
        return {
            int(each["metadata"]["name"].removeprefix(prefix)): each["spec"]["nets"]
            for each in found
            if each["metadata"]["name"].startswith(prefix)
            and each["metadata"].get("labels", {}).get(LABEL) == "true"
        }

    def make_set(self, name: str, networks: Sequence[str], **metadata: object) -> None:
        """Make a set; without other `metadata` with the label that has it denied."""
        metadata = metadata or {"labels": {LABEL: "true"}}
        body = {
            "apiVersion": f"{GROUPS[self.version]}/{self.version}",
            "kind": "GlobalNetworkSet",
            "metadata": {"name": name, **metadata},
            "spec": {"nets": list(networks)},
        }
        self.admin.call("POST", path(self.version, "GlobalNetworkSet"), body)

    def change_set(self, number: int, *operations: dict) -> None:
        """Change one of our sets by a JSON patch."""
        self._patch(self._set(number), operations)

    def replace_networks(self, number: int, networks: Sequence[str]) -> None:
        """Have one of our sets hold other networks."""
        value = list(networks)
        self.change_set(number, {"op": "replace", "path": "/spec/nets", "value": value})

    def delete_set(self, number: int) -> None:
        """Delete one of our sets."""
        self.admin.call("DELETE", self._set(number))

    def policy(self, name: str = "blacklist") -> dict:
        """Give a policy."""
        return self.admin.call("GET", path(self.version, "GlobalNetworkPolicy", name))

    def policies(self) -> list[str]:
        """Give the names of all policies."""
        found = self.admin.call("GET", path(self.version, "GlobalNetworkPolicy"))["items"]
        return [each["metadata"]["name"] for each in found]

    def make_policy(
        self, *rules: dict, name: str = "blacklist", annotations: dict | None = None, **spec: object
    ) -> None:
        """Make a policy that holds in front of NAT."""
        body = {
            "apiVersion": f"{GROUPS[self.version]}/{self.version}",
            "kind": "GlobalNetworkPolicy",
            "metadata": {"name": name, "annotations": annotations},
            "spec": {**POLICY, "ingress": list(rules), **spec},
        }
        self.admin.call("POST", path(self.version, "GlobalNetworkPolicy"), body)

    def change_policy(self, *operations: dict, name: str = "blacklist") -> None:
        """Change a policy by a JSON patch."""
        self._patch(path(self.version, "GlobalNetworkPolicy", name), operations)

    def delete_policy(self, name: str = "blacklist") -> None:
        """Delete a policy."""
        self.admin.call("DELETE", path(self.version, "GlobalNetworkPolicy", name))

    def datastore(self, *, ready: bool) -> None:
        """Say whether Calico's data may be written."""
        kind = "ClusterInformation"
        body = {
            "apiVersion": f"{GROUPS[self.version]}/{self.version}",
            "kind": kind,
            "metadata": {"name": "default"},
            "spec": {"datastoreReady": ready},
        }
        if self.admin.call("GET", path(self.version, kind))["items"]:
            self.admin.call("DELETE", path(self.version, kind, "default"))
        self.admin.call("POST", path(self.version, kind), body)

    def _set(self, number: int) -> str:
        return path(self.version, "GlobalNetworkSet", f"logwatch-blacklist-{number}")

    def _patch(self, where: str, operations: Sequence[dict]) -> None:
        content = "application/json-patch+json"
        self.admin.call("PATCH", where, list(operations), content=content)
