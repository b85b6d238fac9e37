//! Who wants a place, with the packets it has sent; who was not seen for long is forgotten.
//!
//! A cache of sets: a key's seeded hash chooses a set of eight, one line of the processor's cache,
//! in which the one not seen for longest is forgotten first. So a flood of new keys costs one
//! access to memory each. A candidate is known by 60 more bits of its hash; of two that share them,
//! which nobody outside can find, one is admitted early.

/// Candidates of a set: as many as a line of 64 bytes holds.
const WAYS: usize = 8;

/// Low bits of a candidate: the packets it has sent.
const PACKETS: u64 = 0xF;

/// The most packets that are told apart.
pub const MOST_PACKETS: u8 = PACKETS as u8;

/// Its candidates, the one seen last in front; 0 where there is none.
#[derive(Clone)]
#[repr(align(64))]
struct Set([u64; WAYS]);

/// The candidates of one family.
pub struct Candidates {
    sets: Vec<Set>,
}

impl Candidates {
    /// Nobody yet; room for about `most`, and for eight at least.
    pub fn new(most: usize) -> Self {
        Self { sets: vec![Set([0; WAYS]); most.div_ceil(WAYS).max(1)] }
    }

    /// Sees a candidate send packets, and returns how many it has sent, up to [`MOST_PACKETS`].
    pub fn see(&mut self, hash: u64, packets: u8) -> u8 {
        let tag = tag(hash);
        let set = self.set(hash);
        let found = set.iter().position(|&known| known & !PACKETS == tag);
        let before = found.map_or(0, |index| (set[index] & PACKETS) as u8);
        let packets = before.saturating_add(packets).min(MOST_PACKETS);
        set.copy_within(..found.unwrap_or(WAYS - 1), 1);
        set[0] = tag | u64::from(packets);
        packets
    }

    /// Forgets a candidate, if it is one.
    pub fn remove(&mut self, hash: u64) {
        let tag = tag(hash);
        let set = self.set(hash);
        if let Some(index) = set.iter().position(|&known| known & !PACKETS == tag) {
            set.copy_within(index + 1.., index);
            set[WAYS - 1] = 0;
        }
    }

    fn set(&mut self, hash: u64) -> &mut [u64; WAYS] {
        let index = (u128::from(hash) * self.sets.len() as u128) >> 64;
        &mut self.sets[index as usize].0
    }
}

/// The bits that a candidate is known by; never 0, which stands for nobody.
fn tag(hash: u64) -> u64 {
    (hash << 4).max(PACKETS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_set_the_one_not_seen_for_longest_is_forgotten() {
        let mut candidates = Candidates::new(WAYS);
        for hash in (1..=8).chain([1, 9]) {
            candidates.see(hash, 1);
        }
        assert_eq!([3, 1, 2], [1, 2, 9].map(|hash| candidates.see(hash, 1)));
    }

    #[test]
    fn who_is_removed_is_a_candidate_no_more_and_makes_room() {
        let mut candidates = Candidates::new(WAYS);
        for hash in 1..=8 {
            candidates.see(hash, 2);
        }
        candidates.remove(5);
        candidates.remove(50);
        candidates.see(9, 1);
        assert_eq!([4, 4, 3], [1, 8, 9].map(|hash| candidates.see(hash, 2)));
        assert_eq!(1, candidates.see(5, 1));
    }

    #[test]
    fn more_packets_than_are_told_apart_are_the_most() {
        let mut candidates = Candidates::new(0);
        candidates.see(0, MOST_PACKETS);
        assert_eq!([MOST_PACKETS, 1], [candidates.see(0, u8::MAX), candidates.see(2, 1)]);
    }

    #[test]
    fn the_same_low_bits_in_another_set_are_another_candidate() {
        let mut candidates = Candidates::new(2 * WAYS);
        candidates.see(7, 3);
        assert_eq!(1, candidates.see(7 | 1 << 63, 1));
    }
}
