"""What the running agent decides in a flood, and that kill -9 lets nothing more through."""

from collections.abc import Callable, Iterable
from pathlib import Path

from lab.agent import RunningAgent

CONFIG = """\
mode: enforce
policy_file: {policy}
brakes: {{bans_per_minute: 3, freeze_factor: 10}}
"""


def scan(host: int, ports: int) -> str:
    """Lines of a scanner of so many ports, as rsyslog writes them."""
    return "".join(
        f"2026-11-24T12:00:00Z worker-1 kernel: calico-packet: IN=eth1 OUT= MAC=00 "
        f"SRC=203.0.113.{host} DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF "
        f"PROTO=TCP SPT=4000 DPT={port} WINDOW=1 RES=0x00 SYN URGP=0 \n"
        for port in range(1, ports + 1)
    )


def started(
    start_agent: Callable[..., RunningAgent], tmp_path: Path
) -> tuple[RunningAgent, Callable[[Iterable[str]], None]]:
    """Give an agent with brakes, and what appends to its log."""
    log, config = tmp_path / "syslog", tmp_path / "logwatch.yaml"
    config.write_text(CONFIG.format(policy=tmp_path / "blacklist.yaml"))
    log.touch()

    def append(texts: Iterable[str]) -> None:
        with log.open("ab", buffering=0) as file:  # in one piece, so that it is one batch
            file.write("".join(texts).encode())

    return start_agent("--config", str(config)), append


def test_kill_neither_forgets_bans_nor_lets_more_through(
    start_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """Who waited waits on."""
    agent, append = started(start_agent, tmp_path)
    append(scan(host, 15 + host) for host in range(5))
    agent.wait_for(lambda: agent.total("logwatch_bans_held") == 2, "held bans")
    assert {("rate",): 2.0} == agent.metrics("logwatch_bans_refused_total")
    worst = [f"203.0.113.{host}/32" for host in (2, 3, 4)]
    policy = tmp_path / "blacklist.yaml"
    assert all(network in policy.read_text() for network in worst)
    (told,) = [event for event in agent.events if event["event"] == "bans held back"]
    assert ("rate", 2) == (told["reason"], told["number"])
    agent.wait_for((tmp_path / "agent" / "state" / "logwatch.evidence").exists, "evidence")
    agent.kill()
    agent.start()
    assert 2 == agent.total("logwatch_bans_held")
    append(scan(host, 20) for host in range(10, 14))
    agent.wait_for(lambda: agent.total("logwatch_bans_held") == 6, "held bans")
    assert {("enforce",): 3.0} == agent.metrics("logwatch_blacklist_entries")
    assert {("enforced",): 3.0, ("decided",): 3.0} == agent.metrics("logwatch_blacklist_networks")


def test_a_flood_freezes_the_agent_and_kill_does_not_thaw_it(
    start_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    agent, append = started(start_agent, tmp_path)
    append(scan(host, 15) for host in range(100))
    agent.wait_for(lambda: agent.total("logwatch_frozen") == 1, "freeze")
    assert agent.total("logwatch_blacklist_entries") <= 3
    (told,) = [event for event in agent.events if event["event"] == "frozen"]
    assert "bans_per_minute 3 x freeze_factor 10" in str(told["why"])
    entries = agent.total("logwatch_blacklist_entries")
    agent.kill()
    agent.start()
    assert 1 == agent.total("logwatch_frozen")
    (again,) = [event for event in agent.events if event["event"] == "frozen"]
    assert told["since"] == again["since"]
    append([scan(200, 30)])
    agent.wait_for(lambda: agent.metrics("logwatch_bans_refused_total")["frozen",] > 0, "refusal")
    assert entries == agent.total("logwatch_blacklist_entries")
