"""The text of a policy file before and after our networks are put in, without any file."""

import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from ipaddress import ip_network
from textwrap import indent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_text import held, merge

from logwatch.blacklist import Network, blacklist_policy, collapse
from logwatch.blacklist.document import DocumentError

Load = Callable[[str], list[Any]]
Denies = Callable[..., bool]
Validate = Callable[[Any], None]

ANNOTATION = "calico-logwatch.io/networks"

TUTORIAL = """\
# Our blacklist. Ask Kim before you change it.
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: blacklist   # as in the tutorial
# what it does
spec:
  selector: "ibm.role=='worker_public'"
  order: 500
  preDNAT: true
  applyOnForward: true
  ingress:
  # the one of last May
  - action: Deny
    protocol: TCP
    source:
      nets:
      - 198.51.100.1/32   # scanned us
      - 198.51.100.0/25   # and its neighbours
      # until here
  # the same for UDP

  - action: Deny
    protocol: UDP
    source: {nets: [198.51.100.1/32, 198.51.100.0/25]}
  - action: Deny   # web only
    protocol: TCP
    source:
      nets: [192.0.2.0/24]
    destination:
      ports: [80]
  # which way
  types:
  - Ingress
# the end
"""

WHITELIST = """\
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: { name:   whitelist }
spec:   {order: 500, preDNAT: true, applyOnForward: true, selector: all(),
         ingress: [{action:   Allow}] }   # odd spacing
"""


def nets(*texts: str) -> tuple[Network, ...]:
    return collapse(ip_network(text) for text in texts)


def with_networks(text: str, *texts: str) -> str:
    return merge(text, nets(*texts))[0]


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def without_ours(document: dict[str, Any]) -> dict[str, Any]:
    document = deepcopy(document)
    annotations = document["metadata"].get("annotations", {})
    annotations.pop(ANNOTATION, None)
    if not annotations:
        document["metadata"].pop("annotations", None)
    return document


def test_an_empty_text_becomes_the_tutorials_policy(load: Load, validate: Validate) -> None:
    for text in ("", "\n", "# nothing yet\n", "---\n", "---\n# nothing\n---\n"):
        got = with_networks(text, "203.0.113.7/32", "2001:db8::/64")
        assert got.startswith(text)
        (policy,) = load(got)
        validate(policy)
        assert blacklist_policy(nets("203.0.113.7/32", "2001:db8::/64")) == policy


def test_without_networks_no_policy_is_added() -> None:
    for text in ("", WHITELIST):
        assert text == with_networks(text)


def test_the_policy_is_added_behind_other_documents_which_stay_byte_for_byte(load: Load) -> None:
    for text in (WHITELIST, WHITELIST.rstrip("\n"), WHITELIST + "---\n" + WHITELIST + "---\n"):
        got = with_networks(text, "203.0.113.7/32")
        assert got.startswith(text)
        assert blacklist_policy(nets("203.0.113.7/32")) == load(got)[-1]
        assert load(text) == load(got)[:-1]


def test_what_others_wrote_stays(load: Load, validate: Validate) -> None:
    text = f"---\n{WHITELIST}--- # second\n{TUTORIAL}---\n{WHITELIST}"
    got = with_networks(text, "203.0.113.7/32", "2001:db8::/64")
    assert got.startswith(f"---\n{WHITELIST}--- # second\n")
    assert got.endswith(f"---\n{WHITELIST}")
    assert comments(text) == comments(got)
    before, after = load(text)[1], load(got)[1]
    validate(after)
    assert before["spec"]["ingress"] == after["spec"]["ingress"][:3]
    assert (
        blacklist_policy(nets("203.0.113.7/32", "2001:db8::/64"))["spec"]["ingress"]
        == (after["spec"]["ingress"][3:])
    )
    after["spec"]["ingress"] = before["spec"]["ingress"]
    assert before == without_ours(after)
    assert list(before["spec"]) == list(after["spec"])


def test_ours_are_removed_again_and_nothing_else() -> None:
    again = with_networks(with_networks(TUTORIAL, "203.0.113.7/32", "2001:db8::/64"))
    expected = TUTORIAL.replace(
        "metadata:\n", f"metadata:\n  annotations:\n    {ANNOTATION}: ''\n", 1
    )
    assert expected == again


