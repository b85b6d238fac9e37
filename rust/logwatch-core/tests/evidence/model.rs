//! Evidence by definition: every event is kept, and everything is counted anew each time.

use std::collections::HashSet;

use logwatch_core::address::Address;
use logwatch_core::body::Shape;
use logwatch_core::class::{Class, Interface, Transport};
use logwatch_core::evidence::{
    ClassPlan, Condition, Evidence, Measure, Near, Networks, Plan, PolicyFacts, Rule, Seen, Source,
};
use logwatch_core::hash::Seed;
use logwatch_core::protocol;
use proptest::prelude::*;

/// 2026-11-24T12:00:00Z
pub const NOW: u64 = 1_795_521_600_000;

pub fn packets(threshold: u64, within: u64) -> Rule {
    Rule { measure: Measure::Packets, threshold, within, condition: Condition::True }
}

pub fn ports(threshold: u64, within: u64) -> Rule {
    Rule { measure: Measure::Ports, ..packets(threshold, within) }
}

pub fn engine(rules: &[Rule], capacity: usize) -> Evidence {
    Evidence::new(Plan::new(rules).expect("usable rules"), Seed::random(), capacity, "worker-1")
}

/// A SYN over IPv4.
pub fn syn(source: u32, port: u16) -> Seen {
    let source = Address::V4(source);
    Seen { source, destination: None, port: Some(port), class: 0, packets: 1, bytes: 60 }
}

pub fn of(source: u32) -> Source {
    Source::of(Address::V4(source))
}

/// Numbers by rule.
pub fn reached(near: &[Near]) -> Vec<u64> {
    near.iter().map(|near| near.reached).collect()
}

/// Two policies, of which both deny.
pub fn policies() -> [PolicyFacts; 2] {
    [("blacklist", Some("default")), ("nodeports", None)].map(|(name, tier)| PolicyFacts {
        name: name.into(),
        tier: tier.map(Into::into),
        denied: true,
    })
}

/// Classes that differ in all that a condition can ask for.
pub fn classes() -> Vec<Class> {
    let transports = [
        Transport::tcp(Shape::Syn),
        Transport::tcp(Shape::Reply),
        Transport::tcp(Shape::Other),
        Transport::UDP,
        Transport::plain(protocol::ICMP),
        Transport::NONE,
    ];
    let mut classes = Vec::new();
    for v6 in [false, true] {
        for transport in transports {
            for place in 0..2 {
                classes.push(Class {
                    interface: Interface::new([b"eth0", b"eth1"][place]),
                    policy: place as u16,
                    transport,
                    forwarded: place == 1 && !v6,
                    v6,
                });
            }
        }
    }
    classes
}

/// How the classes are decided by rules.
pub fn decided(rules: &[Rule]) -> (Plan, Vec<ClassPlan>) {
    let plan = Plan::new(rules).expect("usable rules");
    let decided = classes()
        .iter()
        .map(|class| plan.of_class(class, &policies()[usize::from(class.policy)]))
        .collect();
    (plan, decided)
}

/// Packets at a time.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub at: u64,
    pub seen: Seen,
}

/// Kleene's logic on a single event: `None` when the destination would have to be known.
pub fn holds(condition: &Condition, seen: &Seen) -> Option<bool> {
    let class = classes()[seen.class];
    let policy = &policies()[usize::from(class.policy)];
    let shape = class.transport.shape();
    Some(match condition {
        Condition::True => true,
        Condition::And(parts) => {
            let each: Vec<_> = parts.iter().map(|part| holds(part, seen)).collect();
            if each.contains(&Some(false)) {
                false
            } else if each.contains(&None) {
                return None;
            } else {
                true
            }
        }
        Condition::Or(parts) => {
            let each: Vec<_> = parts.iter().map(|part| holds(part, seen)).collect();
            if each.contains(&Some(true)) {
                true
            } else if each.contains(&None) {
                return None;
            } else {
                false
            }
        }
        Condition::Not(inner) => !holds(inner, seen)?,
        Condition::Protocol(protocol) => class.transport.protocol() == Some(*protocol),
        Condition::Ports(ranges) => ranges.iter().any(|range| {
            seen.port.is_some_and(|port| *range.start() <= port && port <= *range.end())
        }),
        Condition::Source(networks) => networks.contain(seen.source),
        Condition::Destination(networks) => networks.contain(seen.destination?),
        Condition::Interface(interface) => class.interface == *interface,
        Condition::Policy(name) => policy.name == *name,
        Condition::Tier(tier) => policy.tier.as_deref() == Some(tier),
        Condition::V6(v6) => class.v6 == *v6,
        Condition::Syn => shape == Shape::Syn,
        Condition::Reply => shape == Shape::Reply,
        Condition::Forwarded => class.forwarded,
    })
}

