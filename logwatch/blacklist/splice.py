"""Changes lists of networks and our rules line by line: every other line stays as it is.

Knows only the plain style in which logwatch, `kubectl` and most people write. For another style
there is no answer (None), and ruamel.yaml's round trip has to do it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from logwatch.blacklist.document import Indentation, indentation_of
from logwatch.blacklist.policy import ANNOTATION, Deny
from logwatch.blacklist.reading import Listing, Reading, network_in, remark_in

_EMPTY = re.compile(r"( *)([a-z]+:) \[\]( +#.*)?$")
_OPEN = re.compile(r"( *)([a-z]+:)( +#.*)?$")
_ANNOTATION = re.compile(rf"( *{re.escape(ANNOTATION)}: )(?:''|\"\"|[0-9A-Za-z:./ ]*/[0-9]+)$")

Edit = tuple[int, int, list[str]]
"""First line, line behind the last one, and what comes in their place."""


def edited(lines: Sequence[str], edits: Iterable[Edit]) -> str:
    """Make a text of lines and of changes to them that don't overlap."""
    result: list[str] = []
    position = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        result += lines[position:start]
        result += new
        position = end
    result += lines[position:]
    return "\n".join(result)


def filled(
    lines: Sequence[str],
    listing: Listing,
    networks: Sequence[str],
    remarks: Mapping[str, str],
) -> list[str]:
    """Return the lines of a listing with other networks; a new one gets its comment of `remarks`.

    The line of a network that stays is kept, and so is what stands between the lines.
    """
    dash = " " * listing.column + "- "
    places = {network: place for place, network in enumerate(networks)}
    result: list[str] = []
    position = 0
    for line in lines[listing.first : listing.end]:
        network = network_in(line)
        if network is None:
            result.append(line)
            continue
        place = places.get(network, -1)
        if place < position:
            continue
        result += [f"{dash}{new}{remarks.get(new, '')}" for new in networks[position:place]]
        result.append(line)
        position = place + 1
    result += [f"{dash}{new}{remarks.get(new, '')}" for new in networks[position:]]
    return result


def remarks_in(lines: Sequence[str], listing: Listing) -> dict[str, str]:
    """Collect the comments behind networks."""
    return {
        network_in(line) or "": remark_in(line)
        for line in lines[listing.first : listing.end]
        if "#" in line
    }


def set_lines(reading: Reading, parent: CommentedMap, networks: Sequence[str]) -> str | None:
    """Return a document with other `nets` in one of its mappings."""
    nets = parent.get("nets")
    if not isinstance(nets, CommentedSeq) or not reading.is_plain:
        return None
    listing = reading.listings.get(id(nets))
    if listing is None:
        return _opened(reading, parent, networks)
    if not networks:
        return _closed(reading, parent, listing)
    remarks = remarks_in(reading.lines, listing)
    new = filled(reading.lines, listing, networks, remarks)
    return edited(reading.lines, [(listing.first, listing.end, new)])


def _opened(reading: Reading, parent: CommentedMap, networks: Sequence[str]) -> str | None:
    number = reading.line_of_key(parent, "nets")
    found = _EMPTY.match(reading.lines[number])
    if found is None:
        return None
    dash = found[1] + " " * _indentation(reading).dash + "- "
    new = [f"{found[1]}{found[2]}{found[3] or ''}", *(dash + network for network in networks)]
    return edited(reading.lines, [(number, number + 1, new)])


def _closed(reading: Reading, parent: CommentedMap, listing: Listing) -> str | None:
    number = reading.line_of_key(parent, "nets")
    opening = _empty_list(reading.lines[number])
    lines = reading.lines[listing.first : listing.end]
    if opening is None:
        return None
    rest = [line for line in lines if network_in(line) is None]
    return edited(
        reading.lines, [(number, number + 1, [opening]), (listing.first, listing.end, rest)]
    )


def _empty_list(line: str) -> str | None:
    """Turn the line of a key with a list below it into one with an empty list."""
    found = _OPEN.match(line)
    return None if found is None else f"{found[1]}{found[2]} []{found[3] or ''}"


def _indentation(reading: Reading) -> Indentation:
    return Indentation() if reading.root is None else indentation_of(reading.root)


