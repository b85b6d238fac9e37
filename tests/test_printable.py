"""Text from a log becomes printable without two texts becoming one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwatch.printable import printable

texts = st.text(st.characters(codec=None, exclude_categories=()) | st.sampled_from("\\x0u\n\udc80"))


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("eth1", "eth1"),
        ('say "é" <b>', 'say "é" <b>'),
        (r"a\x00b\nc\x1b", "a\x00b\nc\x1b"),
        (r"\udc80", "\udc80"),
        (r"\\udc80", r"\udc80"),
        (r"\u2028", "\u2028"),
    ],
)
def test_what_cannot_be_printed_is_spelled_out(expected: str, text: str) -> None:
    assert expected == printable(text)


@given(texts, texts)
def test_two_texts_stay_two(one: str, other: str) -> None:
    assert (one == other) == (printable(one) == printable(other))
    assert printable(one).isprintable()
    assert printable(one).encode("utf-8").decode("utf-8") == printable(one)
