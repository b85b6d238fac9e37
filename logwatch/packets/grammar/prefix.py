"""The configured prefixes as grammar: every spelling in which the kernel may print them."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from pyparsing import MatchFirst, ParserElement

from logwatch.packets.grammar.elements import token

_COLON: Final = b": "
"""Calico adds it to the configured text, where the version at hand does."""
_IPTABLES: Final = 29
"""Bytes that iptables keeps of a prefix: `struct xt_log_info` has 30 with the final NUL."""
_NFTABLES: Final = 127
"""Bytes that nftables keeps: NF_LOG_PREFIXLEN is 128 with the final NUL."""


class PrefixGrammar(NamedTuple):
    """How the prefixes are read, and whose each text is (an index into the configured ones)."""

    in_place: ParserElement
    """A spelling with IN= behind it, the longest if several fit."""
    begun: ParserElement
    """What every spelling of a prefix begins with."""
    spellings: Mapping[str, int]
    stems: Mapping[str, int]


@lru_cache(maxsize=64)
def prefix_grammar(prefixes: tuple[str, ...]) -> PrefixGrammar:
    """Make the grammar of `prefixes`, given without the ": " that Calico adds."""
    spellings: list[tuple[bytes, int]] = []
    stems: list[tuple[bytes, int]] = []
    for index, prefix in enumerate(prefixes):
        text = prefix.encode()
        for whole in (text + _COLON, text):
            spellings += ((whole[:most], index) for most in (None, _NFTABLES, _IPTABLES))
        stems.append((text[:_IPTABLES], index))
    spelling_owners, stem_owners = _owners(spellings), _owners(stems)
    return PrefixGrammar(
        _longest_first(spelling_owners, "(?=IN=)"),
        _longest_first(stem_owners, ""),
        spelling_owners,
        stem_owners,
    )


def _owners(texts: Iterable[tuple[bytes, int]]) -> dict[str, int]:
    """Map each text to its prefix, the first if several have it; longest text first."""
    owners: dict[str, int] = {}
    for text, index in sorted(texts, key=lambda owned: (-len(owned[0]), owned[1])):
        owners.setdefault(text.decode("latin-1"), index)
    return owners


def _longest_first(texts: Iterable[str], behind: str) -> ParserElement:
    return MatchFirst(
        [token("", re.escape(text) + behind, after="", name="prefix") for text in texts]
    ).parse_with_tabs()
