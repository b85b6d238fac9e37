//! Which kinds of packets a source sent, as a set of bits.

use crate::body::Shape;
use crate::class::Class;
use crate::protocol;

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shapes(u16);

impl Shapes {
    /// The kinds in the order of their bits.
    pub const NAMES: [&'static str; 9] =
        ["syn", "fin", "null", "xmas", "tcp", "reply", "udp", "icmp", "other"];
    /// All of them.
    pub(super) const ALL: u64 = (1 << Self::NAMES.len()) - 1;

    /// The kind of a class. `tcp` is TCP that is none of the others; `udp` holds UDP-Lite.
    #[must_use]
    pub fn of(class: &Class) -> Self {
        Self(
            1 << match (class.transport.shape(), class.transport.protocol()) {
                (Shape::Syn, _) => 0,
                (Shape::Fin, _) => 1,
                (Shape::Null, _) => 2,
                (Shape::Xmas, _) => 3,
                (Shape::Other, _) => 4,
                (Shape::Reply, _) => 5,
                (Shape::None, Some(protocol::UDP | protocol::UDPLITE)) => 6,
                (Shape::None, Some(protocol::ICMP | protocol::ICMPV6)) => 7,
                (Shape::None, _) => 8,
            },
        )
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn bits(self) -> u64 {
        self.0.into()
    }

    /// From bits of at most [`Self::ALL`].
    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits as u16)
    }

    /// The names of the kinds that are there.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(Self::NAMES).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}
