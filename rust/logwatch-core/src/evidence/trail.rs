//! What is kept of a source beside its gauges: who it is, when it was seen, and what it tried last as
//! far as no gauge knows it.

use std::fmt;
use std::ops::Range;

use super::latest::Latest;
use super::shapes::Shapes;
use crate::address::Address;

/// Ports that are listed as evidence.
pub const PORTS_MOST: usize = 20;
/// Destinations that are listed as evidence.
pub const DESTINATIONS_MOST: usize = 8;
/// Bytes of a trail without its gauges, its place in the index included.
pub(super) const BYTES_LEAST: usize = size_of::<Trail>() + 2 * 8;
/// The same with all that is listed as evidence.
pub(super) const BYTES_MOST: usize =
    BYTES_LEAST + size_of::<Listed>() + PORTS_MOST * 16 + DESTINATIONS_MOST * 32;

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

/// That a source is not told of, kept while it has no trail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    pub until: u64,
    pub rests: bool,
}

/// A source's trail: one line of the processor's cache.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Trail {
    bits: u64,
    v6: bool,
    pub shapes: Shapes,
    /// Lines of it that were kept.
    pub samples: u8,
    /// The batch in which it came near enough to be judged.
    pub batch: u32,
    /// Times of its packets, in milliseconds.
    pub first: u64,
    pub last: u64,
    /// It is not told of for events from the first of these times up to the second.
    quiet: (u64, u64),
    /// Whether nothing of it counts in these times.
    pub rests: bool,
    listed: Option<Box<Listed>>,
}

/// The latest ports and destinations that no gauge counts.
#[derive(Clone, Debug, Default)]
struct Listed {
    ports: Latest<u16, PORTS_MOST>,
    destinations: Latest<u128, DESTINATIONS_MOST>,
}

impl Trail {
    pub(super) fn new(source: Source, at: u64) -> Self {
        Self {
            bits: source.bits,
            v6: source.v6,
            shapes: Shapes::default(),
            samples: 0,
            batch: 0,
            first: at,
            last: at,
            quiet: (0, 0),
            rests: false,
            listed: None,
        }
    }

    #[inline]
    pub(super) fn source(&self) -> Source {
        Source { v6: self.v6, bits: self.bits }
    }

    /// Sees packets at a time.
    #[inline]
    pub(super) fn see(&mut self, shapes: Shapes, at: u64) {
        self.last = self.last.max(at);
        self.first = self.first.min(at);
        self.shapes.add(shapes);
    }

    /// Lists a port that no gauge knows.
    pub(super) fn see_port(&mut self, port: u16, at: u64) {
        self.listed.get_or_insert_default().ports.see(port, at);
    }

    /// Lists a destination that no gauge knows.
    pub(super) fn see_destination(&mut self, bits: u128, at: u64) {
        self.listed.get_or_insert_default().destinations.see(bits, at);
    }

    /// Adds what another node has seen of the source.
    pub(super) fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.shapes.add(other.shapes);
        for (port, at) in other.ports() {
            self.see_port(port, at);
        }
        for (bits, at) in other.destinations() {
            self.see_destination(bits, at);
        }
    }

    /// Forgets what it did up to a time; it was seen later too.
    pub(super) fn forget_up_to(&mut self, time: u64) {
        self.first = self.first.max(time + 1);
        if let Some(listed) = &mut self.listed {
            listed.ports.retain(|at| at > time);
            listed.destinations.retain(|at| at > time);
        }
    }

    /// The same by another clock; `right` never changes the order of times.
    pub(super) fn at_other_times(&self, right: impl Fn(u64) -> u64) -> Self {
        let mut trail = Self::new(self.source(), right(self.first));
        trail.see(self.shapes, right(self.last));
        for (port, at) in self.ports() {
            trail.see_port(port, right(at));
        }
        for (bits, at) in self.destinations() {
            trail.see_destination(bits, right(at));
        }
        trail
    }

    /// The latest ports that no gauge knows, and when each was last tried, in no order.
    pub(super) fn ports(&self) -> impl Iterator<Item = (u16, u64)> {
        self.listed.iter().flat_map(|listed| listed.ports.iter())
    }

    /// The latest destinations that no gauge knows, and when each was last tried, in no order.
    pub(super) fn destinations(&self) -> impl Iterator<Item = (u128, u64)> {
        self.listed.iter().flat_map(|listed| listed.destinations.iter())
    }

    /// Does not tell of it for events of a time.
    pub(super) fn set_quiet(&mut self, times: &Range<u64>) {
        self.quiet = (times.start, times.end);
        self.rests = false;
    }

    /// Until when it is not told of; none if it was never quiet, or is no more.
    pub(super) fn quiet_until(&self) -> Option<Silence> {
        (self.quiet.1 > 0).then_some(Silence { until: self.quiet.1, rests: self.rests })
    }

    /// Is not told of again, for all events up to a time.
    pub(super) fn silence(&mut self, silence: Silence) {
        self.quiet = (0, silence.until);
        self.rests = silence.rests;
    }

    /// Whether it is not to be told of at a time; a clock set back ends that as well.
    #[inline]
    pub(super) fn is_quiet(&self, at: u64) -> bool {
        (self.quiet.0..self.quiet.1).contains(&at)
    }
}
