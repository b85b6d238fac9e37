"""What an escalator decided outlives the API server, etcd, its Lease, its token and itself."""

import os
from dataclasses import replace

import pytest
from escalator.conftest import Cluster
from escalator.faults import (
    all_once,
    attack,
    complaint,
    free,
    holds,
    identity_of,
    leads,
    make_node,
    pause,
    sources,
    wait_for_all_once,
    without,
)
from lab.identity import aged
from lab.silent_proxy import SilentProxy

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "3"))
"""How long the API server and etcd are away. Beyond 10 s the Lease is lost meanwhile, too."""

MOUNTS = """
mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io &&
ln -s "$1" /run/secrets/kubernetes.io/serviceaccount && shift && exec "$@"
"""
"""Shows a directory where a Pod has its ServiceAccount, to one process alone."""


def test_an_attack_outlives_an_api_server_that_is_killed(cluster: Cluster) -> None:
    """Whom both replicas banned before, while it was away and after, is banned once."""
    make_node(cluster)
    one, _ = cluster.start("one", "--mode", "enforce"), cluster.start("two", "--mode", "enforce")
    attack(cluster, sources(1, 3))
    wait_for_all_once(one, cluster, sources(1, 3))
    attack(cluster, sources(1, 6))  # decided, and perhaps half written
    cluster.server.kill()
    pause(OUTAGE_SECONDS)
    cluster.server.start()
    attack(cluster, sources(1, 9), node="node-b")
    wait_for_all_once(one, cluster, sources(1, 9), OUTAGE_SECONDS + 40)
    assert "see that the API server runs" in complaint(one, "got no answer from")


def test_an_attack_outlives_an_etcd_that_is_killed(cluster: Cluster) -> None:
    """An API server that answers nothing, or that it can't, is told of, and nothing is lost."""
    make_node(cluster)
    escalator = cluster.start("one", "--mode", "enforce")
    attack(cluster, sources(1, 3))
    wait_for_all_once(escalator, cluster, sources(1, 3))
    attack(cluster, sources(1, 6))
    cluster.server.etcd.kill()
    pause(OUTAGE_SECONDS)
    problem = complaint(escalator, "/logwatch-escalator")
    cluster.server.etcd.start()
    cluster.server.wait_until_ready(OUTAGE_SECONDS + 40)
    attack(cluster, sources(1, 9), node="node-b")
    wait_for_all_once(escalator, cluster, sources(1, 9), OUTAGE_SECONDS + 40)
    assert "got no answer" in problem or "was answered with 5" in problem


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(
            [("create", "blacklistentries"), ("create", "globalnetworksets")], id="nothing"
        ),
        pytest.param(
            [("patch", "blacklistentries/status"), ("create", "globalnetworksets")], id="entries"
        ),
        pytest.param([("patch", "blacklistentries/status")], id="entries and policy"),
        pytest.param([("create", "blacklistentries")], id="policy"),
    ],
)
def test_a_kill_loses_nothing_whatever_was_written(
    cluster: Cluster, taken: list[tuple[str, str]]
) -> None:
    """Whoever comes next bans once whom a killed one had decided to ban, as a first offence."""
    make_node(cluster)
    first = cluster.start("first", "--mode", "enforce")
    first.wait_for(lambda: leads(first), "leader")
    kept = [without(cluster.admin, verb, resource) for verb, resource in taken]
    for each in kept:
        each.__enter__()
    attack(cluster, sources(1, 4))
    for verb, resource in taken:
        complaint(first, f'cannot {verb} resource "{resource}"')
    first.kill()
    free(cluster)
    for each in reversed(kept):
        each.__exit__(None, None, None)
    second = cluster.start("second", "--mode", "enforce")
    wait_for_all_once(second, cluster, sources(1, 4), 40)
    assert {1} == {entry["status"]["offences"] for entry in cluster.entries().values()}


