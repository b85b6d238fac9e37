"""Our networks in the rules of the blacklist policy, and those of others beside them.

A rule is ours when all its networks stand in the policy's annotation. What others wrote is never
removed, and a network that lies in one of theirs is left to them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from logwatch.blacklist import comments
from logwatch.blacklist.contents import Contents, Found, appended, objects, refused_behind
from logwatch.blacklist.document import DocumentError, dump, indentation_of, rewritten
from logwatch.blacklist.networks import Network, NetworkError
from logwatch.blacklist.ownership import (
    Held,
    Ownership,
    annotation,
    denials,
    held_in,
    is_ours,
    objection,
    ownership_of,
    rules_for,
)
from logwatch.blacklist.policy import (
    ANNOTATION,
    MAX_ANNOTATIONS,
    MAX_RULES,
    NAME,
    Deny,
    blacklist_policy,
    is_blacklist,
    rule_document,
)
from logwatch.blacklist.splice import spliced

_HEADER = (
    "# Written by logwatch. It adds and removes the networks named in the annotation;\n"
    "# whatever else is put into this file stays.\n"
)


@lru_cache(4)
def held(found: Found | None) -> Held:
    """Tell what the policy's rules deny now.

    Raises `DocumentError` when the policy is of another shape.
    """
    if found is None:
        return Held()
    check(found)
    return held_in(found.policy, _ownership(found))


def merged(contents: Contents, networks: Sequence[Network]) -> Contents:
    """Make exactly `networks` (disjoint, sorted) ours in the policy; it is added if there is none.

    The very same contents are returned when there is nothing to change. Raises `DocumentError` when
    the text must not be changed.
    """
    if contents.found is None:
        if not networks:
            return contents
        contents = appended(contents, _HEADER + dump(blacklist_policy(())))
    found = contents.found
    if found is None:
        raise refused_behind(contents)
    check(found)
    wanted = rules_for(found.policy, networks, _ownership(found))
    ours = _ours(found)
    if ours.are_pure and _is_right(found.policy, ours.indexes, wanted):
        return contents
    others = len(found.policy["spec"].get("ingress") or ()) - len(ours.indexes)
    if others + len(wanted) > MAX_RULES:
        raise DocumentError(
            found.line,
            f"policy {NAME!r} would have more than Calico's {MAX_RULES} rules; remove some of "
            f"the {others} others",
        )
    new = _by_lines(contents, wanted) or _by_round_trip(contents, wanted)
    if new.found is not None and size(new.found.policy) > MAX_ANNOTATIONS:
        raise DocumentError(
            found.line,
            f"policy {NAME!r} would be larger than the {MAX_ANNOTATIONS} bytes that Kubernetes "
            "takes of annotations, in which `kubectl apply` copies it; remove what others wrote, "
            "or have networks written into sets (blacklist.shape)",
        )
    return new


def size(policy: CommentedMap) -> int:
    """Bytes of annotations that the policy needs, with the copy that `kubectl apply` adds."""
    annotations = policy["metadata"].get("annotations") or {}
    own = sum(len(f"{key}{value}".encode()) for key, value in annotations.items())
    return own + len(json.dumps(policy, separators=(",", ":"), default=str))


@dataclass(frozen=True, slots=True)
class _Ours:
    """Rules that are ours, and whether networks of ours stand in no other one."""

    indexes: tuple[int, ...]
    are_pure: bool


@lru_cache(4)
def _ours(found: Found) -> _Ours:
    policy, own = found.policy, _ownership(found)
    indexes: list[int] = []
    are_pure = True
    for index, protocols, networks in denials(policy):
        mine = [is_ours(network, protocols, own) for network in networks]
        if all(mine):
            indexes.append(index)
        elif any(mine):
            are_pure = False
    return _Ours(tuple(indexes), are_pure)


def _is_right(policy: CommentedMap, ours: Sequence[int], wanted: Sequence[Deny]) -> bool:
    rules = policy["spec"].get("ingress") or ()
    annotations = policy["metadata"].get("annotations") or {}
    return (
        len(ours) == len(wanted)
        and all(_holds(rules[index], rule) for index, rule in zip(ours, wanted, strict=True))
        and (annotations.get(ANNOTATION) or "") == annotation(wanted)
    )


def _holds(rule: CommentedMap, wanted: Deny) -> bool:
    return bool(
        rule.get("protocol") == wanted.protocol
        and rule["source"]["nets"] == [str(network) for network in wanted.networks]
    )


def _by_lines(contents: Contents, wanted: Sequence[Deny]) -> Contents | None:
    """Change only the lines of our networks; None where they stand in another style."""
    found = contents.found
    assert found is not None  # noqa: S101 - for the type checker; merged() has made sure
    ours = _ours(found)
    if not ours.are_pure:
        return None
    body = spliced(found.reading, found.policy, ours.indexes, wanted, annotation(wanted))
    if body is None:
        return None
    part = contents.parts[found.part]
    try:
        new = contents.changed({found.part: replace(part, body=body)})
        is_proven = new.found is not None and _is_proven(found, new.found, wanted)
    except DocumentError:
        is_proven = False
    return new if is_proven else None


def _is_proven(before: Found, found: Found, wanted: Sequence[Deny]) -> bool:
    """Whether the rules are those that are wanted, and all else is what it was."""
    return _is_all_ours(found, wanted) and _rest(before) == _rest(found)


def _is_all_ours(found: Found, wanted: Sequence[Deny]) -> bool:
    ours = _ours(found)
    return ours.are_pure and _is_right(found.policy, ours.indexes, wanted)


def _rest(found: Found) -> Any:  # noqa: ANN401 -- a document
    """The policy without what is ours."""
    policy, ours = found.policy, _ours(found).indexes
    annotations = dict(policy["metadata"].get("annotations") or {})
    annotations.pop(ANNOTATION, None)
    rules = [
        rule for index, rule in enumerate(policy["spec"].get("ingress") or ()) if index not in ours
    ]
    return (
        {**policy, "metadata": None, "spec": None},
        {**policy["metadata"], "annotations": annotations},
        {**policy["spec"], "ingress": rules},
    )


def _by_round_trip(contents: Contents, wanted: Sequence[Deny]) -> Contents:
    """Have ruamel.yaml write the document anew.

    With one network in each rule at first, since what it takes grows with them: the others are put
    in by lines, if what it wrote allows it.
    """
    few = [Deny(rule.protocol, rule.networks[:1]) for rule in wanted]
    if few != list(wanted):
        try:
            skeleton = round_trip(contents, few)
        except DocumentError:
            skeleton = None
        filled = None if skeleton is None else _by_lines(skeleton, wanted)
        if filled is not None:
            return filled
    return round_trip(contents, wanted)


def round_trip(contents: Contents, wanted: Sequence[Deny]) -> Contents:
    """Have ruamel.yaml read and write the whole document, and read back what it wrote.

    YAML has corners (aliases) that no merge foresees. Raises `DocumentError` for them.
    """
    found = contents.found
    assert found is not None  # noqa: S101 - as in _by_lines
    part = contents.parts[found.part]
    root = part.load()
    indentation = indentation_of(root)
    policy = next(each for each in objects(root) if is_blacklist(each))
    _merge_policy(policy, wanted)
    try:
        new = contents.changed({found.part: rewritten(part, root, indentation)})
        is_proven = (
            new.found is not None
            and new.documents[found.part].reading.root == root
            and _is_all_ours(new.found, wanted)
        )
    except DocumentError:
        is_proven = False
    if not is_proven:
        raise DocumentError(
            found.line,
            f"policy {NAME!r} is written in a way that can't be changed safely; plain YAML without "
            "anchors and aliases would do",
        )
    return new


def check(found: Found) -> None:
    """Refuse a policy of another shape than the tutorial's: adding to it might do harm."""
    wrong = objection(found.policy)
    if wrong is not None:
        line = found.line if wrong.rule is None else found.line_of_rule(wrong.rule)
        raise DocumentError(line, wrong.text)


