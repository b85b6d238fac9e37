"""The YAML text of a policy file: cut into its documents, and one of them written anew.

Only a document that is changed goes through ruamel.yaml's round trip, which keeps comments, quotes
and the order of keys; all others stay byte for byte. Directives (`%YAML`) are not supported.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

_MARKER = re.compile(r"---(?=\s|$)")
"""At the start of a line it begins a document wherever it stands (YAML 1.2, 9.1.2)."""

_BARE_MARKER = re.compile(r"---[ \t]*(#.*)?$")

_MAX_VALUES = 20_000
"""Collections in a document that has aliases: a few lines of them can stand for 2 ** 30."""

_NO_FOLDING = 1 << 20
"""A line width that no scalar reaches, so that none is folded."""


class DocumentError(Exception):
    """A text that must not be changed; the message says what is wrong and what would be right.

    `line` counts from 1; None where no line is known.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a text: its bare marker line, or nothing, and then its body."""

    line: int
    """How many lines of the text stand in front of `body`."""
    marker: str
    body: str

    def load(self) -> Any:  # noqa: ANN401 -- whatever the YAML holds
        """Parse the body; None when it is empty. Raises `DocumentError`."""
        root = self._parse()
        if "*" in self.body and _is_larger(root, _MAX_VALUES):
            raise DocumentError(
                self.line + 1,
                "aliases make this endless or far too large; write the values themselves",
            )
        return root

    def _parse(self) -> Any:  # noqa: ANN401 -- whatever the YAML holds
        try:
            return _yaml().load(self.body)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = None if mark is None else self.line + mark.line + 1
            problem = (error.problem or error.context or "unreadable").split("\n")[0].strip()
            raise DocumentError(line, f"this is not valid YAML ({problem}); correct it") from error
        except ReaderError as error:
            line = self.line + self.body.count("\n", 0, error.position) + 1
            raise DocumentError(line, "a control character; only text may stand here") from error
        # ruamel.yaml trips over tags it doesn't expect: AttributeError for `!!set x`, and others.
        except Exception as error:
            reason = str(error).split("\n")[0] or type(error).__name__
            raise DocumentError(
                self.line + 1, f"this can't be understood as YAML ({reason}); correct it"
            ) from error


def _is_larger(root: object, limit: int) -> bool:
    """Whether a document with its aliases written out has more collections than `limit`."""
    pending = [root]
    count = 0
    while pending and count <= limit:
        node = pending.pop()
        if isinstance(node, Mapping):
            pending += node.values()
        elif isinstance(node, list):
            pending += node
        else:
            continue
        count += 1
    return count > limit


@dataclass(frozen=True, slots=True)
class Indentation:
    """How far, in columns, nested blocks stand to the right of what holds them."""

    mapping: int = 2
    dash: int = 2
    item: int = 4
    """From the holder to a list item's content; `dash` is from there to its dash."""


def split(text: str) -> list[Part]:
    """Cut a text at its document markers. The parts' markers and bodies joined are the text."""
    parts: list[Part] = []
    marker, body, first = "", list[str](), 0
    for number, line in enumerate(io.StringIO(text)):
        if _MARKER.match(line) is None:
            body.append(line)
            continue
        if number:
            parts.append(Part(first, marker, "".join(body)))
        if _BARE_MARKER.match(line):
            marker, body, first = line, [], number + 1
        else:
            marker, body, first = "", [line], number
    parts.append(Part(first, marker, "".join(body)))
    return parts


def join(parts: list[Part]) -> str:
    """Put the text together again that `split` cut."""
    return "".join(part.marker + part.body for part in parts)


def rewritten(part: Part, root: CommentedMap, indentation: Indentation) -> Part:
    """Return `part` with a changed document, indented as it was."""
    marker = part.marker
    if _MARKER.match(part.body):  # the document began on its marker's line
        marker = "---\n"
    return replace(part, marker=marker, body=dump(root, indentation))


def dump(root: Any, indentation: Indentation | None = None) -> str:  # noqa: ANN401
    """Write a document as block YAML."""
    indentation = indentation or Indentation()
    yaml = _yaml()
    yaml.indent(mapping=indentation.mapping, sequence=indentation.item, offset=indentation.dash)
    stream = io.StringIO()
    yaml.dump(root, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = _NO_FOLDING
    return yaml


def indentation_of(root: CommentedMap) -> Indentation:
    """Take the indentation of the first nested mapping and list; ours where there is none."""
    indentation = Indentation()
    pending: list[CommentedMap | CommentedSeq] = [root]
    has_mapping = has_list = False
    while pending and not (has_mapping and has_list):
        node = pending.pop(0)
        values = node.items() if isinstance(node, CommentedMap) else enumerate(node)
        for key, value in values:
            if not isinstance(value, CommentedMap | CommentedSeq) or not value:
                continue
            if value.fa.flow_style():
                continue
            pending.append(value)
            if not isinstance(node, CommentedMap):
                continue
            column = int(value.lc.col) - int(node.lc.key(key)[1])
            if isinstance(value, CommentedMap) and not has_mapping:
                indentation, has_mapping = replace(indentation, mapping=column), True
            elif isinstance(value, CommentedSeq) and not has_list:
                item = column + int(value.lc.item(0)[1]) - int(value.lc.col)
                indentation, has_list = replace(indentation, dash=column, item=item), True
    return indentation
