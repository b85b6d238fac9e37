//! Bounded hash tables of plain words: open addressing, linear probing, power-of-two sizes.
//!
//! They grow to their capacity and then refuse new keys, so that a flood of forged sources costs
//! what was granted and no more. Nothing is ever removed: a table lives from one drain to the next.

use crate::hash::Seed;

/// Slots of a new table.
const FIRST_SLOTS: usize = 256;

/// Keys above three quarters of the slots make a table grow: probes stay short.
fn crowded(keys: usize, slots: usize) -> bool {
    keys >= slots / 4 * 3
}

/// What is counted for a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Sum of the outer LEN.
    pub bytes: u64,
    /// Unix seconds of the earliest stamp, minus one: unknown (0) wraps to the largest value, so
    /// that a plain minimum keeps what is known.
    first_less_one: u32,
    /// Unix seconds of the latest stamp; 0 when unknown.
    last: u32,
}

impl Count {
    /// One line's worth; `seconds` is 0 when its time is unknown.
    #[must_use]
    #[inline]
    pub fn new(packets: u64, bytes: u64, seconds: u32) -> Self {
        Self { packets, bytes, first_less_one: seconds.wrapping_sub(1), last: seconds }
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

    /// Nothing counted, nothing known.
    pub const ZERO: Self = Self { packets: 0, bytes: 0, first_less_one: u32::MAX, last: 0 };

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

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// 0 marks a free slot; no flow has that key.
    key: u64,
    count: Count,
}

/// Counts by a non-zero key.
#[derive(Clone, Debug)]
pub struct Counts {
    seed: Seed,
    slots: Vec<Slot>,
    keys: usize,
    capacity: usize,
}

impl Counts {
    const FREE: Slot = Slot { key: 0, count: Count::ZERO };

    /// Room for `capacity` keys, taken as they come.
    #[must_use]
    pub fn new(seed: Seed, capacity: usize) -> Self {
        Self { seed, slots: vec![Self::FREE; FIRST_SLOTS], keys: 0, capacity }
    }

    /// Adds to a key's count; false when the key is new and there is no room.
    #[inline]
    pub fn add(&mut self, key: u64, count: &Count) -> bool {
        let mask = self.slots.len() - 1;
        let mut at = self.seed.hash(key) as usize & mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.key == key {
                slot.count.add(count);
                return true;
            }
            if slot.key == 0 {
                return self.insert(key, count);
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(never)]
    fn insert(&mut self, key: u64, count: &Count) -> bool {
        if self.keys >= self.capacity {
            return false;
        }
        if crowded(self.keys, self.slots.len()) {
            let larger = vec![Self::FREE; self.slots.len() * 2];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if slot.key != 0 {
                    let at = self.free(slot.key);
                    self.slots[at] = slot;
                }
            }
        }
        let at = self.free(key);
        self.slots[at] = Slot { key, count: *count };
        self.keys += 1;
        true
    }

    /// The slot where a key that is not there belongs.
    fn free(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = self.seed.hash(key) as usize & mask;
        while self.slots[at].key != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// All keys with their counts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Count)> {
        self.slots.iter().filter(|slot| slot.key != 0).map(|slot| (slot.key, &slot.count))
    }
}

/// Wide words numbered in the order of their arrival, such as IPv6 addresses.
#[derive(Clone, Debug)]
pub struct Numbers {
    seed: Seed,
    /// Number plus one; 0 marks a free slot.
    slots: Vec<u32>,
    words: Vec<u128>,
    capacity: usize,
}

impl Numbers {
    /// Room for `capacity` words, below 2^32.
    #[must_use]
    pub fn new(seed: Seed, capacity: usize) -> Self {
        Self {
            seed,
            slots: vec![0; FIRST_SLOTS],
            words: Vec::new(),
            capacity: capacity.min(u32::MAX as usize - 1),
        }
    }

