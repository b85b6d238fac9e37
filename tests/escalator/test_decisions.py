"""What is decided by the reports of all nodes, and what becomes of it."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from escalator.conftest import Cluster
from escalator.reports import report, scan, write
from lab import deployment
from lab.escalator import RunningEscalator
from offenders.packets import Sent

from logwatch.cluster import NODE_REPORTS, TopSource
from logwatch.offenders import Rule, read_rules

RULES = read_rules(None).rules
SCANNER = "203.0.113.7"
NETWORK = f"{SCANNER}/32"
NAME = f"{SCANNER}-32"
_LINE = re.compile("[12] on node-[ab]")


def rules(directory: Path, text: str) -> tuple[str, tuple[Rule, ...]]:
    """Write a file of rules; give its path and the rules."""
    path = directory / "test.rules"
    path.write_text(text)
    return str(path), tuple(read_rules(path).rules)


def phase_is(cluster: Cluster, running: RunningEscalator, phase: str) -> None:
    """Wait for the phase of the scanner's entry."""
    running.wait_for(lambda: cluster.phases().get(NETWORK) == phase, phase)


def test_one_port_on_each_of_two_hundred_nodes_is_one_offender(cluster: Cluster) -> None:
    """No node saw more than one packet."""
    running = cluster.start("one", "--mode", "enforce")
    for number in range(200):
        sent = [Sent(SCANNER, 1000 + number, destination=f"198.51.100.{number}")]
        write(cluster.admin, report(f"node-{number}", RULES, sent))
    phase_is(cluster, running, "Enforced")
    [entry] = cluster.entries().values()
    assert 10 <= entry["status"]["evidence"]["nodes"]
    assert {NETWORK} == cluster.denied()


def test_the_entry_shows_lines_of_the_log(cluster: Cluster) -> None:
    """One of each node before the second ones; `kubectl describe` shows them to people."""
    running = cluster.start("one", "--mode", "enforce")
    for node in ("node-a", "node-b"):
        top = (TopSource(NETWORK, "many-ports", 20, 15, (f"1 on {node}", f"2 on {node}")),)
        made = report(node, RULES, scan(SCANNER, 20 if node == "node-b" else 3))
        write(cluster.admin, msgspec.structs.replace(made, top=top))
    phase_is(cluster, running, "Enforced")
    shown = ["1 on node-a", "1 on node-b", "2 on node-a", "2 on node-b"]
    assert shown == cluster.entries()[NETWORK]["status"]["evidence"]["samples"]
    assert shown == _LINE.findall(cluster.kubectl("describe", "blacklistentry", NAME))


def test_observe_shows_and_writes_nothing_else(cluster: Cluster) -> None:
    """The entry tells who would be banned; no set is made."""
    running = cluster.start("one", "--mode", "observe")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    phase_is(cluster, running, "Observed")
    assert {} == cluster.calico.sets()
    assert "WouldBan" in {reason for reason, *_ in cluster.events()}


@pytest.mark.parametrize("is_leaderless", [False, True])
def test_what_is_proposed_is_enforced_once_it_is_approved(
    cluster: Cluster, *, is_leaderless: bool
) -> None:
    """Also where nobody led when it was."""
    running = cluster.start("one", "--mode", "propose")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    phase_is(cluster, running, "Proposed")
    assert set() == cluster.denied()
    if is_leaderless:
        running.stop()
    cluster.change(NAME, approved=True)
    if is_leaderless:
        running.start()
    phase_is(cluster, running, "Enforced")
    assert {NETWORK} == cluster.denied()


def test_offences_double_and_are_remembered_over_a_restart(cluster: Cluster) -> None:
    """An ended ban leaves its entry, by which the next one is a second offence."""
    text = "rule knock\n    when distinct ports >= 5 within 1m\n    ban 4s, doubling up to 1h\n"
    path, made = rules(cluster.directory, text)
    running = cluster.start("one", "--mode", "enforce", rules=path)
    write(cluster.admin, report("node-a", made, scan(SCANNER, 6)))
    phase_is(cluster, running, "Enforced")
    phase_is(cluster, running, "Ended")
    assert set() == cluster.denied()
    running.stop()
    running.start()
    write(cluster.admin, report("node-a", made, scan(SCANNER, 6)))
    phase_is(cluster, running, "Enforced")
    status = cluster.entries()[NETWORK]["status"]
    assert (2, 8) == (status["offences"], status["seconds"])
    phase_is(cluster, running, "Ended")
    cluster.delete(NAME)
    running.wait_for(lambda: cluster.events()[-1][0] and not cluster.entries(), "deletion")
    running.wait_for(lambda: not running.metrics("logwatch_blacklist_entries"), "forgiveness")
    write(cluster.admin, report("node-a", made, scan(SCANNER, 6)))
    phase_is(cluster, running, "Enforced")
    assert 1 == cluster.entries()[NETWORK]["status"]["offences"]


