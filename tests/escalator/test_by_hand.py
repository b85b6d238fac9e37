"""What people do by entries: with the API alone, with kubectl, and from Git."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest
from escalator.conftest import ENTRIES, Cluster, entry
from escalator.reports import report, scan, write
from lab import deployment
from lab.escalator import RunningEscalator
from lab.identity import RefusedError
from lab.namespace import LabError

from logwatch.offenders import read_rules

RULES = read_rules(None).rules
SCANNER = "203.0.113.7"
NETWORK = f"{SCANNER}/32"
NAME = f"{SCANNER}-32"


def soon(seconds: float) -> str:
    """A time from now, as an entry has it."""
    time = datetime.now(UTC) + timedelta(seconds=seconds)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wait_for_phase(cluster: Cluster, running: RunningEscalator, network: str, phase: str) -> None:
    """Wait until an entry tells a phase, and the set is as it says."""
    is_denied = phase == "Enforced"
    running.wait_for(
        lambda: (cluster.phases().get(network), network in cluster.denied()) == (phase, is_denied),
        f"{phase} of {network}",
    )


def test_an_entry_is_a_ban_until_it_is_deleted(cluster: Cluster) -> None:
    """Without an end and without a reason; deleting it is the undo."""
    running = cluster.start("one", "--mode", "enforce")
    cluster.make(NETWORK, "mine")
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    status = cluster.entries()[NETWORK]["status"]
    assert ("hand", "no reason given", None) == (
        status["by"],
        status["message"],
        status.get("offences"),
    )
    cluster.delete("mine")
    running.wait_for(lambda: cluster.denied() == set(), "empty set")
    assert [("Added", "mine"), ("Removed", "mine")] == [
        (reason, name) for reason, _, name in cluster.events() if reason in {"Added", "Removed"}
    ]


def test_an_entry_with_an_end_ends(cluster: Cluster) -> None:
    """It stays for people to see, and a later end makes it a ban again."""
    running = cluster.start("one", "--mode", "enforce")
    cluster.make(NETWORK, "mine", expires=soon(4), reason="seen at the gate")
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    assert "seen at the gate" == cluster.messages()["mine"]
    wait_for_phase(cluster, running, NETWORK, "Ended")
    cluster.change("mine", expires=None)
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    cluster.change("mine", expires=soon(-1))
    wait_for_phase(cluster, running, NETWORK, "Ended")


def test_applying_from_git_again_and_again_changes_nothing(cluster: Cluster) -> None:
    """The status is the escalator's, the spec is whose file it is."""
    running = cluster.start("one", "--mode", "enforce")
    path = cluster.directory / "entry.yaml"
    path.write_text(json.dumps(entry(NETWORK, "from-git", reason="by the book")))
    for _ in range(2):
        cluster.kubectl("apply", f"--filename={path}")
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    before = cluster.entries()[NETWORK]
    assert "unchanged" in cluster.kubectl("apply", f"--filename={path}")
    cluster.kubectl("apply", "--server-side", "--field-manager=git", f"--filename={path}")
    assert (before["spec"], before["status"]) == (
        cluster.entries()[NETWORK]["spec"],
        cluster.entries()[NETWORK]["status"],
    )
    assert {NETWORK} == cluster.denied()


@pytest.mark.parametrize("is_leaderless", [False, True])
def test_what_was_undone_counts_no_more_but_what_comes_after_it(
    cluster: Cluster, *, is_leaderless: bool
) -> None:
    """Nor after a restart, when nothing but the ConfigMap knows of it; nor if nobody led then."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    if is_leaderless:
        running.stop()
        cluster.delete(NAME)
    else:
        cluster.delete(NAME)
        running.wait_for(lambda: cluster.denied() == set(), "empty set")
        running.stop()
    running.start()
    running.wait_for(lambda: running.metrics("logwatch_leader"), "leader")
    cluster.make("203.0.113.9/32", "marks-a-round")
    running.wait_for(lambda: cluster.denied() == {"203.0.113.9/32"}, "round")
    assert {"203.0.113.9/32"} == set(cluster.entries())
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    running.wait_for(lambda: cluster.phases().get(NETWORK) == "Enforced", "new ban")
    assert 1 == cluster.entries()[NETWORK]["status"]["offences"]


def test_what_is_never_banned_is_refused_unless_it_is_forced(cluster: Cluster) -> None:
    """The entry tells why; `force: true` overrules it, and taking that back ends the ban."""
    running = cluster.start("one", "--mode", "enforce", never_ban=["203.0.113.0/28"])
    cluster.make(NETWORK, "mine")
    wait_for_phase(cluster, running, NETWORK, "Refused")
    assert (
        f"{NETWORK} is never banned: 203.0.113.0/28 is on the never-ban list;"
        " force: true bans it anyway"
    ) == cluster.messages()["mine"]
    cluster.change("mine", force=True)
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    cluster.change("mine", force=False)
    wait_for_phase(cluster, running, NETWORK, "Refused")


@pytest.mark.parametrize(
    ("cidr", "complaint"),
    [
        ("0.0.0.0/0", "the whole internet"),
        ("203.0.112.0/23", "wider than the floor"),
        ("2001:db8::/47", "wider than the floor"),
        ("203.0.113.7/24", "bits behind its prefix"),
        ("everybody", "has to be a network"),
    ],
)
def test_a_bad_network_is_refused_when_it_is_written(
    cluster: Cluster, cidr: str, complaint: str
) -> None:
    """Whoever writes it reads why, also with force."""
    with pytest.raises(LabError, match=complaint):
        cluster.kubectl("apply", "--filename=-", text=json.dumps(entry(cidr, "mine", force=True)))


def test_of_two_entries_by_hand_the_older_one_counts(cluster: Cluster) -> None:
    """The other one says so, and counts when the first is deleted."""
    running = cluster.start("one", "--mode", "enforce")
    cluster.make(NETWORK, "first")
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    cluster.make(NETWORK, "second")
    running.wait_for(lambda: cluster.messages().get("second"), "message")
    assert f"{NETWORK} has an entry already, first" == cluster.messages()["second"]
    cluster.delete("first")
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    assert {"second": "no reason given"} == cluster.messages()


def test_an_entry_by_hand_takes_the_place_of_a_rules(cluster: Cluster) -> None:
    """It holds for as long as the person wants, whatever the rule's end was."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    cluster.make(NETWORK, "mine", reason="for ever")
    running.wait_for(lambda: cluster.messages() == {"mine": "for ever"}, "one entry")
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    assert "expires" not in cluster.entries()[NETWORK]["spec"]


