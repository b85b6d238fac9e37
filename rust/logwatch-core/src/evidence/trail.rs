//! What is kept of a source beside its gauges: who it is, when it was seen, what it tried last.

use std::cmp::Reverse;
use std::fmt;

use super::shapes::Shapes;
use crate::address::Address;
use crate::lanes;

/// Ports that are listed as evidence.
pub const PORTS_MOST: usize = 20;
/// Destinations that are listed as evidence.
pub const DESTINATIONS_MOST: usize = 8;
/// Bytes of a trail without its gauges, its place in the index included.
pub(super) const BYTES_LEAST: usize = size_of::<Trail>() + 2 * 8;
/// The same with all that is listed as evidence.
pub(super) const BYTES_MOST: usize =
    BYTES_LEAST + size_of::<LatestPorts>() + DESTINATIONS_MOST * size_of::<(u128, u64)>();

/// A source: an IPv4 address, or an IPv6 network of 64 bits, since whoever has one address of it
/// mostly has all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    v6: bool,
    /// The address, or the upper half of it.
    bits: u64,
}

impl Source {
    /// The source of packets from an address.
    #[must_use]
    #[inline]
    pub fn of(address: Address) -> Self {
        match address {
            Address::V4(bits) => Self { v6: false, bits: u64::from(bits) },
            Address::V6(bits) => Self { v6: true, bits: (bits >> 64) as u64 },
        }
    }

    /// The address, or the first one of the network.
    #[must_use]
    pub fn address(self) -> Address {
        self.address_of(u128::from(self.bits) << if self.v6 { 64 } else { 0 })
    }

    /// An address of the same family.
    pub(super) fn address_of(self, bits: u128) -> Address {
        if self.v6 { Address::V6(bits) } else { Address::V4(bits as u32) }
    }

    pub(super) fn is_v6(self) -> bool {
        self.v6
    }

    pub(super) fn bits(self) -> u64 {
        self.bits
    }
}

impl fmt::Display for Source {
    /// `203.0.113.7`, or `2001:db8::/64`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address();
        if self.v6 { write!(formatter, "{address}/64") } else { address.fmt(formatter) }
    }
}

/// A source's trail: one line of the processor's cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Trail {
    bits: u64,
    v6: bool,
    pub shapes: Shapes,
    /// How many of `ports` there are: it stands here so that nobody waits for it.
    tries: u8,
    /// The batch in which it came near enough to be judged.
    pub batch: u32,
    /// Times of its packets, in milliseconds.
    pub first: u64,
    pub last: u64,
    /// The port that it tried last.
    port: Try,
    /// What it tried before.
    ports: Option<Box<LatestPorts>>,
    destinations: Option<Box<LatestDestinations>>,
}

impl Trail {
    pub(super) fn new(source: Source, at: u64) -> Self {
        Self {
            bits: source.bits,
            v6: source.v6,
            shapes: Shapes::default(),
            tries: 0,
            batch: 0,
            first: at,
            last: at,
            port: Try::NONE,
            ports: None,
            destinations: None,
        }
    }

    #[inline]
    pub(super) fn source(&self) -> Source {
        Source { v6: self.v6, bits: self.bits }
    }

    /// Asks for what [`Self::see`] will write to.
    #[inline]
    pub(super) fn prefetch(&self) {
        if let Some(ports) = &self.ports {
            lanes::prefetch(&ports.0[usize::from(self.tries) % TRIES]);
        }
    }

    /// Sees packets to a port at a time.
    #[inline]
    pub(super) fn see(&mut self, port: Option<u16>, shapes: Shapes, at: u64) {
        self.last = self.last.max(at);
        self.first = self.first.min(at);
        self.shapes.add(shapes);
        if let Some(port) = port {
            self.see_port(port, at);
        }
    }

    #[inline]
    pub(super) fn see_port(&mut self, port: u16, at: u64) {
        let tried = Try::new(port, at);
        let before = std::mem::replace(&mut self.port, tried);
        if before == Try::NONE {
            return;
        }
        if before.port() == port {
            self.port = before.max(tried);
        } else {
            self.ports.get_or_insert_default().see(before, &mut self.tries);
        }
    }

