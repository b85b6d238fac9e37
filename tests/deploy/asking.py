"""Objects to ask the API server for, and what it says."""

from typing import Any

from lab.identity import Identity, RefusedError

REPORTS = "/apis/calico-logwatch.io/v1alpha1/nodereports"
ENTRIES = "/apis/calico-logwatch.io/v1alpha1/blacklistentries"
SETS = "/apis/crd.projectcalico.org/v1/globalnetworksets"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
OURS = "calico-logwatch.io/blacklist"


def refusal(
    identity: Identity, method: str, path: str, body: object = None, patch: str = APPLY
) -> str:
    """Give the API server's sentence when it refuses, nothing when it does as asked."""
    content = patch if method == "PATCH" else "application/json"
    try:
        identity.call(method, path, body, content=content)
    except RefusedError as error:
        return str(error)
    return ""


def report(node: str, **spec: object) -> dict[str, Any]:
    """Give a node's report as its agent writes it."""
    return {
        "apiVersion": "calico-logwatch.io/v1alpha1",
        "kind": "NodeReport",
        "metadata": {"name": node},
        "spec": {
            "node": node,
            "written": "2026-11-28T12:00:00.000001Z",
            "agent": {"version": "0.1.0", "started": "2026-11-28T11:00:00.000001Z"},
            "evidence": "bG9nd2F0Y2g=",
            "sources": 3,
            "cut": 0,
            "top": [
                {"source": "203.0.113.66", "rule": "many-ports", "reached": 14, "threshold": 15}
            ],
            **spec,
        },
    }


def applied(identity: Identity, node: str, body: dict[str, Any] | None = None) -> str:
    """Apply a node's report as an agent does; give the refusal."""
    path = f"{REPORTS}/{node}?fieldManager=logwatch-agent&force=true"
    return refusal(identity, "PATCH", path, body or report(node))


def entry(name: str, cidr: str, **spec: object) -> dict[str, Any]:
    """Give an entry of the blacklist."""
    return {
        "apiVersion": "calico-logwatch.io/v1alpha1",
        "kind": "BlacklistEntry",
        "metadata": {"name": name},
        "spec": {"cidr": cidr, **spec},
    }


def network_set(name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """Give a set of networks as the escalator writes it, unless other labels are given."""
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "GlobalNetworkSet",
        "metadata": {"name": name, "labels": {OURS: "true"} if labels is None else labels},
        "spec": {"nets": ["203.0.113.7/32"]},
    }
