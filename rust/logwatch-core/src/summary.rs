//! What a scanner has counted: by flow and class, from which every other view is derived.
//!
//! A [`Class`] is what few packets differ in: policy, interface, protocol, family, shape. A *flow* is
//! a source and a destination port within a class. Only flows are counted while reading; the sums by
//! source, port and interface are made from them when somebody asks.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::Address;
use crate::class::{Class, Classes, Interface};
use crate::count::Count;
use crate::fast::{Addresses, Sight};
use crate::flows::{Flows, Tag, Word};
use crate::hash::Seed;
use crate::line::{Kind, Reading};
use crate::losses::Losses;
use crate::policy::{Policies, Policy};
use crate::prefix::Prefixes;
use crate::protocol::Protocol;
use crate::timeline::Timeline;

/// How much a summary may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all tables together: half of them for IPv4 flows (32 bytes each, in a table that is
    /// at most three quarters full), a quarter for IPv6 (64 bytes each), the rest for pairs of source
    /// and destination (8 and 32 bytes). What finds no room is counted by class only.
    pub bytes: usize,
    /// Whether the distinct destinations of each source are kept.
    pub destinations: bool,
}

/// One flow of one class; `source` is `None` for what found no room.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Where the packets came from.
    pub source: Option<Address>,
    /// Destination port.
    pub port: Option<u16>,
    /// Number of the class, from 1 on.
    pub class_number: u16,
    /// The class.
    pub class: &'a Class,
    /// How many.
    pub count: Count,
}

/// Over which interface packets of a policy came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// Number of the policy.
    pub policy: u16,
    /// Value of `IN=`.
    pub interface: Interface,
    /// IP protocol number, if known.
    pub protocol: Option<Protocol>,
    /// Whether the addresses are IPv6.
    pub v6: bool,
}

/// What was counted.
#[derive(Clone, Debug)]
pub struct Summary {
    seed: Seed,
    limits: Limits,
    /// Lines by kind, in the order of [`Kind::ALL`].
    pub lines: [u64; 5],
    /// What is missing, as far as anybody says.
    pub losses: Losses,
    /// Lines of packets as they were written, each with its line feed: those that the scanner had
    /// room for. Neither merged nor stored.
    pub samples: Vec<u8>,
    /// Packets over time, where that is asked for; those without a stamp are not in it.
    pub timeline: Option<Box<Timeline>>,
    /// The prefixes of these lines.
    pub(crate) prefixes: Option<Arc<Prefixes>>,
    policies: Policies,
    classes: Classes,
    v4: Flows<u32>,
    v6: Flows<u128>,
}

impl Summary {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(seed: Seed, limits: Limits) -> Self {
        let pairs = limits.destinations.then_some(limits.bytes / 8);
        Self {
            seed,
            limits,
            lines: [0; 5],
            losses: Losses::default(),
            samples: Vec::new(),
            timeline: None,
            prefixes: None,
            policies: Policies::default(),
            classes: Classes::default(),
            v4: Flows::new(seed, limits.bytes / 2, pairs),
            v6: Flows::new(seed, limits.bytes / 4, pairs),
        }
    }

