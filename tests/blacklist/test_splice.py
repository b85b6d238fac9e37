"""Changes by lines against ruamel.yaml's round trip, and reading with cuts against whole."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy_text import held, merge
from ruamel.yaml import YAML

from logwatch.blacklist import blacklist_policy, parse_network
from logwatch.blacklist.arrange import contents_of
from logwatch.blacklist.contents import Contents
from logwatch.blacklist.document import DocumentError, Part, dump
from logwatch.blacklist.merge import _by_lines, merged, round_trip
from logwatch.blacklist.networks import Network, collapse
from logwatch.blacklist.policy import ANNOTATION, MAX_NETWORKS_PER_RULE, deny_rules
from logwatch.blacklist.reading import read
from logwatch.blacklist.spans import Span, disjoint, outside


def load(text: str) -> list[Any]:
    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each is not None]


def networks() -> st.SearchStrategy[tuple[Network, ...]]:
    v4 = st.integers(0, 12).map(lambda number: f"203.0.113.{number}/32")
    v6 = st.integers(0, 5).map(lambda number: f"2001:db8:0:{number + 1:x}::/64")
    return st.lists(v4 | v6, max_size=14).map(lambda each: collapse(map(parse_network, each)))


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Policies of ours with others' rules around, in several indentations, with comments."""
    text = dump(blacklist_policy(draw(networks())))
    if draw(st.booleans()):
        text = text.replace("  ingress:\n", "  ingress:\n    - action: Log\n", 1)
    if draw(st.booleans()):
        text = text.replace("          - ", "        - ")
    lines = []
    for number, line in enumerate(text.splitlines()):
        if draw(st.integers(0, 5)) == 0 and number:
            lines.append(" " * draw(st.integers(0, 12)) + f"# {number}")
        if re.search(r"- [0-9a-f.:]+/", line):
            quote = draw(st.sampled_from(["", "", "", "'", '"']))
            line = re.sub(r"- (\S+)", rf"- {quote}\1{quote}", line)  # noqa: PLW2901
            line += draw(st.sampled_from(["", "", "", f" # of {number}"]))  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + draw(st.sampled_from(["\n", "", "\n\n", "\n# end\n"]))


def comments(text: str) -> list[str]:
    return sorted(re.findall(r"#.*", text))


@settings(deadline=None, max_examples=60)
@given(policies(), networks(), st.integers(1, 4))
def test_by_lines_means_what_the_round_trip_means(
    text: str, wanted: tuple[Network, ...], size: int
) -> None:
    """Both deny the same, and by lines no comment goes that stays in the round trip."""
    contents = contents_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("logwatch.blacklist.policy.MAX_NETWORKS_PER_RULE", size)
        rules = deny_rules(wanted, wanted)
    fast = _by_lines(contents, rules)
    slow = round_trip(contents, rules)
    if fast is None:
        return
    assert load(slow.text) == load(fast.text)
    kept = comments(fast.text)
    assert set(comments(slow.text)) <= set(kept) <= set(comments(text))
    assert len(set(kept)) == len(kept)


def test_the_usual_changes_are_made_by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """From nothing over one rule to several and back, for both families."""

    def refuse(contents: Contents, wanted: object) -> Contents:
        raise AssertionError((contents, wanted))

    monkeypatch.setattr("logwatch.blacklist.merge.round_trip", refuse)
    number = MAX_NETWORKS_PER_RULE
    v4 = [parse_network(f"10.0.{each >> 8}.{each & 255}/32") for each in range(2 * number)]
    v6 = [parse_network(f"2001:db8:0:{each + 1:x}::/64") for each in range(3)]
    contents = contents_of("")
    for wanted in (v4[:number], v4[: number + 1], v4, [*v4, *v6], v6, [], [*v4[:9], *v6], v4[1:]):
        contents = merged(contents, wanted)
        expected = [rule.networks for rule in deny_rules(wanted, wanted)]
        (policy,) = load(contents.text)
        assert [[str(each) for each in chunk] for chunk in expected] == [
            rule["source"]["nets"] for rule in policy["spec"]["ingress"]
        ]
        assert tuple(wanted) == held(contents.text).own


@pytest.mark.parametrize("end", [257, 300])
def test_a_comment_goes_where_its_network_goes(end: int) -> None:
    """One network in front pushes the last one of a full rule into the next rule, or a new one."""
    wanted = [parse_network(f"10.0.{each >> 8}.{each & 255}/32") for each in range(1, end)]
    last = str(wanted[MAX_NETWORKS_PER_RULE - 1])
    text = merge("", wanted)[0].replace(f"- {last}\n", f"- {last} # by hand\n")
    got = merge(text, [parse_network("10.0.0.0/32"), *wanted])[0]
    assert 2 == got.count(f"- {last} # by hand\n")
    assert 2 == got.count("# by hand")


