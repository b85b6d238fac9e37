"""Entries of the blacklist and reports: what the API server refuses, and what kubectl shows."""

import pytest
from deploy.asking import ENTRIES, MERGE, REPORTS, entry, refusal, report
from lab.api_server import ApiServer, kubectl

STATUS = {
    "phase": "Enforced",
    "offences": 2,
    "decidedAt": "2020-11-28T12:00:00.000001Z",
    "message": "15 distinct ports within 1m (rule many-ports: 15)",
    "evidence": {
        "packets": 120,
        "ports": [22, 80],
        "destinations": ["198.51.100.9"],
        "first": "2020-11-28T11:59:00.000001Z",
        "last": "2020-11-28T12:00:00.000001Z",
        "shapes": ["syn"],
        "forgeable": ["lone SYN"],
        "samples": ["Nov 28 12:00:00 worker-1 kernel: calico-packet: IN=eth1"],
        "nodes": 3,
    },
}


@pytest.mark.parametrize(
    "cidr",
    ["203.0.113.7/32", "203.0.113.0/24", "2001:db8:0:1::/64", "2001:db8:1::/48", "2001:db8::1/128"],
)
def test_a_network_down_to_the_floor_is_taken(cluster: ApiServer, cidr: str) -> None:
    assert "" == refusal(cluster.admin, "POST", ENTRIES, entry("one", cidr))


NO_NETWORK = "cidr has to be a network such as 203.0.113.7/32 or 2001:db8:0:1::/64"
TOO_WIDE = (
    "cidr is wider than the floor: at most a /24 of IPv4 or a /48 of IPv6 is banned in one entry"
)
HOST_BITS = "cidr has bits behind its prefix: of 203.0.113.7/24 the network is 203.0.113.0/24"
NOT_SHORTEST = "cidr is not in the shortest form, as 2001:db8::/64 is of 2001:DB8:0::/64"
EVERYTHING = "cidr is the whole internet, which is never banned"


@pytest.mark.parametrize(
    ("cidr", "sentence"),
    [
        ("203.0.113.7", NO_NETWORK),
        ("203.0.113.300/32", NO_NETWORK),
        ("203.0.113.7/33", NO_NETWORK),
        ("::ffff:203.0.113.7/128", NO_NETWORK),
        ("fe80::1%eth0/128", NO_NETWORK),
        ("", NO_NETWORK),
        ("203.0.113.7/24", HOST_BITS),
        ("2001:db8::1/64", HOST_BITS),
        ("2001:DB8::/64", NOT_SHORTEST),
        ("2001:db8:0::/64", NOT_SHORTEST),
        ("0.0.0.0/0", EVERYTHING),
        ("::/0", EVERYTHING),
        ("203.0.112.0/23", TOO_WIDE),
        ("2001:db8::/47", TOO_WIDE),
    ],
)
def test_another_network_is_refused_with_one_sentence(
    cluster: ApiServer, cidr: str, sentence: str
) -> None:
    assert (
        '422: BlacklistEntry.calico-logwatch.io "one" is invalid: spec.cidr: Invalid value: '
        f'"{cidr}": {sentence}'
    ) == refusal(cluster.admin, "POST", ENTRIES, entry("one", cidr)).replace(
        '"string"', f'"{cidr}"'
    )


def test_the_network_of_an_entry_can_t_be_changed(cluster: ApiServer) -> None:
    cluster.admin.call("POST", ENTRIES, entry("one", "203.0.113.7/32"))
    answer = refusal(
        cluster.admin,
        "PATCH",
        f"{ENTRIES}/one",
        {"spec": {"cidr": "203.0.113.8/32"}},
        MERGE,
    )
    assert answer.endswith(
        "cidr can't be changed: delete this entry, which ends its ban, and create another"
    )


@pytest.mark.parametrize("expires", ["tomorrow", "2026-12-01", "2026-13-01T00:00:00Z"])
def test_an_end_that_is_no_time_is_refused(cluster: ApiServer, expires: str) -> None:
    body = entry("one", "203.0.113.7/32", expires=expires)
    answer = refusal(cluster.admin, "POST", ENTRIES, body)
    assert "spec.expires in body must be of type date-time" in answer


def test_an_end_without_a_zone_is_refused(cluster: ApiServer) -> None:
    """It would be another moment for each reader."""
    body = entry("one", "203.0.113.7/32", expires="2026-12-01T00:00:00")
    assert "spec.expires in body should match" in refusal(cluster.admin, "POST", ENTRIES, body)


def test_a_status_is_written_by_itself(cluster: ApiServer) -> None:
    """Who may write entries can't say that one is enforced; who may write a status bans nobody."""
    body = {**entry("one", "203.0.113.7/32"), "status": STATUS}
    assert "status" not in cluster.admin.call("POST", ENTRIES, body)
    body = {"spec": {"force": True}, "status": STATUS}
    written = cluster.admin.call("PATCH", f"{ENTRIES}/one/status", body, content=MERGE)
    assert ({"cidr": "203.0.113.7/32"}, STATUS) == (written["spec"], written["status"])


def test_kubectl_shows_who_why_since_when_until_when_and_how_often(cluster: ApiServer) -> None:
    body = entry("one", "203.0.113.7/32", rule="many-ports", expires="2030-01-01T00:00:00Z")
    cluster.admin.call("POST", ENTRIES, body)
    cluster.admin.call("PATCH", f"{ENTRIES}/one/status", {"status": STATUS}, content=MERGE)
    shown = kubectl(cluster.admin, cluster.directory, "get", "blacklistentries", "-o", "wide")
    heads, row = shown.splitlines()
    assert [
        "NAME",
        "CIDR",
        "PHASE",
        "RULE",
        "SINCE",
        "EXPIRES",
        "OFFENCES",
        "REASON",
    ] == heads.split()
    name, cidr, phase, rule, since, expires, offences, *reason = row.split()
    assert ("one", "203.0.113.7/32", "Enforced", "many-ports") == (name, cidr, phase, rule)
    assert since.endswith("d")
    assert ("2030-01-01T00:00:00Z", "2") == (expires, offences)
    assert STATUS["message"] == " ".join(reason)


def test_kubectl_shows_of_a_report_how_much_is_in_it(cluster: ApiServer) -> None:
    cluster.admin.call("POST", REPORTS, report("node-a"))
    cluster.admin.call("POST", REPORTS, report("node-b", top=[], cut=7))
    shown = kubectl(cluster.admin, cluster.directory, "get", "nodereports").splitlines()
    assert ["NAME", "SOURCES", "CUT", "TOP", "SOURCE", "WRITTEN"] == shown[0].split()
    assert ["node-a", "3", "0", "203.0.113.66"] == shown[1].split()[:4]
    assert ["node-b", "3", "7"] == shown[2].split()[:3]


def test_a_report_of_more_than_180_kib_is_refused(cluster: ApiServer) -> None:
    """The object stays below 256 KiB, at some thousand nodes what the API server can bear."""
    most = 245_760
    body = report("node-a", evidence="A" * most)
    assert "" == refusal(cluster.admin, "POST", REPORTS, body)
    body = report("node-b", evidence="A" * (most + 4))
    assert f"may not be more than {most} bytes" in refusal(cluster.admin, "POST", REPORTS, body)
