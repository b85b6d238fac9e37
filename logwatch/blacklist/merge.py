"""What a policy text denies now, and the same text with our networks replaced.

A rule is ours when all its networks stand in the policy's annotation. What others wrote is never
removed, and a network that lies in one of theirs is left to them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from logwatch.blacklist import comments
from logwatch.blacklist.document import (
    DocumentError,
    Found,
    Part,
    dump,
    find,
    join,
    rewritten,
    split,
)
from logwatch.blacklist.networks import Cover, Network, NetworkError, collapse, parse_network
from logwatch.blacklist.policy import (
    ANNOTATION,
    MAX_RULES,
    NAME,
    PROTOCOLS,
    Deny,
    blacklist_policy,
    deny_rules,
    read_deny,
    rule_document,
)

Ownership = dict[str, frozenset[Network]]
"""For each protocol the networks that are ours."""

_ONLY = ":"
"""In the annotation, `UDP:203.0.113.7/32` is ours for UDP only: others deny it for TCP."""

_HEADER = (
    "# Written by logwatch. It adds and removes the networks named in the annotation;\n"
    "# whatever else is put into this file stays.\n"
)


@contextmanager
def _understood() -> Iterator[None]:
    """Refuse a text that ruamel.yaml reads into something no one foresees (by tags, by aliases).

    Whatever stands in the file, it must not end the program that looks after it.
    """
    try:
        yield
    except DocumentError:
        raise
    except Exception as error:
        raise DocumentError(
            None,
            f"this can't be understood ({type(error).__name__}); plain YAML without tags, anchors "
            "and aliases would do",
        ) from error


@dataclass(frozen=True, slots=True)
class Held:
    """What a text denies for TCP and UDP alike, whatever the destination and the port."""

    own: tuple[Network, ...] = ()
    """Those of the annotation's networks that are denied."""
    other: tuple[Network, ...] = ()
    """What others wrote."""


@_understood()
def held(text: str) -> Held:
    """Tell what `text` denies now.

    Raises `DocumentError` when the text can't be read, or its blacklist is of another shape.
    """
    found = find(split(text))
    if found is None:
        return Held()
    _check(found)
    return _held(found)


def _held(found: Found) -> Held:
    own = _ownership(found)
    ours = frozenset().union(*own.values())
    return Held(
        own=tuple(network for network in _in_both(_denied(found.policy)) if network in ours),
        other=_in_both(_denied(found.policy, without=own)),
    )


@_understood()
def merge(text: str, networks: Sequence[Network]) -> tuple[str, Held]:
    """Return `text` with exactly `networks` (disjoint, sorted) as ours, and what it then denies.

    The very same text is returned when there is nothing to change. Raises `DocumentError` when the
    text can't be read or must not be changed.
    """
    parts = split(text)
    found = find(parts)
    if found is None:
        return (_append(text, parts[-1], networks) if networks else text), Held(tuple(networks))
    _check(found)
    theirs = _denied(found.policy, without=_ownership(found))
    wanted = deny_rules(*(_left(networks, theirs[protocol]) for protocol in PROTOCOLS))
    if not _merge_policy(found, wanted):
        return text, _held(found)
    parts[found.part] = rewritten(parts[found.part], found)
    return join(parts), _proven(parts, found, wanted)


def _append(text: str, last: Part, networks: Sequence[Network]) -> str:
    if text and not text.endswith("\n"):
        text += "\n"
    lines = (line.strip() for line in last.body.splitlines())
    marker = "" if all(not line or line.startswith("#") for line in lines) else "---\n"
    longer = text + marker + _HEADER + dump(blacklist_policy(networks))
    try:
        is_safe = held(longer).own == tuple(networks)
    except DocumentError:
        is_safe = False
    if not is_safe:
        raise DocumentError(
            last.line + 1,
            f"no policy {NAME!r} can be put behind this document; add an empty one by hand, or "
            "name another file",
        )
    return longer


