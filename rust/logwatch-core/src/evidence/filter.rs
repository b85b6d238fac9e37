//! Remembers roughly the last one to two million keys: a Bloom filter in two generations.
//!
//! It may take a new key for a known one, never the reverse. It costs 2 MiB, and nothing before its
//! first use. Both bits of a key lie in one word, beside that of the generation before: one look at
//! memory a key.

use crate::lanes;

/// Words of a generation: 8 million bits.
const WORDS: usize = 1 << 17;
/// With eight bits a key, two of them set, a full generation takes 6 % of new keys for known.
const KEYS_MOST: usize = 1 << 20;

#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// This generation's word and the one before it.
    words: Vec<[u64; 2]>,
    keys: usize,
}

impl Filter {
    /// Asks for what [`Self::seen`] will look at.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(word) = self.words.get(hash as usize % WORDS) {
            lanes::prefetch(word);
        }
    }

    /// Whether a key's hash was asked for before; from now on it was.
    pub(super) fn seen(&mut self, hash: u64) -> bool {
        if self.words.is_empty() {
            self.words = vec![[0; 2]; WORDS];
        }
        let bits = 1 << (hash >> 58) | 1 << (hash >> 52 & 63);
        let [current, previous] = &mut self.words[hash as usize % WORDS];
        if *current & bits == bits {
            return true;
        }
        let known = *previous & bits == bits;
        *current |= bits;
        self.keys += 1;
        if self.keys >= KEYS_MOST {
            self.keys = 0;
            for word in &mut self.words {
                *word = [0, word[0]];
            }
        }
        known
    }
}
