//! What a report lists: flows, sources and ports, made of a summary's flows once they are sorted.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::address::Address;
use crate::class::Class;
use crate::count::Count;
use crate::flows::{Flows, Word};
use crate::protocol::Protocol;
use crate::summary::Summary;

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

/// What sent, or was sent to, more or less than in another period.
#[derive(Clone, Debug)]
pub struct Changes<K> {
    /// How many are only in this one, only in the other, more in this one, less in it.
    pub kinds: [u64; 4],
    /// Those that changed most, first: packets in this one and in the other.
    pub most: Vec<(K, u64, u64)>,
}

impl<K: Copy + Ord> Changes<K> {
    fn new(
        now: impl Iterator<Item = (K, u64)>,
        before: impl Iterator<Item = (K, u64)>,
        top: usize,
    ) -> Self {
        let now = now.map(|(key, packets)| (key, packets, 0));
        let mut all: Vec<_> = now.chain(before.map(|(key, packets)| (key, 0, packets))).collect();
        all.sort_unstable_by_key(|(key, ..)| *key);
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
                kept.2 = kept.2.saturating_add(next.2);
            }
            same
        });
        all.retain(|(_, now, before)| now != before);
        let mut kinds = [0; 4];
        for (_, now, before) in &all {
            let kind = match (*now, *before) {
                (_, 0) => 0,
                (0, _) => 1,
                (now, before) if now > before => 2,
                _ => 3,
            };
            kinds[kind] += 1;
        }
        let most = top_of(top, all.into_iter(), |(_, now, before)| now.abs_diff(*before));
        Self { kinds, most }
    }
}

/// A port and a protocol, either of which may be missing, in one number: sorted by port, those
/// without one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Service(u32);

impl Service {
    fn new(port: Option<u16>, protocol: Option<Protocol>) -> Self {
        let port = port.map_or(0, |port| u32::from(port) + 1);
        Self(port << 9 | protocol.map_or(0, |protocol| u32::from(protocol) + 1))
    }

    fn port(self) -> Option<u16> {
        (self.0 >> 9).checked_sub(1).map(|port| port as u16)
    }

    fn protocol(self) -> Option<Protocol> {
        (self.0 & 0x1FF).checked_sub(1).map(|protocol| protocol as u8)
    }
}

/// The flows of one family over all classes.
#[derive(Debug)]
struct Sorted<A> {
    /// By source and service, each of them once.
    flows: Vec<(A, Service, Count)>,
    /// The source of each pair of source and destination.
    pairs: Vec<A>,
}

impl<A: Word> Sorted<A> {
    fn new(flows: &Flows<A>, services: &[(Option<Protocol>, bool)]) -> Self {
        let mut sorted: Vec<(A, Service, Count)> = flows
            .iter()
            .map(|(source, tag, count)| {
                let (protocol, has_port) = services[usize::from(tag.class()) - 1];
                (source, Service::new(has_port.then_some(tag.port()), protocol), count)
            })
            .collect();
        sorted.sort_unstable_by_key(|(source, service, _)| (*source, *service));
        sorted.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2.add(&next.2);
            }
            same
        });
        let mut pairs: Vec<A> = flows.pairs().map(|(source, _)| source).collect();
        pairs.sort_unstable();
        Self { flows: sorted, pairs }
    }

    /// Each source: its count, its distinct ports and its distinct destinations.
    fn sources(&self, address: impl Fn(A) -> Address) -> impl Iterator<Item = Source> {
        let mut pairs = &self.pairs[..];
        self.flows.chunk_by(|one, other| one.0 == other.0).map(move |flows| {
            let source = flows[0].0;
            let mut total = Count::ZERO;
            let mut ports = 0;
            let mut last = None;
            for (_, service, count) in flows {
                total.add(count);
                ports += u32::from(service.port().is_some() && service.port() != last);
                last = service.port();
            }
            pairs = &pairs[pairs.iter().take_while(|pair| **pair < source).count()..];
            let destinations = pairs.iter().take_while(|pair| **pair == source).count() as u32;
            Source { source: Some(address(source)), count: total, ports, destinations }
        })
    }
}

/// The lists of a report.
#[derive(Debug)]
pub struct Views {
    v4: Sorted<u32>,
    v6: Sorted<u128>,
    /// What found no room, by protocol.
    refused: Vec<(Option<Protocol>, Count)>,
}

impl Views {
    /// Of a summary that is settled.
    #[must_use]
    pub fn new(summary: &Summary) -> Self {
        let transport = |class: &Class| (class.transport.protocol(), class.transport.has_port());
        let services: Vec<_> = summary.classes().map(transport).collect();
        let (v4, v6) = summary.tables();
        let mut refused: Vec<(Option<Protocol>, Count)> = Vec::new();
        for (class, count) in v4.refused().chain(v6.refused()) {
            let protocol = services[usize::from(class) - 1].0;
            match refused.iter_mut().find(|(known, _)| *known == protocol) {
                Some((_, sum)) => sum.add(&count),
                None => refused.push((protocol, count)),
            }
        }
        refused.sort_unstable_by_key(|(protocol, _)| *protocol);
        Self { v4: Sorted::new(v4, &services), v6: Sorted::new(v6, &services), refused }
    }

    /// The `top` flows by source, port and protocol, those with most packets first, then by key;
    /// 0 means all.
    #[must_use]
    pub fn flows(&self, top: usize) -> Vec<Flow> {
        top_of(top, self.all_flows(), |flow| flow.count.packets)
    }

