"""The page of a real escalator tells of the cluster what its nodes reported."""

import json
from typing import Any

import msgspec
from command import logwatch
from escalator.conftest import Cluster
from escalator.reports import report, scan, write
from lab.browser import chromium
from lab.escalator import RunningEscalator

from logwatch.cluster import Counted, PolicyCount, PortCount, SourceCount
from logwatch.offenders import read_rules

RULES = read_rules(None).rules
SCANNER = "203.0.113.7"
NETWORK = f"{SCANNER}/32"
COUNTED = Counted(
    20,
    1200,
    0,
    (PolicyCount("deny-all", "denied", 20),),
    (SourceCount(SCANNER, 20, 1200),),
    (PortCount("tcp", "22", 20),),
)


def answer(running: RunningEscalator, path: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(running.get(path))


def report_scan(cluster: Cluster, *nodes: str) -> None:
    for node in nodes:
        cluster.server.node(node)
        made = report(node, RULES, scan(SCANNER, 20))
        write(cluster.admin, msgspec.structs.replace(made, counted=COUNTED))


def test_it_tells_who_is_banned_and_which_nodes_report(cluster: Cluster) -> None:
    running = cluster.start("one", "--mode", "enforce")
    report_scan(cluster, "node-a", "node-b")
    told = running.wait_for(
        lambda: (page := answer(running, "/api/summary"))["networks"].get("enforced") and page,
        "ban",
    )
    assert ("escalator", "enforce", "ok") == (
        told["role"],
        told["mode"],
        told["health"]["level"],
    )
    assert {("node-a", "reporting"), ("node-b", "reporting")} == {
        (each["node"], each["state"]) for each in told["nodes"]
    }
    assert [(NETWORK, True)] == [(each["cidr"], each["enforced"]) for each in told["blacklist"]]
    assert f"kubectl delete blacklistentry {SCANNER}-32" == told["blacklist"][0]["undo"]
    assert [(SCANNER, 40, "enforce")] == [
        (each["source"], each["packets"], each["phase"]) for each in told["sources"]
    ]
    assert [("tcp", 22, 40)] == [
        (each["protocol"], each["port"], each["packets"]) for each in told["ports"]
    ]
    assert [("deny-all", "denied")] == [
        (each["policy"], each["action"]) for each in told["history"]["series"]
    ]
    source = answer(running, f"/api/sources/{NETWORK}")
    assert (SCANNER, 40) == (source["source"], source["packets"])
    assert [{"node": "node-a", "packets": 20}, {"node": "node-b", "packets": 20}] == source["nodes"]
    assert NETWORK == source["ban"]["cidr"]
    assert [*range(1000, 1020)] == [each["port"] for each in source["ports"]]


def test_a_replica_that_waits_shows_what_nodes_counted_and_says_who_decides(
    cluster: Cluster,
) -> None:
    first = cluster.start("one")
    first.wait_for(lambda: first.total("logwatch_leader") == 1.0, "leader")
    second = cluster.start("two")
    report_scan(cluster, "node-a")
    told = second.wait_for(lambda: (page := answer(second, "/api/summary"))["sources"] and page, "")
    assert ["leader"] == [each["check"] for each in told["health"]["findings"]]
    assert [] == told["blacklist"]
    assert second.get(f"/api/sources/{SCANNER}").startswith("another replica decides, and it alone")


def test_before_the_first_report_it_says_that_nobody_reports(cluster: Cluster) -> None:
    running = cluster.start("one")

    def finding() -> str | None:
        found = answer(running, "/api/summary")["health"]["findings"]
        return found[0]["what"] if ["nodes"] == [each["check"] for each in found] else None

    said = running.wait_for(finding, "finding")
    assert said.startswith("no node reports: nothing is judged; see whether agents run: `kubectl ")


def test_it_is_shown_in_a_terminal_too(cluster: Cluster) -> None:
    """By `logwatch top`: the sources, ports and bans of all nodes."""
    running = cluster.start("one", "--mode", "enforce")
    report_scan(cluster, "node-a", "node-b")
    running.wait_for(lambda: answer(running, "/api/summary")["networks"].get("enforced"), "ban")
    done = logwatch("top", "--url", running.url)
    assert (0, b"") == (done.returncode, done.stderr)
    title, *lines = done.stdout.decode().splitlines()
    assert ["escalator", "mode", "enforce", "40", "denied", "2", "nodes"] == title.split()[2:9]
    words = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert [SCANNER, "40"] == words[SCANNER][:2]
    assert ["22/tcp", "ssh", "40"] == words["22/tcp"][:3]
    assert "enforced" in words[NETWORK]


def test_a_browser_shows_the_cluster(cluster: Cluster) -> None:
    """Nodes in the place of logs and interfaces, which the reports of nodes do not tell."""
    running = cluster.start("one", "--mode", "enforce")
    report_scan(cluster, "node-a", "node-b")
    running.wait_for(lambda: answer(running, "/api/summary")["networks"].get("enforced"), "ban")
    with chromium() as browser:
        page = browser.new_page()
        page.goto(running.url + "/")
        page.get_by_text("Reports of 2 nodes are there.").wait_for()
        names = page.locator("#nodes tbody .address").all_inner_texts()
        assert ["node-a", "node-b"] == sorted(names)
        assert [SCANNER] == page.locator("#sources tbody .address").all_inner_texts()
        for part in ("#reading", "#interfaces"):
            assert page.locator(part).is_hidden()
        page.get_by_role("link", name=SCANNER, exact=True).first.click()
        page.get_by_text("The latest that its evidence holds").wait_for()
        ports = page.locator("#source tbody .address").all_inner_texts()
        assert [str(port) for port in range(1000, 1012)] == sorted(ports)
