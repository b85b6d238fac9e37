"""A configuration that can't be used is refused with the key, the value and the line."""

from pathlib import Path

import pytest

from logwatch.blacklist import MOST
from logwatch.config import BANS_MOST, Config, ConfigError, Web, check, split_address
from logwatch.config.file import load, parse

WHOLE = b"""\
input: file
logs: [/var/log/syslog, /logs/worker-2/syslog]
state: /tmp/state
listen: "[::1]:9200"
mode: enforce
policy_file: /tmp/blacklist.yaml
start: start
prefixes:
  - text: calico-packet
    policy: log-denied-packets
  - {text: audit, verdict: logged}
rules: /etc/logwatch/own.rules
never_ban: [10.0.0.0/8, 2001:db8::1]
brakes: {bans: 10, bans_per_minute: 5}
series: {sources: 5}
web: {certificate_file: /tls.crt, key_file: /tls.key, client_ca_file: /ca.crt, token_file: /token}
"""


def test_every_key_reaches_the_configuration() -> None:
    config = parse(WHOLE, "config.yaml")
    assert ("file", "/var/log/syslog", "/logs/worker-2/syslog") == (config.input, *config.logs)
    assert ("::1", 9200) == config.listen_address
    assert ["log-denied-packets", "audit"] == [prefix.name for prefix in config.prefixes]
    assert ["denied", "logged"] == [prefix.verdict for prefix in config.prefixes]
    assert "/etc/logwatch/own.rules" == config.rules
    assert ["10.0.0.0/8", "2001:db8::1/128"] == [str(each) for each in config.never_ban_networks]
    assert 5 == config.series.sources
    assert Web("/tls.crt", "/tls.key", "/ca.crt", "/token") == config.web


def test_the_command_line_stands_above_the_file() -> None:
    """What the file lacks or has wrong may come from the options; both are checked together."""
    options = {"policy_file": "/tmp/p.yaml", "listen": "127.0.0.1:1"}
    config = parse(b"mode: enforce\nlisten: nowhere\n", "config.yaml", options)
    assert ("enforce", "/tmp/p.yaml") == (config.mode, config.policy_file)
    with pytest.raises(ConfigError) as refusal:
        parse(b"mode: observe\n", "config.yaml", {"listen": "nowhere"})
    assert "config.yaml" not in str(refusal.value)


def test_the_kernels_log_is_read_alone() -> None:
    """Wherever the file and the input are named; a default is not named."""
    assert "kmsg" == parse(b"input: kmsg\n", "config.yaml").input
    for text, options in [
        (b"logs: [/x]\n", {"input": "kmsg"}),
        (b"input: kmsg\n", {"logs": ("/var/log/syslog",)}),
        (b"", {"input": "kmsg", "logs": ("/x",)}),
    ]:
        with pytest.raises(ConfigError, match="no file is read"):
            parse(text, "config.yaml", options)


def test_one_file_of_two_names_is_refused(tmp_path: Path) -> None:
    """By a symbolic link, by a hard link; files that only look alike are followed."""
    log = tmp_path / "log"
    log.touch()
    (tmp_path / "soft").symlink_to(log)
    (tmp_path / "hard").hardlink_to(log)
    for name in ("soft", "hard"):
        with pytest.raises(ConfigError, match="same file"):
            check(Config(logs=(str(log), str(tmp_path / name))))
    for names in [("worker-1", "worker-2"), ("a/syslog", "b/kern.log"), ("log", "log.old")]:
        check(Config(logs=tuple(str(tmp_path / name) for name in names)))


def test_too_many_prefixes_are_refused() -> None:
    text = "prefixes: [" + ", ".join(f"{{text: p{number}}}" for number in range(65)) + "]\n"
    with pytest.raises(ConfigError, match="64"):
        parse(text.encode(), "config.yaml")


