//! How the lines of a storm go on behind their header, to be compared as a whole.
//!
//! An *opening* is a prefix with the interface behind it: `calico-packet: IN=eth1 OUT=`. A node prints
//! few of them. Together with a packet's [`Manner`] an opening tells the class.

use crate::body::{Packet, Shape};
use crate::lanes::Lanes;
use crate::protocol;

/// Longest opening that is remembered.
pub(crate) const OPENING_MOST: usize = 128;
/// Openings that are remembered; when there is no room for another, all are forgotten.
const OPENINGS: usize = 255;
/// Places to look an opening up by its hash: a power of two, so many that they are mostly free.
const PLACES: usize = 1024;
/// Neighbouring places where an opening may stand.
const PROBES: usize = 4;

/// What a packet was sent by, as far as the lines of a storm differ in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Syn,
    Reply,
    Udp,
    Icmp,
}

impl Carrier {
    /// `None` where the fast reader does not read such a packet.
    fn of(packet: &Packet<'_>) -> Option<Self> {
        match (packet.protocol?, packet.port, packet.shape()) {
            (protocol::TCP, Some(_), Shape::Syn) => Some(Self::Syn),
            (protocol::TCP, Some(_), Shape::Reply) => Some(Self::Reply),
            (protocol::UDP, Some(_), _) => Some(Self::Udp),
            (protocol::ICMP, None, _) if !packet.source.is_v6() => Some(Self::Icmp),
            (protocol::ICMPV6, None, _) if packet.source.is_v6() => Some(Self::Icmp),
            _ => None,
        }
    }
}

/// Numbers of the classes of an opening, by manner; 0 where none is known.
type Numbers = [u16; 16];

/// What tells the classes of an opening apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    pub carrier: Carrier,
    pub forwarded: bool,
    pub v6: bool,
}

impl Manner {
    fn of(packet: &Packet<'_>) -> Option<Self> {
        let carrier = Carrier::of(packet)?;
        let forwarded = !packet.out_interface.is_empty();
        Some(Self { carrier, forwarded, v6: packet.source.is_v6() })
    }

    /// Where the number of the class stands.
    #[inline(always)]
    pub fn place(self) -> usize {
        self.carrier as usize | usize::from(self.forwarded) << 2 | usize::from(self.v6) << 3
    }
}

#[derive(Clone, Copy, Debug)]
struct Opening {
    /// With NUL bytes behind it. Its length is told by its second `=`.
    text: [u8; OPENING_MOST],
    numbers: Numbers,
}

impl Opening {
    const NONE: Self = Self { text: [0; OPENING_MOST], numbers: [0; 16] };
}

/// Where the two `=` of an opening are; behind the second one it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks(pub [usize; 2]);

impl Marks {
    pub fn length(self) -> usize {
        self.0[1] + 1
    }

    /// Any function that spreads the usual openings.
    #[inline(always)]
    fn hash(self, text: &[u8; OPENING_MOST]) -> usize {
        let word = |at: usize| {
            let bytes = text[at % (OPENING_MOST / 2)..].first_chunk().expect("half is left");
            u64::from_le_bytes(*bytes)
        };
        let Self([first, end]) = self;
        // In front of "IN=" and of " OUT=".
        let words = word(first.saturating_sub(10)) ^ word(end.saturating_sub(12)).rotate_left(29);
        let mixed = (words ^ end as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 40) as usize
    }
}

/// Those that lines have shown.
#[derive(Clone, Debug)]
pub(crate) struct Openings {
    /// The first one is none.
    known: Vec<Opening>,
    /// Indices into `known`, by hash.
    places: [u8; PLACES],
}

impl Default for Openings {
    fn default() -> Self {
        Self { known: vec![Opening::NONE], places: [0; PLACES] }
    }
}

impl Openings {
    pub fn forget(&mut self) {
        self.known.truncate(1);
        self.places = [0; PLACES];
    }

    /// The classes of the opening at the start of `text`, if it is remembered.
    #[inline(always)]
    pub fn find<L: Lanes>(
        &self,
        lanes: L,
        text: &[u8; OPENING_MOST],
        marks: Marks,
    ) -> Option<&Numbers> {
        let hash = marks.hash(text);
        let opening = self.at(hash);
        if opening.fits(lanes, text, marks.length()) {
            return Some(&opening.numbers);
        }
        self.find_behind(lanes, text, marks.length(), hash)
    }

    #[inline(never)]
    fn find_behind<L: Lanes>(
        &self,
        lanes: L,
        text: &[u8; OPENING_MOST],
        length: usize,
        hash: usize,
    ) -> Option<&Numbers> {
        let mut openings = (1..PROBES).map(|probe| self.at(hash + probe));
        openings.find(|opening| opening.fits(lanes, text, length)).map(|opening| &opening.numbers)
    }

    #[inline(always)]
    fn at(&self, hash: usize) -> &Opening {
        &self.known[usize::from(self.places[hash % PLACES])]
    }

    /// Remembers the number of a packet's class; `message` and `prefix` are those of its line.
    pub fn see(&mut self, message: &[u8], prefix: &[u8], packet: &Packet<'_>, number: u16) {
        let opening = [prefix, b"IN=", packet.interface, b" OUT="].concat();
        let marks: Vec<usize> = memchr::memchr_iter(b'=', &opening).collect();
        let (Some(manner), Ok(marks)) = (Manner::of(packet), marks.try_into()) else { return };
        if opening.len() > OPENING_MOST || !message.starts_with(&opening) {
            return;
        }
        let mut text = [0; OPENING_MOST];
        text[..opening.len()].copy_from_slice(&opening);
        let at = self.insert(&text, Marks(marks));
        self.known[at].numbers[manner.place()] = number;
    }

    /// Index of an opening, which is put there unless it is.
    fn insert(&mut self, text: &[u8; OPENING_MOST], marks: Marks) -> usize {
        let places = (0..PROBES).map(|probe| (marks.hash(text) + probe) % PLACES);
        let mut free = None;
        for place in places {
            match usize::from(self.places[place]) {
                0 => free = free.or(Some(place)),
                at if self.known[at].text == *text => return at,
                _ => {}
            }
        }
        let Some(place) = free.filter(|_| self.known.len() <= OPENINGS) else {
            self.forget();
            return self.insert(text, marks);
        };
        self.places[place] = self.known.len() as u8;
        self.known.push(Opening { text: *text, numbers: [0; 16] });
        self.known.len() - 1
    }
}

/// The mask of the bytes behind the first `length` ones, from 1 to 64.
#[inline(always)]
fn behind(length: usize) -> u64 {
    u64::MAX << 1 << (length - 1)
}

impl Opening {
    #[inline(always)]
    fn fits<L: Lanes>(&self, lanes: L, text: &[u8; OPENING_MOST], length: usize) -> bool {
        let (blocks, mine) = (text.as_chunks::<64>().0, self.text.as_chunks::<64>().0);
        let same = |at: usize| lanes.same(&blocks[at], &mine[at]);
        // Bytes behind the opening may be any.
        if length <= 64 {
            same(0) | behind(length) == u64::MAX
        } else {
            same(0) == u64::MAX && same(1) | behind(length - 64) == u64::MAX
        }
    }
}
