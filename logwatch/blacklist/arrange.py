"""A policy text as it should be: our networks in the policy, or in sets that it denies."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

from logwatch.blacklist import sets
from logwatch.blacklist.contents import Contents, NetworkSet, understand
from logwatch.blacklist.document import DocumentError
from logwatch.blacklist.merge import held, merged
from logwatch.blacklist.networks import NetworkError, parse_network
from logwatch.blacklist.policy import MAX_NETWORKS, MAX_NETWORKS_IN_SETS
from logwatch.blacklist.spans import Span, Spans, outside

Shape = Literal["policy", "sets"]
"""Where networks stand: in rules of the policy itself, or in global network sets."""

MOST = {"policy": MAX_NETWORKS, "sets": MAX_NETWORKS_IN_SETS}
"""Networks that a file takes, by its shape."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Denied:
    """What a text denies for TCP and UDP alike, in canonical text."""

    own: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()


def _understood(
    function: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """Refuse a text that ruamel.yaml reads into something no one foresees (by tags, by aliases).

    Whatever stands in the file, it must not end the program that looks after it.
    """

    @wraps(function)
    def guarded(*args: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        try:
            return function(*args, **named)
        except DocumentError:
            raise
        except Exception as error:
            raise DocumentError(
                None,
                f"this can't be understood ({type(error).__name__}); plain YAML without tags, "
                "anchors and aliases would do",
            ) from error

    return guarded


@_understood
def contents_of(text: str, known: Contents | None = None) -> Contents:
    """Read a text; what is `known` of an earlier one is not read again. Raises `DocumentError`."""
    return understand(text, known)


@_understood
def denied(contents: Contents, spans: Spans) -> Denied:
    """Tell what a text denies now, in both shapes.

    Raises `DocumentError` when its blacklist is of another shape than the tutorial's.
    """
    inline = held(contents.found)
    own = frozenset(str(network) for network in inline.own)
    other = frozenset(str(network) for network in inline.other)
    if sets.are_denied(contents):
        ours = (each for _, each in contents.own.values() if each.is_denied)
        own = own.union(*(_canonical(each, spans) for each in ours))
        other = other.union(*(_canonical(each, spans) for each in contents.others()))
    return Denied(own, other)


def _canonical(each: NetworkSet, spans: Spans) -> Iterable[str]:
    """The networks of a set; none if one of them is damaged, since Felix drops the set then."""
    if spans.are_canonical(each.members):
        return each.members
    try:
        return [spans.read(text).text for text in each.members]
    except NetworkError:
        return ()


@_understood
def arranged(contents: Contents, wanted: Sequence[Span], shape: Shape) -> Contents:
    """Make exactly `wanted` (disjoint, sorted) ours, in one shape; what is ours in the other goes.

    The very same contents are returned when there is nothing to change. Raises `DocumentError` when
    the text can't be read or must not be changed.
    """
    if shape == "policy":
        contents = merged(contents, [parse_network(span.text) for span in wanted])
        return sets.with_networks(contents, ())
    contents = merged(contents, ())
    if wanted:
        contents = sets.with_policy(contents)
    return sets.with_networks(contents, [span.text for span in outside(wanted, _theirs(contents))])


def _theirs(contents: Contents) -> list[Span]:
    """What others deny: Felix of some versions trips over a network that stands in two sets."""
    theirs = [Span.of(network) for network in held(contents.found).other]
    for each in contents.others():
        try:
            theirs += [Span.read(text) for text in each.members]
        except NetworkError:
            continue  # Felix drops the whole set
    return theirs
