"""The Prometheus operator's kinds for tests: minimal definitions of our own.

They hold what `deploy/` uses of them, with the operator's patterns and limits (its API reference,
monitoring.coreos.com/v1), and refuse what they don't know when it is asked for strictly.
"""

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_NUMBER = {"type": "integer", "format": "int64", "minimum": 0}
_DURATION = {
    "type": "string",
    "pattern": "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?"
    "(([0-9]+)ms)?)$",
}
_LABEL = {"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}


def _object(*required: str, **properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(required)}


def _list(items: dict) -> dict:
    return {"type": "array", "items": items}


_RELABELING = _object(
    sourceLabels=_list(_LABEL),
    separator=_TEXT,
    targetLabel=_TEXT,
    regex=_TEXT,
    replacement=_TEXT,
    action={"type": "string", "enum": ["replace", "keep", "drop", "labelmap"]},
)

_KEY = _object("key", name=_TEXT, key=_TEXT, optional={"type": "boolean"})
_PLACE = _object(secret=_KEY, configMap=_KEY)
_TLS = _object(
    ca=_PLACE,
    cert=_PLACE,
    keySecret=_KEY,
    serverName=_TEXT,
    insecureSkipVerify={"type": "boolean"},
)

_POD_MONITOR = _object(
    "selector",
    jobLabel=_TEXT,
    selector=_object(matchLabels=_TEXTS),
    sampleLimit=_NUMBER,
    labelLimit=_NUMBER,
    labelValueLengthLimit=_NUMBER,
    podMetricsEndpoints=_list(
        _object(
            port=_TEXT,
            path=_TEXT,
            interval=_DURATION,
            scrapeTimeout=_DURATION,
            honorLabels={"type": "boolean"},
            scheme={"type": "string", "enum": ["http", "https"]},
            tlsConfig=_TLS,
            authorization=_object(type=_TEXT, credentials=_KEY),
            relabelings=_list(_RELABELING),
        )
    ),
)

_RULE = _object(
    "expr",
    record=_TEXT,
    alert=_TEXT,
    expr={"x-kubernetes-int-or-string": True},
    labels=_TEXTS,
    annotations=_TEXTS,
    **{"for": _DURATION},
)

_PROMETHEUS_RULE = _object(
    groups={
        **_list(
            _object(
                "name",
                name={"type": "string", "minLength": 1},
                interval=_DURATION,
                rules=_list(_RULE),
            )
        ),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
)


def definitions() -> list[dict]:
    """Give the CustomResourceDefinitions."""
    kinds = {"PodMonitor": _POD_MONITOR, "PrometheusRule": _PROMETHEUS_RULE}
    return [_definition(kind, spec) for kind, spec in kinds.items()]


def _definition(kind: str, spec: dict) -> dict:
    singular = kind.lower()
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _object("spec", spec=spec)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{singular}s.monitoring.coreos.com",
        },
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "plural": f"{singular}s",
                "singular": singular,
                "listKind": f"{kind}List",
            },
            "versions": [version],
        },
    }
