"""A running agent never dies of what is in a file, or of a file that is not there."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from command import logwatch
from conftest import FIXTURES
from lab.agent import RunningAgent

LINE = (FIXTURES / "scan" / "lines.log").read_bytes().splitlines()[0]
FORGED = (
    b"Nov 24 11:48:17 worker-1 app[7]: calico-packet: IN=eth1 OUT= MAC= SRC=1.2.3.4 DST=5.6.7.8 "
)
ODD = b"Nov 24 11:48:17 worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=1.2.3"


def test_hostile_lines_are_counted_by_kind(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    """1 MiB without a line feed, NUL holes, invalid UTF-8, CRLF, forged and cut lines."""
    agent = start_agent()
    log = tmp_path / "syslog"
    lines = [
        LINE,
        LINE + b"\r",
        b"\0" * 300_000 + LINE,
        LINE.replace(b"worker-1", b"w\xff\xfe\x80"),
        LINE.replace(b"IN=eth1", b'IN=\xff\x01"'),
        FORGED,
        ODD,
        LINE[:50],
        LINE + b"x" * (1 << 20),
        os.urandom(5_000).replace(b"\n", b""),
        b"",
        b"\xff" * 70_000,
    ]
    log.write_bytes(b"\n".join(lines) + b"\n")
    agent.wait_for(lambda: agent.total("logwatch_lines_total") >= len(lines), "all lines")
    assert {("packet",): 5, ("forged",): 1, ("odd",): 1, ("other",): 5} == agent.metrics(
        "logwatch_lines_total"
    )
    assert {("1", "tcp", "203.0.113.66"): 5} == agent.metrics(
        "logwatch_denied_packets_by_flow_total"
    )
    assert len(lines) == agent.total("logwatch_lines_total")


def test_a_missing_log_is_told_and_found_when_it_comes(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    agent = start_agent()
    log = tmp_path / "syslog"
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    degraded = agent.wait_for(
        lambda: [event for event in agent.events if event["event"] == "degraded"], "warning"
    )
    assert str(log) in str(degraded[0]["problem"])
    assert "journal only" in agent.get("/readyz")
    assert "--input kmsg" in agent.get("/readyz")
    assert 0 == agent.total("logwatch_input_readable")
    log.write_bytes(LINE + b"\n")
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total"), "the packet")
    assert {(str(log),): 1} == agent.metrics("logwatch_input_readable")
    assert "ok\n" == agent.get("/readyz")
    log.unlink()
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    assert "--input kmsg" not in agent.get("/readyz")
    log.mkdir()
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    log.rmdir()
    log.write_bytes(2 * (LINE + b"\n"))
    agent.wait_for(lambda: 3 == agent.total("logwatch_denied_packets_total"), "the new file")
    assert 0 == agent.stop()


def test_a_policy_file_that_is_broken_meanwhile_is_told_and_left_alone(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    policy = tmp_path / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy))
    policy.write_text("not: [closed\n")
    (tmp_path / "syslog").write_bytes(fresh_scan())
    agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
    assert "not: [closed\n" == policy.read_text()
    assert {("enforce",): 1} == agent.metrics("logwatch_mode_info")
    assert {("enforced",): 0, ("decided",): 1} | agent.metrics("logwatch_blacklist_networks") == {
        ("enforced",): 0,
        ("decided",): 1,
    }
    policy.write_text("# ours\n")
    agent.wait_for(lambda: 1 == agent.total("logwatch_ready"), "readiness")
    assert "203.0.113.66/32" in policy.read_text()
    assert policy.read_text().startswith("# ours\n")


def test_a_state_that_can_not_be_written_does_not_stop_the_counting(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    """A full disk (a tmpfs of 256 KiB): the counts wait in memory until there is room."""
    state = tmp_path / "agent" / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(state)], check=True)
    try:
        log = tmp_path / "syslog"
        log.touch()
        agent = start_agent()
        agent.wait_for(lambda: 1 == agent.total("logwatch_ready"), "readiness")
        filler = state / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass  # full, as wanted
        many = (FIXTURES / "mixed-syslog" / "lines.log").read_bytes()
        with log.open("ab") as file:
            file.write(many)
        agent.wait_for(lambda: 0 == agent.total("logwatch_ready"), "degraded readiness")
        assert 0 == agent.total("logwatch_state_durable")
        filler.unlink()
        agent.wait_for(lambda: 1 == agent.total("logwatch_ready"), "readiness")
        assert 1 == agent.total("logwatch_state_durable")
        assert 568 == agent.total("logwatch_denied_packets_total")
        agent.kill()
        agent.start()
        assert 568 == agent.total("logwatch_denied_packets_total")
        agent.kill()
    finally:
        subprocess.run(["umount", str(state)], check=True)


def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    """Root without its override of permissions stands for any other user."""
    log = tmp_path / "syslog"
    log.write_bytes(LINE + b"\n")
    log.chmod(0)
    done = subprocess.run(
        [
            *("setpriv", "--bounding-set", "-dac_override,-dac_read_search"),
            *(sys.executable, "-m", "logwatch", "report", str(log)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 1 == done.returncode
    assert str(log) in done.stderr
    assert "permission denied" in done.stderr.lower()
    assert "adm" in done.stderr


def test_a_path_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    """A restart under another spelling goes on where the first run stopped."""
    log = tmp_path / "syslog"
    log.write_bytes((FIXTURES / "scan" / "lines.log").read_bytes())
    for spelling in (f"{tmp_path}/./syslog", f"{tmp_path}//syslog", str(log)):
        with RunningAgent(tmp_path / "agent", "--from", "start", log=spelling) as agent:
            agent.wait_for(lambda a=agent: a.total("logwatch_lines_total"), "lines")
            assert 144 == agent.total("logwatch_denied_packets_total")
            agent.stop()


def test_what_was_written_before_a_file_came_is_no_flood(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    """120 packets, one an hour: read in a moment, and still not a hundred in ten minutes."""
    policy = tmp_path / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy))
    body = LINE.split(b"kernel: ", 1)[1]
    now = time.time()
    written = tmp_path / "written-before"
    with written.open("wb") as file:
        for hours in range(120, 0, -1):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3600 * hours))
            file.write(stamp.encode() + b" worker-1 kernel: " + body + b"\n")
    written.rename(tmp_path / "syslog")
    agent.wait_for(lambda: 120 == agent.total("logwatch_denied_packets_total"), "the packets")
    assert {} == agent.metrics("logwatch_offences_total")
    assert not policy.exists() or "203.0.113" not in policy.read_text()


def test_a_proposal_is_the_whole_policy_and_changes_nothing(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    policy, proposal = tmp_path / "blacklist.yaml", tmp_path / "blacklist.proposed.yaml"
    policy.write_text(
        "# by hand\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
        "metadata: {name: blacklist}\nspec:\n  order: 500\n  preDNAT: true\n"
        "  applyOnForward: true\n  selector: ibm.role=='worker_public'\n  types: [Ingress]\n"
        "  ingress:\n  - {action: Deny, source: {nets: [198.51.100.0/24]}}\n"
    )
    before = policy.read_text()
    agent = start_agent("--mode", "propose", "--policy-file", str(policy))
    (tmp_path / "syslog").write_bytes(fresh_scan())
    agent.wait_for(lambda: proposal.exists() and "203.0.113.66/32" in proposal.read_text(), "it")
    assert "198.51.100.0/24" in proposal.read_text()
    assert before == policy.read_text()


def test_a_ban_ends_in_every_mode(tmp_path: Path, start_agent: Callable[..., RunningAgent]) -> None:
    """Enforced for some seconds, then the operator goes back to observe: it ends all the same."""
    policy, rules = tmp_path / "blacklist.yaml", tmp_path / "own.rules"
    rules.write_text("rule ports\n    when distinct ports >= 15 within 1m\n    ban 4s\n")
    options = ("--rules", str(rules), "--policy-file", str(policy))
    agent = start_agent("--mode", "enforce", *options)
    (tmp_path / "syslog").write_bytes(fresh_scan())
    agent.wait_for(lambda: policy.exists() and "203.0.113.66" in policy.read_text(), "the ban")
    agent.stop()
    agent = start_agent("--mode", "observe", *options)
    agent.wait_for(lambda: "203.0.113.66" not in policy.read_text(), "its end")


def test_rules_that_can_t_be_used_end_the_start(tmp_path: Path) -> None:
    """All that is wrong is told, with its place; a file that is not there, too."""
    rules = tmp_path / "own.rules"
    rules.write_text("rule a\n    when pakets >= 1 within 1m\n    ban 1h\n")
    for path, words in ((rules, ("own.rules:2:", "packets")), (tmp_path / "no", ("No such file",))):
        done = logwatch(
            "agent", "--rules", str(path), "--state", str(tmp_path / "s"), "--log", str(rules)
        )
        assert 2 == done.returncode
        assert all(word in done.stderr.decode() for word in words), done.stderr


def fresh_scan() -> bytes:
    """The recorded scan as if it were written now."""
    stamp = time.strftime("%b %e %H:%M:%S").encode()
    lines = (FIXTURES / "scan" / "lines.log").read_bytes().splitlines()
    return b"".join(stamp + line[15:] + b"\n" for line in lines)


def test_what_was_destroyed_is_told(
    tmp_path: Path, start_agent: Callable[..., RunningAgent]
) -> None:
    """An unfinished line that is cut away, and a file that is gone after a restart."""
    log = tmp_path / "syslog"
    log.touch()
    agent = start_agent()
    log.write_bytes(LINE + b"\n" + LINE[:40])
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total"), "the packet")
    os.truncate(log, 0)
    agent.wait_for(lambda: agent.total("logwatch_truncations_total"), "the cut")
    assert {(str(log),): 40} == agent.metrics("logwatch_destroyed_bytes_total")
    log.write_bytes(LINE + b"\n")
    agent.wait_for(lambda: 2 == agent.total("logwatch_denied_packets_total"), "the second packet")
    agent.stop()
    log.unlink()
    log.write_bytes(LINE.replace(b"11:48", b"12:48") + b"\n")
    agent.start()
    agent.wait_for(lambda: 3 == agent.total("logwatch_denied_packets_total"), "the third packet")
    assert {(str(log),): 1} == agent.metrics("logwatch_lost_files_total")
    assert "files gone before they were read to their end" in [
        event["event"] for event in agent.events
    ]
