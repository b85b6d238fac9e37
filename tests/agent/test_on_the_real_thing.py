"""From a packet on the wire to a metric and the policy: real kernel, rsyslog and logrotate."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from lab.agent import RunningAgent
from lab.network import Network, Rule
from lab.packet import Packet, Sent, icmp, ip4, ip6, tcp, udp
from lab.rsyslog import Rsyslog
from lab.sender import Sender
from ruamel.yaml import YAML

pytestmark = pytest.mark.usefixtures("rsyslog")

NODE4, NODE6 = "198.51.100.2", "2001:db8:1::2"
SCANNER = "203.0.113.66"


def visitors() -> list[Packet]:
    """Packets of several protocols from several sources, none of them enough for a ban."""
    return [
        *(ip4(f"192.0.2.{host}", NODE4, tcp(40000 + host, 22)) for host in range(1, 8)),
        *(ip4("192.0.2.9", NODE4, udp(5000, port)) for port in (53, 123, 53)),
        ip4("192.0.2.10", NODE4, icmp(8, 0, b"\0\1\0\1")),
        *(ip6("2001:db8::7", NODE6, tcp(40000, port)) for port in (22, 80, 22)),
    ]


def by_flow(sent: Iterable[Sent]) -> dict[tuple[str, ...], float]:
    """What the metric by flow must say: labels in the order of their names."""
    flows = Counter(
        ("" if one.port is None else str(one.port), str(one.protocol), str(one.source))
        for one in sent
    )
    return {key: float(packets) for key, packets in flows.items()}


def denied_networks(path: Path) -> list[str]:
    """The networks of the first rule of the blacklist policy."""
    policy = YAML(typ="safe").load(path)
    return policy["spec"]["ingress"][0]["source"]["nets"] if policy["spec"]["ingress"] else []


@pytest.mark.parametrize("dataplane", ["iptables", "nftables"])
def test_packets_sent_are_the_packets_on_the_metrics_page(
    network: Network, sender: Sender, start_agent: Callable[..., RunningAgent], dataplane: str
) -> None:
    """Every packet is there, by flow, by source and by policy, and nothing else."""
    network.log(Rule(dataplane=dataplane, prefix="calico-packet: "))
    agent = start_agent()
    sent = sender.send(visitors())
    agent.wait_for(
        lambda: agent.total("logwatch_denied_packets_total") >= len(sent), "all packets", 5
    )
    assert by_flow(sent) == agent.metrics("logwatch_denied_packets_by_flow_total")
    sources = Counter(str(one.source) for one in sent)
    assert {(key,): float(value) for key, value in sources.items()} == agent.metrics(
        "logwatch_denied_packets_by_source_total"
    )
    assert {
        ("4", "eth1", "calico-packet", "tcp"): 7.0,
        ("4", "eth1", "calico-packet", "udp"): 3.0,
        ("4", "eth1", "calico-packet", "icmp"): 1.0,
        ("6", "eth1", "calico-packet", "tcp"): 3.0,
    } == agent.metrics("logwatch_denied_packets_total")
    assert sum(one.length or 0 for one in sent) == agent.total("logwatch_denied_bytes_total")
    assert "ok\n" == agent.get("/readyz")


def test_a_scanner_lands_in_the_policy_file(
    network: Network, sender: Sender, start_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """Fifteen ports within a minute ban the scanner, and nobody else."""
    network.log(Rule(prefix="calico-packet: "))
    policy = tmp_path / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy))
    sender.send(visitors())
    sender.send(ip4(SCANNER, NODE4, tcp(40000, port)) for port in range(1, 16))
    agent.wait_for(policy.exists, "policy file", 5)
    assert [f"{SCANNER}/32"] == denied_networks(policy)
    assert {("enforced",): 1.0, ("decided",): 1.0} == agent.metrics("logwatch_blacklist_networks")
    assert {("enforce", "many-ports"): 1.0} == agent.metrics("logwatch_bans_total")
    assert 1.0 == agent.total("logwatch_escalation_seconds_count")


def test_nothing_is_lost_or_doubled_over_logrotate_and_a_restart(
    network: Network,
    sender: Sender,
    rsyslog: Rsyslog,
    start_agent: Callable[..., RunningAgent],
) -> None:
    """The real logrotate renames, rsyslog goes on in the old file until HUP; then kill -9."""
    network.log(Rule(prefix="calico-packet: "))
    agent = start_agent()
    sent = sender.send(visitors() * 5)
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") >= len(sent), "lines")
    rsyslog.rotate(hup=False)
    sent += sender.send(visitors() * 5)  # written to what is syslog.1 now
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") >= len(sent), "late lines")
    rsyslog.hup()
    sent += sender.send(visitors() * 5)
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") >= len(sent), "new lines")
    assert 1.0 == agent.total("logwatch_rotations_total")
    agent.kill()
    sent += sender.send(visitors() * 5)
    rsyslog.rotate()
    sent += sender.send(visitors() * 5)
    agent.start()
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") >= len(sent), "the rest")
    assert by_flow(sent) == agent.metrics("logwatch_denied_packets_by_flow_total")
    assert len(sent) == agent.metrics("logwatch_lines_total")["packet",]
    assert 0 == agent.stop()


def test_a_file_that_is_rotated_before_it_was_seen_counts(
    network: Network,
    sender: Sender,
    rsyslog: Rsyslog,
    start_agent: Callable[..., RunningAgent],
) -> None:
    """Created and renamed within milliseconds: it is found as syslog.1 when the next one comes."""
    network.log(Rule(prefix="calico-packet: "))
    agent = start_agent()
    sent = sender.send(visitors())
    rsyslog.wait_for(len(sent), containing=b"calico-packet: ")
    rsyslog.rotate()
    sent += sender.send(visitors())
    agent.wait_for(lambda: agent.total("logwatch_denied_packets_total") >= len(sent), "all")
    assert by_flow(sent) == agent.metrics("logwatch_denied_packets_by_flow_total")