def test_an_empty_file_is_the_default() -> None:
    assert Config() == parse(b"# nothing yet\n", "config.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"mod: enforce\n", ["line 1", "mod:", "unknown key", "mode"]),
        (b"state: /s\nseries:\n  portz: 3\n", ["line 3", "series.portz", "ports"]),
        (b"logs:\n  - /a\n  - 7\n", ["line 3", "logs[1]", "7"]),
        (b"state: /s\nmode: ban\n", ["line 2", "mode", "'ban'"]),
        (b"\n\nlisten: localhost\n", ["line 3", "listen", "ADDRESS:PORT"]),
        (b"listen: 127.0.0.1:70000\n", ["line 1", "listen", "65535"]),
        (b"never_ban:\n- 10.0.0.0/8\n- 10.0.0/33\n", ["line 3", "never_ban[1]", "'10.0.0/33'"]),
        (b"prefixes:\n  - text: ''\n", ["line 2", "prefixes[0].text"]),
        (b"prefixes:\n  - text: 'a=b'\n", ["line 2", "'a=b'"]),
        (b'prefixes:\n  - policy: "a\\0b"\n', ["line 2", "prefixes[0].policy", "'a\\x00b'"]),
        (b'prefixes:\n  - policy: "\\ud800"\n', ["line 2", "'\\ud800'"]),
        (
            b"prefixes:\n  - text: 'cp %t %k %n %p'\n  - text: 'cp %t %k %n %p%n'\n",
            [
                "line 3",
                "prefixes[1].text",
                "'cp %t %k %n %p%n'",
                "more than 4 of %t, %k, %n and %p",
            ],
        ),
        (b"mode: enforce\n", ["line 1", "policy_file"]),
        (b"logs:\n  - /var/log/x\n  - /var/log/./x\n", ["line 3", "same file", "twice"]),
        (b"logs: [/x/syslog, /x/kern.log]\n", ["logs[1]", "same lines of the kernel", "twice"]),
        (b"logs: [/x/messages, /x/syslog]\n", ["logs[1]", "same lines of the kernel", "twice"]),
        (b"logs: [/x/log, /x/log.1]\n", ["logs[1]", "read already with /x/log", "twice"]),
        (b"logs: [/x/log-20261124, /x/log]\n", ["logs[1]", "read already with", "twice"]),
        (b"input: kmsg\nlogs: [/var/log/syslog]\n", ["line 2", "logs", "--input kmsg", "--log"]),
        (b"\ninput: dmesg\n", ["line 2", "input", "'dmesg'", "file, kmsg"]),
        (b"logs: ['']\n", ["line 1", "not a path"]),
        (b"logs: /var/log/syslog\n", ["line 1", "a list"]),
        (b"state: !secret x\nmode: enforced\n", ["line 2", "observe, propose, enforce"]),
        (b"prefixes: [{text: a}, {text: a}]\n", ["prefixes[1].text", "twice"]),
        (b"never_ban: ['fe80::1%eth0']\n", ["never_ban[0]", "fe80::1%eth0"]),
        (b"state: /s\nrules: [a]\n", ["line 2", "rules", "a text"]),
        (b"brakes: {bans_per_minute: 0}\n", ["brakes.bans_per_minute", "between 1 and 10000"]),
        (b"brakes: {share_percent: 101}\n", ["brakes.share_percent", "between 1 and 100"]),
        (b"brakes: {freeze_factor: 1}\n", ["brakes.freeze_factor", "between 2 and 100"]),
        (b"brakes: {ban: 1}\n", ["brakes.ban", "bans_per_minute"]),
        (b"brakes: {bans: 2049}\n", ["line 1", "2049", "2048", "shape policy"]),
        (b"blacklist: {shape: sets}\nbrakes: {bans: 50001}\n", ["line 2", "50000", "shape sets"]),
        (b"blacklist:\n  shape: set\n", ["line 2", "blacklist.shape", "policy, sets"]),
        (b"blacklist:\n  sets: 1\n", ["line 2", "blacklist.sets", "known here: shape"]),
        (b"web: {token: x}\n", ["line 1", "web.token", "token_file"]),
        (b"web:\n  token_file: ''\n", ["line 2", "web.token_file", "'' is not a path"]),
        (b'web: {token_file: "a\\0"}\n', ["web.token_file", "not a path"]),
        (b"web: {token_file: [a]}\n", ["web.token_file", "a text"]),
        (b"web:\n  key_file: /k\n", ["line 2", "web.key_file", "web.certificate_file"]),
        (b"web: {client_ca_file: /c}\n", ["web.client_ca_file", "without web.certificate_file"]),
        (b"tracked_sources: 99\n", ["line 1", "tracked_sources", "99", "100", "1000000"]),
        (b"series: {flows: 0}\n", ["line 1", "series.flows", "10000"]),
        (b"a: [\n", ["line 2", "not YAML"]),
        (b"- a\n", ["a mapping"]),
        (b"\xff\xfe\x00", ["not YAML"]),
    ],
)
def test_an_error_names_the_key_the_value_and_the_line(text: bytes, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse(text, "config.yaml")
    assert 2 == refusal.value.exit_code
    for word in ["config.yaml", *words]:
        assert word in str(refusal.value)


def test_a_file_that_is_not_there_or_a_directory_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            load(path)


def test_addresses_to_listen_on() -> None:
    assert ("0.0.0.0", 9137) == split_address(":9137", "listen")
    assert ("::", 1) == split_address("[::]:1", "listen")


def test_a_file_takes_as_many_bans_as_the_configuration_allows() -> None:
    assert BANS_MOST == MOST
    for shape, most in BANS_MOST.items():
        text = f"brakes: {{bans: {most}}}\nblacklist: {{shape: {shape}}}\n"
        assert most == parse(text.encode(), "config.yaml").brakes.bans


IN_A_CLUSTER = b"cluster: {enabled: true, node: worker-1}\n"


def test_a_node_is_called_as_the_file_says_or_else_as_the_environment() -> None:
    environment = {"NODE_NAME": "worker-7"}
    named = parse(IN_A_CLUSTER, "agent.yaml", part="agent", environment=environment)
    assert "worker-1" == named.cluster.node
    text = b"cluster: {enabled: true}\n"
    assert (
        "worker-7" == parse(text, "agent.yaml", part="agent", environment=environment).cluster.node
    )
    with pytest.raises(ConfigError, match=r"agent.yaml, line 1: cluster.node: .* NODE_NAME in the"):
        parse(text, "agent.yaml", part="agent")


@pytest.mark.parametrize(
    ("more", "part", "sentence"),
    [
        (
            b"mode: enforce",
            "agent",
            "line 2: mode: enforce, but in a cluster .* an agent only tells",
        ),
        (b"policy_file: /p.yaml", "agent", "line 2: policy_file: in a cluster .* nobody writes a"),
        (b"policy_file: /p.yaml", "escalator", "line 2: policy_file: in a cluster"),
        (b"mode: enforce\npolicy_file: /p.yaml", None, "line 3: policy_file: in a cluster"),
    ],
)
def test_what_does_not_go_together_in_a_cluster_is_refused(
    more: bytes, part: str | None, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse(IN_A_CLUSTER + more, "config.yaml", part=part)


def test_an_escalator_enforces_without_a_file_and_only_in_a_cluster() -> None:
    config = parse(IN_A_CLUSTER + b"mode: enforce\n", "escalator.yaml", part="escalator")
    assert "enforce" == config.mode
    with pytest.raises(ConfigError, match=r"cluster.enabled: the escalator is a part of a cluster"):
        parse(b"cluster: {enabled: false}\n", "escalator.yaml", part="escalator")


@pytest.mark.parametrize(
    "wrong", ["node: Worker_1", "node: a..b", "namespace: 'a b'", "kubeconfig: ''", "colour: blue"]
)
def test_a_wrong_value_of_the_cluster_is_named(wrong: str) -> None:
    text = f"cluster:\n  enabled: true\n  {wrong}\n"
    with pytest.raises(ConfigError, match=f"line 3: cluster.{wrong.partition(':')[0]}: "):
        parse(text.encode(), "config.yaml")
