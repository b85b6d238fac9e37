"""Networks that are searched in logarithmic time, held against looking at each."""

from ipaddress import ip_network

from hypothesis import given
from hypothesis.strategies import builds, integers, lists

from logwatch.blacklist import Network, overlap
from logwatch.offenders.ranges import Ranges

# Few addresses and all lengths: most networks touch or hold another one.
NETWORKS = builds(
    lambda low, length: ip_network((low << 28, length), strict=False),
    integers(0, 15),
    integers(0, 6),
) | builds(
    lambda low, length: ip_network((low << 124, length), strict=False),
    integers(0, 15),
    integers(0, 6),
)


@given(lists(NETWORKS), NETWORKS)
def test_it_finds_what_looking_at_each_finds(owned: list[Network], asked: Network) -> None:
    """What it finds is the smallest of those around, or one inside."""
    found = Ranges((network, str(network)) for network in owned).find(asked)
    touching = [network for network in owned if overlap(network, asked)]
    assert bool(touching) == (found is not None)
    if found is not None:
        network, owner = found
        assert str(network) == owner
        assert overlap(network, asked)
        longest = max(each.prefixlen for each in touching)
        assert network.prefixlen >= min(longest, asked.prefixlen)
