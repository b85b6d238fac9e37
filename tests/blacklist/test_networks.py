from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwatch.blacklist import (
    NetworkError,
    collapse,
    is_too_wide,
    network_of,
    overlap,
    parse_network,
)
from logwatch.blacklist.networks import Cover


@st.composite
def networks(draw: st.DrawFn) -> IPv4Network | IPv6Network:
    """Networks that lie near each other, so that many are nested."""
    if draw(st.booleans()):
        address = 0xCB00_7100 + draw(st.integers(0, 15))
        return IPv4Network((address, draw(st.integers(28, 32))), strict=False)
    address = (0x2001_0DB8 << 96) + (draw(st.integers(0, 15)) << 64)
    return IPv6Network((address, draw(st.integers(60, 64))), strict=False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("2001:db8:0:0:1::7", "2001:db8::/64"),
        ("2001:0DB8:0000:00a0:0000:0000:0000:0007", "2001:db8:0:a0::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::FFFF:cb00:7107", "203.0.113.7/32"),
        ("::ffff:0:203.0.113.7", "::/64"),
        ("fe80::1", "fe80::/64"),
    ],
)
def test_a_source_stands_for_one_address_or_its_64(address: str, expected: str) -> None:
    assert expected == str(network_of(address))


@pytest.mark.parametrize(
    "text", ["", "203.0.113", "203.0.113.07", "203.0.113.7/32", "fe80::1%eth0", "host", "1:2"]
)
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(NetworkError) as caught:
        network_of(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8::1/64", "2001:db8::/64"),
        ("::ffff:203.0.113.7/128", "203.0.113.7/32"),
        ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_is_masked_and_unmapped(text: str, expected: str) -> None:
    assert expected == str(parse_network(text))


@pytest.mark.parametrize(
    "text", ["", "203.0.113.0/33", "everyone", "2001:db8::/129", "fe80::%1/64"]
)
def test_what_is_no_network_is_refused_by_name(text: str) -> None:
    with pytest.raises(NetworkError, match="is not a network"):
        parse_network(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0/0", True),
        ("::/0", True),
        ("203.0.112.0/23", True),
        ("203.0.113.0/24", False),
        ("203.0.113.7/32", False),
        ("2001:db8::/47", True),
        ("2001:db8::/48", False),
    ],
)
def test_the_floor_is_24_and_48(text: str, expected: bool) -> None:
    assert expected == is_too_wide(ip_network(text))


@given(st.lists(networks()))
def test_collapsed_networks_are_disjoint_sorted_and_cover_the_same(
    given_networks: list[IPv4Network | IPv6Network],
) -> None:
    got = collapse(given_networks)
    assert set(got) <= set(given_networks)
    order = [(each.version, int(each.network_address)) for each in got]
    assert sorted(order) == order
    for index, one in enumerate(got):
        assert not any(overlap(one, other) for other in got[index + 1 :])
    for network in given_networks:
        assert any(overlap(network, each) and each.prefixlen <= network.prefixlen for each in got)


def test_neighbours_are_not_merged() -> None:
    pair = (IPv4Network("203.0.113.6/32"), IPv4Network("203.0.113.7/32"))
    assert pair == collapse(pair)


@given(st.lists(networks()), networks())
def test_a_cover_holds_what_lies_in_one_of_its_networks(
    given_networks: list[IPv4Network | IPv6Network], network: IPv4Network | IPv6Network
) -> None:
    expected = any(
        overlap(each, network) and each.prefixlen <= network.prefixlen for each in given_networks
    )
    assert expected == Cover(given_networks).holds(network)
