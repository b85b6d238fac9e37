//! Who wants a place, with the packets it has sent; who was not seen for longest is forgotten.
//!
//! A candidate is known by 64 bits of its key's seeded hash, so that all of them stay in the
//! processor's cache. Of two with the same hash, which nobody outside can find, one is admitted
//! early.

use hashbrown::HashTable;
use lru_slab::LruSlab;

struct Candidate {
    hash: u64,
    packets: u8,
}

/// The candidates of one family.
pub struct Candidates {
    /// At least one.
    most: usize,
    /// The latest seen first.
    slots: LruSlab<Candidate>,
    /// Every slot in use.
    by_hash: HashTable<u32>,
}

impl Candidates {
    /// Nobody yet; room for `most`, which is taken as they come.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), slots: LruSlab::new(), by_hash: HashTable::new() }
    }

    /// Packets of a candidate, 0 for others.
    pub fn packets(&self, hash: u64) -> u8 {
        self.find(hash).map_or(0, |slot| self.slots.peek(slot).packets)
    }

    /// Sees a candidate, which has sent so many packets.
    pub fn put(&mut self, hash: u64, packets: u8) {
        if let Some(slot) = self.find(hash) {
            self.slots.get_mut(slot).packets = packets;
            return;
        }
        if self.by_hash.len() == self.most
            && let Some(oldest) = self.slots.lru()
        {
            self.free(oldest);
        }
        let slot = self.slots.insert(Candidate { hash, packets });
        let slots = &self.slots;
        self.by_hash.insert_unique(hash, slot, |&slot| slots.peek(slot).hash);
    }

    /// Forgets a candidate, if it is one.
    pub fn remove(&mut self, hash: u64) {
        if let Some(slot) = self.find(hash) {
            self.free(slot);
        }
    }

    fn find(&self, hash: u64) -> Option<u32> {
        self.by_hash.find(hash, |&slot| self.slots.peek(slot).hash == hash).copied()
    }

    fn free(&mut self, slot: u32) {
        let hash = self.slots.remove(slot).hash;
        if let Ok(entry) = self.by_hash.find_entry(hash, |&known| known == slot) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_not_seen_for_longest_is_forgotten() {
        let mut candidates = Candidates::new(3);
        for hash in [1, 2, 3, 1, 4] {
            candidates.put(hash, candidates.packets(hash) + 1);
        }
        assert_eq!([2, 0, 1, 1], [1, 2, 3, 4].map(|hash| candidates.packets(hash)));
        candidates.remove(3);
        candidates.remove(9);
        candidates.put(5, 7);
        assert_eq!([2, 0, 1, 7], [1, 3, 4, 5].map(|hash| candidates.packets(hash)));
    }
}