@lru_cache(4)
def _ownership(found: Found) -> Ownership:
    """Read the annotation. Raises `DocumentError` when it is damaged."""
    try:
        return ownership_of(found.policy["metadata"].get("annotations"))
    except NetworkError as error:
        raise DocumentError(
            found.line, f"annotation {ANNOTATION} is damaged: {error}; correct or remove it"
        ) from error


def _merge_policy(policy: CommentedMap, wanted: Sequence[Deny]) -> None:
    """Change the policy in place."""
    own = ownership_of(policy["metadata"].get("annotations"))
    spec = policy["spec"]
    ours: list[int] = []
    for index, protocols, networks in list(denials(policy)):
        mine = [place for place, network in enumerate(networks) if is_ours(network, protocols, own)]
        if len(mine) == len(networks):
            ours.append(index)
            continue
        for place in reversed(mine):
            comments.remove(spec["ingress"][index]["source"], "nets", place)
    _merge_rules(spec, ours, wanted)
    _annotate(policy["metadata"], wanted)


def _merge_rules(spec: CommentedMap, ours: Sequence[int], wanted: Sequence[Deny]) -> None:
    rules = spec.get("ingress")
    for index, rule in zip(ours, wanted, strict=False):
        _set_rule(rules[index], rule)
    for index in reversed(ours[len(wanted) :]):
        comments.remove(spec, "ingress", index)
    new = wanted[len(ours) :]
    if not new:
        return
    if rules is None:
        rules = spec["ingress"] = CommentedSeq()
    start = ours[-1] + 1 if ours else len(rules)
    for index, rule in enumerate(new, start):
        comments.insert(spec, "ingress", index, node(rule_document(rule)))


