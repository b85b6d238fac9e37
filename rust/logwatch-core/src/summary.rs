//! What a scanner has counted: by flow and class, from which every other view is derived.
//!
//! A *class* is what few packets differ in: prefix, protocol, family, shape. A *flow* is a source and
//! a destination port within a class. A *link* is a prefix, interface, protocol and family. Flows and
//! links are counted while reading; sums by source and port are made from the flows when somebody
//! asks.

use std::collections::HashMap;

use crate::address::Address;
use crate::class::Class;
use crate::hash::Seed;
use crate::line::{Kind, Reading};
use crate::link::{Link, Links};
use crate::protocol::Protocol;
use crate::table::{Count, Counts, Numbers, Words};

/// A key's bits: source (or its number, for IPv6) 32, port 16, class 16.
#[inline]
fn flow_key(source: u32, port: u16, class: Class) -> u64 {
    u64::from(source) << 32 | u64::from(port) << 16 | u64::from(class.0)
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    key: u64,
    count: Count,
}

/// How much a summary may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Flows that are told apart, 32 bytes each and at most 3 free slots for 3 keys; the rest is
    /// counted by class only.
    pub flows: usize,
    /// Whether the distinct destinations of each source are kept.
    pub destinations: bool,
}

/// One flow of one class; `source` is `None` for what found no room.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Where the packets came from.
    pub source: Option<Address>,
    /// Destination port.
    pub port: Option<u16>,
    /// The rest.
    pub class: Class,
    /// How many.
    pub count: Count,
}

/// One line of the report's "flows".
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// `None` for what found no room.
    pub source: Option<Address>,
    /// Destination port.
    pub port: Option<u16>,
    /// IP protocol.
    pub protocol: Option<Protocol>,
    /// How many.
    pub count: Count,
}

/// One line of the report's "sources".
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// `None` for what found no room.
    pub source: Option<Address>,
    /// How many.
    pub count: Count,
    /// Distinct destination ports.
    pub ports: u32,
    /// Distinct destinations.
    pub destinations: u32,
}

/// One line of the report's "ports".
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// Destination port.
    pub port: Option<u16>,
    /// IP protocol.
    pub protocol: Option<Protocol>,
    /// Packets.
    pub packets: u64,
    /// Distinct sources.
    pub sources: u64,
}

/// What was counted.
#[derive(Clone, Debug)]
pub struct Summary {
    seed: Seed,
    limits: Limits,
    /// Lines by kind, in the order of [`Kind::ALL`].
    pub lines: [u64; 5],
    /// Packets, repeats included.
    pub packets: u64,
    /// Sum of the outer LEN over these packets.
    pub bytes: u64,
    /// Unix seconds of the latest packet's stamp; 0 when there is none.
    pub last: u32,
    links: Links,
    flows: Counts,
    v6: Numbers,
    /// By class: what found no room among the flows.
    overflow: HashMap<u16, Count>,
    destinations_v4: Words,
    destinations_v6: Words,
    /// Counts on their way into the table: a batch lets the processor look up several at once.
    waiting: Vec<Waiting>,
    waiting_destinations: Vec<u64>,
}

/// Lines whose table look-ups overlap.
const BATCH: usize = 64;

impl Summary {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(seed: Seed, limits: Limits) -> Self {
        Self {
            seed,
            limits,
            lines: [0; 5],
            packets: 0,
            bytes: 0,
            last: 0,
            links: Links::default(),
            flows: Counts::new(seed, limits.flows),
            v6: Numbers::new(seed, limits.flows.saturating_mul(2)),
            overflow: HashMap::new(),
            destinations_v4: Words::new(seed, limits.flows),
            destinations_v6: Words::new(seed, limits.flows),
            waiting: Vec::with_capacity(BATCH),
            waiting_destinations: Vec::with_capacity(BATCH),
        }
    }

