"""Makes prefixes, and texts as Felix and the kernel print them."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

PLAIN = st.sampled_from(
    [
        "calico-packet",
        "calico-packet: ",
        "calico-packet IN",
        "deny",
        "cali deny/gnp: default/x",
        "a-prefix-of-exactly-29-bytes!",
        "a-prefix-that-is-longer-than-29-bytes",
        "a-prefix-that-is-longer-than-30-bytes",
        "x" * 130,
        "x" * 28,
        "d\u00e9ni\u00e9",
        "message",
        "kernel:",
        "100%%",
        "%x",
    ]
)
FIRST_LITERALS = st.sampled_from(
    [
        "",
        "",
        "cp ",
        "calico-packet ",
        "calico-packet",
        "c",
        "%",
        "d\u00e9",
        "x" * 28,
        "y" * 30,
    ]
)
LITERALS = st.sampled_from(["", " ", " ", "-", ".", "_", "/", ":", ": ", " IN", "%", " and "])
"""Those of letters, '-', '.' and '_' may stand in names, too."""
SPECIFIERS = ("%t", "%k", "%n", "%p")
NAMES = st.one_of(
    st.sampled_from(["default", "gnp", "np", "kube-system", "a.b_c-d", "IN", "a-", "x" * 30]),
    st.text("ab-._IN", min_size=1, max_size=12),
    st.text("Az09.-", min_size=20, max_size=100),
)


@st.composite
def templates(draw: Draw) -> str:
    """Make a prefix with one to four specifiers."""
    text = draw(FIRST_LITERALS)
    for _ in range(draw(st.integers(1, 4))):
        text += draw(st.sampled_from(SPECIFIERS)) + draw(LITERALS)
    return str(text)


@st.composite
def prefix_sets(draw: Draw) -> tuple[str, ...]:
    """Make up to four prefixes, some the beginning of others."""
    prefixes = draw(st.lists(st.one_of(PLAIN, templates()), min_size=1, max_size=3))
    if draw(st.booleans()):
        longer = draw(st.sampled_from(prefixes)) + draw(
            st.sampled_from(["-all", " all", "x", ": "])
        )
        prefixes.insert(draw(st.integers(0, len(prefixes))), longer)
    if draw(st.booleans()):
        longer = (
            draw(st.sampled_from(prefixes)) + draw(LITERALS) + draw(st.sampled_from(SPECIFIERS))
        )
        if sum(longer.count(specifier) for specifier in SPECIFIERS) <= 4:
            prefixes.insert(draw(st.integers(0, len(prefixes))), longer)
    return tuple(prefixes)


PREFIX_SETS = st.one_of(st.just(("calico-packet",)), prefix_sets())


@st.composite
def printed(draw: Draw, prefix: str) -> bytes:
    """Print a prefix as Felix fills it and the kernel cuts it, names of any form in it."""
    text = re.sub("%[tkn]", lambda _found: draw(NAMES), prefix)
    text = re.sub(
        "%p", lambda _found: "/".join(draw(st.lists(NAMES, min_size=1, max_size=2))), text
    )
    whole = (text + draw(st.sampled_from([": ", ": ", ""]))).encode()
    most = draw(st.sampled_from([29, 127, 127]))
    # Older versions of Calico print no ": ": a text that fits is whole without it.
    return whole[:most]