def test_a_large_first_write_into_a_policy_of_others_is_made_by_lines() -> None:
    text = dump(blacklist_policy(())).replace(" []\n", "\n    - action: Log # theirs\n")
    wanted = [parse_network(f"10.0.{each >> 8}.{each & 255}/32") for each in range(600)]
    got, holding = merge(text, wanted)
    assert tuple(wanted) == holding.own
    assert "- action: Log # theirs\n" in got
    assert 7 == len(load(got)[0]["spec"]["ingress"])


RUN = ["  - 1.2.3.4/32", "  - 1.2.3.5/32", "  - '1.2.3.6/32'", '  - "::/64"', "  - ::/128"]

_LINES = st.sampled_from(
    [
        *("  - 1.2.3.4/32", "  - 1.2.3.5/32", "  - '1.2.3.6/32'", "  - ::1:0:0:0:0/64"),
        *("- 1.2.3.4/32", "- 1.2.3.5/32", "- 1.2.3.6/32", "    - 1.2.3.4/32", "    - 1.2.3.5/32"),
        *(
            "a:",
            "b: |",
            "c: >-",
            "d: text",
            "e: 'text",
            "'",
            '"',
            "  more",
            "# x",
            "",
            "f: &x",
            "[",
            "]",
        ),
        *("g: *x", "  - h: 1", "  - - 1.2.3.4/32", "    i:", "metadata:", "  annotations:"),
        "    calico-logwatch.io/networks: 1.2.3.4/32 UDP:1.2.3.5/32 1.2.3.6/32",
    ]
)


@settings(deadline=None, max_examples=100)
@given(st.lists(_LINES | _LINES.map(lambda line: "\n".join([line] * 4)), max_size=14))
@example(["a:", *RUN])
@example(["a:", *RUN, "    more"])
@example(["a: |", *RUN, "b:", *RUN])
@example(["a: x", *RUN])
@example(["a:", "  - h:", *("  " + line for line in RUN), *RUN])
@example(["a:", *(line.strip() for line in RUN), "b:", *RUN, "  # x", *RUN])
@example(["a: &x", *RUN, "b: *x"])
@example(["metadata:", "  annotations:", f"    {ANNOTATION}: 1.2.3.4/32 UDP:1.2.3.5/32"])
def test_a_document_with_long_lists_reads_as_a_whole(lines: list[str]) -> None:
    """Whatever the lines stand in: what is read with cuts is what ruamel.yaml reads without."""
    part = Part(0, "", "\n".join(lines))
    try:
        whole = part.load()
    except DocumentError:
        with pytest.raises(DocumentError):
            read(part)
        return
    if not isinstance(whole, dict):
        return
    assert lists(whole) == lists(read(replace(part)).root)


def lists(node: object) -> object:
    """A document without its texts over several lines: of these, no one asks for the content."""
    if isinstance(node, dict):
        return {key: lists(value) for key, value in node.items()}
    if isinstance(node, list):
        return [lists(value) for value in node]
    if isinstance(node, str) and not re.fullmatch(r"(\S+/\d+ ?)+", node):
        return "text"
    return node


@given(
    st.ip_addresses(),
    st.sampled_from(["", "/32", "/64", "/24", "/128", "/0", "/048", "/-1", "/x"]),
    st.booleans(),
)
def test_a_span_is_what_its_network_is(address: object, length: str, is_masked: bool) -> None:
    text = f"{address}{length}"
    try:
        network = parse_network(text)
    except Exception as error:  # noqa: BLE001 -- whatever it is
        with pytest.raises(type(error)):
            Span.read(text)
        return
    text = str(network) if is_masked else text
    assert Span.of(network) == Span.read(text)


@given(st.lists(networks(), min_size=2, max_size=2), st.sampled_from(["203.0.113.0/29", "::/0"]))
def test_spans_are_sorted_and_left_out_like_networks(
    some: list[tuple[Network, ...]], wide: str
) -> None:
    mixed = [*some[0], parse_network(wide), *some[1]]
    expected = [str(each) for each in collapse(mixed)]
    assert expected == [span.text for span in disjoint(map(Span.of, mixed))]
    left = outside([Span.of(each) for each in some[0]], [Span.of(parse_network(wide))])
    holder = parse_network(wide)
    assert [span.text for span in left] == [
        str(each)
        for each in some[0]
        if each.version != holder.version or not each.subnet_of(holder)  # type: ignore[arg-type]
    ]