def test_a_ban_goes_on_while_the_offender_does(cluster: Cluster) -> None:
    """The entry tells the new end."""
    text = "rule knock\n    when distinct ports >= 5 within 1m\n    ban 30s\n"
    path, made = rules(cluster.directory, text)
    running = cluster.start("one", "--mode", "enforce", rules=path)
    write(cluster.admin, report("node-a", made, scan(SCANNER, 6)))
    phase_is(cluster, running, "Enforced")
    first = cluster.entries()[NETWORK]["spec"]["expires"]
    at = datetime.fromisoformat(first).timestamp() - 28
    running.wait_for(lambda: time.time() > at, "two seconds of rest")
    write(cluster.admin, report("node-a", made, scan(SCANNER, 6)))
    running.wait_for(lambda: cluster.entries()[NETWORK]["spec"]["expires"] > first, "extension")
    assert 1 == cluster.entries()[NETWORK]["status"]["offences"]


def test_a_brake_and_a_freeze_hold_over_a_change_of_leader(cluster: Cluster) -> None:
    """Two bans hold, and no more; many more offenders freeze whoever leads."""
    brakes = {"bans": 2, "bans_per_minute": 2, "share_percent": 100, "freeze_factor": 2}
    running = cluster.start("one", "--mode", "enforce", brakes=brakes)
    three = [each for number in range(3) for each in scan(f"203.0.113.{number}", 20)]
    write(cluster.admin, report("node-a", RULES, three))
    running.wait_for(lambda: len(cluster.denied()) == 2, "two bans")
    running.wait_for(lambda: running.total("logwatch_bans_held") == 1.0, "one held back")
    many = [each for number in range(20) for each in scan(f"192.0.2.{number}", 20)]
    write(cluster.admin, report("node-a", RULES, many))
    running.wait_for(lambda: running.total("logwatch_frozen"), "freeze")
    running.wait_for(lambda: "Frozen" in {reason for reason, *_ in cluster.events()}, "Event")
    running.kill()
    other = cluster.start("two", "--mode", "enforce", brakes=brakes)
    other.wait_for(lambda: other.total("logwatch_frozen"), "freeze of the next leader", 40)
    assert 2 == len(cluster.denied())


def test_scans_are_found_by_nodes_whose_clocks_differ(cluster: Cluster) -> None:
    """Half of it is five minutes ahead, half as much behind; the rule looks back a minute."""
    running = cluster.start("one", "--mode", "enforce")
    now = time.time()
    ahead = [Sent(SCANNER, 1000 + number) for number in range(8)]
    behind = [Sent(SCANNER, 2000 + number) for number in range(8)]
    write(cluster.admin, report("node-ahead", RULES, ahead, now + 290))
    write(cluster.admin, report("node-behind", RULES, behind, now - 290))
    running.wait_for(lambda: cluster.denied() == {NETWORK}, "ban")


def test_a_damaged_report_is_told_and_stops_nobody(cluster: Cluster) -> None:
    """Nor does one under the name of another node."""
    running = cluster.start("one", "--mode", "enforce")
    damaged = report("node-a", RULES, scan("203.0.113.9", 20))
    nonsense = b"nothing that was ever written"
    write(cluster.admin, msgspec.structs.replace(damaged, evidence=nonsense))
    misnamed = report("node-b", RULES, scan("203.0.113.9", 20)).document()
    misnamed["metadata"]["name"] = "node-c"
    path = f"{NODE_REPORTS.path('node-c')}?fieldManager=logwatch-agent"
    with pytest.raises(Exception, match="node"):
        cluster.admin.call("PATCH", path, misnamed, content="application/apply-patch+yaml")
    write(cluster.admin, report("node-d", RULES, scan(SCANNER, 20)))
    running.wait_for(lambda: cluster.denied() == {NETWORK}, "ban")
    running.wait_for(lambda: running.total("logwatch_left_out_reports_total"), "count")
    assert ["node-a"] == [
        event["node"] for event in running.events if event["event"] == "report left out"
    ]


def test_the_evidence_of_a_node_that_is_gone_fades(cluster: Cluster) -> None:
    """Its report stays; what it saw before the rule's window bans nobody."""
    text = "rule knock\n    when distinct ports >= 5 within 30s\n    ban 1h\n"
    path, made = rules(cluster.directory, text)
    running = cluster.start("one", "--mode", "enforce", rules=path)
    gone = report("node-gone", made, scan("203.0.113.9", 6), time.time() - 120)
    write(cluster.admin, msgspec.structs.replace(gone, written=datetime.now(UTC)))
    write(cluster.admin, report("node-a", made, scan(SCANNER, 6)))
    running.wait_for(lambda: cluster.denied() == {NETWORK}, "ban")
    assert {NETWORK} == set(cluster.entries())


def test_whoever_leads_next_writes_nothing_that_is_written(cluster: Cluster) -> None:
    """What it reads of the entries is what it would tell."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    cluster.make("203.0.113.9/32", "mine")
    cluster.make("127.0.0.1/32", "never")
    running.wait_for(
        lambda: sorted(cluster.phases().values()) == ["Enforced", "Enforced", "Refused"], "phases"
    )
    running.stop()
    before = len(cluster.server.calls())
    running.start()
    running.wait_for(lambda: running.metrics("logwatch_leader"), "leader")
    networks = {("decided",): 2.0, ("enforced",): 2.0}
    running.wait_for(lambda: running.metrics("logwatch_blacklist_networks") == networks, "set")
    user = f"system:serviceaccount:{deployment.NAMESPACE}:logwatch-escalator"
    written = [
        (call.verb, call.resource)
        for call in cluster.server.calls()[before:]
        if call.user == user and call.verb not in {"get", "list", "watch"}
    ]
    assert {("update", "coordination.k8s.io/leases")} == set(written)
