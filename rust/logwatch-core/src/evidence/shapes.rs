//! Which kinds of packets a source sent, as a set of bits.

use crate::body::Shape;
use crate::class::Class;
use crate::protocol;

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shapes(u8);

impl Shapes {
    /// The kinds in the order of their bits.
    pub const NAMES: [&'static str; 6] = ["syn", "reply", "tcp", "udp", "icmp", "other"];
    /// All of them.
    const ALL: u8 = (1 << Self::NAMES.len()) - 1;

    /// The kind of a class. `tcp` is TCP that is neither a SYN nor a reply; `udp` holds UDP-Lite.
    #[must_use]
    pub fn of(class: &Class) -> Self {
        Self(
            1 << match (class.transport.shape(), class.transport.protocol()) {
                (Shape::Syn, _) => 0,
                (Shape::Reply, _) => 1,
                (Shape::Other, _) => 2,
                (Shape::None, Some(protocol::UDP | protocol::UDPLITE)) => 3,
                (Shape::None, Some(protocol::ICMP | protocol::ICMPV6)) => 4,
                (Shape::None, _) => 5,
            },
        )
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn from_bits(bits: u8) -> Option<Self> {
        (bits <= Self::ALL).then_some(Self(bits))
    }

    /// The names of the kinds that are there.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(Self::NAMES).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}
