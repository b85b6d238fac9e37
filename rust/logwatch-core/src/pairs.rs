//! Pairs of source and destination, in a bounded hash table like that of the flows.

use crate::flows::{FIRST_SLOTS, Word, is_crowded, slots_most};
use crate::hash::Seed;

/// A set of pairs.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<A> {
    seed: Seed,
    /// The pair of zeros marks a free slot; whether it is there itself is kept in `zero`.
    slots: Vec<(A, A)>,
    keys: usize,
    zero: bool,
    slots_most: usize,
}

impl<A: Word> Pairs<A> {
    pub(crate) fn new(seed: Seed, bytes: usize) -> Self {
        Self {
            seed,
            slots: vec![Default::default(); FIRST_SLOTS],
            keys: 0,
            zero: false,
            slots_most: slots_most(bytes, size_of::<(A, A)>()).max(FIRST_SLOTS),
        }
    }

    /// Puts a pair in, if there is room.
    #[inline(never)]
    pub(crate) fn insert(&mut self, source: A, destination: A) {
        let pair = (source, destination);
        if pair == Default::default() {
            self.zero = true;
            return;
        }
        let mut at = self.place(pair);
        if self.slots[at] == pair {
            return;
        }
        if is_crowded(self.keys, self.slots.len()) {
            if self.slots.len() * 2 > self.slots_most {
                return;
            }
            let larger = vec![Default::default(); self.slots.len() * 2];
            for old in std::mem::replace(&mut self.slots, larger) {
                if old != Default::default() {
                    let at = self.place(old);
                    self.slots[at] = old;
                }
            }
            at = self.place(pair);
        }
        self.slots[at] = pair;
        self.keys += 1;
    }

    /// Where a pair is, or the free slot where it belongs.
    fn place(&self, pair: (A, A)) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = pair.0.hash_pair(self.seed, pair.1) as usize & mask;
        while self.slots[at] != pair && self.slots[at] != Default::default() {
            at = (at + 1) & mask;
        }
        at
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (A, A)> {
        let free = Default::default();
        self.slots
            .iter()
            .copied()
            .filter(move |pair| *pair != free)
            .chain(self.zero.then_some(free))
    }
}
