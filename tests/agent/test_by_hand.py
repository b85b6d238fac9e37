"""Decisions by hand on a running agent, by the real command."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab.agent import RunningAgent

from logwatch.control import Done, List, Remove, ask


class Operator:
    """A person with the command, and with an agent that follows tmp_path/syslog."""

    def __init__(
        self, directory: Path, start_agent: Callable[..., RunningAgent], mode: str
    ) -> None:
        self.policy = directory / "blacklist.yaml"
        self.state = directory / "agent" / "state"
        self.log = directory / "syslog"
        self.log.touch()
        self.agent = start_agent("--mode", mode, "--policy-file", str(self.policy))

    def run(self, *arguments: str, through: tuple[str, ...] = ()) -> tuple[int, str, str]:
        """Exit code, output and errors of `logwatch blacklist`, run in the state directory.

        So another user needs no right for the directories above it.
        """
        done = subprocess.run(
            [
                *(*through, sys.executable, "-m", "logwatch", "blacklist", *arguments),
                *("--state", "."),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.state,
        )
        return done.returncode, done.stdout, done.stderr

    def entries(self) -> list[dict[str, object]]:
        code, output, _ = self.run("list", "--format", "json")
        assert 0 == code
        body = json.loads(output)
        assert 1 == body["schema"]
        return body["entries"]

    def scan(self, first: int = 1, host: int = 66) -> None:
        with self.log.open("ab", buffering=0) as file:
            file.write("".join(scan_line(host, port) for port in range(first, first + 15)).encode())

    def audit(self) -> list[dict[str, object]]:
        text = (self.state / "audit.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


def scan_line(host: int, port: int) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return (
        f"{stamp} worker-1 kernel: calico-packet: IN=eth1 OUT= MAC=00 SRC=203.0.113.{host}"
        " DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=4000"
        f" DPT={port} WINDOW=1 RES=0x00 SYN URGP=0 \n"
    )


@pytest.fixture
def operator(
    tmp_path: Path, start_agent: Callable[..., RunningAgent], request: pytest.FixtureRequest
) -> Operator:
    mode = getattr(request, "param", "enforce")
    return Operator(tmp_path, start_agent, mode)


def test_a_ban_is_saved_and_in_the_policy_when_the_command_returns(operator: Operator) -> None:
    """Kill -9 right behind it, ten times."""
    for host in range(10):
        code, output, errors = operator.run("add", f"198.18.7.{host}", "--reason", "seen in #7")
        assert (0, "") == (code, errors)
        assert f"198.18.7.{host}/32 is banned until " in output
        assert f"198.18.7.{host}/32" in operator.policy.read_text()
        operator.agent.kill()
        operator.agent.start()
        assert host + 1 == len(operator.entries())
    numbers = [line["number"] for line in operator.audit()]
    assert list(range(1, len(numbers) + 1)) == numbers
    added = [line for line in operator.audit() if line["event"] == "added"]
    assert [f"198.18.7.{host}/32" for host in range(10)] == [line["network"] for line in added]
    assert {os.getuid()} == {line["uid"] for line in added}
    assert 10 == len({line["pid"] for line in added})


def test_an_undo_is_in_the_policy_and_holds_over_kill(operator: Operator) -> None:
    operator.scan()
    operator.agent.wait_for(
        lambda: operator.policy.exists() and "203.0.113.66" in operator.policy.read_text(), "ban"
    )
    (entry,) = operator.entries()
    assert ("203.0.113.66/32", "enforce", "many-ports", 1) == (
        entry["cidr"],
        entry["phase"],
        entry["rule"],
        entry["offence"],
    )
    code, output, _ = operator.run("remove", "203.0.113.66")
    assert 0 == code
    assert "the ban of 203.0.113.66/32 is undone" in output
    assert "203.0.113.66" not in operator.policy.read_text()
    operator.agent.kill()
    operator.agent.start()
    assert [] == operator.entries()
    operator.scan(first=100)
    operator.agent.wait_for(operator.entries, "the ban for a new offence")
    assert [1] == [each["offence"] for each in operator.entries()]
    events = [line["event"] for line in operator.audit()]
    assert [
        *("started", "banned", "policy written", "removed", "policy written"),
        *("started", "banned", "policy written"),
    ] == events


@pytest.mark.parametrize("operator", ["propose"], indirect=True)
def test_what_is_approved_goes_into_the_policy_and_the_rest_stays_a_proposal(
    operator: Operator,
) -> None:
    proposal = operator.policy.with_name("blacklist.proposed.yaml")
    for host in (66, 67):
        operator.scan(host=host)
    operator.agent.wait_for(lambda: 2 == len(operator.entries()), "proposals")
    assert not operator.policy.exists()
    output = operator.run("why", "203.0.113.66")[1]
    assert "203.0.113.66/32 is proposed, and not denied, until " in output
    assert "  entry   203.0.113.66/32, many-ports: 15 distinct ports within 1m" in output
    assert "banned" not in output
    code, output, _ = operator.run("approve", "203.0.113.66")
    assert 0 == code
    assert "203.0.113.66/32 is enforced until " in output
    assert "203.0.113.66/32" in operator.policy.read_text()
    assert "203.0.113.67/32" not in operator.policy.read_text()
    assert all(f"203.0.113.{host}/32" in proposal.read_text() for host in (66, 67))
    assert 0 == operator.run("add", "198.18.7.1")[0]
    expected = {
        ("propose", "many-ports"): 2.0,
        ("enforce", "many-ports"): 1.0,
        ("enforce", "by hand"): 1.0,
    }
    assert expected == operator.agent.metrics("logwatch_bans_total")
    operator.run("remove", "198.18.7.1")
    operator.agent.kill()
    operator.agent.start()
    phases = {each["cidr"]: (each["phase"], each["by"]) for each in operator.entries()}
    assert {
        "203.0.113.66/32": ("enforce", "hand"),
        "203.0.113.67/32": ("propose", "rule"),
    } == phases
    operator.policy.unlink()  # drift of what was approved is repaired
    operator.agent.wait_for(operator.policy.exists, "policy")
    assert (1, "") == operator.run("approve", "203.0.113.66")[:2]
    refused = operator.audit()[-1]
    assert ("refused", "hand", os.getuid()) == (refused["event"], refused["by"], refused["uid"])


def test_fifty_people_at_once(operator: Operator) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(
            pool.map(
                lambda host: ask(operator.state, List() if host % 2 else Remove("1.2.3.4")),
                range(50),
            )
        )
    assert 25 == sum(
        not isinstance(answer, Done) and "not banned" in str(answer) for answer in answers
    )
    assert 0 == operator.agent.stop()
    assert not (operator.state / "logwatch.sock").exists()


def test_only_a_rule_s_ban_is_an_escalation(operator: Operator) -> None:
    """Neither one by hand nor the repair of the file: no line was read for these."""
    operator.run("add", "198.18.7.1")
    operator.policy.unlink()
    operator.agent.wait_for(operator.policy.exists, "repair")
    assert 0 == operator.agent.total("logwatch_escalation_seconds_count")
    operator.scan()
    operator.agent.wait_for(lambda: 2 == len(operator.entries()), "ban")
    assert 1 == operator.agent.total("logwatch_escalation_seconds_count")


def test_a_socket_that_somebody_removed_is_made_again(operator: Operator) -> None:
    """Also when something else took its name meanwhile, once that is gone."""
    path = operator.state / "logwatch.sock"
    path.unlink()
    operator.agent.wait_for(path.is_socket, "socket")
    assert 0 == operator.run("add", "198.18.7.1")[0]
    path.unlink()
    path.write_text("mine")
    operator.agent.wait_for(lambda: "no socket" in operator.agent.get("/readyz"), "problem")
    assert "mine" == path.read_text()
    path.unlink()
    operator.agent.wait_for(path.is_socket, "socket")
    assert ["198.18.7.1/32"] == [each["cidr"] for each in operator.entries()]
    operator.agent.wait_for(lambda: "ok" in operator.agent.get("/readyz"), "readiness")


def test_who_hangs_stops_neither_counting_nor_the_end(operator: Operator) -> None:
    connections = []
    for _ in range(20):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(str(operator.state / "logwatch.sock"))
        connection.send(b'{"version"')
        connections.append(connection)
    operator.scan()
    operator.agent.wait_for(lambda: 1 == len(operator.entries()), "the ban")
    began = time.monotonic()
    assert 0 == operator.agent.stop()
    assert time.monotonic() - began < 4
    for connection in connections:
        connection.close()


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def test_who_may_not_is_told_and_the_group_may(operator: Operator) -> None:
    code, output, errors = operator.run("list", through=NOBODY)
    assert (1, "") == (code, output)
    assert "this user may not use" in errors
    assert "Traceback" not in errors
    operator.state.chmod(0o711)
    assert "this user may not use" in operator.run("list", through=NOBODY)[2]
    group = ("setpriv", "--reuid=65534", f"--regid={os.getgid()}", "--clear-groups")
    assert 0 == operator.run("add", "198.18.7.1", through=group)[0]
    assert 65534 == operator.audit()[1]["uid"]


def test_why_tells_what_is_near_and_what_stops_a_ban(operator: Operator) -> None:
    with operator.log.open("a") as file:
        file.write("".join(scan_line(66, port) for port in range(1, 13)))
    operator.agent.wait_for(
        lambda: 12 == operator.agent.total("logwatch_denied_packets_total"), "packets"
    )
    output = operator.run("why", "203.0.113.66")[1]
    assert "nearest is rule many-ports with 12 of 15 ports within 1m" in output
    assert "loopback" in operator.run("why", "127.0.0.1")[1]
    operator.run("add", "203.0.113.7")
    inside = "203.0.113.0/24 is not banned itself; in it lies 203.0.113.7/32\n"
    assert inside == operator.run("why", "203.0.113.0/24")[1]
    operator.run("add", "203.0.113.8")
    output = operator.run("add", "203.0.113.0/24")[1]
    both = "203.0.113.7/32, 203.0.113.8/32 lie in it, and stay entries of their own\n"
    assert both == output.splitlines(keepends=True)[-1]
    body = json.loads(operator.run("why", "203.0.113.66", "--format", "json")[1])
    assert ["203.0.113.0/24"] == [entry["cidr"] for entry in body["entries"]]
    assert (1, "203.0.113.66/32") == (body["schema"], body["cidr"])
    assert "type" not in body


def test_why_and_the_audit_log_show_lines_of_a_banned_source(operator: Operator) -> None:
    operator.scan()
    operator.agent.wait_for(operator.entries, "ban")
    (entry,) = json.loads(operator.run("why", "203.0.113.66", "--format", "json")[1])["entries"]
    lines = entry["evidence"]["samples"]
    assert 5 == len(lines)
    assert all(" SRC=203.0.113.66 DST=198.51.100.1 " in line for line in lines)
    told = operator.run("why", "203.0.113.66")[1]
    assert lines[0] in told
    assert "  sent    15 packets of syn, to 198.51.100.1, ports 1-15\n" in told
    (banned,) = [line for line in operator.audit() if line["event"] == "banned"]
    assert lines == banned["evidence"]["samples"]
    assert "samples" not in operator.entries()[0]["evidence"]


def test_without_an_agent_the_list_is_what_was_saved(operator: Operator) -> None:
    operator.run("add", "198.18.7.1")
    before = operator.run("list")[1]
    operator.agent.kill()
    code, output, errors = operator.run("list")
    assert (0, before) == (code, output)
    assert "no agent answers" in errors
    assert "what was saved last" in errors
    for arguments in (("add", "198.18.7.2"), ("remove", "198.18.7.1"), ("why", "198.18.7.1")):
        code, output, errors = operator.run(*arguments)
        assert (1, "") == (code, output)
        assert "logwatch agent --state ." in errors


def test_a_policy_that_can_t_be_written_is_part_of_the_answer(operator: Operator) -> None:
    operator.policy.write_text("not: [closed\n")
    code, output, errors = operator.run("add", "198.18.7.1")
    assert (1, "") == (code, output)
    assert "saved, but not in the policy yet" in errors
    operator.policy.unlink()
    operator.agent.wait_for(operator.policy.exists, "policy")
    assert "198.18.7.1/32" in operator.policy.read_text()
