//! Which packets a rule counts: a tree of conditions.
//!
//! What depends on a packet's class alone is decided once per class ([`Condition::of_class`]); what
//! is left looks at ports and networks only ([`Condition::holds`]).

use std::ops::RangeInclusive;

use super::networks::Networks;
use crate::address::Address;
use crate::body::Shape;
use crate::class::{Class, Interface};
use crate::protocol::Protocol;

/// What a packet must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Anything.
    True,
    /// All of these.
    And(Vec<Self>),
    /// One of these at least.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// Of this protocol; false where the line has none.
    Protocol(Protocol),
    /// To one of these destination ports; false where the line has none.
    Ports(Vec<RangeInclusive<u16>>),
    /// From one of these networks.
    Source(Networks),
    /// To one of these networks. Where the destination is not known, neither this nor its opposite
    /// holds.
    Destination(Networks),
    /// Value of `IN=`.
    Interface(Interface),
    /// Name of the policy.
    Policy(Box<str>),
    /// Its tier, as the prefix tells it.
    Tier(Box<str>),
    /// Of this family: whether it is IPv6.
    V6(bool),
    /// SYN without ACK or RST.
    Syn,
    /// TCP with ACK or RST.
    Reply,
    /// On its way through the host.
    Forwarded,
}

/// A policy as conditions and verdicts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFacts {
    /// As the kernel printed it, or else as its prefix is configured.
    pub name: Box<str>,
    /// As the prefix tells it.
    pub tier: Option<Box<str>>,
    /// Whether its packets were denied. Others don't count.
    pub denied: bool,
}

/// What is known of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Known(bool),
    /// This is left to be decided by row.
    Open(Condition),
}

impl Condition {
    /// Decides what depends on the class alone.
    pub(super) fn of_class(&self, class: &Class, policy: &PolicyFacts) -> Decision {
        let shape = class.transport.shape();
        Decision::Known(match self {
            Self::True => true,
            Self::And(parts) => return join(parts, class, policy, false, Self::And),
            Self::Or(parts) => return join(parts, class, policy, true, Self::Or),
            Self::Not(inner) => {
                return match inner.of_class(class, policy) {
                    Decision::Known(known) => Decision::Known(!known),
                    Decision::Open(rest) => Decision::Open(Self::Not(Box::new(rest))),
                };
            }
            Self::Ports(_) if !class.transport.has_port() => false,
            Self::Ports(_) | Self::Source(_) | Self::Destination(_) => {
                return Decision::Open(self.clone());
            }
            Self::Protocol(protocol) => class.transport.protocol() == Some(*protocol),
            Self::Interface(interface) => class.interface == *interface,
            Self::Policy(name) => policy.name == *name,
            Self::Tier(tier) => policy.tier.as_ref() == Some(tier),
            Self::V6(v6) => class.v6 == *v6,
            Self::Syn => shape == Shape::Syn,
            Self::Reply => shape == Shape::Reply,
            Self::Forwarded => class.forwarded,
        })
    }

    /// Whether what [`Self::of_class`] left open holds; `None` when that depends on the destination
    /// and nobody knows it.
    pub(super) fn holds(
        &self,
        source: Address,
        port: Option<u16>,
        destination: Option<Address>,
    ) -> Option<bool> {
        match self {
            Self::And(parts) => all(parts, |part| part.holds(source, port, destination)),
            Self::Or(parts) => {
                let none = all(parts, |part| part.holds(source, port, destination).map(|is| !is));
                none.map(|none| !none)
            }
            Self::Not(inner) => inner.holds(source, port, destination).map(|holds| !holds),
            Self::Ports(ranges) => {
                Some(port.is_some_and(|port| ranges.iter().any(|range| range.contains(&port))))
            }
            Self::Source(networks) => Some(networks.contain(source)),
            Self::Destination(networks) => destination.map(|address| networks.contain(address)),
            _ => unreachable!("the class decides all others"),
        }
    }

    /// Parts the condition in two that must both hold: one that a row without its destination can
    /// decide, and one that source and destination decide. `None` when there are no such two.
    pub(super) fn by_destination(&self) -> Option<(Self, Self)> {
        let parts = match self {
            Self::And(parts) => &parts[..],
            one => std::slice::from_ref(one),
        };
        let (to, of): (Vec<_>, Vec<_>) = parts.iter().cloned().partition(Self::asks_destination);
        let is_address = |leaf: &Self| matches!(leaf, Self::Source(_) | Self::Destination(_));
        let mixed = to.iter().any(|part| part.has(|leaf| !is_address(leaf)));
        (!mixed).then_some((Self::And(of), Self::And(to)))
    }

    /// Whether it depends on the destination.
    pub(super) fn asks_destination(&self) -> bool {
        self.has(|leaf| matches!(leaf, Self::Destination(_)))
    }

    /// Whether some leaf is of a kind.
    fn has(&self, kind: impl Fn(&Self) -> bool + Copy) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.has(kind)),
            Self::Not(inner) => inner.has(kind),
            leaf => kind(leaf),
        }
    }

    /// Writes the condition down: equal bytes mean equal conditions, on all machines.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut tagged = |tag: u8, content: &[u8]| {
            out.push(tag);
            out.extend_from_slice(&(content.len() as u32).to_le_bytes());
            out.extend_from_slice(content);
        };
        match self {
            Self::True => tagged(0, &[]),
            Self::And(parts) => tagged(1, &written(parts)),
            Self::Or(parts) => tagged(2, &written(parts)),
            Self::Not(inner) => tagged(3, &written(std::slice::from_ref(inner))),
            Self::Protocol(protocol) => tagged(4, &[*protocol]),
            Self::Ports(ranges) => {
                let ends = ranges.iter().flat_map(|range| [*range.start(), *range.end()]);
                tagged(5, &ends.flat_map(u16::to_le_bytes).collect::<Vec<_>>());
            }
            Self::Source(networks) => tagged(6, &ranges(networks)),
            Self::Destination(networks) => tagged(7, &ranges(networks)),
            Self::Interface(interface) => tagged(8, &interface.name()),
            Self::Policy(name) => tagged(9, name.as_bytes()),
            Self::Tier(name) => tagged(10, name.as_bytes()),
            Self::V6(v6) => tagged(11, &[u8::from(*v6)]),
            Self::Syn => tagged(12, &[]),
            Self::Reply => tagged(13, &[]),
            Self::Forwarded => tagged(14, &[]),
        }
    }
}

fn written(parts: &[Condition]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        part.write(&mut out);
    }
    out
}

fn ranges(networks: &Networks) -> Vec<u8> {
    networks.ranges().flat_map(|(first, last)| [first, last]).flat_map(u128::to_le_bytes).collect()
}

/// Decides a list; one part that is `decisive` decides it all.
fn join(
    parts: &[Condition],
    class: &Class,
    policy: &PolicyFacts,
    decisive: bool,
    list: fn(Vec<Condition>) -> Condition,
) -> Decision {
    let mut open = Vec::new();
    for part in parts {
        match part.of_class(class, policy) {
            Decision::Known(known) if known == decisive => return Decision::Known(decisive),
            Decision::Known(_) => {}
            Decision::Open(rest) => open.push(rest),
        }
    }
    if open.is_empty() { Decision::Known(!decisive) } else { Decision::Open(list(open)) }
}

/// Kleene's conjunction: false if one is false, or else unknown if one is unknown.
fn all(parts: &[Condition], holds: impl Fn(&Condition) -> Option<bool>) -> Option<bool> {
    let mut known = Some(true);
    for part in parts {
        match holds(part) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}
