"""What a policy text holds: its documents, the blacklist among them, and the network sets.

A document that did not change since the last look is not read again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from logwatch.blacklist.document import DocumentError, Part, join, split
from logwatch.blacklist.policy import (
    NAME,
    SET_PREFIX,
    is_blacklist,
    is_labelled,
    is_set,
    number_of_set,
)
from logwatch.blacklist.reading import Reading, read


@dataclass(frozen=True, slots=True)
class NetworkSet:
    """A global network set."""

    document: CommentedMap
    number: int | None
    """None of a set that is not ours."""
    is_denied: bool
    """Whether it bears the label that the policy asks for."""
    texts: tuple[str, ...] | None
    """Its networks as they are written; None where they are no list of texts."""
    members: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One document and the objects in it that matter here."""

    reading: Reading
    policies: tuple[CommentedMap, ...]
    sets: tuple[NetworkSet, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The blacklist policy in a text."""

    part: int
    """Index of the part that holds it."""
    reading: Reading
    policy: CommentedMap
    line: int
    """Line of the text in which the policy begins, from 1."""

    def line_of_rule(self, index: int) -> int:
        """Line of the text in which an ingress rule begins, from 1."""
        rules = self.policy["spec"]["ingress"]
        first = self.line - self.reading.numbers[int(self.policy.lc.line)]
        return first + self.reading.line_of_item(rules, index)


@dataclass(frozen=True, slots=True)
class Contents:
    """A text, understood."""

    parts: tuple[Part, ...]
    documents: tuple[Document, ...]
    """One for each part."""
    found: Found | None
    own: Mapping[int, tuple[int, NetworkSet]]
    """Our sets by their numbers, each with the index of its part."""

    @property
    def text(self) -> str:
        """The whole text."""
        return join(list(self.parts))

    def others(self) -> Iterator[NetworkSet]:
        """Sets of others that are denied."""
        for document in self.documents:
            for each in document.sets:
                if each.number is None and each.is_denied:
                    yield each

    def changed(self, bodies: Mapping[int, Part]) -> "Contents":
        """Put other parts in place of some. Raises `DocumentError`."""
        line = 0
        parts, documents = list(self.parts), list(self.documents)
        for index, old in enumerate(self.parts):
            part = bodies.get(index, old)
            line += part.marker.count("\n")
            parts[index] = replace(part, line=line)
            if index in bodies:
                documents[index] = _document(parts[index])
            line += part.body.count("\n")
        return _contents(parts, documents)


def understand(text: str, known: Contents | None = None) -> Contents:
    """Read a text; `known` is what is known of an earlier one. Raises `DocumentError`."""
    earlier = {each.reading.part.body: each for each in (known.documents if known else ())}
    parts = split(text)
    return _contents(parts, [earlier.get(part.body) or _document(part) for part in parts])


def _document(part: Part) -> Document:
    reading = read(part)
    found = [] if reading.root is None else list(objects(reading.root))
    return Document(
        reading,
        tuple(each for each in found if is_blacklist(each)),
        tuple(_network_set(each) for each in found if is_set(each)),
    )


def objects(root: CommentedMap) -> Iterator[CommentedMap]:
    """The objects of a document: itself, and those in it if it is a list."""
    yield root
    items = root.get("items")
    if isinstance(items, CommentedSeq):
        yield from (item for item in items if isinstance(item, CommentedMap))


def _network_set(document: CommentedMap) -> NetworkSet:
    spec: Any = document.get("spec")
    nets = spec.get("nets") if isinstance(spec, CommentedMap) else None
    texts = None
    if isinstance(nets, CommentedSeq):
        items = list.copy(nets)  # its own iterator takes several times as long
        texts = tuple(items) if all(isinstance(each, str) for each in items) else None
    return NetworkSet(
        document,
        number_of_set(document),
        is_labelled(document),
        texts,
        frozenset(texts or ()),
    )


def _contents(parts: list[Part], documents: list[Document]) -> Contents:
    found: list[Found] = []
    own: dict[int, tuple[int, NetworkSet]] = {}
    for index, (part, document) in enumerate(zip(parts, documents, strict=True)):
        reading = document.reading
        found += [
            Found(index, reading, policy, _line(part, reading, policy))
            for policy in document.policies
        ]
        for each in document.sets:
            if each.number in own:
                raise DocumentError(
                    _line(part, reading, each.document),
                    f"a second set {SET_PREFIX}{each.number}; leave only one of the two",
                )
            if each.number is not None:
                own[each.number] = index, each
    if len(found) > 1:
        raise DocumentError(found[1].line, f"a second policy {NAME!r}; leave only one of the two")
    return Contents(
        tuple(parts),
        tuple(documents),
        found[0] if found else None,
        dict(sorted(own.items())),
    )


def _line(part: Part, reading: Reading, document: CommentedMap) -> int:
    return part.line + reading.numbers[int(document.lc.line)] + 1


def appended(contents: Contents, documents: str) -> Contents:
    """Put documents behind all others. Raises `DocumentError`; the caller looks what came of it."""
    text, last = contents.text, contents.parts[-1]
    if text and not text.endswith("\n"):
        text += "\n"
    lines = (line.strip() for line in last.body.split("\n"))
    marker = "" if all(not line or line.startswith("#") for line in lines) else "---\n"
    try:
        return understand(text + marker + documents, contents)
    except DocumentError as error:
        raise refused_behind(contents) from error


def refused_behind(contents: Contents) -> DocumentError:
    """The error of a text behind which nothing can be put."""
    return DocumentError(
        contents.parts[-1].line + 1,
        f"no policy {NAME!r} can be put behind this document; add an empty one by hand, or "
        "name another file",
    )
