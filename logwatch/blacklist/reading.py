"""One document of a policy file, read at a cost that does not grow with its networks.

ruamel.yaml takes a tenth of a millisecond for each network. So of a run of lines that each hold one
network only the first and the last are given to it. Where it finds items of a list in these two
lines, the lines between them are items of that list too: they stand at the same column, and in no
other place would an item begin there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from logwatch.blacklist.document import DocumentError, Part
from logwatch.blacklist.policy import ANNOTATION

_NETWORK = r"[0-9A-Fa-f:.]+/[0-9]+"
_ITEM = rf"(?:{_NETWORK}|'{_NETWORK}'|\"{_NETWORK}\")"
_RUN = re.compile(rf"^( *)- {_ITEM}\n(?:\1- {_ITEM}\n){{2,}}", re.MULTILINE)

_WORD = rf"(?:[A-Z]+:)?{_NETWORK}"
_WORDS = re.compile(rf"^( *{re.escape(ANNOTATION)}: {_WORD})((?: {_WORD})+)$", re.MULTILINE)

_ITEM_LINE = re.compile(rf"( *)- +({_ITEM})( +#.*)?$")
_BETWEEN = re.compile(r" *(#.*)?$")
"""What may stand between the items: a comment on a line of its own, or nothing."""

_BREAKS = re.compile("[\r\x85\u2028\u2029]")
"""Line breaks for YAML that are none here."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with a network on each of its lines, so that it can be changed line by line."""

    first: int
    """Index of the first item's line in the document."""
    end: int
    """Index of the line behind the last item."""
    column: int
    """Of the dashes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, and where its parts stand."""

    part: Part
    lines: Sequence[str]
    """Without their line feeds."""
    root: CommentedMap | None
    """The document; None when it is empty."""
    numbers: Sequence[int]
    """For each line that ruamel.yaml knows, its index in `lines`."""
    listings: Mapping[int, Listing]
    """By the `id` of a list in `root`."""
    is_plain: bool
    """Whether each value stands in one place only, and lines are what they seem to be."""

    def line_of_key(self, mapping: CommentedMap, key: str) -> int:
        """Index of the line in which a key of a mapping in `root` stands."""
        return self.numbers[int(mapping.lc.key(key)[0])]

    def line_of_item(self, sequence: CommentedSeq, index: int) -> int:
        """The same of an item of a list; of a list of networks only the first is known."""
        return self.numbers[int(sequence.lc.item(index)[0])]


def read(part: Part) -> Reading:
    """Read a document. Raises `DocumentError`."""
    has_aliases = "&" in part.body and "*" in part.body
    if has_aliases or _BREAKS.search(part.body):
        return _read(part, _Cut.nothing(part.body), is_plain=False)
    try:
        return _read(part, _Cut.of(part.body), is_plain=True)
    except DocumentError:
        # Once more as it is: an error has to tell the right line.
        return _read(part, _Cut.nothing(part.body), is_plain=True)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text with runs of networks cut out."""

    text: str
    numbers: Sequence[int]
    items: Mapping[int, Sequence[str]]
    """Networks that stood behind a line, by that line's index in the whole text."""
    words: Mapping[int, str]
    """The rest of an annotation, by the line's index."""

    @classmethod
    def nothing(cls, text: str) -> "_Cut":
        return cls(text, range(len(text) + 1), {}, {})

    @classmethod
    def of(cls, text: str) -> "_Cut":
        pieces: list[str] = []
        numbers: list[int] = []
        items: dict[int, Sequence[str]] = {}
        words: dict[int, str] = {}
        position = 0
        line = 0

        def keep(end: int) -> None:
            nonlocal line
            piece = text[position:end]
            following = line + piece.count("\n")
            for found in _WORDS.finditer(piece):
                words[line + piece.count("\n", 0, found.start())] = found[2]
            pieces.append(_WORDS.sub(r"\1", piece))
            numbers.extend(range(line, following))
            line = following

        for run in _RUN.finditer(text):
            keep(run.start())
            lines = run[0].split("\n")[:-1]
            behind_dash = len(run[1]) + 2
            items[line] = [each[behind_dash:].strip("'\"") for each in lines[1:-1]]
            pieces.append(f"{lines[0]}\n{lines[-1]}\n")
            numbers += (line, line + len(lines) - 1)
            line += len(lines)
            position = run.end()
        keep(len(text))
        numbers.append(line)
        return cls("".join(pieces), numbers, items, words)


def _read(part: Part, cut: _Cut, *, is_plain: bool) -> Reading:
    root: Any = replace(part, body=cut.text).load()
    if root is not None and not isinstance(root, CommentedMap):
        raise DocumentError(
            part.line + 1,
            "a document that is no Kubernetes object; apiVersion, kind and metadata are needed",
        )
    lines = part.body.split("\n")
    reading = Reading(part, lines, root, cut.numbers, {}, is_plain)
    return replace(reading, listings=_completed(reading, cut) if root is not None else {})


def _completed(reading: Reading, cut: _Cut) -> dict[int, Listing]:
    """Put back into the document what was cut out of the text; return the lists of networks."""
    listings: dict[int, Listing] = {}
    pending: list[Any] = [reading.root]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        if isinstance(node, CommentedMap):
            seen.add(id(node))
            if cut.words and ANNOTATION in node:
                _complete_annotation(reading, node, cut)
            pending += node.values()
        elif isinstance(node, CommentedSeq):
            seen.add(id(node))
            listing = _listing(reading, node) if reading.is_plain else None
            if listing is not None:
                listings[id(node)] = listing
            if cut.items:
                _complete_list(reading, node, cut)
            if listing is None:
                pending += node
    return listings


def _complete_annotation(reading: Reading, annotations: CommentedMap, cut: _Cut) -> None:
    rest = cut.words.get(reading.line_of_key(annotations, ANNOTATION))
    if rest is not None:
        annotations[ANNOTATION] += rest


def _complete_list(reading: Reading, items: CommentedSeq, cut: _Cut) -> None:
    if not items or items.fa.flow_style():
        return
    whole: list[Any] = []
    for index, item in enumerate(list.copy(items)):
        whole.append(item)
        if isinstance(item, str):
            whole += cut.items.get(reading.line_of_item(items, index), ())
    if len(whole) > len(items):
        list.clear(items)
        list.extend(items, whole)


def _listing(reading: Reading, items: CommentedSeq) -> Listing | None:
    """Tell where a list stands, if each item is on a line of its own; it is not completed yet."""
    if not items or items.fa.flow_style() or not isinstance(items[0], str):
        return None
    column = int(items.lc.col)
    numbers = [reading.line_of_item(items, index) for index in range(len(items))]
    for item, number in zip(items, numbers, strict=True):
        found = _ITEM_LINE.match(reading.lines[number])
        if found is None or len(found[1]) != column or found[2].strip("'\"") != item:
            return None
    first, end = numbers[0], numbers[-1] + 1
    for line in reading.lines[first:end]:
        if _ITEM_LINE.match(line) is None and _BETWEEN.match(line) is None:
            return None
    return Listing(first, end, column)


def network_in(line: str) -> str | None:
    """Return the network in a line of a listing; None for what stands between the items."""
    found = _ITEM_LINE.match(line)
    return found[2].strip("'\"") if found else None


def remark_in(line: str) -> str:
    """Return the comment behind a network, with the spaces in front of it."""
    found = _ITEM_LINE.match(line)
    return (found[3] or "") if found else ""
