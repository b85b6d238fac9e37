"""Editing a round-trip YAML sequence without losing what people wrote around it.

ruamel.yaml hangs a comment on the value in front of it, though a comment on a line of its own is
about what follows. So when a value goes, the comments on the lines after it move to a neighbour.
Relies on the layout of `CommentedBase.ca`, which ruamel.yaml keeps stable though undocumented.
"""

from collections.abc import Hashable
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

_AFTER_VALUE = 2
"""Where a mapping's comment item holds what follows the value."""

_AFTER_ITEM = 0
"""The same for a sequence."""


def insert(parent: CommentedMap, key: str, index: int, value: object) -> None:
    """Insert into `parent[key]`; at the end, the comments after it stay behind the new value."""
    sequence: CommentedSeq = parent[key]
    if not sequence:
        ending = _cut_token(parent, key, _AFTER_VALUE)
        sequence.ca.comment = None  # the same comment once more
        sequence.fa.set_block_style()
    elif index == len(sequence):
        ending = _cut_ending_of_item(sequence, index - 1)
    else:
        ending = ""
    sequence.insert(index, value)
    if ending:
        _add_ending(sequence, ending)


def remove(parent: CommentedMap, key: str, index: int) -> None:
    """Remove one item of the sequence `parent[key]`; the lines of comment after it stay.

    The comment on the item's own line goes with it.
    """
    sequence: CommentedSeq = parent[key]
    following = _cut_ending_of_item(sequence, index)
    del sequence[index]
    if not sequence:
        sequence.fa.set_flow_style()
        following = _cut_beginning(sequence) + following
        if following:
            _add_token(parent, key, _AFTER_VALUE, following)
    elif following and index > 0:
        _add_ending_of_item(sequence, index - 1, following)
    elif following:
        _add_beginning(sequence, following)


def _cut_ending_of_item(sequence: CommentedSeq, index: int) -> str:
    """Take the lines of comment that follow an item, and return them."""
    item = sequence[index]
    if not _is_block(item):
        return _cut_token(sequence, index, _AFTER_ITEM)
    container, key, place = _last_value(item)
    return _cut_token(container, key, place)


def _add_ending(node: CommentedMap | CommentedSeq, text: str) -> None:
    container, key, place = _last_value(node)
    _add_token(container, key, place, text)


def _add_ending_of_item(sequence: CommentedSeq, index: int, text: str) -> None:
    item = sequence[index]
    if _is_block(item):
        _add_ending(item, text)
    else:
        _add_token(sequence, index, _AFTER_ITEM, text)


def _is_block(node: object) -> bool:
    """Whether a node is a collection that ends with its last value, not with a bracket."""
    return isinstance(node, CommentedMap | CommentedSeq) and bool(node) and not node.fa.flow_style()


def _last_value(node: CommentedMap | CommentedSeq) -> tuple[Any, Hashable, int]:
    """Find the value that ends a block: its collection, its key, the place of its comment."""
    while True:
        key: Any
        if isinstance(node, CommentedMap):
            key, place = next(reversed(node)), _AFTER_VALUE
        else:
            key, place = len(node) - 1, _AFTER_ITEM
        child = node[key]
        if not _is_block(child):
            return node, key, place
        node = child


def _cut_token(container: Any, key: Hashable, place: int) -> str:  # noqa: ANN401 -- either collection
    tokens = container.ca.items.get(key)
    if tokens is None or tokens[place] is None:
        return ""
    own_line, _, following = tokens[place].value.partition("\n")
    if own_line:
        tokens[place].value = own_line + "\n"
    else:
        tokens[place] = None
    return str(following)


def _add_token(container: Any, key: Hashable, place: int, text: str) -> None:  # noqa: ANN401
    tokens = container.ca.items.setdefault(key, [None, None, None, None])
    if tokens[place] is None:
        tokens[place] = CommentToken("\n" + text, CommentMark(0), None)
    else:
        tokens[place].value += text


def _cut_beginning(sequence: CommentedSeq) -> str:
    comment = sequence.ca.comment
    if not comment or not comment[1:] or not comment[1]:
        return ""
    text = "".join(" " * token.start_mark.column + token.value for token in comment[1])
    comment[1] = None
    return text


def _add_beginning(sequence: CommentedSeq, text: str) -> None:
    token = CommentToken(text.lstrip(" "), CommentMark(len(text) - len(text.lstrip(" "))), None)
    if sequence.ca.comment is None:
        sequence.ca.comment = [None, [token]]
    elif not sequence.ca.comment[1:] or not sequence.ca.comment[1]:
        sequence.ca.comment = [sequence.ca.comment[0], [token]]
    else:
        sequence.ca.comment[1].append(token)
