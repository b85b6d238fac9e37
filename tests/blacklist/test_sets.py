"""Networks in global network sets, and the policy that denies them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from policy_text import merge
from ruamel.yaml import YAML

from logwatch.blacklist import Change, PolicyError, PolicyFile, parse_network
from logwatch.blacklist.lint import lint

Load = Callable[[str], list[Any]]

OFFENDER = "203.0.113.7/32"
LABEL = "calico-logwatch.io/blacklist"
SELECTOR = f'{LABEL} == "true"'

THEIRS = f"""\
# Ours. Ask Kim.
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: blacklist
spec:
  preDNAT: true
  applyOnForward: true
  ingress:
    - action: Deny # since May
      source:
        nets: [198.51.100.0/24]
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {{name: theirs, labels: {{{LABEL}: "true"}}}}
spec: {{nets: [192.0.2.0/24]}} # odd   spacing
"""


def many(number: int, start: int = 0) -> list[str]:
    return [f"10.{each >> 8}.{each & 255}.1/32" for each in range(start, start + number)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "blacklist.yaml"


def sets_in(path: Path) -> dict[str, list[str]]:
    documents = YAML(typ="safe").load_all(path.read_text())
    return {
        each["metadata"]["name"]: each["spec"]["nets"]
        for each in documents
        if each["kind"] == "GlobalNetworkSet"
    }


def sizes(path: Path) -> dict[str, int]:
    return {name: len(nets) for name, nets in sets_in(path).items()}


def test_a_policy_and_a_set_are_made_changed_and_emptied(path: Path, load: Load) -> None:
    """Both families may stand in a set, and an emptied one stays: `apply` removes no object."""
    file = PolicyFile(path, shape="sets")
    assert Change(written=False) == file.write([])
    assert not path.exists()
    networks = [OFFENDER, "2001:db8::/64"]
    assert Change(written=True, added=tuple(networks)) == file.write(networks)
    policy, one = load(path.read_text())
    assert [
        {"action": "Deny", "protocol": protocol, "source": {"selector": SELECTOR}}
        for protocol in ("TCP", "UDP")
    ] == policy["spec"]["ingress"]
    assert {
        "apiVersion": "projectcalico.org/v3",
        "kind": "GlobalNetworkSet",
        "metadata": {"name": "logwatch-blacklist-0", "labels": {LABEL: "true"}},
        "spec": {"nets": networks},
    } == one
    for document in (policy, one):
        assert [] == list(lint(document))
    head = path.read_text().partition("---\n")[0]
    assert Change(written=True, removed=(OFFENDER,)) == file.write(networks[1:])
    assert Change(written=True, removed=("2001:db8::/64",)) == file.write([])
    assert {"logwatch-blacklist-0": []} == sets_in(path)
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    assert {"logwatch-blacklist-0": [OFFENDER]} == sets_in(path)
    assert head == path.read_text().partition("---\n")[0]
    assert (OFFENDER,) == PolicyFile(path).read().own


def test_a_full_set_is_followed_by_another_and_none_is_reshuffled(path: Path) -> None:
    file = PolicyFile(path, shape="sets")
    networks = many(5_000)
    file.write(networks)
    assert {"logwatch-blacklist-0": 5_000} == sizes(path)
    file.write([*networks, OFFENDER])
    assert {"logwatch-blacklist-0": 5_000, "logwatch-blacklist-1": 1} == sizes(path)
    before = path.read_text().split("---\n")
    file.write([*networks, OFFENDER, "203.0.113.9/32"])
    after = path.read_text().split("---\n")
    assert before[:2] == after[:2]
    assert f"{before[2]}    - 203.0.113.9/32\n" == after[2]
    file.write([*networks[1:], OFFENDER, "203.0.113.9/32"])
    assert after[2] == path.read_text().split("---\n")[2]
    assert {"logwatch-blacklist-0": 4_999, "logwatch-blacklist-1": 2} == sizes(path)
    file.write([*networks[1:], OFFENDER, "203.0.113.9/32", "2001:db8::/64"])
    assert {"logwatch-blacklist-0": 5_000, "logwatch-blacklist-1": 2} == sizes(path)
    assert "2001:db8::/64" == sets_in(path)["logwatch-blacklist-0"][-1]


def test_fifty_thousand_and_not_one_more(path: Path) -> None:
    file = PolicyFile(path, shape="sets")
    networks = many(50_001)
    with pytest.raises(PolicyError, match="50001 networks are too many; shape sets takes 50000"):
        file.write(networks)
    assert not path.exists()
    assert 50_000 == len(file.write(networks[:-1]).added)
    assert {f"logwatch-blacklist-{each}": 5_000 for each in range(10)} == sizes(path)
    again = PolicyFile(path, shape="sets")
    assert tuple(networks[:-1]) == again.read().own
    assert Change(written=False) == again.write(networks[:-1])


def test_what_others_wrote_stays_and_is_left_to_them(path: Path, load: Load) -> None:
    """Their rule stays in front, their set byte for byte, and nothing stands in two sets."""
    path.write_text(THEIRS)
    file = PolicyFile(path, shape="sets")
    file.write([OFFENDER, "198.51.100.7/32", "192.0.2.7/32"])
    assert {"theirs": ["192.0.2.0/24"], "logwatch-blacklist-0": [OFFENDER]} == sets_in(path)
    policy, other = path.read_text().split("---\n")[:2]
    assert THEIRS.split("---\n")[1] == other
    assert policy.startswith(THEIRS.split("---\n", maxsplit=1)[0])
    rules = load(policy)[0]["spec"]["ingress"]
    assert [None, SELECTOR, SELECTOR] == [rule["source"].get("selector") for rule in rules]
    enforced = file.read()
    assert ((OFFENDER,), ("192.0.2.0/24", "198.51.100.0/24")) == (enforced.own, enforced.other)
    assert enforced.holds("192.0.2.7/32")
    file.write([])
    assert path.read_text().startswith(f"{policy}---\n{other}---\n")


def test_comments_in_a_set_stay_with_their_networks(path: Path) -> None:
    file = PolicyFile(path, shape="sets")
    file.write(["203.0.113.1/32", OFFENDER])
    text = path.read_text().replace(
        f"    - {OFFENDER}\n", f"    # a botnet\n    - {OFFENDER} # call them\n    # the end\n"
    )
    path.write_text(text)
    file.write([OFFENDER, "203.0.113.9/32"])
    assert (
        text.replace("    - 203.0.113.1/32\n", "").replace(
            "    # the end\n", "    - 203.0.113.9/32\n    # the end\n"
        )
        == path.read_text()
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OFFENDER, "203.0.113.8/32"),
        (OFFENDER, f"{OFFENDER}\n    - {OFFENDER}"),
        (OFFENDER, "nobody"),
        (OFFENDER, f"{OFFENDER}\n    - 192.0.2.1/32"),
        (f"nets:\n    - {OFFENDER}", f"nets: ['{OFFENDER}', 192.0.2.1/32]"),
        (f"nets:\n    - {OFFENDER}", "nets: null"),
        (f"nets:\n    - {OFFENDER}", "nets: {a: b}"),
        (f"spec:\n  nets:\n    - {OFFENDER}", "spec: 7"),
        (f"{LABEL}: 'true'", f"{LABEL}: true"),
        (f"{LABEL}: 'true'", "other: label"),
        (f"labels:\n    {LABEL}: 'true'", "labels: 7"),
        ("protocol: UDP", "protocol: SCTP"),
        ("GlobalNetworkSet", "NetworkSet"),
    ],
)
def test_drift_is_repaired(path: Path, load: Load, old: str, new: str) -> None:
    file = PolicyFile(path, shape="sets")
    file.write([OFFENDER])
    right = path.read_text()
    assert old in right
    path.write_text(right.replace(old, new))
    for each in (file, PolicyFile(path, shape="sets")):
        assert each.write([OFFENDER]).written == (each is file)
        assert (OFFENDER,) == each.read().own
    assert {OFFENDER} == set(load(path.read_text())[-1]["spec"]["nets"])
    for document in load(path.read_text()):
        assert [] == list(lint(document))


def test_a_set_with_an_alias_is_changed_as_a_whole(path: Path) -> None:
    """By the round trip: what is tied to the list by an alias changes with it."""
    file = PolicyFile(path, shape="sets")
    file.write([OFFENDER])
    text = path.read_text().replace("  nets:\n", "  nets: &nets\n") + "  other: *nets\n"
    path.write_text(text)
    file.write([OFFENDER, "203.0.113.9/32"])
    assert {"logwatch-blacklist-0": [OFFENDER, "203.0.113.9/32"]} == sets_in(path)
    assert path.read_text().endswith("  other: *nets\n")


def test_two_sets_of_one_name_are_refused(path: Path) -> None:
    file = PolicyFile(path, shape="sets")
    file.write([OFFENDER])
    text = path.read_text()
    path.write_text(text + "---\n" + text.split("---\n")[1])
    line = text.count("\n") + 2
    with pytest.raises(PolicyError, match=rf"line {line}: a second set logwatch-blacklist-0;"):
        file.write([])


def test_the_shape_can_be_changed_and_changed_back(path: Path, load: Load) -> None:
    """Nothing is denied by less than before, nothing stands twice."""
    networks = [OFFENDER, "2001:db8::/64"]
    PolicyFile(path).write(networks)
    assert Change(written=True) == PolicyFile(path, shape="sets").write(networks)
    policy, one = load(path.read_text())
    assert [SELECTOR] * 2 == [rule["source"]["selector"] for rule in policy["spec"]["ingress"]]
    assert networks == one["spec"]["nets"]
    assert Change(written=True) == PolicyFile(path).write(networks)
    policy, one = load(path.read_text())
    assert [] == one["spec"]["nets"]
    assert 6 == len(policy["spec"]["ingress"])
    assert tuple(networks) == PolicyFile(path).read().own


def test_sets_take_the_api_version_of_the_policy() -> None:
    text = THEIRS.split("---\n", maxsplit=1)[0].replace(
        "projectcalico.org/v3", "crd.projectcalico.org/v1"
    )
    merged, _ = merge(text, [parse_network(OFFENDER)], "sets")
    assert "projectcalico.org/v3" not in merged


def test_a_proposal_in_sets_is_the_whole_file(path: Path) -> None:
    path.write_text(THEIRS)
    target = path.with_name("blacklist.proposed.yaml")
    file = PolicyFile(path, target, shape="sets")
    assert Change(written=True, added=(OFFENDER,)) == file.write([OFFENDER])
    assert THEIRS == path.read_text()
    assert {"theirs", "logwatch-blacklist-0"} == set(sets_in(target))
    assert Change(written=False) == file.write([OFFENDER])


def test_an_editor_beside_us_loses_nothing(path: Path) -> None:
    """What was remembered of the file counts only as long as the file is the same."""
    file = PolicyFile(path, shape="sets")
    networks = many(300)
    for number in range(1, 30):
        file.write(networks[: 10 * number])
        text = path.read_text().replace("  nets:\n", f"  nets:\n    # {number}\n", 1)
        if number % 2:
            path.write_text(text)
        else:
            path.with_suffix(".new").write_text(text)
            os.replace(path.with_suffix(".new"), path)  # noqa: PTH105 -- as editors do
    file.write(networks)
    assert [f"    # {number}" for number in reversed(range(1, 30))] == [
        line for line in path.read_text().splitlines() if line.startswith("    #")
    ]
    assert {"logwatch-blacklist-0": networks} == sets_in(path)