    /// A summary like this one with nothing in it.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let timeline = self.timeline.as_ref().map(|_| Box::default());
        Self { timeline, ..Self::new(self.seed, self.limits) }
    }

    /// Counts lines that hold no packet.
    #[inline]
    pub fn add_lines(&mut self, kind: Kind, lines: u64) {
        self.lines[kind as usize] += lines;
    }

    /// Counts a line that the fast reader has read.
    #[inline(always)]
    pub(crate) fn see(&mut self, sight: &Sight) {
        self.lines[Kind::Packet as usize] += 1;
        let tag = Tag::new(sight.port, sight.class);
        let bytes = u64::from(sight.bytes);
        if let Some(timeline) = &mut self.timeline {
            timeline.add(sight.seconds, self.classes.get(sight.class).policy, 1);
        }
        match sight.addresses {
            Addresses::V4(source, destination) => {
                self.v4.add(source, destination, tag, 1, bytes, sight.seconds);
            }
            Addresses::V6(source, destination) => {
                self.v6.add(source, destination, tag, 1, bytes, sight.seconds);
            }
        }
    }

    /// Counts a line; `seconds` is its stamp in Unix seconds, 0 when unknown. Returns the number of
    /// the packet's class.
    pub fn add(&mut self, reading: &Reading<'_>, seconds: u32) -> Option<u16> {
        self.lines[reading.kind as usize] += 1;
        let (Some(packet), Some(prefix)) = (&reading.packet, reading.prefix) else {
            return None;
        };
        let policy = self.policies.number(Policy::new(prefix, reading.names));
        let class = self.classes.number(Class::of(packet, policy), &mut self.policies);
        let tag = Tag::new(packet.port.unwrap_or(0), class);
        let packets = reading.count;
        let bytes = u64::from(packets) * u64::from(packet.length.unwrap_or(0));
        if let Some(timeline) = &mut self.timeline {
            timeline.add(seconds, self.classes.get(class).policy, u64::from(packets));
        }
        match (packet.source, packet.destination) {
            (Address::V4(source), Address::V4(destination)) => {
                self.v4.add(source, destination, tag, packets, bytes, seconds);
            }
            (Address::V6(source), Address::V6(destination)) => {
                self.v6.add(source, destination, tag, packets, bytes, seconds);
            }
            _ => unreachable!("both addresses of a packet are of one family"),
        }
        Some(class)
    }

    /// Puts what waits into the tables. Every view does this first.
    pub fn settle(&mut self) {
        self.v4.settle();
        self.v6.settle();
        if let Some(timeline) = &mut self.timeline {
            timeline.settle();
        }
    }

    /// Adds everything that another summary of the same prefixes has counted; that one is settled.
    pub fn merge(&mut self, other: &Self) {
        self.settle();
        for (mine, theirs) in self.lines.iter_mut().zip(other.lines) {
            *mine = mine.saturating_add(theirs);
        }
        self.losses.merge(&other.losses);
        let policies: Vec<u16> =
            other.policies.iter().map(|policy| self.policies.number(policy.clone())).collect();
        if let (Some(mine), Some(theirs)) = (&mut self.timeline, &other.timeline) {
            mine.merge(theirs, &policies);
        }
        let classes: Vec<u16> = other
            .classes
            .iter()
            .map(|class| {
                let class = Class { policy: policies[usize::from(class.policy)], ..*class };
                self.classes.number(class, &mut self.policies)
            })
            .collect();
        merge_flows(&mut self.v4, &other.v4, &classes);
        merge_flows(&mut self.v6, &other.v6, &classes);
    }

    pub(crate) fn tables(&self) -> (&Flows<u32>, &Flows<u128>) {
        (&self.v4, &self.v6)
    }

    pub(crate) fn tables_mut(&mut self) -> (&mut Flows<u32>, &mut Flows<u128>) {
        (&mut self.v4, &mut self.v6)
    }

    /// Gives an empty summary these policies and classes by these numbers; false when it can't be,
    /// since some are there twice or there are too many.
    pub(crate) fn take_classes(&mut self, policies: &[Policy], classes: &[Class]) -> bool {
        (0..).zip(policies).all(|(number, policy)| self.policies.number(policy.clone()) == number)
            && (1..).zip(classes).all(|(number, class)| {
                self.classes.number(*class, &mut self.policies) == number
                    && self.classes.get(number) == class
            })
    }

    /// All packets together, repeats included.
    ///
    /// [`Self::settle`] first, as for every view.
    #[must_use]
    pub fn total(&self) -> Count {
        let mut total = Count::ZERO;
        for row in self.rows() {
            total.add(&row.count);
        }
        total
    }

    /// The policies by number; rows and links refer to them.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter()
    }

    /// The number of a policy, if it is there.
    #[must_use]
    pub fn policy_number(&self, policy: &Policy) -> Option<usize> {
        self.policies.iter().position(|known| known == policy)
    }

    /// The classes by number, from 1 on.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter()
    }

    /// Flows by class, in no order; what found no room comes last, without a source.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let row = |source: Option<Address>, tag: Tag, count| {
            let class = self.classes.get(tag.class());
            let port = (source.is_some() && class.transport.has_port()).then_some(tag.port());
            Row { source, port, class_number: tag.class(), class, count }
        };
        let v4 = self
            .v4
            .iter()
            .map(move |(source, tag, count)| row(Some(Address::V4(source)), tag, count));
        let v6 = self
            .v6
            .iter()
            .map(move |(source, tag, count)| row(Some(Address::V6(source)), tag, count));
        let refused = self
            .v4
            .refused()
            .chain(self.v6.refused())
            .map(move |(class, count)| row(None, Tag::new(0, class), count));
        v4.chain(v6).chain(refused)
    }

    /// Packets and bytes by policy, interface, protocol and family, in that order.
    #[must_use]
    pub fn links(&self) -> Vec<(Link, u64, u64)> {
        let mut by_class = vec![Count::ZERO; self.classes.iter().count()];
        for row in self.rows() {
            by_class[usize::from(row.class_number) - 1].add(&row.count);
        }
        let mut links: HashMap<Link, (u64, u64)> = HashMap::new();
        for (class, count) in self.classes.iter().zip(by_class) {
            let link = Link {
                policy: class.policy,
                interface: class.interface,
                protocol: class.transport.protocol(),
                v6: class.v6,
            };
            let (packets, bytes) = links.entry(link).or_default();
            *packets = packets.saturating_add(count.packets);
            *bytes = bytes.saturating_add(count.bytes);
        }
        let mut links: Vec<_> =
            links.into_iter().map(|(link, (packets, bytes))| (link, packets, bytes)).collect();
        links.sort_unstable();
        links
    }
}

fn merge_flows<A: Word>(mine: &mut Flows<A>, theirs: &Flows<A>, classes: &[u16]) {
    let class = |number: u16| classes[usize::from(number) - 1];
    for (source, tag, count) in theirs.iter() {
        mine.add_count(source, Tag::new(tag.port(), class(tag.class())), &count);
    }
    for (number, count) in theirs.refused() {
        mine.add_refused(class(number), &count);
    }
    for (source, destination) in theirs.pairs() {
        mine.add_pair(source, destination);
    }
}
