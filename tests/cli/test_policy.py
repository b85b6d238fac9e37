"""`logwatch policy` as a person or a script sees it."""

import json
from pathlib import Path

import pytest
from command import logwatch

EVERYBODY = b"""\
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: blacklist}
spec: {preDNAT: true, applyOnForward: true, ingress: [{action: Deny, source: {nets: []}}]}
"""


def test_what_is_rendered_passes_the_check(tmp_path: Path) -> None:
    """Through a file and through a pipe."""
    options = ["--client", "203.0.113.7", "--load-balancer", "[2001:db8::1]:443", "--log"]
    done = logwatch("policy", "render", "deny-lb-port-80", *options)
    assert (0, b"") == (done.returncode, done.stderr)
    path = tmp_path / "policy.yaml"
    path.write_bytes(done.stdout)
    for arguments, given in (([str(path)], b""), (["-"], done.stdout)):
        checked = logwatch("policy", "check", *arguments, given=given)
        assert (0, b"", b"") == (checked.returncode, checked.stdout, checked.stderr)


def test_rendered_sets_pass_the_check() -> None:
    done = logwatch("policy", "render", "blacklist", "--shape", "sets", "--client", "203.0.113.7")
    assert (0, b"") == (done.returncode, done.stderr)
    checked = logwatch("policy", "check", "-", given=done.stdout)
    assert (0, b"") == (checked.returncode, checked.stdout)
    broken = done.stdout.replace(b"'true'", b"true")
    assert 3 == logwatch("policy", "check", "-", given=broken).returncode


def test_a_policy_that_denies_everybody_is_a_problem() -> None:
    done = logwatch("policy", "check", "-", given=EVERYBODY)
    assert 3 == done.returncode
    assert (
        b"-: blacklist: ingress[0].source.nets: problem: a Deny with an empty list of networks"
        b" denies everybody; remove the rule\n"
    ) == done.stdout
    done = logwatch("policy", "check", "-", "--format", "json", given=EVERYBODY)
    assert ["problem"] == [each["level"] for each in json.loads(done.stdout)["findings"]]


def test_the_list_is_json_for_programs() -> None:
    done = logwatch("policy", "list", "--format", "json")
    names = [policy["name"] for policy in json.loads(done.stdout)["policies"]]
    assert ["deny-nodeports", "deny-lb-port-80", "whitelist", "blacklist"] == names[:4]


@pytest.mark.parametrize(
    ("arguments", "given", "code", "said"),
    [
        (["apply"], b"", 2, b"'apply'"),
        (["render"], b"", 2, b"NAME"),
        (["render", "greylist"], b"", 2, b"no policy 'greylist'; there are deny-nodeports,"),
        (["render", "blacklist"], b"", 2, b"needs --client"),
        (["render", "whitelist", "--shape", "sets"], b"", 2, b"whitelist has no sets"),
        (["render", "blacklist", "--client", "me"], b"", 2, b"'me' is not a network"),
        (
            ["render", "blacklist", "--client", "203.0.113.7/8"],
            b"",
            2,
            b"the network is 203.0.0.0/8",
        ),
        (["render", "blacklist", "--client", "::/0"], b"", 2, b"would deny everybody"),
        (["render", "deny-lb-port-80", "--load-balancer", "1.2.3.4/8"], b"", 2, b"bits set"),
        (["check", "/nowhere"], b"", 1, b"/nowhere can't be read: No such file"),
        (["check", "-"], b"a: [", 1, b"- is not valid YAML"),
        (["check", "-"], b"\xff", 1, b"not text in UTF-8"),
        (["check", "-"], b"kind: Pod", 0, b"- holds no global network policy"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], given: bytes, code: int, said: bytes) -> None:
    done = logwatch("policy", *arguments, given=given)
    assert code == done.returncode
    assert said in done.stderr
    assert b"Traceback" not in done.stderr
