//! A seeded hash for keys that attackers choose.
//!
//! One folded multiplication a key. The seed is random per process, so that nobody outside can
//! choose addresses that collide.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A secret that makes a hash function of its own.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    mask: u64,
    /// Odd, so that no key is lost in the multiplication.
    factor: u64,
}

impl Seed {
    /// From the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        let state = RandomState::new();
        Self { mask: state.hash_one(1_u8), factor: state.hash_one(2_u8) | 1 }
    }

    /// The same in every run, for measurements: no protection against anybody.
    #[must_use]
    pub fn fixed(mask: u64, factor: u64) -> Self {
        Self { mask, factor: factor | 1 }
    }

    /// Hash of one word; all its bits depend on all of the key's.
    #[must_use]
    #[inline]
    pub fn hash(self, key: u64) -> u64 {
        fold(key ^ self.mask, self.factor)
    }

    /// Hash of two words.
    #[must_use]
    #[inline]
    pub fn hash_wide(self, key: u128) -> u64 {
        self.hash(self.hash((key >> 64) as u64).rotate_left(32) ^ key as u64)
    }
}

impl BuildHasher for Seed {
    type Hasher = SeededHasher;

    #[inline]
    fn build_hasher(&self) -> SeededHasher {
        SeededHasher { state: self.mask, factor: self.factor }
    }
}

/// Hashes bytes and numbers with a seed, eight bytes at a time.
#[derive(Clone, Copy, Debug)]
pub struct SeededHasher {
    state: u64,
    factor: u64,
}

impl Hasher for SeededHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.state = fold(self.state ^ word, self.factor);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}