    /// A summary like this one with nothing in it.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self::new(self.seed, self.limits)
    }

    /// Counts lines that hold no packet.
    #[inline]
    pub fn add_lines(&mut self, kind: Kind, lines: u64) {
        self.lines[kind as usize] += lines;
    }

    /// Counts a line; `seconds` is its stamp in Unix seconds, 0 when unknown.
    #[inline]
    pub fn add(&mut self, reading: &Reading<'_>, seconds: u32) {
        self.lines[reading.kind as usize] += 1;
        let (Some(packet), Some(prefix)) = (&reading.packet, reading.prefix) else {
            return;
        };
        let packets = u64::from(reading.count);
        let bytes = packets * u64::from(packet.length.unwrap_or(0));
        self.packets = self.packets.saturating_add(packets);
        self.bytes = self.bytes.saturating_add(bytes);
        self.last = self.last.max(seconds);
        self.links.add(Link::of(packet, prefix), packets, bytes);
        let class = Class::of(packet, prefix);
        let count = Count::new(packets, bytes, seconds);
        let source = self.add_flow(packet.source, packet.port, class, count);
        if let (true, Some(source)) = (self.limits.destinations, source) {
            self.add_destination(source, packet.destination);
        }
    }

    /// Counts for a flow; returns the source's word in keys, `None` when it found no room.
    #[inline]
    fn add_flow(
        &mut self,
        source: Address,
        port: Option<u16>,
        class: Class,
        count: Count,
    ) -> Option<u32> {
        let word = match source {
            Address::V4(bits) => Some(bits),
            Address::V6(bits) => self.v6.number(bits),
        };
        let Some(word) = word else {
            self.overflow.entry(class.0).or_insert(Count::ZERO).add(&count);
            return None;
        };
        self.waiting.push(Waiting { key: flow_key(word, port.unwrap_or(0), class), count });
        if self.waiting.len() == BATCH {
            self.settle();
        }
        Some(word)
    }

    /// Notes a destination of a source whose word in keys is `source`.
    #[inline]
    fn add_destination(&mut self, source: u32, destination: Address) {
        match destination {
            Address::V4(destination) => {
                self.waiting_destinations.push(u64::from(source) << 32 | u64::from(destination));
                if self.waiting_destinations.len() == BATCH {
                    self.settle();
                }
            }
            Address::V6(destination) => {
                if let Some(destination) = self.v6.number(destination) {
                    self.destinations_v6.insert(u64::from(source) << 32 | u64::from(destination));
                }
            }
        }
    }

    /// Puts what waits into the tables. Every view does this first.
    pub fn settle(&mut self) {
        for waiting in &self.waiting {
            if !self.flows.add(waiting.key, &waiting.count) {
                let class = Class(waiting.key as u16);
                self.overflow.entry(class.0).or_insert(Count::ZERO).add(&waiting.count);
            }
        }
        self.waiting.clear();
        for &pair in &self.waiting_destinations {
            self.destinations_v4.insert(pair);
        }
        self.waiting_destinations.clear();
    }

    /// Adds everything that another summary of the same prefixes has counted.
    pub fn merge(&mut self, mut other: Self) {
        other.settle();
        for (mine, theirs) in self.lines.iter_mut().zip(other.lines) {
            *mine += theirs;
        }
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.last = self.last.max(other.last);
        for row in other.rows() {
            match row.source {
                Some(source) => {
                    self.add_flow(source, row.port, row.class, row.count);
                }
                None => self.overflow.entry(row.class.0).or_insert(Count::ZERO).add(&row.count),
            }
        }
        for (link, packets, bytes) in other.links.iter().copied() {
            self.links.add(link, packets, bytes);
        }
        for pair in other.destinations_v4.iter() {
            self.destinations_v4.insert(pair);
        }
        for pair in other.destinations_v6.iter() {
            if let Some(source) = self.v6.number(other.v6.word((pair >> 32) as u32)) {
                self.add_destination(source, Address::V6(other.v6.word(pair as u32)));
            }
        }
        self.settle();
    }

    /// Flows by class, in no order; what found no room comes last, without a source.
    ///
    /// [`Self::settle`] first.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let flows = self.flows.iter().map(|(key, count)| {
            let class = Class(key as u16);
            let source = (key >> 32) as u32;
            let source =
                if class.v6() { Address::V6(self.v6.word(source)) } else { Address::V4(source) };
            let port = class.has_port().then_some((key >> 16) as u16);
            Row { source: Some(source), port, class, count: *count }
        });
        let overflow = self.overflow.iter().map(|(&class, &count)| Row {
            source: None,
            port: None,
            class: Class(class),
            count,
        });
        flows.chain(overflow)
    }

    /// Flows over all classes, by (source, port, protocol), those without a source last.
    fn flows_by_key(&self) -> Vec<Flow> {
        let mut flows: Vec<Flow> = self
            .rows()
            .map(|row| Flow {
                source: row.source,
                port: row.port,
                protocol: row.class.protocol(),
                count: row.count,
            })
            .collect();
        flows.sort_unstable_by_key(Flow::key);
        flows.dedup_by(|next, kept| {
            let same = next.key() == kept.key();
            if same {
                kept.count.add(&next.count);
            }
            same
        });
        flows
    }

    /// The `top` flows, those with most packets first; 0 means all. [`Self::settle`] first.
    #[must_use]
    pub fn flows(&self, top: usize) -> Vec<Flow> {
        top_of(self.flows_by_key(), top, |flow| flow.count.packets)
    }

    /// The `top` sources, those with most packets first; 0 means all. [`Self::settle`] first.
    #[must_use]
    pub fn sources(&self, top: usize) -> Vec<Source> {
        let mut destinations: HashMap<Address, u32> = HashMap::new();
        for pair in self.destinations_v4.iter() {
            *destinations.entry(Address::V4((pair >> 32) as u32)).or_default() += 1;
        }
        for pair in self.destinations_v6.iter() {
            *destinations.entry(Address::V6(self.v6.word((pair >> 32) as u32))).or_default() += 1;
        }
        let mut sources: Vec<Source> = Vec::new();
        let mut port = None;
        for flow in self.flows_by_key() {
            match sources.last_mut() {
                Some(source) if source.source == flow.source => {
                    source.count.add(&flow.count);
                    source.ports += u32::from(flow.port.is_some() && flow.port != port);
                }
                _ => sources.push(Source {
                    source: flow.source,
                    count: flow.count,
                    ports: u32::from(flow.port.is_some()),
                    destinations: flow
                        .source
                        .and_then(|source| destinations.get(&source))
                        .copied()
                        .unwrap_or(0),
                }),
            }
            port = flow.port;
        }
        top_of(sources, top, |source| source.count.packets)
    }

    /// The `top` ports, those with most packets first; 0 means all. [`Self::settle`] first.
    #[must_use]
    pub fn ports(&self, top: usize) -> Vec<Port> {
        let mut ports: HashMap<(Option<u16>, Option<Protocol>), (u64, u64)> = HashMap::new();
        for flow in self.flows_by_key() {
            let entry = ports.entry((flow.port, flow.protocol)).or_default();
            entry.0 = u64::saturating_add(entry.0, flow.count.packets);
            entry.1 += u64::from(flow.source.is_some());
        }
        let mut ports: Vec<Port> = ports
            .into_iter()
            .map(|((port, protocol), (packets, sources))| Port { port, protocol, packets, sources })
            .collect();
        ports.sort_unstable_by_key(|port| (port.port, port.protocol));
        top_of(ports, top, |port| port.packets)
    }

    /// Packets and bytes by prefix, interface, protocol and family, in the order of their arrival.
    pub fn links(&self) -> impl Iterator<Item = &(Link, u64, u64)> {
        self.links.iter()
    }
}

impl Flow {
    /// Orders flows without a source last, then by family, address, port and protocol.
    fn key(&self) -> (bool, Option<Address>, Option<u16>, Option<Protocol>) {
        (self.source.is_none(), self.source, self.port, self.protocol)
    }
}

/// The `top` items with the largest weight, largest first; equal ones stay in their order.
fn top_of<T>(mut items: Vec<T>, top: usize, weight: impl Fn(&T) -> u64) -> Vec<T> {
    items.sort_by_key(|item| std::cmp::Reverse(weight(item)));
    if top > 0 {
        items.truncate(top);
    }
    items
}