def test_the_last_network_leaves_no_rule_behind(load: Load, denies: Denies) -> None:
    """An empty `source.nets` would deny everyone."""
    text = with_networks("", "203.0.113.7/32")
    (policy,) = load(with_networks(text))
    assert [] == policy["spec"]["ingress"]
    assert not denies(policy, "198.51.100.1", "TCP")
    assert [load(text)[0]] == load(with_networks(with_networks(text), "203.0.113.7/32"))


def test_nothing_changes_when_all_is_as_it_should_be() -> None:
    text = with_networks(TUTORIAL, "203.0.113.7/32", "2001:db8::/64")
    assert text is merge(text, nets("203.0.113.7/32", "2001:db8::/64"))[0]


def test_a_network_that_others_deny_is_left_to_them(load: Load) -> None:
    got, holding = merge(TUTORIAL, nets("198.51.100.9/32", "203.0.113.7/32"))
    assert nets("203.0.113.7/32") == holding.own
    assert nets("198.51.100.0/25") == holding.other
    assert TUTORIAL.count("198.51.100.9") == got.count("198.51.100.9")
    assert load(TUTORIAL)[0]["spec"]["ingress"] == load(with_networks(got))[0]["spec"]["ingress"]


def test_a_network_that_others_deny_for_tcp_alone_is_denied_for_udp_by_us(
    load: Load, denies: Denies
) -> None:
    text = with_networks("", "203.0.113.7/32").replace(f"{ANNOTATION}: 203.0.113.7/32", "a: b")
    start = text.rindex("    - action")
    theirs = text[:start]  # the TCP rule is somebody's own now
    got, holding = merge(theirs, nets("203.0.113.7/32"))
    (policy,) = load(got)
    assert nets("203.0.113.7/32") == holding.own
    assert denies(policy, "203.0.113.7", "TCP")
    assert denies(policy, "203.0.113.7", "UDP")
    assert got == with_networks(got, "203.0.113.7/32")
    assert load(theirs)[0]["spec"] == load(with_networks(got))[0]["spec"]


def test_a_network_added_by_hand_to_our_rule_stays_when_ours_go(load: Load) -> None:
    text = with_networks("", "203.0.113.7/32", "203.0.113.9/32")
    text = text.replace(
        "          - 203.0.113.9/32\n",
        "          - 203.0.113.9/32\n          - 192.0.2.1/32   # by hand\n",
    )
    got = with_networks(text, "203.0.113.9/32")
    rules = [(rule["protocol"], rule["source"]["nets"]) for rule in load(got)[0]["spec"]["ingress"]]
    assert [
        ("TCP", ["192.0.2.1/32"]),
        ("UDP", ["192.0.2.1/32"]),
        ("TCP", ["203.0.113.9/32"]),
        ("UDP", ["203.0.113.9/32"]),
    ] == rules
    assert comments(text) == comments(got)
    assert nets("192.0.2.1/32") == held(with_networks(got)).other


def test_what_someone_took_away_is_put_back(load: Load) -> None:
    """Somebody deleted the UDP rule, made the TCP rule wider, and removed its protocol."""
    right = with_networks("", "203.0.113.7/32", "203.0.113.9/32")
    start = right.rindex("    - action")
    for wrong in (
        right[:start],
        right.replace("          - 203.0.113.7/32\n", "", 1),
        right.replace("      protocol: TCP\n", ""),
        right.replace("203.0.113.7/32\n", "203.0.113.7\n"),
        right.replace("          - 203.0.113.9/32\n", "", 1).replace(
            "- 203.0.113.7/32", "- 203.0.113.9/32\n          - 203.0.113.7/32", 1
        ),
        right.replace("- 203.0.113.7/32\n", "- 203.0.113.7/32\n          - 203.0.113.7/32\n"),
    ):
        assert wrong != right
        got = with_networks(wrong, "203.0.113.7/32", "203.0.113.9/32")
        assert load(right) == load(got)


