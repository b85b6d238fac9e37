//! A seeded hash for keys that attackers choose.
//!
//! One folded multiplication a key. The seed is random per process, so that nobody outside can
//! choose addresses that collide.

use std::hash::{BuildHasher, RandomState};

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

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}