/// What a rule counts of a source's events after `since` and up to `until`.
pub fn measured(rule: &Rule, events: &[Event], source: Source, since: i64, until: u64) -> u64 {
    let counted: Vec<&Seen> = events
        .iter()
        .filter(|event| event.at.cast_signed() > since && event.at <= until)
        .map(|event| &event.seen)
        .filter(|seen| Source::of(seen.source) == source)
        .filter(|seen| holds(&rule.condition, seen) == Some(true))
        .collect();
    match rule.measure {
        Measure::Packets => counted.iter().map(|seen| seen.packets).sum(),
        Measure::Bytes => counted.iter().map(|seen| seen.bytes).sum(),
        Measure::Ports => {
            counted.iter().filter_map(|seen| seen.port).collect::<HashSet<_>>().len() as u64
        }
        Measure::Destinations => {
            counted.iter().filter_map(|seen| seen.destination).collect::<HashSet<_>>().len() as u64
        }
        Measure::Nodes => u64::from(!counted.is_empty()),
    }
}

/// At least and at most what the engine may count for a window that ends at a time: windows may
/// miss their oldest sixtieth, distinct values are exact.
pub fn bounds(rule: &Rule, events: &[Event], source: Source, until: u64) -> (u64, u64) {
    match rule.measure {
        Measure::Packets | Measure::Bytes => bounds_missing(60, rule, events, source, until),
        _ => {
            let since = until.cast_signed() - rule.within.cast_signed();
            let count = measured(rule, events, source, since, until);
            (count, count)
        }
    }
}

/// The same where the oldest of so many parts of the window may be missing.
pub fn bounds_missing(
    parts: u64,
    rule: &Rule,
    events: &[Event],
    source: Source,
    until: u64,
) -> (u64, u64) {
    let since = until.cast_signed() - rule.within.cast_signed();
    let part = rule.within.div_ceil(parts).cast_signed();
    let count = |since| measured(rule, events, source, since, until);
    (count(since + part), count(since))
}

/// Few addresses, in few networks; of IPv6 also two of one /64.
pub fn address(v6: bool, number: u8) -> Address {
    if v6 {
        Address::V6(0x2001_0db8 << 96 | u128::from(number / 2) << 64 | u128::from(number))
    } else {
        Address::V4(0xCB00_7100 + u32::from(number))
    }
}

pub fn seen() -> impl Strategy<Value = Seen> {
    let numbers = (0..24_usize, 0_u8..5, 0_u8..8, any::<bool>());
    (numbers, 0_u16..7, 1_u64..5, 0_u64..200).prop_map(|(numbers, port, packets, bytes)| {
        let (class, source, destination, known) = numbers;
        let facts = classes()[class];
        Seen {
            source: address(facts.v6, source),
            destination: known.then(|| address(facts.v6, destination)),
            port: facts.transport.has_port().then_some(port),
            class,
            packets,
            bytes,
        }
    })
}

fn networks() -> impl Strategy<Value = Networks> {
    let network = (any::<bool>(), 0_u8..8, 0_u8..4).prop_map(|(v6, number, wider)| {
        (address(v6, number), if v6 { 128 - 32 * wider } else { 32 - wider })
    });
    prop::collection::vec(network, 0..3).prop_map(|networks| Networks::new(&networks))
}

pub fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        Just(Condition::True),
        prop::sample::select(vec![protocol::TCP, protocol::UDP, protocol::ICMP])
            .prop_map(Condition::Protocol),
        prop::collection::vec(
            (0_u16..7, 0_u16..3).prop_map(|(port, more)| port..=port + more),
            0..3
        )
        .prop_map(Condition::Ports),
        networks().prop_map(Condition::Source),
        networks().prop_map(Condition::Destination),
        prop::sample::select(vec![&b"eth0"[..], b"eth1", b"eth"])
            .prop_map(|name| Condition::Interface(Interface::new(name))),
        prop::sample::select(vec!["blacklist", "nodeports", "other"])
            .prop_map(|name| Condition::Policy(name.into())),
        prop::sample::select(vec!["default", "other"])
            .prop_map(|name| Condition::Tier(name.into())),
        any::<bool>().prop_map(Condition::V6),
        Just(Condition::Syn),
        Just(Condition::Reply),
        Just(Condition::Forwarded),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::Or),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

pub fn rule() -> impl Strategy<Value = Rule> {
    let measure = prop::sample::select(vec![
        Measure::Packets,
        Measure::Bytes,
        Measure::Ports,
        Measure::Destinations,
        Measure::Nodes,
    ]);
    let within = prop::sample::select(vec![1_000, 1_001, 30_000, 60_000, 86_400_000]);
    let often = prop_oneof![Just(Condition::True), condition()];
    (measure, 1_u64..9, within, often).prop_map(|(measure, threshold, within, condition)| {
        let threshold = if measure == Measure::Bytes { threshold * 100 } else { threshold };
        Rule { measure, threshold, within, condition }
    })
}

/// Batches of events, each some time after the one before: often shortly, sometimes long.
pub fn batches() -> impl Strategy<Value = Vec<(u64, Vec<Seen>)>> {
    let wait = prop_oneof![6 => 0_u64..3_000, 2 => 0_u64..40_000, 1 => 0_u64..100_000_000];
    let batch = (wait, prop::collection::vec(seen(), 0..5));
    (0_u64..1_800_000_000_000, prop::collection::vec(batch, 0..25)).prop_map(|(start, batches)| {
        let mut at = start;
        let later = batches.into_iter().map(|(wait, batch)| {
            at += wait;
            (at, batch)
        });
        later.collect()
    })
}
