"""A real scan, from the wire to the policy: nmap, the kernel, rsyslog, the agent."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lab.agent import RunningAgent
from lab.namespace import require
from lab.network import Network
from lab.rsyslog import Rsyslog

NODE, SCANNER = "198.51.100.2", "192.0.2.66"
PORTS = 15
"""So many different ones make a scan, by the rules that come with logwatch."""


def nth_port_at(lines: list[bytes], number: int) -> float:
    """When the line with the so manyth different port was written, in Unix seconds."""
    ports: set[bytes] = set()
    for line in lines:
        if b"DPT=" not in line:
            continue  # the kernel may say something else meanwhile
        ports.add(line.split(b"DPT=")[1].split()[0])
        if len(ports) == number:
            return datetime.fromisoformat(line.split()[0].decode()).timestamp()
    raise AssertionError(f"{len(ports)} ports of {number}")


def test_nmap_is_in_the_policy_within_a_second(
    network: Network,
    start_rsyslog: Callable[..., Rsyslog],
    start_agent: Callable[..., RunningAgent],
    tmp_path: Path,
) -> None:
    """From the line with the fifteenth port on. nmap itself takes three seconds to get there."""
    require("nmap")
    rsyslog = start_rsyslog(template="file")
    network.outside.ip(f"addr add {SCANNER} dev eth0")
    network.log()
    policy = tmp_path / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy))
    scan = ("nmap", "-n", "-Pn", "-sS", "--send-ip", "-S", SCANNER, "-e", "eth0", "-p", "1-40")
    with network.outside.start(*scan, NODE) as running:
        try:
            agent.wait_for(policy.exists, "policy file", 10)
        finally:
            running.terminate()
    assert f"- {SCANNER}/32" in policy.read_text()
    assert {("enforce", "many-ports"): 1.0} == agent.metrics("logwatch_bans_total")
    assert policy.stat().st_mtime - nth_port_at(rsyslog.lines(), PORTS) < 1.0
