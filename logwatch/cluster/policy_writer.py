"""Brings the decided networks into the rules of the policy `blacklist`, among those of others.

The policy is the operator's: it is never made, and never a second one. Which networks in it are
ours stands in its annotation `calico-logwatch.io/networks`, as in a policy file; whatever else it
holds stays. Each change is one JSON patch that tests the resourceVersion of what was read.

The limit is that of the shape in files: 2,048 networks, at most 256 in a rule. Nothing is watched:
rights are granted for this one policy, by its names. So each write reads it, and finds what others
did to it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from logwatch.blacklist import (
    ANNOTATION,
    MAX_RULES,
    MOST,
    POLICY_KIND,
    POLICY_NAME,
    Enforced,
    NetworkError,
    Ownership,
    Spans,
    held_in,
    merged_rules,
    objection,
    ownership_of,
    parse_network,
)
from logwatch.cluster.api import Api, Document
from logwatch.cluster.calico import STORED_METADATA, V1, Calico
from logwatch.cluster.errors import ClusterError, Conflict, Invalid, NotFound, NotServed
from logwatch.cluster.kind import Kind
from logwatch.cluster.writer import ATTEMPTS, Drift, Fence, Tally, Written, accepted, counted

PLURAL = "globalnetworkpolicies"
REMEDY = {
    False: f"kubectl apply -f deploy/policies/{POLICY_NAME}.yaml",
    True: f"calicoctl apply -f deploy/policies/{POLICY_NAME}.yaml",
}
"""By whether there is only v1, which kubectl can't be given a policy of v3 for."""


class PolicyWriter:
    """A Writer (see there) of the shape `policy`."""

    def __init__(self, api: Api, calico: Calico) -> None:
        self._api = api
        self._calico = calico
        self._spans = Spans()
        self._left: str | None = None  # the annotation as we wrote it
        self._problem: str | None = None
        self._enforced = Enforced()

    def start(self) -> None:
        """There is nothing to watch."""

    def stop(self) -> None:
        """There is nothing to end."""

    def forget(self) -> None:
        """Forget what this process left: another one may have written since."""
        self._left = None

    @property
    def problem(self) -> str | None:
        """What the last write couldn't do."""
        return self._problem

    def enforced(self) -> Enforced:
        """Tell what the policy denied for TCP and UDP when it was read last."""
        return self._enforced

    def write(self, networks: Sequence[str], fence: Fence) -> Written:
        """Make exactly `networks` ours in the rules of the policy."""
        tally = Tally()
        where = f"the rules of policy {POLICY_NAME}"
        wanted = accepted(self._spans, networks, MOST["policy"], where, tally)
        try:
            self._write([span.text for span in wanted], fence, tally)
        except ClusterError as error:
            self._calico.note(error)
            tally.tell(str(error))
        self._problem = tally.problems[0] if tally.problems else None
        return tally.written()

    def _write(self, wanted: Sequence[str], fence: Fence, tally: Tally) -> None:
        kind = self._calico.kind(PLURAL)
        networks = [parse_network(text) for text in wanted]
        for _ in range(ATTEMPTS):
            policy = self._read(kind)
            own, is_lost = self._ownership(policy, kind)
            before = self._look(policy, own)
            rules, annotation = merged_rules(policy, networks, own)
            if len(rules) > MAX_RULES:
                raise Invalid(
                    f"policy {POLICY_NAME} would have more than Calico's {MAX_RULES} rules; remove"
                    " some of those of others"
                )
            operations = _operations(policy, rules, annotation)
            if operations:
                self._calico.require_ready()
                fence()
                name = policy["metadata"]["name"]
                try:
                    policy = self._api.json_patch(kind, name, operations)
                except (Conflict, NotFound) as error:  # changed meanwhile, or deleted
                    if isinstance(error, NotServed):
                        raise
                    continue
                after = self._look(policy, ownership_of({ANNOTATION: annotation}))
                tally.count(before, after)
                tally.drift += self._drift(name, before, after, is_lost=is_lost)
            self._left = annotation
            return
        raise Conflict(
            f"policy {POLICY_NAME} was changed by somebody else {ATTEMPTS} times while it was to be"
            " written: besides people, only one program may write it"
        )

    def _read(self, kind: Kind) -> Document:
        for name in self._calico.policy_names():
            try:
                policy = self._api.get(kind, name)
            except NotServed:
                raise
            except NotFound:
                continue
            wrong = objection(policy)
            if wrong is not None:
                raise Invalid(wrong.text)
            return policy
        self._enforced = Enforced()
        raise NotFound(
            f"there is no policy {POLICY_NAME} in {kind}, so nobody is denied; the operator makes"
            f" it once: {REMEDY[kind.group == V1[0]]}"
        )

    def _ownership(self, policy: Document, kind: Kind) -> tuple[Ownership, bool]:
        """Tell which networks are ours, and whether the annotation that says so was taken away."""
        annotations = policy["metadata"].get("annotations") or {}
        if ANNOTATION not in annotations and kind.group == V1[0]:
            annotations = _stored_annotations(annotations)
        try:
            if ANNOTATION in annotations or not self._left:
                return ownership_of(annotations), False
            return ownership_of({ANNOTATION: self._left}), True
        except NetworkError as error:
            raise Invalid(
                f"annotation {ANNOTATION} of policy {POLICY_NAME} is damaged: {error}; correct or"
                " remove it"
            ) from None

    def _look(self, policy: Document, own: Ownership) -> frozenset[str]:
        """Take note of what the policy denies, and give what of it is ours."""
        held = held_in(policy, own)
        ours, others = (tuple(map(str, each)) for each in (held.own, held.other))
        self._enforced = Enforced(own=ours, other=others)
        return frozenset(ours)

    def _drift(
        self, name: str, before: frozenset[str], after: frozenset[str], *, is_lost: bool
    ) -> list[Drift]:
        ours = ownership_of({ANNOTATION: self._left})
        left = {str(network) for networks in ours.values() for network in networks}
        missing = sorted((left & after) - before)
        what = [f"its annotation {ANNOTATION} was removed"] if is_lost else []
        if missing:
            what.append(f"{counted(missing)} taken out")
        return [Drift(POLICY_KIND, name, f"put right: {', '.join(what)}")] if what else []


def _operations(policy: Document, rules: list[Any], annotation: str) -> list[Document]:
    """Patch what was read, and nothing where it is right."""
    metadata, spec = policy["metadata"], policy["spec"]
    annotations = metadata.get("annotations")
    result: list[Document] = []
    if (spec.get("ingress") or []) != rules:
        result.append({"op": "add", "path": "/spec/ingress", "value": rules})
    if annotations is None and annotation:
        value: object = {ANNOTATION: annotation}
        result.append({"op": "add", "path": "/metadata/annotations", "value": value})
    elif annotations is not None and (annotations.get(ANNOTATION) or "") != annotation:
        path = f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}"
        result.append({"op": "add", "path": path, "value": annotation})
    if not result:
        return result
    version = metadata["resourceVersion"]
    return [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *result]


def _stored_annotations(annotations: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read what Calico keeps in v1 of annotations that were written through v3."""
    try:
        stored = json.loads(annotations.get(STORED_METADATA) or "{}")
        found = stored.get("annotations") or {}
    except (ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