def test_a_person_sets_the_end_of_a_rules_ban(cluster: Cluster) -> None:
    """Also while nobody leads; from then on it is theirs, and the rule's reason stays."""
    running = cluster.start("one", "--mode", "enforce")
    write(cluster.admin, report("node-a", RULES, scan(SCANNER, 20)))
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    before = cluster.entries()[NETWORK]
    cluster.change(NAME, expires="2031-01-31T12:00:00Z")
    running.wait_for(lambda: cluster.entries()[NETWORK]["status"]["by"] == "hand", "takeover")
    after = cluster.entries()[NETWORK]
    assert (before["status"]["message"], before["status"]["offences"]) == (
        after["status"]["message"],
        after["status"]["offences"],
    )
    running.stop()
    cluster.change(NAME, expires="2032-01-31T12:00:00Z")
    running.start()
    running.wait_for(lambda: running.metrics("logwatch_leader"), "leader")
    cluster.make("203.0.113.9/32", "marks-a-round")
    wait_for_phase(cluster, running, "203.0.113.9/32", "Enforced")
    assert {NETWORK, "203.0.113.9/32"} == cluster.denied()
    assert "2032-01-31T12:00:00Z" == cluster.entries()[NETWORK]["spec"]["expires"]


def test_a_rules_entry_of_a_backup_is_a_ban(cluster: Cluster) -> None:
    """A status is not restored with it; what the entry asks for is enough."""
    running = cluster.start("one", "--mode", "enforce")
    cluster.make(NETWORK, NAME, rule="many-ports", expires=soon(3600))
    wait_for_phase(cluster, running, NETWORK, "Enforced")
    assert ("rule", 1) == (
        cluster.entries()[NETWORK]["status"]["by"],
        cluster.entries()[NETWORK]["status"]["offences"],
    )
    cluster.make("203.0.113.8/32", "late", rule="many-ports", expires="2020-01-01T00:00:00Z")
    wait_for_phase(cluster, running, "203.0.113.8/32", "Refused")


def test_nothing_by_hand_is_enforced_in_mode_observe(cluster: Cluster) -> None:
    """The entry says why."""
    running = cluster.start("one", "--mode", "observe")
    cluster.make(NETWORK, "mine")
    wait_for_phase(cluster, running, NETWORK, "Refused")
    assert "in mode observe" in cluster.messages()["mine"]
    with pytest.raises(RefusedError, match="can't be changed"):
        cluster.admin.call(
            "PATCH",
            f"{ENTRIES}/mine",
            {"spec": {"cidr": "203.0.113.9/32"}},
            content="application/merge-patch+json",
        )


def test_the_commands_of_the_document_work(cluster: Cluster) -> None:
    """One after the other, on the entry that is shown and one that a rule proposed."""
    running = cluster.start("one", "--mode", "propose")
    write(cluster.admin, report("node-a", RULES, scan("198.51.100.7", 20)))
    running.wait_for(lambda: cluster.phases() == {"198.51.100.7/32": "Proposed"}, "proposal")
    text = (deployment.DEPLOY.parent / "docs" / "escalator.md").read_text()
    [shown] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = cluster.directory / "spammer.yaml"
    path.write_text(shown)
    apply, *others, delete = re.findall(r"^kubectl (.*?)(?:  #.*)?$", text, re.MULTILINE)
    cluster.kubectl(*shlex.split(apply.replace(path.name, str(path))))
    wait_for_phase(cluster, running, "203.0.113.64/26", "Enforced")
    for command in others:
        cluster.kubectl(*shlex.split(command))
    wait_for_phase(cluster, running, "198.51.100.7/32", "Enforced")
    running.wait_for(lambda: "expires" not in cluster.entries()["203.0.113.64/26"]["spec"], "end")
    cluster.kubectl(*shlex.split(delete))
    running.wait_for(lambda: cluster.denied() == {"198.51.100.7/32"}, "undo")


def test_the_state_outlives_what_people_do_to_it(cluster: Cluster) -> None:
    """Their labels stay, and what they damaged is written anew with the next undo."""
    running = cluster.start("one", "--mode", "enforce")
    path = f"/api/v1/namespaces/{deployment.NAMESPACE}/configmaps/logwatch-escalator"
    for number in (1, 2):
        cluster.make(f"203.0.113.{number}/32", "mine")
        wait_for_phase(cluster, running, f"203.0.113.{number}/32", "Enforced")
        cluster.delete("mine")
        running.wait_for(lambda: cluster.denied() == set(), "undo")
        if number == 1:
            patch = {"metadata": {"labels": {"team": "net"}}, "data": {"state.json": "{damaged"}}
            cluster.admin.call("PATCH", path, patch, content="application/merge-patch+json")
    found = cluster.admin.call("GET", path)
    assert {"team": "net"} == found["metadata"]["labels"]
    undone = json.loads(found["data"]["state.json"])["undone"]
    assert {"203.0.113.1/32", "203.0.113.2/32"} == set(undone)
