"""What a running agent answers for its page is what was written to its log."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab.agent import RunningAgent
from lab.scanning import scan

BAN = "203.0.113.66/32"


@pytest.fixture
def agent(tmp_path: Path, start_agent: Callable[..., RunningAgent]) -> RunningAgent:
    """Enforces; has read a scan of 20 ports, and 3 packets of somebody else."""
    (tmp_path / "syslog").touch()
    policy = tmp_path / "agent" / "blacklist.yaml"
    agent = start_agent("--mode", "enforce", "--policy-file", str(policy))
    with (tmp_path / "syslog").open("a") as log:
        log.write(scan(66, range(1, 21)) + scan(7, range(22, 25)))
    agent.wait_for(lambda: summary(agent)["blacklist"], "ban")
    agent.wait_for(lambda: summary(agent)["blacklist"][0]["enforced"], "policy")
    return agent


def summary(agent: RunningAgent, arguments: str = "") -> Any:  # noqa: ANN401 - JSON
    return json.loads(agent.get(f"/api/summary{arguments}"))


def test_the_summary_tells_what_was_sent(agent: RunningAgent, tmp_path: Path) -> None:
    told = summary(agent)
    assert ("agent", "enforce", "ok", []) == (
        told["role"],
        told["mode"],
        told["health"]["level"],
        told["health"]["findings"],
    )
    assert {"packet": 23, "repeated": 0, "odd": 0, "forged": 0, "other": 0} == told["lines"]
    assert (23, 23 * 60, 2) == tuple(told["totals"][key] for key in ("packets", "bytes", "sources"))
    assert [{"interface": "eth1", "packets": 23}] == told["interfaces"]
    assert [str(tmp_path / "syslog")] == [each["path"] for each in told["inputs"]]
    assert [("203.0.113.66", 20, 20, "enforce"), ("203.0.113.7", 3, 3, None)] == [
        (each["source"], each["packets"], each["recent"][-1], each["phase"])
        for each in told["sources"]
    ]
    ports = {(each["protocol"], each["port"]): each for each in told["ports"]}
    assert {("tcp", port) for port in [*range(1, 21), 22, 23, 24]} == set(ports)
    assert ("ssh", 1) == (ports["tcp", 22]["service"], ports["tcp", 22]["packets"])
    assert {"decided": 1, "enforced": 1} == told["networks"]


def test_the_summary_tells_who_is_banned_and_who_is_near_it(agent: RunningAgent) -> None:
    told = summary(agent)
    [ban] = told["blacklist"]
    assert (BAN, "enforce", "many-ports", "rule", 1) == tuple(
        ban[key] for key in ("cidr", "phase", "rule", "by", "offence")
    )
    assert 3600 == ban["expires"] - ban["since"]
    assert "logwatch blacklist remove 203.0.113.66" == ban["undo"]
    assert [("203.0.113.7", "many-ports", 3, 15, 0.2)] == [
        tuple(each[key] for key in ("source", "rule", "has", "needs", "share"))
        for each in told["offenders"]
    ]


@pytest.mark.parametrize(
    ("query", "sources", "ports", "bans"),
    [("113.66", 1, 0, 1), ("113.7", 1, 0, 0), ("TCP", 0, 23, 0), ("many-ports", 0, 0, 1)],
)
def test_a_query_filters_every_table(
    agent: RunningAgent, query: str, sources: int, ports: int, bans: int
) -> None:
    told = summary(agent, f"?query={query}")
    assert (sources, ports, bans) == tuple(
        len(told[key]) for key in ("sources", "ports", "blacklist")
    )


def test_a_table_is_as_long_and_as_sorted_as_asked(agent: RunningAgent) -> None:
    told = summary(agent, "?top=1&sort=recent")
    assert ["203.0.113.66"] == [each["source"] for each in told["sources"]]
    assert (1, 1) == (len(told["ports"]), len(told["blacklist"]))


def test_a_source_has_a_page_of_its_own(agent: RunningAgent) -> None:
    told = json.loads(agent.get("/api/sources/203.0.113.66"))
    assert ("203.0.113.66", 20, 20 * 60) == (told["source"], told["packets"], told["bytes"])
    assert [{"protocol": "tcp", "service": None, "port": 1, "packets": 1}] == told["ports"][:1]
    assert list(range(1, 21)) == [each["port"] for each in told["ports"]]
    assert told["verdict"].startswith(f"{BAN} is banned until ")
    assert BAN == told["ban"]["cidr"]
    assert 5 == len(told["samples"])
    assert all("SRC=203.0.113.66 " in sample for sample in told["samples"])
    assert "logwatch blacklist remove 203.0.113.66" == told["commands"]["undo"]


@pytest.mark.parametrize("written", ["203.0.113.7/32", "203.0.113.7%2F32", "::ffff:203.0.113.7"])
def test_a_source_is_the_same_however_it_is_written(agent: RunningAgent, written: str) -> None:
    """The tables link by address and by network."""
    told = json.loads(agent.get(f"/api/sources/{written}"))
    assert ("203.0.113.7", 3, 3) == (
        told["source"],
        told["packets"],
        told["timeline"]["packets"][-1],
    )
    assert [22, 23, 24] == [each["port"] for each in told["ports"]]


def test_of_a_network_the_sum_of_its_addresses_is_told(agent: RunningAgent) -> None:
    """As of the /64 that stands for an IPv6 source."""
    told = json.loads(agent.get("/api/sources/203.0.113.0/24"))
    assert ("203.0.113.0/24", 23, 23 * 60) == (told["source"], told["packets"], told["bytes"])
    assert (23, 23) == (told["timeline"]["packets"][-1], len(told["ports"]))


def test_who_is_not_banned_is_told_what_is_missing(agent: RunningAgent) -> None:
    told = json.loads(agent.get("/api/sources/203.0.113.7"))
    near = {each["rule"]: each for each in told["rules"]}["many-ports"]
    assert (3, 15, "ports", 60) == tuple(near[key] for key in ("has", "needs", "measure", "window"))
    assert (None, None) == (told["ban"], told["commands"]["undo"])


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("192.0.2.1", "nothing is known of this source\n"),
        ("nobody", "nobody"),
        ("%3Cscript%3E", "<script>"),
        ("203.0.113.0/8", "203.0.113.0/8"),
        ("%00", "\\x00"),
    ],
)
def test_who_is_not_known_is_told_so(agent: RunningAgent, address: str, text: str) -> None:
    assert text in agent.get(f"/api/sources/{address}")


def test_looking_writes_nothing(agent: RunningAgent, tmp_path: Path) -> None:
    """The state is only written for what was counted."""
    agent.get("/metrics")
    state = tmp_path / "agent" / "state"
    before = {path.name: path.stat().st_mtime_ns for path in state.iterdir()}
    for _ in range(5):
        summary(agent)
    assert before == {path.name: path.stat().st_mtime_ns for path in state.iterdir()}


def test_what_is_wrong_is_told_in_a_sentence(agent: RunningAgent, tmp_path: Path) -> None:
    (tmp_path / "syslog").rename(tmp_path / "elsewhere")
    found = agent.wait_for(lambda: summary(agent)["health"]["findings"], "finding")
    assert ("problem", "reading") == (found[0]["level"], found[0]["check"])
    assert str(tmp_path / "syslog") in found[0]["what"]