def _check(found: Found) -> None:
    """Refuse a policy of another shape than the tutorial's: adding to it might do harm."""
    annotations = found.policy["metadata"].get("annotations")
    if annotations is not None and not isinstance(annotations, CommentedMap):
        raise DocumentError(
            found.line, f"metadata.annotations of policy {NAME!r} is no mapping; make it one"
        )
    spec = found.policy.get("spec")
    if not isinstance(spec, CommentedMap):
        raise DocumentError(found.line, f"spec of policy {NAME!r} is no mapping; make it one")
    if spec.get("preDNAT") is not True and spec.get("doNotTrack") is not True:
        raise DocumentError(
            found.line,
            f"policy {NAME!r} has neither preDNAT nor doNotTrack, so Calico would deny all that "
            "its rules don't name; set preDNAT and applyOnForward to true",
        )
    rules = spec.get("ingress")
    if rules is not None and not isinstance(rules, CommentedSeq):
        raise DocumentError(
            found.line, f"spec.ingress of policy {NAME!r} is no list; make it a list of rules"
        )
    for index, rule in enumerate(rules or ()):
        action = rule.get("action") if isinstance(rule, CommentedMap) else None
        if action not in ("Deny", "Log", "Pass"):
            raise DocumentError(
                found.line_of(spec["ingress"], index),
                f"a rule of policy {NAME!r} has action {action!r}; only Deny, Log and Pass belong "
                "into a blacklist",
            )


def _ownership(found: Found) -> Ownership:
    """Read the annotation. Raises `DocumentError` when it is damaged."""
    annotations = found.policy["metadata"].get("annotations") or {}
    own: dict[str, set[Network]] = {protocol: set() for protocol in PROTOCOLS}
    for word in str(annotations.get(ANNOTATION) or "").split():
        protocol, is_one, text = word.partition(_ONLY)
        protocols = (protocol,) if is_one and protocol in PROTOCOLS else PROTOCOLS
        try:
            network = parse_network(text if protocols != PROTOCOLS else word)
        except NetworkError as error:
            raise DocumentError(
                found.line, f"annotation {ANNOTATION} is damaged: {error}; correct or remove it"
            ) from error
        for each in protocols:
            own[each].add(network)
    return {protocol: frozenset(networks) for protocol, networks in own.items()}


def _denials(policy: CommentedMap) -> Iterator[tuple[int, tuple[str, ...], list[Network]]]:
    """Index, protocols and networks of each rule that denies nothing but networks."""
    for index, rule in enumerate(policy["spec"].get("ingress") or ()):
        denied = read_deny(rule)
        if denied is not None:
            yield index, *denied


def _denied(policy: CommentedMap, without: Ownership | None = None) -> dict[str, list[Network]]:
    """Collect the networks denied for each protocol, leaving some out."""
    result: dict[str, list[Network]] = {protocol: [] for protocol in PROTOCOLS}
    for _, protocols, networks in _denials(policy):
        for network in networks:
            if without is None or not _is_ours(network, protocols, without):
                for protocol in protocols:
                    result[protocol].append(network)
    return result


def _is_ours(network: Network, protocols: Iterable[str], own: Ownership) -> bool:
    return all(network in own[protocol] for protocol in protocols)


def _in_both(networks: dict[str, list[Network]]) -> tuple[Network, ...]:
    tcp, udp = (networks[protocol] for protocol in PROTOCOLS)
    return collapse([*_inside(tcp, udp), *_inside(udp, tcp)])


def _inside(networks: Iterable[Network], holders: Iterable[Network]) -> list[Network]:
    cover = Cover(holders)
    return [network for network in networks if cover.holds(network)]


def _left(networks: Iterable[Network], holders: Iterable[Network]) -> list[Network]:
    cover = Cover(holders)
    return [network for network in networks if not cover.holds(network)]


def _merge_policy(found: Found, wanted: Sequence[Deny]) -> bool:
    """Change the policy in place; False when there was nothing to change."""
    own = _ownership(found)
    spec = found.policy["spec"]
    ours: list[int] = []
    changed = False
    for index, protocols, networks in list(_denials(found.policy)):
        mine = [
            place for place, network in enumerate(networks) if _is_ours(network, protocols, own)
        ]
        if len(mine) == len(networks):
            ours.append(index)
            continue
        for place in reversed(mine):
            comments.remove(spec["ingress"][index]["source"], "nets", place)
            changed = True
    others = len(spec.get("ingress") or ()) - len(ours)
    if others + len(wanted) > MAX_RULES:
        raise DocumentError(
            found.line,
            f"policy {NAME!r} would have more than Calico's {MAX_RULES} rules; remove some of "
            f"the {others} others",
        )
    changed |= _merge_rules(spec, ours, wanted)
    changed |= _annotate(found.policy["metadata"], wanted)
    return changed


