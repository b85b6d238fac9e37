//! What is counted of packets, and when the first and the last of them were logged.

/// What is counted for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Sum of the outer LEN.
    pub bytes: u64,
    /// Unix seconds of the earliest stamp, minus one: unknown (0) wraps to the largest value, so
    /// that a plain minimum keeps what is known.
    pub(crate) first_less_one: u32,
    /// Unix seconds of the latest stamp; 0 when unknown.
    pub(crate) last: u32,
}

impl Count {
    /// Nothing counted, nothing known.
    pub const ZERO: Self = Self { packets: 0, bytes: 0, first_less_one: u32::MAX, last: 0 };

    /// `first` and `last` are 0 when unknown.
    #[must_use]
    #[inline]
    pub fn new(packets: u64, bytes: u64, first: u32, last: u32) -> Self {
        Self { packets, bytes, first_less_one: first.wrapping_sub(1), last }
    }

    /// Adds another count of the same key.
    #[inline]
    pub fn add(&mut self, other: &Self) {
        // A forged line may claim anything: a sum stays at the largest number.
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.first_less_one = self.first_less_one.min(other.first_less_one);
        self.last = self.last.max(other.last);
    }

    /// Unix seconds of the earliest stamp; 0 when unknown.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.first_less_one.wrapping_add(1)
    }

    /// Unix seconds of the latest stamp; 0 when unknown.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.last
    }
}
