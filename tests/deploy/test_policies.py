"""The policies in deploy/policies are what the command in their head writes."""

import shlex
from pathlib import Path

import pytest
from command import logwatch

POLICIES = sorted((Path(__file__).parents[2] / "deploy" / "policies").glob("*.yaml"))


def test_all_five_policies_are_there_and_the_one_for_sets() -> None:
    assert [
        "blacklist-sets",
        "blacklist",
        "deny-lb-port-80",
        "deny-nodeports",
        "log-denied-packets",
        "whitelist",
    ] == [path.stem for path in POLICIES]


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_is_what_its_command_writes(path: Path) -> None:
    _, command, text = path.read_text().split("\n", 2)
    name, *arguments = shlex.split(command.removeprefix("# "))
    assert "logwatch" == name
    done = logwatch(*arguments)
    assert (text, b"") == (done.stdout.decode(), done.stderr)


def test_nothing_is_wrong_with_them() -> None:
    done = logwatch("policy", "check", *map(str, POLICIES))
    assert (0, b"") == (done.returncode, done.stdout)
