//! A small hash table of values and when each was last seen.

use crate::lanes;

/// Entries of the first table.
const FIRST_ENTRIES: usize = 4;

/// Marks the time of a free entry.
pub(super) const FREE: u32 = u32::MAX;

/// A value and when it was last seen, in milliseconds after some base.
pub(super) trait Entry: Copy {
    fn new(value: u64, at: u32) -> Self;
    fn value(self) -> u64;
    fn at(self) -> u32;
}

/// A value below 2^32: a port, or an address of IPv4.
#[derive(Clone, Copy, Debug)]
pub(super) struct Narrow(u64);

impl Entry for Narrow {
    #[inline]
    fn new(value: u64, at: u32) -> Self {
        Self(value << 32 | u64::from(at))
    }

    #[inline]
    fn value(self) -> u64 {
        self.0 >> 32
    }

    #[inline]
    fn at(self) -> u32 {
        self.0 as u32
    }
}

/// Any value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide(u64, u32);

impl Entry for Wide {
    #[inline]
    fn new(value: u64, at: u32) -> Self {
        Self(value, at)
    }

    #[inline]
    fn value(self) -> u64 {
        self.0
    }

    #[inline]
    fn at(self) -> u32 {
        self.1
    }
}

/// Entries by linear probing; a power of two, at most three quarters of them taken.
#[derive(Clone, Debug)]
pub(super) struct Slots<E>(Box<[E]>);

impl<E: Entry> Slots<E> {
    /// A table with room for twice as many entries: half of it is free, so that the next time is far.
    pub(super) fn of(entries: &[(u64, u32)]) -> Self {
        let mut slots = Self::with_room(entries.len());
        for (value, at) in entries {
            let place = slots.place(*value);
            slots.0[place] = E::new(*value, *at);
        }
        slots
    }

    /// The same values in a table with room for twice as many, without those of before a time; and how
    /// many they are.
    pub(super) fn anew<T>(&self, from: u32, wrap: impl Fn(Self) -> T) -> (T, u32) {
        let live = || self.0.iter().filter(|entry| (from..FREE).contains(&entry.at()));
        let count = live().count();
        let mut slots = Self::with_room(count);
        for entry in live() {
            let place = slots.place(entry.value());
            slots.0[place] = *entry;
        }
        (wrap(slots), count as u32)
    }

    fn with_room(count: usize) -> Self {
        let size = (count * 2).next_power_of_two().max(FIRST_ENTRIES);
        Self(vec![E::new(0, FREE); size].into())
    }

    /// Asks for what [`Self::see`] will look at.
    #[inline]
    pub(super) fn prefetch(&self, value: u64) {
        lanes::prefetch(&self.0[self.home(value)]);
    }

    /// Puts a value in, or makes its time later; whether it is new.
    #[inline]
    pub(super) fn see(&mut self, value: u64, at: u32) -> bool {
        let place = self.place(value);
        let entry = &mut self.0[place];
        let is_new = entry.at() == FREE;
        if is_new || entry.at() < at {
            *entry = E::new(value, at);
        }
        is_new
    }

    /// Whether so many entries are too many.
    #[inline]
    pub(super) fn is_crowded(&self, count: u32) -> bool {
        count as usize > self.0.len() / 4 * 3
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.0.iter().filter(|entry| entry.at() != FREE).map(|entry| (entry.value(), entry.at()))
    }

    /// Where a value is looked for first.
    #[inline]
    fn home(&self, value: u64) -> usize {
        // The upper bits of a product depend on all of the value's.
        (value.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize & (self.0.len() - 1)
    }

    /// Where a value is, or the free entry where it belongs.
    #[inline]
    fn place(&self, value: u64) -> usize {
        let mask = self.0.len() - 1;
        let mut at = self.home(value);
        while self.0[at].at() != FREE && self.0[at].value() != value {
            at = (at + 1) & mask;
        }
        at
    }
}

/// Bytes of the largest table for so many values.
pub(super) fn bytes_most(values: usize) -> usize {
    (values * 2).next_power_of_two() * size_of::<Wide>()
}
