"""What is told of decisions: Events, columns, the audit log and metrics."""

import json
import subprocess

from escalator.conftest import Cluster
from escalator.reports import report, scan, write

from logwatch.offenders import read_rules

RULES = read_rules(None).rules
SCANNER = "203.0.113.7"
NETWORK = f"{SCANNER}/32"
NAME = f"{SCANNER}-32"


def test_people_see_who_is_banned_and_why(cluster: Cluster) -> None:
    """In kubectl's columns, and in the Events of an entry."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    running.wait_for(lambda: cluster.phases().get(NETWORK) == "Enforced", "ban")
    shown = cluster.kubectl("get", "blacklistentries", "--output=wide").splitlines()
    head, row = (line.split() for line in shown)
    assert ["NAME", "CIDR", "PHASE", "RULE", "SINCE", "EXPIRES", "OFFENCES", "REASON"] == head
    expires = cluster.entries()[NETWORK]["spec"]["expires"]
    reason = "20 distinct ports within 1m (rule many-ports: 15)"
    assert [NAME, NETWORK, "Enforced", "many-ports", *row[4:5], expires, "1"] == row[:7]
    assert reason.split() == row[7:]
    running.wait_for(
        lambda: (
            f"{NETWORK}: {reason}, until" in cluster.kubectl("describe", "blacklistentry", NAME)
        ),
        "Event",
    )


def test_the_audit_log_has_a_line_for_each_step(cluster: Cluster) -> None:
    """Who led, what was banned by whom, refused, removed, and what others changed in the set."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    running.wait_for(lambda: cluster.phases().get(NETWORK) == "Enforced", "ban")
    cluster.make("127.0.0.1/32", "never")
    running.wait_for(lambda: cluster.messages().get("never"), "refusal")
    cluster.calico.replace_networks(0, [NETWORK, "192.0.2.1/32"])
    running.wait_for(lambda: cluster.denied() == {NETWORK}, "repair")
    cluster.delete(NAME)
    running.wait_for(lambda: cluster.denied() == set(), "undo")
    running.stop()
    lines = (running.directory / "state" / "audit.jsonl").read_text().splitlines()
    told = [json.loads(line)["event"] for line in lines]
    wanted = ["leading", "banned", "policy written", "refused", "drift", "removed"]
    assert wanted == list(dict.fromkeys(each for each in told if each in wanted))
    reasons = {reason for reason, *_ in cluster.events()}
    assert {"Banned", "Refused", "Drift", "Removed"} <= reasons


def test_metrics_tell_what_the_leader_does(cluster: Cluster) -> None:
    """The replica that waits shows neither entries nor networks; promtool finds no fault."""
    leader = cluster.start("one", "--mode", "enforce")
    leader.wait_for(lambda: leader.metrics("logwatch_leader"), "leader")
    other = cluster.start("two", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    cluster.make("127.0.0.1/32", "never")
    entries = {("Enforced",): 1.0, ("Refused",): 1.0}
    leader.wait_for(lambda: leader.metrics("logwatch_blacklist_entries") == entries, "entries")
    networks = {("decided",): 1.0, ("enforced",): 1.0}
    leader.wait_for(lambda: leader.metrics("logwatch_blacklist_networks") == networks, "networks")
    assert {(): 1.0} == leader.metrics("logwatch_node_reports")
    assert {("enforce", "many-ports"): 1.0} == leader.metrics("logwatch_bans_total")
    assert {("by hand",): 1.0} == leader.metrics("logwatch_bans_refused_total")
    requests = leader.metrics("logwatch_api_requests_total")
    assert (1.0, 2.0) <= (
        requests[("blacklistentries", "create")],
        requests[("blacklistentries/status", "patch")],
    )
    for running in (leader, other):
        text = running.get("/metrics")
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=True
        )
        assert "" == done.stdout + done.stderr
    assert ({}, {}, {}) == (
        other.metrics("logwatch_leader"),
        other.metrics("logwatch_blacklist_entries"),
        other.metrics("logwatch_blacklist_networks"),
    )
    assert "logwatch_leader 0.0" in other.get("/metrics")
