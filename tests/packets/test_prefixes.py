"""What a prefix with specifiers tells of the policy, by every reader."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets.lines import thorough
from packets.readers import read_by_all

from logwatch.packets.grammar import parse_line
from logwatch.packets.reading import Reading

STAMP = "Sep  5 14:34:40"
HEADER = f"{STAMP} worker-1 kernel: "
BODY = (
    "IN=eth1 OUT= SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=2 "
)
PACKET = Reading(
    "packet",
    1,
    0,
    STAMP.encode(),
    b"eth1",
    b"",
    "203.0.113.7",
    "198.51.100.9",
    60,
    "igmp",
)

LONG = "n" * 124
NAMES = [
    # the prefix, what the kernel printed, and tier, kind, policy, namespace
    ("cp %n", "cp blacklist: ", (None, None, "blacklist", None)),
    ("cp %n", "cp deny-nodeports", (None, None, "deny-nodeports", None)),
    ("cp %n", "cp a.b_c-d: ", (None, None, "a.b_c-d", None)),
    ("cp %k %p", "cp np default/web: ", (None, "np", "web", "default")),
    ("cp %k %p", "cp gnp web: ", (None, "gnp", "web", None)),
    ("cp %t-%n", "cp a-b-c: ", ("a", None, "b-c", None)),
    ("cp %t%n", "cp abc: ", ("a", None, "bc", None)),
    ("cp %t.%k.%n", "cp default.gnp.web: ", ("default", "gnp", "web", None)),
    ("cp %t %k %n %p", "cp x gnp web ns/web: ", ("x", "gnp", "web", "ns")),
    ("cp %p-%n", "cp a-b/c-d: ", (None, None, "c", "a-b")),
    ("cp %n %p", "cp one two/three: ", (None, None, "one", "two")),
    ("cp %n %n", "cp one two: ", (None, None, "one", None)),
    ("%n", "web: ", (None, None, "web", None)),
    ("%p", "ns/web", (None, None, "web", "ns")),
    ("100%% %x %n", "100%% %x web: ", (None, None, "web", None)),
    ("cp %%n", "cp %web: ", (None, None, "web", None)),
    # where the kernel cuts
    ("calico-packet %k %p", "calico-packet gnp log-denied-", (None, "gnp", "log-denied-", None)),
    ("calico-packet %k %p", "calico-packet np kube-system/", (None, "np", None, "kube-system")),
    ("calico-packet %k %p x", "calico-packet np kube-system/", (None, "np", None, "kube-system")),
    ("calico-packet %k %p x", "calico-packet np kube-systems", (None, "np", "kube-systems", None)),
    ("calico-packet-with-texts %k %p", "calico-packet-with-texts gnp ", (None, "gnp", None, None)),
    ("a-prefix-that-is-longer-%n-x", "a-prefix-that-is-longer-web-x", (None, None, "web", None)),
    ("a-prefix-that-is-longer-%n-xyz", "a-prefix-that-is-longer-web-x", (None, None, "web", None)),
    ("cp %n", f"cp {LONG}", (None, None, LONG, None)),
]


@pytest.mark.parametrize(("prefix", "printed", "names"), NAMES)
def test_names_are_read(prefix: str, printed: str, names: tuple[str | None, ...]) -> None:
    tier, kind, policy, namespace = names
    named = {"tier": tier, "policy_kind": kind, "policy": policy, "namespace": namespace}
    expected = replace(PACKET, **named)
    assert expected == read_by_all(f"{HEADER}{printed}{BODY}".encode(), (prefix,))
    odd = Reading("odd", prefix=0, stamp=STAMP.encode(), **named)
    assert odd == read_by_all(f"{HEADER}{printed}IN=et".encode(), (prefix,))


@pytest.mark.parametrize(
    ("prefix", "printed"),
    [
        ("calico-packet %n", "calico-packet : "),
        ("calico-packet %n", "calico-packet a/b: "),
        ("calico-packet %p", "calico-packet web/: "),
        ("calico-packet %p", "calico-packet /web: "),
        ("calico-packet %p", "calico-packet a/b/c: "),
        ("calico-packet %n", "calico-packet a b: "),
        ("calico-packet %n", f"calico-packet {LONG}"),
        ("calico-packet %k %p", "calico-packet gnp"),
        ("calico-packet %n", "calico-packet d\u00e9ni: "),
    ],
)
def test_what_is_no_name_is_odd_by_the_stem_and_has_no_names(prefix: str, printed: str) -> None:
    expected = Reading("odd", prefix=0, stamp=STAMP.encode())
    assert expected == read_by_all(f"{HEADER}{printed}{BODY}".encode(), (prefix,))


OWNERS = [
    # the prefixes, what the kernel printed, and kind, index, policy
    (("calico %n", "calico web"), "calico web: ", ("packet", 1, None)),
    (("calico %n", "calico %p"), "calico web: ", ("packet", 0, "web")),
    (("calico %n", "calico %p"), "calico ns/web: ", ("packet", 1, "web")),
    (("calico", "calico %n"), "calico web: ", ("packet", 1, "web")),
    (("calico-%n", "calico-web-%n"), "calico-web-x: ", ("packet", 0, "web-x")),
    (("%n", "ab%n"), "x y: ", ("other", None, None)),
    (("cal%n", "calico-%n"), "calico- x", ("odd", 1, None)),
]


@pytest.mark.parametrize(("prefixes", "printed", "expected"), OWNERS)
def test_of_several_prefixes_the_exact_one_comes_first(
    prefixes: tuple[str, ...], printed: str, expected: tuple[str, int | None, str | None]
) -> None:
    reading = read_by_all(f"{HEADER}{printed}{BODY}".encode(), prefixes)
    assert expected == (reading.kind, reading.prefix, reading.policy)


@pytest.mark.parametrize(
    ("prefix", "text", "kind"),
    [
        ("cp %n", "x cp web: IN=", "forged"),
        ("cp %n", "x cp web IN=", "other"),
        ("cp %n", f"x cp {LONG}IN=", "forged"),
        ("cp %n", f"x cp {LONG}nIN=", "other"),
        ("c %n", "x c web: IN=", "other"),
        ("cp %n", "cp cp web: IN=", "odd"),
        ("xx", "y xxx: IN=", "forged"),
        ("aba", "y ababa: IN=", "forged"),
    ],
)
def test_a_prefix_elsewhere_is_forged_if_its_beginning_tells_enough(
    prefix: str, text: str, kind: str
) -> None:
    assert kind == read_by_all(f"{HEADER}{text}".encode(), (prefix,)).kind


LETTERS = st.text("ab-._09", min_size=1, max_size=40)


@thorough
@given(LETTERS, LETTERS, st.one_of(st.none(), LETTERS), LETTERS, st.sampled_from([29, 127, 127]))
def test_names_without_their_separators_are_those_that_felix_put_in(
    tier: str, kind: str, namespace: str | None, policy: str, most: int
) -> None:
    """A name is never told longer, nor of another policy, than what the kernel had printed."""
    name = policy if namespace is None else f"{namespace}/{policy}"
    printed = f"cp {tier} {kind} {name}: "[:most]
    reading = read_by_all(f"{HEADER}{printed}{BODY}".encode(), ("cp %t %k %p",))
    words = printed.split(" ")[1:4]
    parts = (words[2] if len(words) > 2 else "").removesuffix(":").split("/")
    expected = (
        words[0],
        words[1] if len(words) > 1 and words[1] else None,
        parts[0] if len(parts) > 1 else None,
        parts[-1] or None,
    )
    assert expected == (reading.tier, reading.policy_kind, reading.namespace, reading.policy)


def test_each_name_is_a_token_in_its_place() -> None:
    line = f"{HEADER}cp np default/web: {BODY}".encode()
    tokens = [
        (token.key, line[token.start : token.end].decode())
        for token in parse_line(line, ["cp %k %p"]).tokens
    ]
    begin = tokens.index(("prefix", "cp "))
    expected = [
        ("prefix", "cp "),
        ("kind", "np"),
        ("prefix", " "),
        ("namespace", "default"),
        ("prefix", "/"),
        ("policy", "web"),
        ("prefix", ": "),
    ]
    assert expected == tokens[begin : begin + len(expected)]


@pytest.mark.parametrize(
    ("cut", "prefix", "printed"),
    [
        (True, "calico-packet %p", "calico-packet log-denied-pack"),
        (True, "calico-packet %p: x", "calico-packet log-denied-pack"),
        (True, "a-prefix-that-is-longer-%n-xyz", "a-prefix-that-is-longer-web-x"),
        (True, "cp %n", f"cp {LONG}"),
        (False, "a-prefix-that-is-longer-%n-x", "a-prefix-that-is-longer-web-x"),
        (False, "calico-packet %p", "calico-packet log-denied-pa: "),
        (False, "calico-packet %p", "calico-packet log-denied"),
    ],
)
def test_a_prefix_that_may_go_on_behind_the_kernels_limit_is_marked(
    cut: bool, prefix: str, printed: str
) -> None:
    parse = parse_line(f"{HEADER}{printed}{BODY}".encode(), [prefix])
    assert "packet" == parse.reading.kind
    assert cut == ("cut" in [token.key for token in parse.tokens])