def _merge_rules(spec: CommentedMap, ours: Sequence[int], wanted: Sequence[Deny]) -> bool:
    rules = spec.get("ingress")
    changed = len(ours) != len(wanted)
    for index, rule in zip(ours, wanted, strict=False):
        changed |= _set_rule(rules[index], rule)
    for index in reversed(ours[len(wanted) :]):
        comments.remove(spec, "ingress", index)
    new = wanted[len(ours) :]
    if not new:
        return changed
    if rules is None:
        rules = spec["ingress"] = CommentedSeq()
    start = ours[-1] + 1 if ours else len(rules)
    for index, rule in enumerate(new, start):
        comments.insert(spec, "ingress", index, _node(rule_document(rule)))
    return changed


def _node(value: object) -> object:
    """Turn plain collections into ones that can carry comments."""
    if isinstance(value, dict):
        return CommentedMap({key: _node(item) for key, item in value.items()})
    if isinstance(value, list):
        return CommentedSeq([_node(item) for item in value])
    return value


def _set_rule(rule: CommentedMap, wanted: Deny) -> bool:
    changed = False
    if rule.get("protocol") != wanted.protocol:
        rule["protocol"] = wanted.protocol
        changed = True
    source: CommentedMap = rule["source"]
    texts = [str(network) for network in wanted.networks]
    if source["nets"] == texts:
        return changed
    _set_items(source, "nets", texts)
    return True


def _set_items(parent: CommentedMap, key: str, wanted: Sequence[str]) -> None:
    """Make `parent[key]` hold `wanted`; what stays keeps its comment if it was in this order."""
    items: CommentedSeq = parent[key]
    position = 0
    for text in wanted:
        if text in items[position:]:
            position = items.index(text, position) + 1
        else:
            comments.insert(parent, key, position, text)
            position += 1
    expected = len(wanted) - 1
    for index in reversed(range(len(items))):
        if expected >= 0 and items[index] == wanted[expected]:
            expected -= 1
        else:
            comments.remove(parent, key, index)


def _annotate(metadata: CommentedMap, wanted: Sequence[Deny]) -> bool:
    text = _annotation(wanted)
    annotations = metadata.get("annotations")
    if annotations is None:
        if not text:
            return False
        if "annotations" in metadata:
            del metadata["annotations"]
        metadata.insert(0, "annotations", CommentedMap({ANNOTATION: text}))
        return True
    if (annotations.get(ANNOTATION) or "") == text:
        return False
    annotations[ANNOTATION] = text
    return True


def _annotation(wanted: Iterable[Deny]) -> str:
    own: dict[str, set[Network]] = {protocol: set() for protocol in PROTOCOLS}
    for rule in wanted:
        own[rule.protocol].update(rule.networks)
    in_all = set.intersection(*own.values())
    return " ".join(
        str(network)
        if network in in_all
        else next(f"{each}{_ONLY}{network}" for each in PROTOCOLS if network in own[each])
        for network in collapse(set.union(*own.values()))
    )


def _proven(parts: list[Part], before: Found, wanted: Sequence[Deny]) -> Held:
    """Read back what is about to be written; YAML has corners (aliases) that no merge foresees."""
    found = find(parts)
    if found is not None and found.root == before.root:
        own = _ownership(found)
        ours = [
            Deny(protocols[0], tuple(networks))
            for _, protocols, networks in _denials(found.policy)
            if all(_is_ours(network, protocols, own) for network in networks)
        ]
        if ours == list(wanted):
            return _held(found)
    raise DocumentError(
        before.line,
        f"policy {NAME!r} is written in a way that can't be changed safely; plain YAML without "
        "anchors and aliases would do",
    )