    /// The word's number; `None` when it is new and there is no room.
    #[inline]
    pub fn number(&mut self, word: u128) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = self.seed.hash_wide(word) as usize & mask;
        while let Some(number) = self.slots[at].checked_sub(1) {
            if self.words[number as usize] == word {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
        self.insert(word, at)
    }

    #[inline(never)]
    fn insert(&mut self, word: u128, mut at: usize) -> Option<u32> {
        if self.words.len() >= self.capacity {
            return None;
        }
        if crowded(self.words.len(), self.slots.len()) {
            self.slots = vec![0; self.slots.len() * 2];
            for (number, &word) in (1..).zip(&self.words) {
                let at = self.free(word);
                self.slots[at] = number;
            }
            at = self.free(word);
        }
        self.words.push(word);
        let number = self.words.len() as u32;
        self.slots[at] = number;
        Some(number - 1)
    }

    fn free(&self, word: u128) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = self.seed.hash_wide(word) as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// The word with a number that [`Self::number`] gave.
    #[must_use]
    #[inline]
    pub fn word(&self, number: u32) -> u128 {
        self.words[number as usize]
    }
}

/// A set of words, such as pairs of source and destination.
#[derive(Clone, Debug)]
pub struct Words {
    seed: Seed,
    /// 0 marks a free slot; the word 0 itself is kept in `zero`.
    slots: Vec<u64>,
    keys: usize,
    zero: bool,
    capacity: usize,
}

impl Words {
    /// Room for `capacity` words.
    #[must_use]
    pub fn new(seed: Seed, capacity: usize) -> Self {
        Self { seed, slots: vec![0; FIRST_SLOTS], keys: 0, zero: false, capacity }
    }

    /// Puts a word in; false when it is new and there is no room.
    #[inline]
    pub fn insert(&mut self, word: u64) -> bool {
        if word == 0 {
            self.zero = true;
            return true;
        }
        let mask = self.slots.len() - 1;
        let mut at = self.seed.hash(word) as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == word {
                return true;
            }
            if slot == 0 {
                break;
            }
            at = (at + 1) & mask;
        }
        if self.keys >= self.capacity {
            return false;
        }
        self.slots[at] = word;
        self.keys += 1;
        if crowded(self.keys, self.slots.len()) {
            self.grow();
        }
        true
    }

    #[inline(never)]
    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 2];
        let mask = larger.len() - 1;
        for word in std::mem::replace(&mut self.slots, larger) {
            if word != 0 {
                let mut at = self.seed.hash(word) as usize & mask;
                while self.slots[at] != 0 {
                    at = (at + 1) & mask;
                }
                self.slots[at] = word;
            }
        }
    }

    /// All words, in no order.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().copied().filter(|&word| word != 0).chain(self.zero.then_some(0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_are_those_of_a_plain_map(lines in prop::collection::vec((1_u64..2_000, 1_u64..9, 0_u32..5), 0..3_000)) {
            let mut counts = Counts::new(Seed::random(), usize::MAX);
            let mut expected: HashMap<u64, (u64, u32, u32)> = HashMap::new();
            for (key, packets, seconds) in lines {
                prop_assert!(counts.add(key, &Count::new(packets, packets * 60, seconds)));
                let entry = expected.entry(key).or_insert((0, 0, 0));
                entry.0 += packets;
                if seconds != 0 {
                    entry.1 = if entry.1 == 0 { seconds } else { entry.1.min(seconds) };
                    entry.2 = entry.2.max(seconds);
                }
            }
            prop_assert_eq!(expected.len(), counts.len());
            for (key, count) in counts.iter() {
                let (packets, first, last) = expected[&key];
                prop_assert_eq!((packets, packets * 60, first, last), (count.packets, count.bytes, count.first(), count.last()));
            }
        }

        #[test]
        fn numbers_and_words_are_those_of_a_plain_set(words in prop::collection::vec(0_u64..1_500, 0..3_000)) {
            let mut numbers = Numbers::new(Seed::random(), usize::MAX);
            let mut set = Words::new(Seed::random(), usize::MAX);
            for &word in &words {
                let wide = u128::from(word) << 64 | 7;
                let number = numbers.number(wide);
                prop_assert_eq!(Some(wide), number.map(|number| numbers.word(number)));
                prop_assert_eq!(number, numbers.number(wide));
                prop_assert!(set.insert(word));
            }
            let expected: HashSet<u64> = words.into_iter().collect();
            prop_assert_eq!(expected, set.iter().collect::<HashSet<u64>>());
        }
    }

    #[test]
    fn a_full_table_refuses_new_keys_and_counts_the_old_ones() {
        let mut counts = Counts::new(Seed::random(), 1_000);
        let one = Count::new(1, 60, 0);
        for key in 1..=5_000 {
            assert_eq!(key <= 1_000, counts.add(key, &one));
        }
        assert!(counts.add(1_000, &one));
        assert_eq!(1_000, counts.len());
        let mut numbers = Numbers::new(Seed::random(), 2);
        assert_eq!(
            [Some(0), Some(1), None, Some(1)],
            [5, 6, 7, 6].map(|word| numbers.number(word))
        );
        let mut set = Words::new(Seed::random(), 2);
        assert_eq!([true, true, false, true, true], [5, 6, 7, 6, 0].map(|word| set.insert(word)));
    }
}
