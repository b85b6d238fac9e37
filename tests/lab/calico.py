"""Calico's kinds for tests: minimal definitions of our own with the limits that Calico publishes.

The limits are those of Calico 3.33: 256 `source.nets`, 50 ports and 1,024 rules, networks as sets,
and (since 3.32) what preDNAT and doNotTrack exclude. The text of a network isn't checked, as
Calico's own definitions don't. Everything is cluster-scoped.

What this is not: with Calico's aggregated API server both groups show the same objects, converted,
with policies under another name. Here `both` is two independent sets of kinds, so that a test sees
through which group something was written. Rights by tier, which that server and the webhook of
native v3 add, are not checked either.
"""

from typing import Literal

Arrangement = Literal["v1", "v3", "both"]
GROUPS = {"v1": "crd.projectcalico.org", "v3": "projectcalico.org"}

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_INTEGER = {"type": "integer"}
_ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_NUMBER_OR_NAME = {"x-kubernetes-int-or-string": True}


def _object(**properties: dict) -> dict:
    return {"type": "object", "properties": properties}


def _list(items: dict, **limits: object) -> dict:
    return {"type": "array", "items": items, **limits}


def _networks(**limits: object) -> dict:
    return _list(_TEXT, **{"x-kubernetes-list-type": "set"}, **limits)


def _true(flag: str) -> str:
    return f"(has(self.{flag}) && self.{flag})"


_PORTS = _list(_NUMBER_OR_NAME, maxItems=50)
_SIDE = _object(
    nets=_networks(maxItems=256),
    notNets=_networks(),
    selector=_TEXT,
    notSelector=_TEXT,
    namespaceSelector=_TEXT,
    ports=_PORTS,
    notPorts=_PORTS,
    services=_ANY,
    serviceAccounts=_ANY,
)
_RULE = _object(
    action=_TEXT,
    ipVersion=_INTEGER,
    protocol=_NUMBER_OR_NAME,
    notProtocol=_NUMBER_OR_NAME,
    source=_SIDE,
    destination=_SIDE,
    icmp=_ANY,
    notICMP=_ANY,
    http=_ANY,
    metadata=_object(annotations={"type": "object", "additionalProperties": _TEXT}),
) | {"required": ["action"]}
_RULES = _list(_RULE, maxItems=1024)
_POLICY = _object(
    tier=_TEXT,
    order={"type": "number"},
    ingress=_RULES,
    egress=_RULES,
    selector=_TEXT,
    types=_list(_TEXT, maxItems=2),
    doNotTrack=_FLAG,
    preDNAT=_FLAG,
    applyOnForward=_FLAG,
    serviceAccountSelector=_TEXT,
    namespaceSelector=_TEXT,
    performanceHints=_list(_TEXT),
) | {
    "x-kubernetes-validations": [
        {
            "rule": f"!({_true('preDNAT')} && {_true('doNotTrack')})",
            "message": "preDNAT and doNotTrack cannot both be true",
        },
        {
            "rule": f"!{_true('preDNAT')} || ((!has(self.egress) || size(self.egress) == 0)"
            " && (!has(self.types) || !('Egress' in self.types)))",
            "message": "preDNAT policies cannot have egress rules",
        },
        {
            "rule": f"!({_true('preDNAT')} || {_true('doNotTrack')}) || {_true('applyOnForward')}",
            "message": "preDNAT and doNotTrack need applyOnForward",
        },
    ]
}

# kind -> short names, which only v3 has, and the schema of its spec
KINDS: dict[str, tuple[list[str], dict]] = {
    "GlobalNetworkPolicy": (["gnp", "cgnp"], _POLICY),
    "GlobalNetworkSet": (["gns"], _object(nets=_networks())),
    "HostEndpoint": (
        [],
        _object(node=_TEXT, interfaceName=_TEXT, expectedIPs=_list(_TEXT), profiles=_list(_TEXT)),
    ),
    "IPPool": (
        [],
        _object(cidr=_TEXT, disabled=_FLAG, natOutgoing=_FLAG, blockSize=_INTEGER, ipipMode=_TEXT)
        | {"required": ["cidr"]},
    ),
    "ClusterInformation": (
        [],
        _object(clusterGUID=_TEXT, calicoVersion=_TEXT, datastoreReady=_FLAG, variant=_TEXT),
    ),
    "Tier": ([], _object(order={"type": "number"}, defaultAction=_TEXT)),
}


def definitions(arrangement: Arrangement) -> list[dict]:
    """Give the CustomResourceDefinitions of one arrangement."""
    versions = ["v1", "v3"] if arrangement == "both" else [arrangement]
    return [_definition(version, kind) for version in versions for kind in KINDS]


def plural(kind: str) -> str:
    """Give a kind's name in paths and rights."""
    return kind.lower().removesuffix("y") + "ies" if kind.endswith("y") else kind.lower() + "s"


def path(version: Literal["v1", "v3"], kind: str, name: str = "") -> str:
    """Give the path of a kind's objects, or of one of them."""
    return f"/apis/{GROUPS[version]}/{version}/{plural(kind)}" + (f"/{name}" if name else "")


def _definition(version: str, kind: str) -> dict:
    short_names, spec = KINDS[kind]
    group = GROUPS[version]
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural(kind)}
    names["singular"] = kind.lower()
    if version == "v3" and short_names:
        names["shortNames"] = short_names
    whole = _object(apiVersion=_TEXT, kind=_TEXT, metadata={"type": "object"}, spec=spec)
    served = {
        "name": version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": whole},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural(kind)}.{group}"},
        "spec": {"group": group, "scope": "Cluster", "names": names, "versions": [served]},
    }
