"""Our networks in GlobalNetworkSets of the real API server, in each arrangement of kinds."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from lab import deployment
from lab.calico_objects import LABEL, Objects
from lab.rsyslog import eventually

from logwatch.cluster import Api, Calico, NotLeaderError, SetWriter

A, B, C = "192.0.2.1/32", "198.51.100.7/32", "203.0.113.9/32"
IPV6 = "2001:db8:0:1::/64"
Connect = Callable[..., Api]
V1_ONLY = pytest.mark.parametrize("calico_server", ["v1"], indirect=True, scope="module")


def many(number: int, start: int = 0) -> list[str]:
    return [
        f"10.{each >> 16}.{each >> 8 & 255}.{each & 255}/32"
        for each in range(start, start + number)
    ]


def no_fence() -> None:
    """Let everything pass."""


@pytest.fixture
def make(connect_writer: Connect) -> Iterator[Callable[[], SetWriter]]:
    """Give a function that makes a writer of a process of its own."""
    with ExitStack() as stack:

        def made() -> SetWriter:
            api = connect_writer()
            writer = SetWriter(api, Calico(api))
            stack.callback(writer.stop)
            return writer

        yield made


@pytest.fixture
def writer(make: Callable[[], SetWriter]) -> SetWriter:
    return make()


def versions(objects: Objects, *numbers: int) -> list[str]:
    return [objects.set(number)["metadata"]["resourceVersion"] for number in numbers]


def test_networks_stand_in_a_set_with_the_label(writer: SetWriter, objects: Objects) -> None:
    written = writer.write([C, A, IPV6], no_fence)
    assert ((A, C, IPV6), (), ()) == (written.added, written.removed, written.problems)
    assert {0: [A, C, IPV6]} == objects.sets()
    assert writer.problem is None


def test_a_second_write_of_the_same_changes_nothing(writer: SetWriter, objects: Objects) -> None:
    writer.write([A, C], no_fence)
    before = versions(objects, 0)
    written = writer.write([C, A], no_fence)
    assert ((), (), (), ()) == (written.added, written.removed, written.drift, written.problems)
    assert before == versions(objects, 0)


def test_while_nothing_changes_a_write_asks_nothing(
    connect_writer: Connect, objects: Objects
) -> None:
    calls: list[tuple[str, str]] = []
    api = connect_writer(calls=lambda verb, _group, resource, _sub: calls.append((verb, resource)))
    writer = SetWriter(api, Calico(api))
    try:
        writer.write([A, B], no_fence)
        eventually_seen(writer, A, B)
        writer.write([A, B], no_fence)
        calls.clear()
        writer.write([A, B], no_fence)
        assert [] == calls
        objects.replace_networks(0, [A])
        eventually_seen(writer, A)
        calls.clear()
        writer.write([A, B], no_fence)
        assert [("get", "clusterinformations"), ("patch", "globalnetworksets")] == calls
    finally:
        writer.stop()


def test_a_write_knows_of_the_one_before_even_if_the_watch_lags(
    connect_writer: Connect, objects: Objects
) -> None:
    """The watch hangs in its callback behind the second write, and tells nothing of the third."""
    api = connect_writer()
    pace = threading.Event()
    pace.set()

    def hang() -> None:
        pace.wait()

    writer = SetWriter(api, Calico(api), on_change=hang)
    try:
        writer.write([A], no_fence)
        eventually_seen(writer, A)
        pace.clear()
        for networks in ([A, B], [A], [A, B], [A], []):
            assert () == writer.write(networks, no_fence).drift
            assert {0: networks} == objects.sets()
            if networks == [A, B]:
                eventually_seen(writer, A, B)
    finally:
        pace.set()
        writer.stop()


def test_a_network_inside_another_gives_way_to_it(writer: SetWriter, objects: Objects) -> None:
    writer.write([C, A], no_fence)
    written = writer.write([C, A, "203.0.113.0/24"], no_fence)
    assert (("203.0.113.0/24",), (C,)) == (written.added, written.removed)
    assert {0: [A, "203.0.113.0/24"]} == objects.sets()


def test_what_is_no_network_or_too_wide_is_told_and_the_rest_is_written(
    writer: SetWriter, objects: Objects
) -> None:
    written = writer.write(["nonsense", A, "0.0.0.0/0"], no_fence)
    assert {0: [A]} == objects.sets()
    assert (
        "'nonsense' is not a network, such as 203.0.113.0/24: it is not denied",
        "0.0.0.0/0 is too wide to be denied; the widest is /24",
    ) == written.problems


def test_5001_networks_need_two_sets_and_a_change_touches_one(
    writer: SetWriter, objects: Objects
) -> None:
    networks = many(5_001)
    writer.write(networks, no_fence)
    assert {0: networks[:5_000], 1: networks[5_000:]} == objects.sets()
    first, second = versions(objects, 0, 1)
    assert (A,) == writer.write([*networks, A], no_fence).added
    assert [first, second] != versions(objects, 0, 1)
    assert [first] == versions(objects, 0)
    second = versions(objects, 1)[0]
    assert (networks[7],) == writer.write([*networks[:7], *networks[8:], A], no_fence).removed
    assert [second] == versions(objects, 1)
    assert {0: networks[:7] + networks[8:5_000], 1: [networks[5_000], A]} == objects.sets()


def test_50000_networks_are_the_most(writer: SetWriter, objects: Objects) -> None:
    networks = many(50_001)
    written = writer.write(networks, no_fence)
    assert (networks[-1],) == written.left_out
    assert (
        "50001 networks are too many for sets: it takes 50000, the other 1 are not denied",
    ) == written.problems
    held = objects.sets()
    assert [5_000] * 10 == [len(held[number]) for number in range(10)]
    assert set(networks[:-1]) == {network for inside in held.values() for network in inside}
    assert eventually(lambda: len(writer.enforced().own) == 50_000, 20)


def test_a_set_edited_by_hand_is_put_right(writer: SetWriter, objects: Objects) -> None:
    writer.write([A, B], no_fence)
    objects.replace_networks(0, [A, "192.0.2.99", C])
    eventually_seen(writer, A)
    written = writer.write([A, B], no_fence)
    assert {0: [A, B]} == objects.sets()
    assert [
        (
            "logwatch-blacklist-0",
            f"put right: 2 networks (192.0.2.99, {C}) put in, 1 network ({B}) taken out",
        )
    ] == [(drift.name, drift.text) for drift in written.drift]
    assert () == writer.write([A, B], no_fence).drift


def eventually_seen(writer: SetWriter, *networks: str) -> None:
    """Return when the watch has told that of the decided networks exactly these are there."""
    assert eventually(lambda: writer.enforced().own == networks, 10)


def test_a_deleted_set_is_made_again(writer: SetWriter, objects: Objects) -> None:
    writer.write([A, B], no_fence)
    eventually_seen(writer, A, B)
    objects.delete_set(0)
    eventually_seen(writer)
    written = writer.write([A, B], no_fence)
    assert {0: [A, B]} == objects.sets()
    assert [f"put right: it was deleted with 2 networks ({A}, {B})"] == [
        drift.text for drift in written.drift
    ]


def test_an_old_set_restored_is_put_right(writer: SetWriter, objects: Objects) -> None:
    writer.write([A], no_fence)
    old = objects.set(0)["spec"]["nets"]
    writer.write([B, C], no_fence)
    eventually_seen(writer, B, C)
    objects.replace_networks(0, old)
    eventually_seen(writer)
    written = writer.write([B, C], no_fence)
    assert {0: [B, C]} == objects.sets()
    assert [f"put right: 1 network ({A}) put in, 2 networks ({B}, {C}) taken out"] == [
        drift.text for drift in written.drift
    ]


def test_a_removed_label_is_put_back_and_others_stay(writer: SetWriter, objects: Objects) -> None:
    writer.write([A], no_fence)
    eventually_seen(writer, A)
    labels = {"team": "network"}
    objects.change_set(0, {"op": "replace", "path": "/metadata/labels", "value": labels})
    eventually_seen(writer)
    written = writer.write([A], no_fence)
    assert ["put right: its label was removed"] == [drift.text for drift in written.drift]
    assert {"team": "network", LABEL: "true"} == objects.set(0)["metadata"]["labels"]
    objects.change_set(0, {"op": "remove", "path": "/metadata/labels"})
    eventually_seen(writer)
    writer.write([A], no_fence)
    assert {0: [A]} == objects.sets()


def test_a_network_in_two_sets_stays_in_one(writer: SetWriter, objects: Objects) -> None:
    writer.write([A, B], no_fence)
    objects.make_set("logwatch-blacklist-3", [B, C])
    assert eventually(lambda: bool(writer.write([A, B], no_fence).drift), 10)
    assert {0: [A, B], 3: []} == objects.sets()


def test_what_others_deny_in_sets_of_theirs_is_left_to_them(
    writer: SetWriter, objects: Objects
) -> None:
    objects.make_set("theirs", ["203.0.113.0/24"])
    objects.make_set("unlabelled", [A], labels={"team": "network"})
    writer.write([A, C], no_fence)
    assert {0: [A]} == objects.sets()
    eventually_seen(writer, A)
    assert ("203.0.113.0/24",) == writer.enforced().other
    assert writer.enforced().holds(C)


def test_nothing_of_an_object_but_its_networks_is_changed(
    writer: SetWriter, objects: Objects
) -> None:
    annotations = {"projectcalico.org/metadata": '{"labels":{"a":"b"}}', "note": "ask Kim"}
    labels = {LABEL: "true", "team": "network"}
    objects.make_set("logwatch-blacklist-0", [A], labels=labels, annotations=annotations)
    writer.write([A, B], no_fence)
    metadata = objects.set(0)["metadata"]
    assert (labels, annotations) == (metadata["labels"], metadata["annotations"])
    assert {0: [A, B]} == objects.sets()


@V1_ONLY
def test_in_v1_labels_written_through_v3_count(writer: SetWriter, objects: Objects) -> None:
    stored = {"projectcalico.org/metadata": f'{{"labels":{{"{LABEL}":"true"}}}}'}
    objects.make_set("logwatch-blacklist-0", [A], annotations=stored)
    assert () == writer.write([A], no_fence).drift
    eventually_seen(writer, A)
    assert "labels" not in objects.set(0)["metadata"]


@V1_ONLY
def test_in_v1_a_label_that_is_overruled_is_told(writer: SetWriter, objects: Objects) -> None:
    stored = {"projectcalico.org/metadata": f'{{"labels":{{"{LABEL}":"false"}}}}'}
    objects.make_set("logwatch-blacklist-0", [A], annotations=stored)
    problem = writer.write([A], no_fence).problems[0]
    assert (
        "logwatch-blacklist-0 is not denied: its annotation projectcalico.org/metadata" in problem
    )


def test_a_change_between_read_and_write_is_read_again(writer: SetWriter, objects: Objects) -> None:
    """The fence is the last that happens before a write."""
    writer.write([A], no_fence)
    edits = [lambda: objects.replace_networks(0, [C]), lambda: objects.delete_set(0)]

    def edit() -> None:
        if edits:
            edits.pop(0)()

    written = writer.write([A, B], edit)
    assert {0: [A, B]} == objects.sets()
    assert () == written.problems
    assert ["logwatch-blacklist-0"] == [drift.name for drift in written.drift]


def test_a_set_made_by_another_between_read_and_write_is_read_again(
    writer: SetWriter, objects: Objects
) -> None:
    others = [lambda: objects.make_set("logwatch-blacklist-0", [C])]
    writer.write([A], lambda: others.pop()() if others else None)
    assert {0: [A]} == objects.sets()


def test_who_changes_sets_all_the_time_is_told_of(writer: SetWriter, objects: Objects) -> None:
    writer.write([A], no_fence)
    turns = iter(range(100))
    problem = writer.write(
        [B], lambda: objects.replace_networks(0, [f"192.0.2.{next(turns) + 100}/32"])
    ).problems[0]
    assert "changed by somebody else 5 times" in problem
    assert problem == writer.problem


def test_nothing_is_written_behind_a_fence(writer: SetWriter, objects: Objects) -> None:
    def fence() -> None:
        raise NotLeaderError("another one leads")

    with pytest.raises(NotLeaderError):
        writer.write([A], fence)
    assert {} == objects.sets()


def test_nothing_is_written_while_calicos_data_are_moved(
    writer: SetWriter, objects: Objects
) -> None:
    objects.datastore(ready=False)
    written = writer.write([A], no_fence)
    assert {} == objects.sets()
    assert "datastoreReady of clusterinformations" in written.problems[0]
    assert written.problems[0] == writer.problem
    objects.datastore(ready=True)
    assert (A,) == writer.write([A], no_fence).added
    assert writer.problem is None


def test_a_write_that_is_forbidden_says_what_is_missing(
    writer: SetWriter, objects: Objects
) -> None:
    writer.write([A], no_fence)
    deployment.take_rights(objects.admin)
    problems: list[str] = []

    def refused() -> bool:  # rights are judged by a cache
        written = writer.write([A, *many(len(problems) + 1)], no_fence)
        problems.extend(written.problems or [""])
        return bool(written.problems)

    assert eventually(refused, 10)
    assert 'User "system:serviceaccount:calico-logwatch:logwatch-escalator" cannot' in problems[-1]
    assert "grant it to this identity" in problems[-1]


def test_a_set_that_may_not_be_written_keeps_back_no_other(
    writer: SetWriter, objects: Objects
) -> None:
    """Rights end at the twentieth set, which is ten more than the most networks fill."""
    objects.make_set("logwatch-blacklist-25", [C])
    written = writer.write([A], no_fence)
    assert {0: [A], 25: [C]} == objects.sets()
    assert (A,) == written.added
    assert 1 == len(written.problems)
    assert "globalnetworksets/logwatch-blacklist-25 was answered with 403" in written.problems[0]


def test_a_new_leader_finds_what_the_other_one_left(
    make: Callable[[], SetWriter], objects: Objects
) -> None:
    one, other = make(), make()
    one.write([A, B], no_fence)
    written = other.write([B, C], no_fence)
    assert ((C,), (A,), ()) == (written.added, written.removed, written.drift)
    one.forget()
    eventually_seen(one, B)
    assert () == one.write([A], no_fence).drift
    assert {0: [A]} == objects.sets()


def test_two_writers_at_once_lose_and_double_nothing(
    make: Callable[[], SetWriter], objects: Objects
) -> None:
    """Both active by force over 1,000 entries, some of which end and come all the while."""
    chance = random.Random(7)
    entries = dict.fromkeys(many(1_000))
    lock = threading.Lock()
    failures: list[BaseException] = []

    def write(writer: SetWriter) -> None:
        try:
            for _ in range(12):
                with lock:
                    for network in chance.sample(sorted(entries), 20):
                        del entries[network]
                    entries.update(dict.fromkeys(many(20, chance.randrange(2_000))))
                    decided = list(entries)
                writer.write(decided, no_fence)
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(make(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures
    last = make()
    assert () == last.write(list(entries), no_fence).problems
    held = [network for inside in objects.sets().values() for network in inside]
    assert len(held) == len(set(held))
    assert set(entries) == set(held)