def node(value: object) -> object:
    """Turn plain collections into ones that can carry comments."""
    if isinstance(value, dict):
        return CommentedMap({key: node(item) for key, item in value.items()})
    if isinstance(value, list):
        return CommentedSeq([node(item) for item in value])
    return value


def _set_rule(rule: CommentedMap, wanted: Deny) -> None:
    if rule.get("protocol") != wanted.protocol:
        rule["protocol"] = wanted.protocol
    set_items(rule["source"], "nets", [str(network) for network in wanted.networks])


def set_items(parent: CommentedMap, key: str, wanted: Sequence[str]) -> None:
    """Make `parent[key]` hold `wanted`; what stays keeps its comment if it was in this order."""
    items: CommentedSeq = parent[key]
    places = {text: place for place, text in reversed(list(enumerate(items)))}
    position = 0
    staying: set[int] = set()
    kept: set[str] = set()
    for text in wanted:
        place = places.get(text, -1)
        if place >= position:
            staying.add(place)
            kept.add(text)
            position = place + 1
    for place in reversed(range(len(items))):
        if place not in staying:
            if len(items) == 1:  # another one first, or the list would lose its style
                break
            comments.remove(parent, key, place)
    for place, text in enumerate(wanted):
        if text not in kept:
            comments.insert(parent, key, place, text)
    if len(items) > len(wanted):
        comments.remove(parent, key, len(items) - 1)


def _annotate(metadata: CommentedMap, wanted: Sequence[Deny]) -> None:
    text = annotation(wanted)
    annotations = metadata.get("annotations")
    if annotations is None:
        if not text:
            return
        if "annotations" in metadata:
            del metadata["annotations"]
        metadata.insert(0, "annotations", CommentedMap({ANNOTATION: text}))
    elif (annotations.get(ANNOTATION) or "") != text:
        annotations[ANNOTATION] = text
