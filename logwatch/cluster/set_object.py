"""A GlobalNetworkSet of the API: how it is read in either group, and the patch that changes it.

What stands in `nets` is taken as text: somebody else may have written what is no network.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from logwatch.blacklist import SET_LABEL, number_of_set
from logwatch.cluster.api import Document
from logwatch.cluster.calico import STORED_METADATA, V1
from logwatch.cluster.kind import Kind
from logwatch.cluster.shards import Shard

MOST_EDITS = 200
"""Operations of one patch; for more, the list is replaced. Each costs the API server a copy."""


class _Metadata(msgspec.Struct):
    name: str = ""
    version: str = msgspec.field(default="", name="resourceVersion")
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class SetObject(msgspec.Struct):
    """What is read of a GlobalNetworkSet."""

    metadata: _Metadata
    spec: Any = None


class _StoredMetadata(msgspec.Struct):
    labels: dict[str, str] | None = None


def decoder(kind: Kind) -> Callable[[msgspec.Raw], Shard]:
    """Give what reads the JSON of one set."""
    decoder = msgspec.json.Decoder(SetObject)
    return lambda item: shard_of(decoder.decode(item), kind)


def shard_of(found: SetObject, kind: Kind) -> Shard:
    """Take what counts of a set."""
    metadata, spec = found.metadata, found.spec
    number = number_of_set({"metadata": {"name": metadata.name}})
    labels = dict(metadata.labels or {})
    stored = (metadata.annotations or {}).get(STORED_METADATA)
    if stored is not None and kind.group == V1[0]:
        labels |= _stored_labels(stored)
    is_denied = labels.get(SET_LABEL) == "true"
    has_spec = isinstance(spec, dict)
    nets = spec.get("nets") if has_spec else None
    networks: tuple[str, ...] = ()
    if isinstance(nets, list) and (is_denied or number is not None):
        networks = tuple(str(each) for each in nets)
    return Shard(
        name=metadata.name,
        number=number,
        version=metadata.version,
        is_denied=is_denied,
        networks=networks,
        labels=metadata.labels is not None,
        spec=has_spec,
        nets=isinstance(nets, list),
    )


def _stored_labels(stored: str) -> Mapping[str, str]:
    try:
        return msgspec.json.decode(stored, type=_StoredMetadata).labels or {}
    except msgspec.MsgspecError:
        return {}  # Calico drops an object with such an annotation, whatever its labels


def operations(shard: Shard, networks: Sequence[str]) -> list[Document]:
    """Patch what was read into what is wanted, and nothing else of the object."""
    result: list[Document] = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": shard.version}
    ]
    if not shard.is_denied and shard.labels:
        path = f"/metadata/labels/{SET_LABEL.replace('/', '~1')}"
        result.append({"op": "add", "path": path, "value": "true"})
    elif not shard.is_denied:
        result.append({"op": "add", "path": "/metadata/labels", "value": {SET_LABEL: "true"}})
    if not shard.spec:
        result.append({"op": "add", "path": "/spec", "value": {"nets": [*networks]}})
        return result
    edits = _edits(shard.networks, networks) if shard.nets else None
    if edits is None:  # `add` replaces what is there
        edits = [{"op": "add", "path": "/spec/nets", "value": [*networks]}]
    return [*result, *edits]


def _edits(old: Sequence[str], new: Sequence[str]) -> list[Document] | None:
    """Take out and put in single networks; None where the list had better be replaced."""
    wanted, known = frozenset(new), frozenset(old)
    out = [place for place, text in enumerate(old) if text not in wanted]
    into = [place for place, text in enumerate(new) if text not in known]
    staying = [text for text in old if text in wanted]
    if len(out) + len(into) > MOST_EDITS or staying != [text for text in new if text in known]:
        return None
    removals = ({"op": "remove", "path": f"/spec/nets/{place}"} for place in reversed(out))
    additions = (
        {"op": "add", "path": f"/spec/nets/{place}", "value": new[place]} for place in into
    )
    return [*removals, *additions]
