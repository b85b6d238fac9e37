import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

import logwatch.errors
from logwatch.blacklist import Network
from logwatch.offenders import AddressesError, Protected, own_addresses, resolvers

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 198.51.100.0/24 2 0 2
        |-- 198.51.100.0
           /24 link UNICAST
        |-- 198.51.100.9
           /32 host LOCAL
        |-- 198.51.100.255
           /32 link BROADCAST
Local:
  +-- 127.0.0.0/8 2 0 2
     |-- 127.0.0.0
        /8 host LOCAL
     |-- 192.0.2.128
        /25 host LOCAL
Id 100:
  |-- 0.0.0.0
     /0 host LOCAL
"""

IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000010000000000000005 02 40 00 80     eth0
"""


def nets(*texts: str) -> frozenset[Network]:
    return frozenset(ip_network(text) for text in texts)


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        ("127.0.0.1/32", "loopback"),
        ("0.0.0.0/32", "unspecified"),
        ("0.1.2.3/32", "unspecified"),
        ("169.254.169.254/32", "link-local"),
        ("224.0.0.251/32", "multicast"),
        ("255.255.255.255/32", "broadcast"),
        ("::/64", "loopback"),
        ("::1/128", "loopback"),
        ("::/128", "unspecified"),
        ("fe80::/64", "link-local"),
        ("ff02::/64", "multicast"),
        ("64:ff9b::/64", "nat64"),
        ("::ffff:127.0.0.1/128", "loopback"),
        ("0.0.0.0/0", "unspecified"),
        ("::/0", "loopback"),
        ("198.51.100.9/32", "translated address"),
        ("198.51.100.0/24", "translated address"),
        ("2001:db8:0:1::/64", "translated address"),
        ("203.0.113.77/32", "operator"),
        ("203.0.113.0/24", "operator"),
        ("2001:db8:aa::/64", "operator"),
        ("192.0.2.1/32", "operator"),
    ],
)
def test_each_kind_is_protected_in_either_direction(network: str, kind: str) -> None:
    listed = nets("203.0.113.64/26", "2001:db8:aa::53/128", "::ffff:192.0.2.1/128")
    own = nets("198.51.100.9/32", "2001:db8:0:1::5/128")
    protection = Protected(listed, lambda: own).reason(ip_network(network))
    assert protection is not None
    assert kind == protection.kind
    assert protection.text


@pytest.mark.parametrize("network", ["198.51.100.8/32", "203.0.113.1/32", "2001:db8:0:2::/64"])
def test_nothing_else_is_protected(network: str) -> None:
    listed = nets("203.0.113.64/26")
    own = nets("198.51.100.9/32", "2001:db8:0:1::5/128")
    assert Protected(listed, lambda: own).reason(ip_network(network)) is None


def test_own_addresses_are_asked_for_again() -> None:
    own = [nets("198.51.100.9/32")]
    protected = Protected((), lambda: own[0])
    revision = protected.revision
    protected.refresh()
    assert revision == protected.revision
    own[0] = nets("198.51.100.8/32")
    protected.refresh()
    assert revision < protected.revision
    assert protected.reason(ip_network("198.51.100.8/32")) is not None
    assert protected.reason(ip_network("198.51.100.9/32")) is None


def test_addresses_known_stay_protected_when_they_can_not_be_read_any_more() -> None:
    answers = [nets("198.51.100.9/32")]
    protected = Protected((), answers.pop)
    with pytest.raises(IndexError):
        protected.refresh()
    assert protected.reason(ip_network("198.51.100.9/32")) is not None


def test_addresses_are_read_as_the_kernel_lists_them(tmp_path: Path) -> None:
    """Not the local default route by which a transparent proxy catches everything."""
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    expected = nets("198.51.100.9/32", "127.0.0.0/8", "192.0.2.128/25")
    assert expected == own_addresses(tmp_path)
    (tmp_path / "if_inet6").write_text(IF_INET6)
    assert expected | nets("::1/128", "2001:db8:0:1::5/128") == own_addresses(tmp_path)


