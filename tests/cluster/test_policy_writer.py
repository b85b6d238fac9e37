"""Our networks in the rules of the policy `blacklist`, on the real API server."""

from collections.abc import Callable

import pytest
from lab import deployment
from lab.calico_objects import Objects
from lab.rsyslog import eventually

from logwatch.cluster import Api, Calico, NotLeaderError, PolicyWriter

A, B, C = "192.0.2.1/32", "198.51.100.7/32", "203.0.113.9/32"
IPV6 = "2001:db8:0:1::/64"
ANNOTATION = "calico-logwatch.io/networks"
Connect = Callable[..., Api]
V1_ONLY = pytest.mark.parametrize("calico_server", ["v1"], indirect=True, scope="module")
V3_ONLY = pytest.mark.parametrize("calico_server", ["v3"], indirect=True, scope="module")


def no_fence() -> None:
    """Let everything pass."""


def deny(protocol: str, *networks: str) -> dict:
    return {"action": "Deny", "protocol": protocol, "source": {"nets": list(networks)}}


def both(*networks: str) -> list[dict]:
    return [deny("TCP", *networks), deny("UDP", *networks)]


def rules(objects: Objects, name: str = "blacklist") -> list[dict]:
    return objects.policy(name)["spec"]["ingress"]


@pytest.fixture
def writer(connect_writer: Connect) -> PolicyWriter:
    api = connect_writer()
    return PolicyWriter(api, Calico(api))


def test_ours_stand_in_rules_of_their_own_beside_those_of_others(
    writer: PolicyWriter, objects: Objects
) -> None:
    theirs = {"action": "Log", "protocol": "TCP"}
    objects.make_policy(theirs, *both("203.0.113.0/24"), annotations={"note": "ask Kim"})
    written = writer.write([C, B, A, IPV6], no_fence)
    assert ((A, B, IPV6), (), ()) == (written.added, written.drift, written.problems)
    assert [theirs, *both("203.0.113.0/24"), *both(A, B), *both(IPV6)] == rules(objects)
    annotations = objects.policy()["metadata"]["annotations"]
    assert {"note": "ask Kim", ANNOTATION: f"{A} {B} {IPV6}"} == annotations
    assert (A, B, IPV6) == writer.enforced().own
    assert ("203.0.113.0/24",) == writer.enforced().other
    assert writer.enforced().holds(C)


def test_a_second_write_of_the_same_changes_nothing(writer: PolicyWriter, objects: Objects) -> None:
    objects.make_policy()
    writer.write([A], no_fence)
    before = objects.policy()
    written = writer.write([A], no_fence)
    assert ((), (), ()) == (written.added, written.removed, written.drift)
    assert before == objects.policy()


def test_without_networks_no_rule_of_ours_is_left(writer: PolicyWriter, objects: Objects) -> None:
    """A Deny without networks would deny everybody."""
    objects.make_policy(*both(C))
    writer.write([A, B], no_fence)
    assert (A, B) == writer.write([], no_fence).removed
    assert both(C) == rules(objects)
    assert "" == objects.policy()["metadata"]["annotations"][ANNOTATION]


