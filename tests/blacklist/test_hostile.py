"""Whatever people put into the policy file: a PolicyError that names it, and the file untouched."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy_text import held, merge

from logwatch.blacklist import PolicyError, PolicyFile
from logwatch.blacklist.document import DocumentError
from logwatch.blacklist.networks import parse_network

OFFENDER = "203.0.113.7/32"

HEAD = "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: blacklist}\n"
POLICY = f"""\
{HEAD}spec:
  preDNAT: true
  ingress:
  - action: Deny
    protocol: TCP
    source:
      nets:
      - 198.51.100.7/32 # theirs
  - action: Log
"""

_LAUGHS = "".join(f"x{each}: &x{each} [*x{each - 1}, *x{each - 1}]\n" for each in range(1, 31))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("!!set x\n", 1),
        ("# fine\n---\n!!omap x\n", 3),
        ("a: !!float\n  b: 1\n", 1),
        ("a: !!int\n", 1),
        ("a: !!bool x\n", 1),
        (f"{HEAD}spec: &spec\n  preDNAT: true\n  <<: *spec\n", 1),
        (f"{HEAD}spec:\n  preDNAT: true\n  ingress: !!seq null\n", 6),
        (f"&root\n{HEAD}self: *root\nspec:\n  preDNAT: true\n", 1),
        (HEAD + "spec:\n  preDNAT: true\nx0: &x0 {a: b}\n" + _LAUGHS, 1),
        (f"{HEAD}spec:\n  preDNAT: true\n  types: !t\n  - null\n", None),
        (f"<<:\n  other:\n  - a\n{HEAD}spec:\n  preDNAT: true\n", None),
    ],
)
def test_what_the_yaml_library_trips_over_is_a_policy_error(
    tmp_path: Path, text: str, line: int | None
) -> None:
    path = tmp_path / "blacklist.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        PolicyFile(path).write([OFFENDER])
    where = path if line is None else f"{path}, line {line}"
    assert str(caught.value).startswith(f"{where}: ")
    assert text == path.read_text()
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["kind", "apiVersion", "name"])
@pytest.mark.parametrize("value", ["[a]", "{a: b}", "!!set {a}"])
def test_a_collection_in_place_of_a_name_is_another_document(key: str, value: str) -> None:
    lines = {
        "kind": "kind: GlobalNetworkPolicy",
        "apiVersion": "apiVersion: projectcalico.org/v3",
        "name": "name: blacklist",
    }
    text = HEAD.replace(lines[key], f"{key}: {value}")
    assert text != HEAD
    assert not held(text).own
    merged, holding = merge(text, [parse_network(OFFENDER)])
    assert merged.startswith(text)
    assert (parse_network(OFFENDER),) == holding.own


@pytest.mark.parametrize("text", ["null\n", "~", "--- !!null\n", "a: 1\n...\n", "a: |\n  b", "# c"])
def test_the_policy_can_be_put_behind_any_document(text: str) -> None:
    merged, _ = merge(text, [parse_network(OFFENDER)])
    assert merged.startswith(text)
    assert (parse_network(OFFENDER),) == held(merged).own


_PIECES = st.sampled_from(
    [
        *(
            "!!set ",
            "!!omap ",
            "!!seq ",
            "!!map ",
            "!!float ",
            "!!int ",
            "!!null ",
            "!!str ",
            "!x ",
        ),
        *("!!bool ", "!!binary ", "!!timestamp ", "!!merge ", "!!pairs ", "<<: ", "? ", ": ", "- "),
        *("&a ", "*a", "null", "~", "[", "]", "{", "}", "[]", "{}", "'", '"', "|", ">-", "%", "@"),
        *("\n", "  ", "\t", "#", "---\n", "...\n", "\x00", '"\\ud800"', "2001-99-99", "0x", "1_"),
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Policies with pieces of YAML put in, characters cut out and lines doubled."""
    text = draw(st.sampled_from([POLICY, merge(POLICY, [parse_network(OFFENDER)])[0], "a: 1\n"]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 0, 1, 5, 20])))
        text = text[:start] + draw(_PIECES | st.just(text[start:end] * 2)) + text[end:]
    return text


@settings(deadline=None, max_examples=300)
@given(mutated())
@example(POLICY.replace("- action: Log", "- &a\n    action: Log\n    x: *a"))
@example(POLICY.replace("TCP", '"\\ud800"'))
def test_no_text_raises_anything_else(text: str) -> None:
    for networks in ((), (parse_network(OFFENDER), parse_network("203.0.113.9/32"))):
        try:
            merged, _ = merge(text, networks)
        except DocumentError:
            continue
        denied = held(merged)
        assert not set(networks) - {*denied.own, *denied.other}