def test_a_comment_on_a_network_stays_as_long_as_the_network() -> None:
    text = with_networks("", "203.0.113.7/32", "203.0.113.9/32").replace(
        "- 203.0.113.9/32\n", "- 203.0.113.9/32 # keep\n", 1
    )
    got = with_networks(text, "203.0.113.1/32", "203.0.113.9/32", "203.0.113.200/32")
    assert "- 203.0.113.9/32 # keep\n" in got
    assert "keep" not in with_networks(got, "203.0.113.1/32")


V1 = """\
apiVersion: crd.projectcalico.org/v1
kind: GlobalNetworkPolicy
metadata: {name: default.blacklist}
spec: {preDNAT: true, applyOnForward: true}
"""

LIST = """\
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicyList
items:
- apiVersion: projectcalico.org/v3
  kind: GlobalNetworkPolicy
  metadata:
    name: blacklist
    annotations:
  spec:
    doNotTrack: true
    applyOnForward: true
    ingress: []
"""

FLOW = """\
--- {apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: blacklist},
 spec: {preDNAT: true, applyOnForward: true, ingress: null}}
"""


@pytest.mark.parametrize(
    "item",
    [V1, LIST, FLOW],
    ids=["v1", "list", "flow"],
)
def test_every_form_of_the_policy_is_found(
    item: str, load: Load, denies: Denies, validate: Validate
) -> None:
    got = with_networks(WHITELIST + ("" if item[0] == "-" else "---\n") + item, "203.0.113.7/32")
    assert 2 == len(load(got))
    policy = load(got)[1]
    policy = policy.get("items", [policy])[0]
    validate(policy)
    assert denies(policy, "203.0.113.7", "UDP")
    assert nets("203.0.113.7/32") == held(got).own
    assert not held(with_networks(got)).own


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("action: Deny\n", "action: Allow\n", 14, "action 'Allow'"),
        ("  # the one of last May\n", "  - {}\n", 13, "action None"),
        ("preDNAT: true", "preDNAT: false", 2, "preDNAT"),
        ("spec:\n", "spec: 5\nother:\n", 2, "spec of policy"),
        ("metadata:\n", "metadata:\n  annotations: 7\n", 2, "annotations"),
        ("metadata:\n", f"metadata:\n  annotations: {{{ANNOTATION}: us}}\n", 2, "damaged: 'us'"),
        ("  ingress:\n", "  ingress: all\n  other:\n", 2, "spec.ingress"),
        ("  order: 500\n", "  order: [500\n", 10, "not valid YAML"),
        ("  order: 500\n", "  order: 500\n  order: 500\n", 10, "not valid YAML"),
        ("  order: 500\n", "  order: \x07\n", 9, "control character"),
        ("# the end\n", "---\n- one\n", 36, "no Kubernetes object"),
        ("# the end\n", "---\n" + TUTORIAL, 37, "a second policy"),
    ],
)
def test_a_file_that_is_not_ours_to_change_is_refused_with_the_line(
    old: str, new: str, line: int, words: str
) -> None:
    text = TUTORIAL.replace(old, new, 1)
    for attempt in (lambda: held(text), lambda: merge(text, nets("203.0.113.7/32"))):
        with pytest.raises(DocumentError, match=re.escape(words)) as caught:
            attempt()
        assert line == caught.value.line


def test_an_alias_that_ties_our_rules_together_is_refused_when_they_must_differ() -> None:
    """Changing one of the two lists changes the other."""
    text = with_networks("", "203.0.113.7/32")
    head, tcp, udp = text.partition("    - action")[0], *text.split("    - action")[1:]
    tied = (
        f"{head}    - action"
        + tcp.replace("nets:\n", "nets: &ours\n")
        + "    - action"
        + udp.replace("nets:\n          - 203.0.113.7/32\n", "nets: *ours\n")
    )
    assert nets("203.0.113.7/32") == held(tied).own
    got = with_networks(tied, "203.0.113.7/32", "203.0.113.9/32")
    assert nets("203.0.113.7/32", "203.0.113.9/32") == held(got).own
    theirs = "    - {action: Deny, protocol: TCP, source: {nets: [203.0.113.9/32]}}\n"
    with pytest.raises(DocumentError, match="without anchors and aliases"):
        merge(tied + theirs, nets("203.0.113.7/32", "203.0.113.9/32"))


