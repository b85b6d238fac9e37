//! Finds the place of a key: open addressing with removal, from the key's hash to a number.
//!
//! Whoever has the keys says whether a number is the right one.

/// Entries of a new index.
const FIRST_ENTRIES: usize = 1 << 10;

/// Numbers by hashes.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The upper half of the hash, then the number plus one; 0 is free. At most half are taken.
    entries: Vec<u64>,
    count: usize,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { entries: vec![0; FIRST_ENTRIES], count: 0 }
    }

    /// Where a hash's entry is looked for first.
    #[inline]
    pub(super) fn home(&self, hash: u64) -> &u64 {
        &self.entries[(hash >> 32) as usize & (self.entries.len() - 1)]
    }

    /// The number with this hash for which `is` says yes.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<usize> {
        self.place(hash, is).map(|at| self.number(at))
    }

    #[inline]
    fn place(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.entries.len() - 1;
        let mut at = (hash >> 32) as usize & mask;
        while self.entries[at] != 0 {
            if self.entries[at] >> 32 == hash >> 32 && is(self.number(at)) {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
        None
    }

    fn number(&self, at: usize) -> usize {
        (self.entries[at] as u32 - 1) as usize
    }

    /// Puts a number in that is not there, below 2^32 - 1.
    pub(super) fn insert(&mut self, hash: u64, number: usize) {
        if (self.count + 1) * 2 > self.entries.len() {
            let larger = vec![0; self.entries.len() * 2];
            for entry in std::mem::replace(&mut self.entries, larger) {
                if entry != 0 {
                    self.put(entry);
                }
            }
        }
        self.put(hash & !u64::from(u32::MAX) | (number as u64 + 1));
        self.count += 1;
    }

    fn put(&mut self, entry: u64) {
        let mask = self.entries.len() - 1;
        let mut at = (entry >> 32) as usize & mask;
        while self.entries[at] != 0 {
            at = (at + 1) & mask;
        }
        self.entries[at] = entry;
    }

    /// Takes a number out.
    pub(super) fn remove(&mut self, hash: u64, number: usize) {
        let Some(mut gap) = self.place(hash, |found| found == number) else { return };
        let mask = self.entries.len() - 1;
        let mut at = gap;
        // Whatever came behind it for want of this place moves up.
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry == 0 {
                break;
            }
            let home = (entry >> 32) as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.entries[gap] = entry;
                gap = at;
            }
        }
        self.entries[gap] = 0;
        self.count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_index_finds_like_a_plain_map(
            steps in prop::collection::vec((0_u64..40, any::<bool>()), 0..300),
            alike in 0_u32..4,
        ) {
            let mut index = Index::new();
            let mut map = HashMap::new();
            // Neighbouring homes, at the end of the table as well, and hashes that are the same.
            let hash = |key: u64| ((key >> alike) + FIRST_ENTRIES as u64 - 9) << 32;
            for (key, is_in) in steps {
                let number = key as usize;
                if is_in && !map.contains_key(&key) {
                    index.insert(hash(key), number);
                    map.insert(key, number);
                } else if !is_in {
                    index.remove(hash(key), number);
                    map.remove(&key);
                }
                for key in 0..40 {
                    let found = index.find(hash(key), |number| number == key as usize);
                    prop_assert_eq!(map.get(&key), found.as_ref());
                }
            }
        }
    }

    #[test]
    fn an_index_grows() {
        let mut index = Index::new();
        let hash = |number: usize| (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for number in 0..5_000 {
            index.insert(hash(number), number);
        }
        for number in 0..5_000 {
            assert_eq!(Some(number), index.find(hash(number), |found| found == number));
        }
        assert_eq!(None, index.find(hash(5_000), |found| found == 5_000));
    }
}