def test_a_write_that_hangs_does_no_harm_when_another_leads(cluster: Cluster) -> None:
    """A leader that is cut off while it writes stops; its writes come late and change nothing."""
    make_node(cluster)
    with SilentProxy(cluster.server.url) as proxy:
        cut_off = cluster.start("one", "--mode", "enforce", url=proxy.url)
        cut_off.wait_for(lambda: leads(cut_off), "leader")
        other = cluster.start("two", "--mode", "enforce")
        proxy.delay(0.3)
        attack(cluster, sources(1, 4))
        cut_off.wait_for(
            lambda: any(each["event"] == "ban decided" for each in cut_off.events), "decision"
        )
        proxy.silence()
        other.wait_for(lambda: leads(other), "leader", 30)
        complaint(other, "did not renew it for 15 s: see whether it runs")
        wait_for_all_once(other, cluster, sources(1, 4))
        complaint(cut_off, "got no answer from")
        proxy.resume()
        attack(cluster, sources(1, 6), node="node-b")
        wait_for_all_once(other, cluster, sources(1, 6))
        cut_off.wait_for(lambda: not leads(cut_off), "follower")
        assert "leading no more" in {str(each["event"]) for each in cut_off.events}
        assert all_once(cluster, sources(1, 6))
        assert identity_of(other) == holds(cluster)


def test_another_leads_when_the_leader_is_killed(cluster: Cluster) -> None:
    """After the Lease's 15 s; it says whom it lost, and what was decided before stays."""
    make_node(cluster)
    one = cluster.start("one", "--mode", "enforce")
    one.wait_for(lambda: leads(one), "leader")
    two = cluster.start("two", "--mode", "enforce")
    attack(cluster, sources(1, 3))
    wait_for_all_once(one, cluster, sources(1, 3))
    killed = identity_of(one)
    one.kill()
    attack(cluster, sources(1, 6), node="node-b")
    two.wait_for(lambda: leads(two), "leader", 30)
    complaint(two, f"{killed} held the lease", "did not renew it for 15 s: see whether it runs")
    wait_for_all_once(two, cluster, sources(1, 6))


def test_a_leader_that_ends_in_order_hands_over(cluster: Cluster) -> None:
    """SIGTERM gives the Lease back: the other replica leads within a few seconds."""
    make_node(cluster)
    one = cluster.start("one", "--mode", "enforce")
    one.wait_for(lambda: leads(one), "leader")
    two = cluster.start("two", "--mode", "enforce")
    assert 0 == one.stop()
    two.wait_for(lambda: leads(two), "leader", 4)
    assert "leader lost" not in {str(each["event"]) for each in two.events}
    attack(cluster, sources(1, 3))
    wait_for_all_once(two, cluster, sources(1, 3))


def test_a_token_that_expired_stops_it_until_there_is_a_new_one(cluster: Cluster) -> None:
    """A Pod's token is read anew for each request; what is decided meanwhile waits for it."""
    make_node(cluster)
    mounted = cluster.directory / "mounted"
    old = aged(cluster.identity, cluster.server.key, -120)
    cluster.identity.mounted(mounted)
    host, port = cluster.identity.url.removeprefix("https://").split(":")
    escalator = cluster.start(
        *("one", "--mode", "enforce"),
        cluster={"kubeconfig": None},
        through=[
            *("env", f"KUBERNETES_SERVICE_HOST={host}", f"KUBERNETES_SERVICE_PORT={port}"),
            *("unshare", "--mount", "sh", "-c", MOUNTS, "sh", str(mounted)),
        ],
    )
    attack(cluster, sources(1, 2))
    wait_for_all_once(escalator, cluster, sources(1, 2))
    replace(cluster.identity, token=old.token).mounted(mounted)
    attack(cluster, sources(1, 4))
    complaint(escalator, "was answered with 401", "give a token that is good at this API server")
    cluster.identity.mounted(mounted)
    wait_for_all_once(escalator, cluster, sources(1, 4), 40)