def spliced(
    reading: Reading,
    policy: CommentedMap,
    ours: Sequence[int],
    wanted: Sequence[Deny],
    annotation: str,
) -> str | None:
    """Return the policy's document with other rules of ours, and another annotation."""
    change = _annotated(reading, policy, annotation)
    rules = policy["spec"].get("ingress")
    listings = [reading.listings.get(id(rules[index]["source"]["nets"])) for index in ours]
    standing = [listing for listing in listings if listing is not None]
    if not reading.is_plain or change is None or len(standing) < len(ours):
        return None
    remarks = _remarks(reading, policy, ours, standing)
    edits: list[Edit | None] = [change]
    for index, listing, rule in zip(ours, standing, wanted, strict=False):
        if rules[index].get("protocol") != rule.protocol:
            return None
        networks = [str(network) for network in rule.networks]
        new = filled(reading.lines, listing, networks, remarks.get(rule.protocol, {}))
        edits.append((listing.first, listing.end, new))
    edits += _removals(reading, policy, ours[len(wanted) :], standing[len(wanted) :])
    if added := wanted[len(ours) :]:
        edits.append(_addition(reading, policy, ours, standing, added, remarks))
    possible = [edit for edit in edits if edit is not None]
    return edited(reading.lines, possible) if len(possible) == len(edits) else None


def _removals(
    reading: Reading, policy: CommentedMap, gone: Sequence[int], listings: Sequence[Listing]
) -> list[Edit | None]:
    rules = policy["spec"].get("ingress")
    edits: list[Edit | None] = []
    for index, listing in zip(gone, listings, strict=True):
        start = _start(reading, rules, index, listing)
        edits.append(None if start is None else (start, listing.end, []))
    if gone and len(gone) == len(rules):
        number = reading.line_of_key(policy["spec"], "ingress")
        opening = _empty_list(reading.lines[number])
        edits.append(None if opening is None else (number, number + 1, [opening]))
    return edits


def _annotated(reading: Reading, policy: CommentedMap, annotation: str) -> Edit | None:
    annotations = policy["metadata"].get("annotations")
    if not isinstance(annotations, CommentedMap) or ANNOTATION not in annotations:
        return None
    number = reading.line_of_key(annotations, ANNOTATION)
    found = _ANNOTATION.match(reading.lines[number])
    return None if found is None else (number, number + 1, [found[1] + (annotation or "''")])


def _remarks(
    reading: Reading, policy: CommentedMap, ours: Sequence[int], listings: Sequence[Listing]
) -> dict[str, dict[str, str]]:
    """Collect the comments behind our networks, by protocol: they go where their network goes."""
    remarks: dict[str, dict[str, str]] = {}
    for index, listing in zip(ours, listings, strict=True):
        protocol = str(policy["spec"]["ingress"][index].get("protocol"))
        remarks.setdefault(protocol, {}).update(remarks_in(reading.lines, listing))
    return remarks


def _start(reading: Reading, rules: CommentedSeq, index: int, listing: Listing) -> int | None:
    """Return the first line of a rule that ends with its networks and holds no comment lines."""
    rule = rules[index]
    start = reading.line_of_item(rules, index)
    lines = reading.lines[start : listing.end]
    is_last = next(reversed(rule)) == "source" and len(rule["source"]) == 1
    if not is_last or not lines[0].lstrip(" ").startswith("- "):
        return None
    return start if all(line.strip(" ") and line.strip(" ")[0] != "#" for line in lines) else None


def _addition(  # noqa: PLR0913, PLR0917 -- where, and what
    reading: Reading,
    policy: CommentedMap,
    ours: Sequence[int],
    listings: Sequence[Listing],
    added: Sequence[Deny],
    remarks: Mapping[str, Mapping[str, str]],
) -> Edit | None:
    """Put new rules behind the last one of ours, or into an empty list of rules."""
    spec = policy["spec"]
    rules = spec.get("ingress")
    indentation = _indentation(reading)
    opening: list[str] = []
    if ours:
        if _start(reading, rules, ours[-1], listings[-1]) is None:
            return None
        start = end = listings[-1].end
        column = int(rules.lc.col)
    elif isinstance(rules, CommentedSeq) and not rules:
        start = reading.line_of_key(spec, "ingress")
        end = start + 1
        found = _EMPTY.match(reading.lines[start])
        if found is None:
            return None
        opening = [f"{found[1]}{found[2]}{found[3] or ''}"]
        column = len(found[1]) + indentation.dash
    else:
        return None
    for rule in added:
        opening += _rule_lines(rule, column, indentation, remarks.get(rule.protocol, {}))
    return start, end, opening


def _rule_lines(
    rule: Deny, column: int, indentation: Indentation, remarks: Mapping[str, str]
) -> list[str]:
    dash = " " * column + "-" + " " * (indentation.item - indentation.dash - 1)
    key = " " * (column + indentation.item - indentation.dash)
    nets = key + " " * indentation.mapping
    item = nets + " " * indentation.dash + "- "
    return [
        f"{dash}action: Deny",
        f"{key}protocol: {rule.protocol}",
        f"{key}source:",
        f"{nets}nets:",
        *(f"{item}{network}{remarks.get(str(network), '')}" for network in rule.networks),
    ]
