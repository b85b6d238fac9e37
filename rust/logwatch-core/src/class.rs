//! What few packets differ in: policy, interface, protocol and shape, numbered as they come.

use std::collections::HashMap;

use crate::body::{Packet, Shape};
use crate::policy::Policies;
use crate::protocol::{self, Protocol};

/// Classes told apart exactly; beyond that the interface becomes "other". A node has some thousand
/// interfaces at the most.
const EXACT_MOST: usize = 16_384;
/// Beyond this also the names of the policy are left out, so that the numbers never run out: 64
/// prefixes, 256 protocols and more, 2 families.
const NAMED_MOST: usize = 24_576;

/// An interface's name: its bytes from the lowest on, padded with NUL, their number in the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interface(u128);

impl Interface {
    /// At most 15 bytes of any kind.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        let bytes = name.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte));
        Self(bytes | (name.len() as u128) << 120)
    }

    pub(crate) fn bits(self) -> u128 {
        self.0
    }

    /// From the bits of another one; `None` when no interface has them.
    pub(crate) fn from_bits(bits: u128) -> Option<Self> {
        let length = (bits >> 120) as usize;
        let name = bits & ((1 << 120) - 1);
        (length <= 15 && name >> (8 * length) == 0).then_some(Self(bits))
    }

    /// The name's bytes.
    #[must_use]
    pub fn name(self) -> Vec<u8> {
        let bytes = self.0.to_le_bytes();
        bytes[..usize::from(bytes[15])].to_vec()
    }
}

/// What a packet says of its protocol, in nine bits: 1 without one, 2 + number without a port, and
/// from [`Transport::FIRST_PORTED`] on with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transport(u16);

impl Transport {
    const PLAIN: u16 = 2;
    const FIRST_PORTED: u16 = Self::PLAIN + 256;
    /// The codes from there on.
    const PORTED: [(Protocol, Shape); 8] = [
        (protocol::TCP, Shape::Syn),
        (protocol::TCP, Shape::Reply),
        (protocol::TCP, Shape::Other),
        (protocol::TCP, Shape::Fin),
        (protocol::TCP, Shape::Null),
        (protocol::TCP, Shape::Xmas),
        (protocol::UDP, Shape::None),
        (protocol::UDPLITE, Shape::None),
    ];
    /// No protocol in the line.
    pub const NONE: Self = Self(1);
    /// UDP with its ports.
    pub const UDP: Self = Self(Self::FIRST_PORTED + 6);

    /// TCP with its ports.
    #[must_use]
    #[inline]
    pub const fn tcp(shape: Shape) -> Self {
        Self(match shape {
            Shape::Syn => Self::FIRST_PORTED,
            Shape::Reply => Self::FIRST_PORTED + 1,
            Shape::Other | Shape::None => Self::FIRST_PORTED + 2,
            Shape::Fin => Self::FIRST_PORTED + 3,
            Shape::Null => Self::FIRST_PORTED + 4,
            Shape::Xmas => Self::FIRST_PORTED + 5,
        })
    }

    /// A protocol without ports, or without them in the line.
    #[must_use]
    #[inline]
    pub const fn plain(protocol: Protocol) -> Self {
        Self(Self::PLAIN + protocol as u16)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// From the bits of another one; `None` when no transport has them.
    pub(crate) fn from_bits(bits: u16) -> Option<Self> {
        let most = Self::FIRST_PORTED + Self::PORTED.len() as u16;
        (1..most).contains(&bits).then_some(Self(bits))
    }

    fn of(packet: &Packet<'_>) -> Self {
        match (packet.protocol, packet.port) {
            (None, _) => Self::NONE,
            (Some(protocol::TCP), Some(_)) => Self::tcp(packet.shape()),
            (Some(protocol::UDP), Some(_)) => Self::UDP,
            (Some(protocol::UDPLITE), Some(_)) => Self(Self::FIRST_PORTED + 7),
            (Some(protocol), _) => Self::plain(protocol),
        }
    }

    fn ported(self) -> Option<(Protocol, Shape)> {
        self.0.checked_sub(Self::FIRST_PORTED).map(|index| Self::PORTED[usize::from(index)])
    }

    /// Whether there is a destination port.
    #[must_use]
    pub fn has_port(self) -> bool {
        self.ported().is_some()
    }

    /// IP protocol number, if known.
    #[must_use]
    pub fn protocol(self) -> Option<Protocol> {
        match self.ported() {
            Some((protocol, _)) => Some(protocol),
            None => self.0.checked_sub(Self::PLAIN).map(|protocol| protocol as u8),
        }
    }

    /// What a TCP segment is to a detector.
    #[must_use]
    pub fn shape(self) -> Shape {
        match (self.ported(), self.protocol()) {
            (Some((_, shape)), _) => shape,
            // Cut in front of its port, or a later fragment.
            (None, Some(protocol::TCP)) => Shape::Other,
            (None, _) => Shape::None,
        }
    }
}

/// What few packets differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// Value of `IN=`.
    pub interface: Interface,
    /// Number of the policy.
    pub policy: u16,
    /// Protocol and shape.
    pub transport: Transport,
    /// Whether the packet was on its way through the host: `OUT=` is not empty.
    pub forwarded: bool,
    /// Whether the addresses are IPv6.
    pub v6: bool,
}

impl Class {
    pub(crate) fn of(packet: &Packet<'_>, policy: u16) -> Self {
        Self {
            interface: Interface::new(packet.interface),
            policy,
            transport: Transport::of(packet),
            forwarded: !packet.out_interface.is_empty(),
            v6: packet.source.is_v6(),
        }
    }
}

/// The classes of one summary, numbered from 1.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    known: Vec<Class>,
    numbers: HashMap<Class, u16>,
}

impl Classes {
    /// The number of a class.
    pub fn number(&mut self, class: Class, policies: &mut Policies) -> u16 {
        if let Some(&number) = self.numbers.get(&class) {
            return number;
        }
        let mut told = class;
        if self.known.len() >= EXACT_MOST {
            told.interface = Interface::new(b"other");
        }
        if self.known.len() >= NAMED_MOST {
            told.policy = policies.without_names(told.policy);
            told.forwarded = false;
        }
        *self.numbers.entry(told).or_insert_with(|| {
            self.known.push(told);
            self.known.len() as u16
        })
    }

    /// The class with a number that [`Self::number`] gave.
    #[must_use]
    #[inline]
    pub fn get(&self, number: u16) -> &Class {
        &self.known[usize::from(number) - 1]
    }

    /// All classes, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Class> {
        self.known.iter()
    }
}
