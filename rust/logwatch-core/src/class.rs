//! What few packets differ in, in the sixteen bits that a flow's key has for it.

use crate::address::Address;
use crate::body::{Packet, Shape};
use crate::protocol::{self, Protocol};

/// Prefixes that a class can tell apart: six bits.
pub const PREFIXES_MOST: usize = 64;

/// What few packets differ in: prefix, family, protocol, whether there is a port, and shape.
///
/// Sixteen bits, never 0: prefix 6, IPv6 1, code 9. The code is 1 without a protocol, 2 + number
/// without a port, and one of [`Class::PORTED`] with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(pub(crate) u16);

impl Class {
    const NO_PROTOCOL: u16 = 1;
    const PLAIN: u16 = 2;
    /// The codes from 258 on.
    const PORTED: [(Protocol, Shape); 5] = [
        (protocol::TCP, Shape::Syn),
        (protocol::TCP, Shape::Reply),
        (protocol::TCP, Shape::Other),
        (protocol::UDP, Shape::None),
        (protocol::UDPLITE, Shape::None),
    ];
    const FIRST_PORTED: u16 = Self::PLAIN + 256;

    #[inline]
    pub(crate) fn of(packet: &Packet<'_>, prefix: usize) -> Self {
        let code = match (packet.protocol, packet.port) {
            (None, _) => Self::NO_PROTOCOL,
            (Some(protocol::TCP), Some(_)) => {
                Self::FIRST_PORTED
                    + match packet.shape() {
                        Shape::Syn => 0,
                        Shape::Reply => 1,
                        Shape::Other | Shape::None => 2,
                    }
            }
            (Some(protocol::UDP), Some(_)) => Self::FIRST_PORTED + 3,
            (Some(protocol::UDPLITE), Some(_)) => Self::FIRST_PORTED + 4,
            (Some(protocol), _) => Self::PLAIN + u16::from(protocol),
        };
        let v6 = matches!(packet.source, Address::V6(_));
        Self((prefix as u16) << 10 | u16::from(v6) << 9 | code)
    }

    fn code(self) -> u16 {
        self.0 & 0x1FF
    }

    /// Index of the prefix.
    #[must_use]
    pub fn prefix(self) -> u8 {
        (self.0 >> 10) as u8
    }

    /// Whether the addresses are IPv6.
    #[must_use]
    pub fn v6(self) -> bool {
        self.0 >> 9 & 1 == 1
    }

    fn ported(self) -> Option<(Protocol, Shape)> {
        self.code().checked_sub(Self::FIRST_PORTED).map(|index| Self::PORTED[usize::from(index)])
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
            None => self.code().checked_sub(Self::PLAIN).map(|protocol| protocol as u8),
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
