"""Our networks in global network sets, which the policy denies by a label.

Sets named `logwatch-blacklist-N` are ours as a whole; whoever wants to deny more puts it into a set
of another name with the same label. A network stays in its set as long as it is denied, and a set
that was made stays, without networks in the end: `calicoctl apply` removes no object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from logwatch.blacklist import comments
from logwatch.blacklist.contents import (
    Contents,
    NetworkSet,
    appended,
    objects,
    refused_behind,
)
from logwatch.blacklist.document import DocumentError, Part, dump, indentation_of, rewritten
from logwatch.blacklist.merge import check, node, set_items
from logwatch.blacklist.placement import placed, ranks
from logwatch.blacklist.policy import (
    API_VERSION,
    LABEL,
    MAX_RULES,
    NAME,
    PROTOCOLS,
    SET_PREFIX,
    blacklist_policy_of_sets,
    is_blacklist,
    is_set,
    number_of_set,
    read_set_rule,
    set_document,
    set_rule,
)
from logwatch.blacklist.splice import set_lines

_HEADER = (
    f"# Written by logwatch. It replaces the networks in the sets {SET_PREFIX}N; a set of another\n"
    f"# name with the label {LABEL} is denied as well, and stays as it is.\n"
)


def are_denied(contents: Contents) -> bool:
    """Whether the policy denies labelled sets, for TCP and UDP."""
    return not _missing(contents)


def _missing(contents: Contents) -> list[str]:
    if contents.found is None:
        return list(PROTOCOLS)
    rules = contents.found.policy["spec"].get("ingress") or ()
    denied = {protocol for rule in rules for protocol in read_set_rule(rule)}
    return [protocol for protocol in PROTOCOLS if protocol not in denied]


def with_policy(contents: Contents) -> Contents:
    """Have labelled sets denied: by the policy that is there, or by a new one.

    Where it denies them already it stays as it is. Raises `DocumentError`.
    """
    if contents.found is not None:
        check(contents.found)
    missing = _missing(contents)
    if not missing:
        return contents
    found = contents.found
    if found is None:
        new = appended(contents, _HEADER + dump(blacklist_policy_of_sets()))
        if not are_denied(new):
            raise refused_behind(contents)
        return new
    part = contents.parts[found.part]
    root = part.load()
    indentation = indentation_of(root)
    spec = next(each for each in objects(root) if is_blacklist(each))["spec"]
    if spec.get("ingress") is None:
        spec["ingress"] = CommentedSeq()
    if len(spec["ingress"]) + len(missing) > MAX_RULES:
        raise DocumentError(
            found.line,
            f"policy {NAME!r} would have more than Calico's {MAX_RULES} rules; remove some",
        )
    for protocol in missing:
        comments.insert(spec, "ingress", len(spec["ingress"]), node(set_rule(protocol)))
    return _read_back(contents, found.part, root, rewritten(part, root, indentation), found.line)


def with_networks(contents: Contents, networks: Sequence[str]) -> Contents:
    """Have our sets hold exactly `networks` (canonical, disjoint, sorted).

    The very same contents are returned when they do. Raises `DocumentError`.
    """
    placed = _placed(contents, networks)
    new: list[str] = []
    api_version = API_VERSION if contents.found is None else contents.found.policy["apiVersion"]
    for number, inside in placed.items():
        if number in contents.own:
            contents = _changed(contents, number, inside)
        else:
            body = dump(set_document(number, (), api_version)).removesuffix(" []\n")
            new.append("\n".join([body, *(f"    - {network}" for network in inside)]) + "\n")
    if not new:
        return contents
    longer = appended(contents, "---\n".join(new))
    if not all(_is_right(longer.own.get(number), inside) for number, inside in placed.items()):
        raise refused_behind(contents)
    return longer


def _placed(contents: Contents, networks: Sequence[str]) -> Mapping[int, Sequence[str]]:
    """Tell what has to stand in the sets that are to be changed or made, in their order."""
    held = {number: each.members for number, (_, each) in contents.own.items()}
    result: dict[int, Sequence[str]] = {}
    rank: dict[str, int] = {}
    for number, inside in sorted(placed(held, networks).items()):
        if number in contents.own and _holds(contents.own[number][1], inside):
            continue
        rank = rank or ranks(networks)
        result[number] = sorted(inside, key=rank.__getitem__)
    return result


def _holds(each: NetworkSet, inside: frozenset[str]) -> bool:
    """Whether a set is denied and holds these networks, each once."""
    return (
        each.is_denied
        and each.texts is not None
        and (each.members is inside or each.members == inside)
        and len(each.texts) == len(inside)
    )


def _is_right(found: tuple[int, NetworkSet] | None, inside: Sequence[str]) -> bool:
    return found is not None and found[1].is_denied and found[1].texts == tuple(inside)


def _changed(contents: Contents, number: int, inside: Sequence[str]) -> Contents:
    index, each = contents.own[number]
    reading = contents.documents[index].reading
    part = contents.parts[index]
    if each.is_denied and each.texts is not None:
        body = set_lines(reading, each.document["spec"], inside)
        if body is not None:
            try:
                new = contents.changed({index: replace(part, body=body)})
            except DocumentError:
                pass
            else:
                if _is_right(new.own.get(number), inside) and _rest(new, number) == _rest(
                    contents, number
                ):
                    return new
    root = part.load()
    indentation = indentation_of(root)
    _repair(
        next(each for each in objects(root) if is_set(each) and number_of_set(each) == number),
        inside,
    )
    line = part.line + 1
    return _read_back(contents, index, root, rewritten(part, root, indentation), line)


def _rest(contents: Contents, number: int) -> tuple[object, ...]:
    """A set without its networks."""
    document = contents.own[number][1].document
    return {**document, "spec": None}, {**document["spec"], "nets": None}


def _repair(document: CommentedMap, inside: Sequence[str]) -> None:
    """Change a set in place, whatever it looks like."""
    metadata = document["metadata"]
    if not isinstance(metadata.get("labels"), CommentedMap):
        metadata["labels"] = CommentedMap()
    if metadata["labels"].get(LABEL) != "true":
        metadata["labels"][LABEL] = "true"
    if not isinstance(document.get("spec"), CommentedMap):
        document["spec"] = CommentedMap()
    spec = document["spec"]
    nets = spec.get("nets")
    if not isinstance(nets, CommentedSeq) or not all(isinstance(each, str) for each in nets):
        nets = spec["nets"] = CommentedSeq()
    elif not nets.ca.items and not nets.ca.comment:
        nets.fa.set_block_style()  # which can be changed by lines the next time
    set_items(spec, "nets", inside)
    if not inside:
        spec["nets"].fa.set_flow_style()


def _read_back(contents: Contents, index: int, root: object, part: Part, line: int) -> Contents:
    """Put a document in its place if it reads as what was meant; YAML has corners (aliases)."""
    try:
        new = contents.changed({index: part})
        is_proven = new.documents[index].reading.root == root
    except DocumentError:
        is_proven = False
    if not is_proven:
        raise DocumentError(
            line,
            "this document is written in a way that can't be changed safely; plain YAML without "
            "anchors and aliases would do",
        )
    return new