    /// The flows from the `sources` top sources to the `ports` top ports, in no order.
    #[must_use]
    pub fn matrix(&self, sources: usize, ports: usize) -> Vec<Flow> {
        let sources: HashSet<_> = self.sources(sources).iter().map(|each| each.source).collect();
        let ports = self.ports(ports);
        let ports: HashSet<_> =
            ports.iter().map(|each| Service::new(each.port, each.protocol)).collect();
        self.all_flows()
            .filter(|flow| {
                sources.contains(&flow.source)
                    && ports.contains(&Service::new(flow.port, flow.protocol))
            })
            .collect()
    }

    /// How the sources changed since another period, of which `top` are told; 0 means all.
    #[must_use]
    pub fn source_changes(&self, before: &Self, top: usize) -> Changes<Option<Address>> {
        let packets =
            |all: Vec<Source>| all.into_iter().map(|each| (each.source, each.count.packets));
        Changes::new(packets(self.sources(0)), packets(before.sources(0)), top)
    }

    /// How the ports changed since another period, of which `top` are told; 0 means all.
    #[must_use]
    pub fn port_changes(
        &self,
        before: &Self,
        top: usize,
    ) -> Changes<(Option<u16>, Option<Protocol>)> {
        let packets =
            |all: Vec<Port>| all.into_iter().map(|each| ((each.port, each.protocol), each.packets));
        Changes::new(packets(self.ports(0)), packets(before.ports(0)), top)
    }

    /// The `top` sources in the same way.
    #[must_use]
    pub fn sources(&self, top: usize) -> Vec<Source> {
        let mut refused = Count::ZERO;
        for (_, count) in &self.refused {
            refused.add(count);
        }
        let nobody = Source { source: None, count: refused, ports: 0, destinations: 0 };
        let sources = self
            .v4
            .sources(Address::V4)
            .chain(self.v6.sources(Address::V6))
            .chain((!self.refused.is_empty()).then_some(nobody));
        top_of(top, sources, |source| source.count.packets)
    }

    /// The `top` ports in the same way.
    #[must_use]
    pub fn ports(&self, top: usize) -> Vec<Port> {
        let mut sums: HashMap<Service, (u64, u64)> = HashMap::new();
        let v4 = self.v4.flows.iter().map(|flow| (flow.1, flow.2, 1));
        let v6 = self.v6.flows.iter().map(|flow| (flow.1, flow.2, 1));
        let refused =
            self.refused.iter().map(|(protocol, count)| (Service::new(None, *protocol), *count, 0));
        for (service, count, sources) in v4.chain(v6).chain(refused) {
            let sum = sums.entry(service).or_default();
            sum.0 = sum.0.saturating_add(count.packets);
            sum.1 += sources;
        }
        let mut ports: Vec<(Service, (u64, u64))> = sums.into_iter().collect();
        ports.sort_unstable_by_key(|(service, _)| *service);
        let ports = ports.into_iter().map(|(service, (packets, sources))| Port {
            port: service.port(),
            protocol: service.protocol(),
            packets,
            sources,
        });
        top_of(top, ports, |port| port.packets)
    }

    /// By key; what found no room comes last.
    fn all_flows(&self) -> impl Iterator<Item = Flow> {
        let flow = |source, service: Service, count| Flow {
            source,
            port: service.port(),
            protocol: service.protocol(),
            count,
        };
        let v4 = self.v4.flows.iter();
        let v6 = self.v6.flows.iter();
        v4.map(move |(source, service, count)| flow(Some(Address::V4(*source)), *service, *count))
            .chain(v6.map(move |(source, service, count)| {
                flow(Some(Address::V6(*source)), *service, *count)
            }))
            .chain(
                self.refused.iter().map(move |(protocol, count)| {
                    flow(None, Service::new(None, *protocol), *count)
                }),
            )
    }
}

/// The `top` items with the largest weight, largest first; equal ones stay in their order. 0 means
/// all.
fn top_of<T>(top: usize, items: impl Iterator<Item = T>, weight: impl Fn(&T) -> u64) -> Vec<T> {
    let mut best: Vec<(Reverse<u64>, usize, T)> = Vec::new();
    let least = |best: &mut Vec<(Reverse<u64>, usize, T)>| {
        best.sort_unstable_by_key(|(weight, place, _)| (*weight, *place));
        best.truncate(top);
        best.last().map_or(0, |(weight, ..)| weight.0)
    };
    // What is lighter than the lightest of the best so far is passed over, as most items are.
    let mut bound = 0;
    for (place, item) in items.enumerate() {
        let weight = weight(&item);
        if weight < bound {
            continue;
        }
        best.push((Reverse(weight), place, item));
        if top > 0 && best.len() >= top.saturating_mul(2).max(1_024) {
            bound = least(&mut best);
        }
    }
    best.sort_unstable_by_key(|(weight, place, _)| (*weight, *place));
    if top > 0 {
        best.truncate(top);
    }
    best.into_iter().map(|(_, _, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_top_is_that_of_a_whole_sort(weights in prop::collection::vec(0_u64..40, 0..4_000), top in 0_usize..30) {
            let mut expected: Vec<(usize, u64)> = weights.iter().copied().enumerate().collect();
            expected.sort_by_key(|(_, weight)| Reverse(*weight));
            if top > 0 {
                expected.truncate(top);
            }
            let items = weights.iter().copied().enumerate();
            prop_assert_eq!(expected, top_of(top, items, |item| item.1));
        }
    }
}
