//! Over which interfaces packets came, counted apart from the flows: few links, many flows.

use std::collections::HashMap;

use crate::address::Address;
use crate::body::Packet;
use crate::protocol::Protocol;

/// Links told apart exactly; beyond that the interface becomes "other". A node has some thousand
/// interfaces at the most.
const LINKS_MOST: usize = 16_384;

/// Over which interface a kind of packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Index of the prefix.
    pub prefix: u8,
    /// The interface's bytes from the lowest on, padded with NUL; its length in the highest.
    interface: u128,
    /// IP protocol number, if known.
    pub protocol: Option<Protocol>,
    /// Whether the addresses are IPv6.
    pub v6: bool,
}

impl Link {
    /// Name of the interface, any bytes.
    #[must_use]
    pub fn interface(&self) -> Vec<u8> {
        let bytes = self.interface.to_le_bytes();
        bytes[..usize::from(bytes[15])].to_vec()
    }

    #[inline]
    pub(crate) fn of(packet: &Packet<'_>, prefix: usize) -> Self {
        Self {
            prefix: prefix as u8,
            interface: packed(packet.interface),
            protocol: packet.protocol,
            v6: matches!(packet.source, Address::V6(_)),
        }
    }

    fn without_interface(mut self) -> Self {
        self.interface = packed(b"other");
        self
    }
}

/// At most 15 bytes as one word, with their number in its highest byte.
#[inline]
fn packed(name: &[u8]) -> u128 {
    let length = name.len();
    let bytes = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        // Eight bytes from each end: they overlap, and agree where they do.
        let last = u128::from(u64::from_le_bytes(*last));
        u128::from(u64::from_le_bytes(*first)) | last << (8 * (length - 8))
    } else {
        name.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte))
    };
    bytes | (length as u128) << 120
}

/// Counts by link.
#[derive(Clone, Debug)]
pub struct Links {
    /// (link, packets, bytes)
    known: Vec<(Link, u64, u64)>,
    places: HashMap<Link, usize>,
    /// Places of the links of the last lines: neighbours mostly share theirs.
    recent: [usize; Self::RECENT],
}

impl Default for Links {
    fn default() -> Self {
        Self { known: Vec::new(), places: HashMap::new(), recent: [0; Self::RECENT] }
    }
}

impl Links {
    const RECENT: usize = 256;

    /// Adds to a link's counts.
    #[inline]
    pub fn add(&mut self, link: Link, packets: u64, bytes: u64) {
        // Any function of the link is right here; this one spreads the usual ones.
        let rest = u64::from(link.protocol.unwrap_or(0))
            | u64::from(link.prefix) << 8
            | u64::from(link.v6) << 16;
        let mixed = (link.interface as u64 ^ (link.interface >> 64) as u64 ^ rest << 24)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let recent = &mut self.recent[(mixed >> 56) as usize];
        if !self.known.get(*recent).is_some_and(|(known, ..)| *known == link) {
            *recent = Self::look_up(&mut self.known, &mut self.places, link);
        }
        let (_, all_packets, all_bytes) = &mut self.known[*recent];
        *all_packets = all_packets.saturating_add(packets);
        *all_bytes = all_bytes.saturating_add(bytes);
    }

    /// (link, packets, bytes) in the order of their arrival.
    pub fn iter(&self) -> impl Iterator<Item = &(Link, u64, u64)> {
        self.known.iter()
    }

    #[inline(never)]
    fn look_up(
        known: &mut Vec<(Link, u64, u64)>,
        places: &mut HashMap<Link, usize>,
        link: Link,
    ) -> usize {
        if let Some(&place) = places.get(&link) {
            return place;
        }
        let link = if known.len() < LINKS_MOST { link } else { link.without_interface() };
        *places.entry(link).or_insert_with(|| {
            known.push((link, 0, 0));
            known.len() - 1
        })
    }
}
