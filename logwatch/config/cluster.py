"""The section `cluster`: whether this process is a part of one, and how it is called there.

An agent in a cluster tells what it saw and decides nothing; the escalator decides, and writes to
Calico instead of to a file.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

Part = Literal["agent", "escalator"]
"""Who reads the configuration."""

NODE_NAME = "NODE_NAME"
"""Where a Pod's environment holds the name of its node, from spec.nodeName."""

IN_A_CLUSTER = "in a cluster (cluster.enabled)"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_NAME_MOST = 253
_REPORTS_MOST = 1000


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to take part in a cluster."""

    enabled: bool = False
    node: str = ""
    """Of an agent; where empty, what the environment calls it."""
    namespace: str = "calico-logwatch"
    """Where the escalator keeps its Lease and its state."""
    kubeconfig: str | None = None
    """None is the Pod's ServiceAccount; outside a Pod, the user's own file."""
    reports_per_second: int = 15
    """Of all nodes together, at the most; four times as many after a new offender. The same for
    agents and escalators."""

    def at(self, environment: Mapping[str, str]) -> "Cluster":
        """Take the node's name from the environment, where none is given."""
        return msgspec.structs.replace(self, node=self.node or environment.get(NODE_NAME, ""))


def problems_of(
    cluster: Cluster, mode: str, policy_file: str | None, part: Part | None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Tell what doesn't go together, or is no name: the key, and what is wrong with it."""
    if not cluster.enabled:
        if part == "escalator":
            yield ("cluster", "enabled"), "the escalator is a part of a cluster: set it to true"
        return
    if policy_file is not None:
        text = "nobody writes a file, the escalator writes to Calico: leave it out (--policy-file)"
        yield ("policy_file",), f"{IN_A_CLUSTER} {text}"
    if part == "agent" and mode != "observe":
        text = "an agent only tells what it saw, and the escalator decides: leave it out (--mode)"
        yield ("mode",), f"{mode}, but {IN_A_CLUSTER} {text}"
    if part == "agent" and not cluster.node:
        text = f"not known: give it, or set {NODE_NAME} in the environment (from spec.nodeName)"
        yield ("cluster", "node"), text
    if len(cluster.node) > _NAME_MOST or not _SUBDOMAIN.fullmatch(cluster.node or "unknown"):
        yield ("cluster", "node"), f"{cluster.node[:_NAME_MOST]!r} is not a node's name"
    if not 1 <= cluster.reports_per_second <= _REPORTS_MOST:
        text = f"{cluster.reports_per_second} is not between 1 and {_REPORTS_MOST}"
        yield ("cluster", "reports_per_second"), text
    if not _LABEL.fullmatch(cluster.namespace):
        yield ("cluster", "namespace"), f"{cluster.namespace[:_NAME_MOST]!r} is no namespace"
    if cluster.kubeconfig is not None and (not cluster.kubeconfig or "\0" in cluster.kubeconfig):
        yield ("cluster", "kubeconfig"), f"{cluster.kubeconfig!r} is not a path"