    /// Adds what another node has seen of the source.
    pub(super) fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.shapes.add(other.shapes);
        let mut ports = [self.ports(), other.ports()].concat();
        ports.sort_unstable_by_key(|(port, at)| (*at, *port));
        (self.ports, self.tries, self.port) = (None, 0, Try::NONE);
        for (port, at) in ports {
            self.see_port(port, at);
        }
        for (bits, at) in other.destinations() {
            self.see_destination(bits, at);
        }
    }

    pub(super) fn see_destination(&mut self, bits: u128, at: u64) {
        self.destinations.get_or_insert_default().see(bits, at);
    }

    /// The latest ports and when each was last tried, latest first.
    pub(super) fn ports(&self) -> Vec<(u16, u64)> {
        let mut all = self.ports.as_deref().cloned().unwrap_or_default();
        let mut tries = self.tries;
        if self.port != Try::NONE {
            all.see(self.port, &mut tries);
        }
        tries = all.fold(tries);
        all.0[..usize::from(tries)].iter().rev().map(|tried| (tried.port(), tried.at())).collect()
    }

    /// The latest destinations and when each was last tried, latest first.
    pub(super) fn destinations(&self) -> Vec<(u128, u64)> {
        let mut all = self.destinations.as_deref().cloned().unwrap_or_default().0;
        all.sort_unstable_by_key(|(bits, at)| (Reverse(*at), *bits));
        all
    }
}

/// A port and when it was tried, in one number: the time in front, below 2^48.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Try(u64);

impl Try {
    const NONE: Self = Self(u64::MAX);

    #[inline]
    fn new(port: u16, at: u64) -> Self {
        Self(at << 16 | u64::from(port))
    }

    #[inline]
    fn port(self) -> u16 {
        self.0 as u16
    }

    fn at(self) -> u64 {
        self.0 >> 16
    }
}

/// Tries that are kept until they are folded.
const TRIES: usize = 2 * PORTS_MOST;

/// The latest tries, as they came. A try costs one write; each time they are full, only the latest
/// of each of the latest ports is kept.
#[derive(Clone, Debug)]
pub(super) struct LatestPorts([Try; TRIES]);

impl Default for LatestPorts {
    fn default() -> Self {
        Self([Try::NONE; TRIES])
    }
}

impl LatestPorts {
    /// Adds a try to the `count` that there are.
    #[inline]
    fn see(&mut self, tried: Try, count: &mut u8) {
        if usize::from(*count) == TRIES {
            *count = self.fold(*count);
        }
        self.0[usize::from(*count)] = tried;
        *count += 1;
    }

    /// Keeps only the latest of `count` tries; returns how many these are.
    fn fold(&mut self, count: u8) -> u8 {
        let mut kept = [Try::NONE; PORTS_MOST];
        let mut kept_count = 0;
        for tried in self.0[..usize::from(count)].iter().rev() {
            let is_new = kept[..kept_count].iter().all(|one| one.port() != tried.port());
            if kept_count < PORTS_MOST && is_new {
                kept[kept_count] = *tried;
                kept_count += 1;
            }
        }
        for (place, tried) in kept[..kept_count].iter().rev().enumerate() {
            self.0[place] = *tried;
        }
        kept_count as u8
    }
}

/// The latest destinations and when each was tried last.
#[derive(Clone, Debug, Default)]
pub(super) struct LatestDestinations(Vec<(u128, u64)>);

impl LatestDestinations {
    fn see(&mut self, bits: u128, at: u64) {
        if let Some(known) = self.0.iter_mut().find(|known| known.0 == bits) {
            known.1 = known.1.max(at);
        } else if self.0.len() < DESTINATIONS_MOST {
            self.0.push((bits, at));
        } else if let Some(oldest) = self.0.iter_mut().min_by_key(|known| known.1)
            && oldest.1 <= at
        {
            *oldest = (bits, at);
        }
    }
}