def test_more_rules_than_calico_takes_are_refused() -> None:
    rules = "".join("  - {action: Log}\n" for _ in range(1023))
    text = TUTORIAL.replace("  # which way\n", rules)
    with pytest.raises(DocumentError, match="more than Calico's 1024 rules"):
        merge(text, nets("203.0.113.7/32"))


def addresses() -> st.SearchStrategy[list[str]]:
    v4 = st.integers(0, 12).map(lambda number: f"203.0.113.{number}/32")
    v6 = st.integers(0, 5).map(lambda number: f"2001:db8:0:{number + 1:x}::/64")
    return st.lists(v4 | v6, max_size=12)


_OTHERS = (
    """\
- action: Deny
  protocol: TCP
  source:
    nets:
    - 203.0.113.0/30
""",
    """\
- action: Deny
  source: {nets: [203.0.113.8/32, 198.51.100.7/32]}
""",
    """\
- action: Deny
  protocol: UDP
  source:
    nets: ['203.0.113.5/32']
""",
    """\
- {action: Log, protocol: TCP}
""",
    """\
- action: Deny
  protocol: UDP
  source:
    nets:
    - 2001:db8::/56
  destination:
    ports:
    - 53
""",
    """\
- action: Deny
  protocol: TCP
  source:
    selector: >-
      a == 'b'
""",
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Blacklists with rules and comments of others, in several styles."""
    columns = draw(st.sampled_from(["  ", "    "]))
    others = indent("".join(draw(st.lists(st.sampled_from(_OTHERS), max_size=4))), columns)
    before, after = ["  preDNAT: true\n  applyOnForward: true\n"], ["  types: [Ingress]\n"]
    ingress = f"  ingress:\n{others}" if others else "  ingress: []\n"
    parts = [*before, ingress, *after] if draw(st.booleans()) else [*after, *before, ingress]
    text = (
        "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata:\n"
        "  name: blacklist\nspec:\n" + "".join(parts)
    )
    lines = []
    in_scalar = False
    for number, line in enumerate(text.splitlines(keepends=True)):
        if not in_scalar and draw(st.integers(0, 3)) == 0:
            lines.append(" " * draw(st.integers(0, 8)) + f"# {number}\n")
        in_scalar = ">-" in line
        lines.append(line)
    return "".join(lines) + ("# end\n" if draw(st.booleans()) else "")


@settings(deadline=None, max_examples=50)
@given(texts(), st.lists(addresses(), min_size=1, max_size=4))
def test_whatever_stands_there_only_ours_change(
    load: Load, validate: Validate, denies: Denies, text: str, steps: list[list[str]]
) -> None:
    """Through any series of writes: others' rules, all comments, and who is denied."""
    (original,) = load(text)
    current = text
    for step in steps:
        before = current
        current, holding = merge(current, nets(*step))
        (policy,) = load(current)
        if policy["spec"]["ingress"] is not None:
            validate(policy)
        assert holding == held(current)
        assert current == with_networks(current, *step)
        assert sorted(comments(text)) == sorted(comments(current)), before
        ours = nets(*step)
        for number in range(14):
            for address in (f"203.0.113.{number}", f"2001:db8:0:{number:x}::1"):
                for protocol in ("TCP", "UDP"):
                    expected = denies(original, address, protocol, 53) or any(
                        ip_network(address).version == each.version
                        and ip_network(address).subnet_of(each)  # type: ignore[arg-type]
                        for each in ours
                    )
                    assert expected == denies(policy, address, protocol, 53)
    (last,) = load(with_networks(current))
    assert without_ours(original) == without_ours(last)


def order_of(items: Iterable[str], text: str) -> list[int]:
    return [text.index(item) for item in items]


@settings(deadline=None, max_examples=50)
@given(texts(), addresses())
def test_comments_keep_their_order(text: str, step: list[str]) -> None:
    lines = re.findall(r"# \d+\n|# end\n", text)
    got = merge(merge(text, nets(*step))[0], ())[0]
    assert sorted(order_of(lines, got)) == order_of(lines, got)