def test_a_policy_without_rules_and_annotations_stays_as_it_is(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy()
    before = objects.policy()
    assert () == writer.write([], no_fence).problems
    assert before == objects.policy()


def test_no_rule_holds_more_than_256_and_the_policy_no_more_than_2048(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy()
    networks = [f"10.0.{each >> 8}.{each & 255}/32" for each in range(2_050)]
    written = writer.write(networks, no_fence)
    assert tuple(networks[2_048:]) == written.left_out
    assert "2050 networks are too many for the rules of policy blacklist" in written.problems[0]
    assert [256] * 16 == [len(rule["source"]["nets"]) for rule in rules(objects)]
    assert tuple(networks[:2_048]) == writer.enforced().own


def test_a_network_that_others_deny_is_not_taken_out_with_ours(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy(*both(A, C))
    writer.write([A, B], no_fence)
    assert [*both(A, C), *both(B)] == rules(objects)
    writer.write([], no_fence)
    assert both(A, C) == rules(objects)


def test_what_others_add_to_a_rule_of_ours_stays(writer: PolicyWriter, objects: Objects) -> None:
    objects.make_policy()
    writer.write([A, B], no_fence)
    objects.change_policy(
        {"op": "replace", "path": "/spec/ingress/0/source/nets", "value": [A, B, C]},
        {"op": "replace", "path": "/spec/ingress/1/source/nets", "value": [A, B, C]},
    )
    assert (A,) == writer.write([B], no_fence).removed
    assert both(C) == rules(objects)[:2]
    assert both(B) == rules(objects)[2:]


def test_a_missing_policy_is_told_with_the_remedy_and_never_made(
    writer: PolicyWriter, objects: Objects
) -> None:
    program = "calicoctl" if objects.version == "v1" else "kubectl"
    problem = writer.write([A], no_fence).problems[0]
    assert f"the operator makes it once: {program} apply -f deploy/policies/blacklist" in problem
    assert problem == writer.problem
    assert [] == objects.policies()
    objects.make_policy()
    assert (A,) == writer.write([A], no_fence).added
    assert writer.problem is None
    objects.delete_policy()
    assert writer.write([A], no_fence).problems
    assert () == writer.enforced().own


@V1_ONLY
def test_in_v1_the_policy_may_bear_the_name_of_its_tier(
    writer: PolicyWriter, objects: Objects
) -> None:
    stored = {"projectcalico.org/metadata": '{"annotations":{"note":"ask Kim"}}'}
    objects.make_policy(name="default.blacklist", annotations=stored)
    writer.write([A], no_fence)
    assert ["default.blacklist"] == objects.policies()
    assert both(A) == rules(objects, "default.blacklist")
    annotations = objects.policy("default.blacklist")["metadata"]["annotations"]
    assert {**stored, ANNOTATION: A} == annotations


@V1_ONLY
def test_in_v1_what_was_written_through_v3_is_known_as_ours(
    writer: PolicyWriter, objects: Objects
) -> None:
    stored = f'{{"annotations":{{"{ANNOTATION}":"{A} {B}"}}}}'
    objects.make_policy(*both(A, B, C), annotations={"projectcalico.org/metadata": stored})
    assert (A,) == writer.write([B], no_fence).removed
    assert [*both(C), *both(B)] == rules(objects)
    assert {B} == {*objects.policy()["metadata"]["annotations"][ANNOTATION].split()}


@V3_ONLY
def test_in_v3_a_policy_with_a_tier_in_its_name_is_another_one(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy(name="default.blacklist")
    assert "there is no policy blacklist" in writer.write([A], no_fence).problems[0]


def test_networks_taken_out_by_hand_are_put_back(writer: PolicyWriter, objects: Objects) -> None:
    objects.make_policy()
    writer.write([A, B], no_fence)
    objects.change_policy({"op": "replace", "path": "/spec/ingress", "value": both(B)})
    written = writer.write([A, B], no_fence)
    assert both(A, B) == rules(objects)
    assert [("blacklist", f"put right: 1 network ({A}) taken out")] == [
        (drift.name, drift.text) for drift in written.drift
    ]


def test_a_removed_annotation_is_put_back_by_who_wrote_it(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy()
    writer.write([A, B], no_fence)
    objects.change_policy({"op": "remove", "path": "/metadata/annotations"})
    written = writer.write([B], no_fence)
    assert both(B) == rules(objects)
    assert [f"put right: its annotation {ANNOTATION} was removed"] == [
        drift.text for drift in written.drift
    ]


def test_a_damaged_annotation_is_left_to_the_operator(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy(annotations={ANNOTATION: "nonsense"})
    assert "is damaged: 'nonsense' is not a network" in writer.write([A], no_fence).problems[0]
    assert [] == rules(objects)


def test_a_policy_of_another_shape_is_left_alone(writer: PolicyWriter, objects: Objects) -> None:
    objects.make_policy({"action": "Allow"})
    assert (
        "only Deny, Log and Pass belong into a blacklist" in writer.write([A], no_fence).problems[0]
    )
    assert [{"action": "Allow"}] == rules(objects)


def test_a_change_between_read_and_write_is_read_again(
    writer: PolicyWriter, objects: Objects
) -> None:
    """The fence is the last that happens before a write."""
    objects.make_policy()
    edits = [lambda: objects.change_policy({"op": "add", "path": "/spec/ingress/-", "value": log})]
    log = {"action": "Log"}
    written = writer.write([A], lambda: edits.pop()() if edits else None)
    assert ((A,), ()) == (written.added, written.problems)
    assert [log, *both(A)] == rules(objects)


def test_a_policy_deleted_between_read_and_write_is_told(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy()
    assert "there is no policy blacklist" in writer.write([A], objects.delete_policy).problems[0]


def test_nothing_is_written_behind_a_fence(writer: PolicyWriter, objects: Objects) -> None:
    def fence() -> None:
        raise NotLeaderError("another one leads")

    objects.make_policy()
    with pytest.raises(NotLeaderError):
        writer.write([A], fence)
    assert [] == rules(objects)


def test_nothing_is_written_while_calicos_data_are_moved(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy()
    objects.datastore(ready=False)
    assert "datastoreReady" in writer.write([A], no_fence).problems[0]
    assert [] == rules(objects)
    objects.datastore(ready=True)
    assert (A,) == writer.write([A], no_fence).added


def test_a_write_that_is_forbidden_says_what_is_missing(
    writer: PolicyWriter, objects: Objects
) -> None:
    objects.make_policy()
    writer.write([A], no_fence)
    deployment.take_rights(objects.admin)
    assert eventually(lambda: bool(writer.write([A], no_fence).problems), 10)
    assert 'cannot get resource "globalnetworkpolicies"' in (writer.problem or "")
