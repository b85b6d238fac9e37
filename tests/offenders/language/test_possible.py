"""What conditions leave possible, against every packet of a small universe."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from offenders.language.made import restricted, small_conditions

from logwatch.offenders.language import (
    All,
    Any,
    Condition,
    DestinationIn,
    Not,
    Packet,
    PolicyIn,
    PortIn,
    ProtocolIn,
    SynOnly,
    normal,
)
from logwatch.offenders.language.possible import (
    Budget,
    TooComplicatedError,
    count_destinations,
    count_ports,
    evidence,
    implies,
    possible,
)

MUCH = 10_000_000
slow = settings(deadline=None, max_examples=60)


def worth(packet: Packet) -> str:
    if packet.protocol != "tcp":
        return "connectionless"
    return {"syn": "syn", "reply": "reply", "other": "probe"}[packet.shape]


@slow
@given(small_conditions)
def test_a_condition_is_possible_when_a_packet_fulfils_it(condition: Condition) -> None:
    expected = any(condition.matches(packet) for packet in restricted(condition))
    assert expected == possible(condition, Budget(MUCH))


@slow
@given(small_conditions, small_conditions)
def test_a_condition_implies_another_when_no_packet_speaks_against_it(
    one: Condition, other: Condition
) -> None:
    packets = restricted(All((one, other)))
    expected = all(other.matches(packet) for packet in packets if one.matches(packet))
    assert expected == implies(one, other, Budget(MUCH))


@slow
@given(small_conditions)
def test_evidence_is_that_of_the_packets(condition: Condition) -> None:
    expected = {worth(packet) for packet in restricted(condition) if condition.matches(packet)}
    assert expected == evidence(condition, Budget(MUCH))


@slow
@given(small_conditions)
def test_ports_are_counted(condition: Condition) -> None:
    both = All((PortIn(((0, 3),)), condition))
    expected = {packet.port for packet in restricted(both) if both.matches(packet)}
    assert len(expected) == count_ports(both, Budget(MUCH))


@slow
@given(small_conditions)
def test_destinations_are_counted(condition: Condition) -> None:
    few = DestinationIn(
        tuple(ip_network(text) for text in ("192.0.2.7", "192.0.2.8", "2001:db8::1"))
    )
    both = All((few, condition))
    expected = {packet.destination for packet in restricted(both) if both.matches(packet)}
    assert len(expected) == count_destinations(both, Budget(MUCH))


@slow
@given(small_conditions)
def test_the_normal_form_means_the_same_and_stays(condition: Condition) -> None:
    made = normal(condition)
    packets = restricted(condition)
    assert [condition.matches(packet) for packet in packets] == [
        made.matches(packet) for packet in packets
    ]
    assert made == normal(made)


@slow
@given(small_conditions, small_conditions)
def test_the_normal_form_does_not_depend_on_how_it_is_written(
    one: Condition, other: Condition
) -> None:
    assert normal(All((one, other))) == normal(All((other, one)))
    assert normal(Not(All((one, other)))) == normal(Any((Not(one), Not(other))))
    assert normal(one) == normal(Not(Not(one))) == normal(Any((one, one)))


def test_without_a_condition_everything_is_possible() -> None:
    budget = Budget(MUCH)
    assert possible(None, budget)
    assert 65_536 == count_ports(None, budget)
    assert 2**32 + 2**128 == count_destinations(None, budget)
    assert {"syn", "probe", "reply", "connectionless"} == evidence(None, budget)
    assert implies(SynOnly(), None, budget)
    assert not implies(None, SynOnly(), budget)
    assert implies(None, Any((SynOnly(), Not(SynOnly()))), budget)


def test_every_protocol_is_known_to_be_possible() -> None:
    """Also where all the others are excluded one by one."""
    for name in ("none", "ospfigp", "253", "udplite"):
        assert possible(All((ProtocolIn((name,)), Not(ProtocolIn(("tcp", "udp"))))), Budget(MUCH))
    assert not possible(All((ProtocolIn(("icmp",)), PortIn(((22, 22),)))), Budget(MUCH))


def test_what_has_a_port_is_known_for_each_kind() -> None:
    to_a_port = PortIn(((22, 22),))
    budget = Budget(MUCH)
    assert {"connectionless"} == evidence(All((to_a_port, Not(ProtocolIn(("tcp",))))), budget)
    no_udp = Not(ProtocolIn(("udp", "udplite")))
    assert {"syn", "probe", "reply"} == evidence(All((to_a_port, no_udp)), budget)


def test_the_work_is_bounded() -> None:
    parts = tuple(Any((PortIn(((n, n + 9),)), PolicyIn((str(n),)))) for n in range(20))
    with pytest.raises(TooComplicatedError):
        possible(Not(All(parts)), Budget(30))