@pytest.mark.parametrize("content", [None, "00000000 broken\n"])
def test_addresses_that_can_not_be_read_are_an_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "fib_trie").write_text(FIB_TRIE)
        (tmp_path / "if_inet6").write_text(content)
    with pytest.raises(AddressesError, match="own addresses can't be read from"):
        own_addresses(tmp_path)


def test_this_hosts_addresses_are_found() -> None:
    assert any(ip_network("127.0.0.1/32").subnet_of(each) for each in own_addresses())


def test_addresses_of_a_real_interface_are_found() -> None:
    """In a network namespace of its own, which needs root and iproute2."""
    program = (
        "from logwatch.offenders import own_addresses; print(*sorted(map(str, own_addresses())))"
    )
    script = f"""
        set -e
        ip link set lo up
        ip link add name probe type veth peer name other
        ip address add 198.51.100.9/24 dev probe
        ip -6 address add 2001:db8:0:1::5/64 dev probe nodad
        ip link set probe up
        ip link set other up
        ip route add local 192.0.2.0/24 dev lo
        ip route add local default dev lo table 100
        exec '{sys.executable}' -c '{program}'
    """
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(logwatch.errors.__file__).parents[1],
    )
    got = done.stdout.split()
    assert {"127.0.0.0/8", "192.0.2.0/24", "198.51.100.9/32", "2001:db8:0:1::5/128"} <= set(got)
    assert "0.0.0.0/0" not in got


def test_resolvers_are_never_banned(tmp_path: Path) -> None:
    """As resolv.conf names them, whatever else stands there; a file that is gone names none."""
    conf = tmp_path / "resolv.conf"
    conf.write_text(
        "# nameserver 203.0.113.1\nsearch example.org\nnameserver 203.0.113.53\n"
        "nameserver fe80::1%eth0\n  nameserver 2001:db8::53 \nnameserver nonsense\nnameserver\n"
    )
    protected = Protected((), own=list, resolvers=lambda: resolvers(conf))
    for network in ("203.0.113.53/32", "203.0.113.0/24", "2001:db8::/64"):
        found = protected.reason(ip_network(network))
        assert found is not None
        assert "resolver" == found.kind
        assert "/etc/resolv.conf" in found.text
    assert protected.reason(ip_network("203.0.113.1/32")) is None
    conf.unlink()
    protected.refresh()
    assert protected.reason(ip_network("203.0.113.53/32")) is None


def test_what_is_the_clusters_own_is_never_banned() -> None:
    """The text tells the smallest of the networks that hold it; the host's own kinds come first."""
    places = [
        (ip_network("10.0.0.0/8"), "pod network", "the IP pool default"),
        (ip_network("10.1.2.3/32"), "node", "an address of node worker-3"),
        (ip_network("203.0.113.9/32"), "load balancer", "the load balancer of Service shop/front"),
        (ip_network("127.0.0.0/8"), "node", "an address of node broken"),
    ]
    protected = Protected((), own=list, cluster=lambda: (1, places))
    found = [protected.reason(ip_network(text)) for text in ("10.1.2.3", "10.1.2.4", "127.0.0.1")]
    assert ["node", "pod network", "loopback"] == [each.kind for each in found if each]
    reason = protected.reason(ip_network("203.0.113.0/24"))
    assert reason is not None
    assert "203.0.113.9 is the load balancer of Service shop/front" == reason.text
    assert protected.reason(ip_network("203.0.114.0/24")) is None


def test_a_change_in_the_cluster_is_taken_over_at_once() -> None:
    """Only a new revision costs anything, and changes that of the list."""
    node = (ip_network("203.0.113.9/32"), "node", "an address of node worker-1")
    known = (1, [node])
    protected = Protected((), own=list, cluster=lambda: known)
    revision = protected.revision
    protected.refresh_cluster()
    assert revision == protected.revision
    known = (2, [])
    protected.refresh_cluster()
    assert revision < protected.revision
    assert protected.reason(node[0]) is None
