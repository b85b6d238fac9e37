//! Where the spaces of a text are: the ends of a line's fields, found sixteen bytes at a time.
//!
//! The kernel ends each field with one space, so that this index replaces a loop over the digits of
//! every number, whose length no processor can foresee.

/// Longest text that is indexed; a longer one has more than any usual line holds.
pub const TEXT_MOST: usize = 384;
/// Spaces that are indexed; a TCP line over Ethernet has up to 25.
pub const SPACES_MOST: usize = 48;

const WORDS: usize = TEXT_MOST / 64;
/// Spaces of 64 bytes written down at once, whether there are so many or not: one jump less that
/// can't be foreseen. Usual fields have five bytes or more with their space.
const AT_ONCE: usize = 12;

/// The places of the first spaces of a text.
pub struct Spaces {
    at: [u16; SPACES_MOST + 64],
    count: usize,
}

impl Spaces {
    /// Indexes `text`; `None` when it is too long or has too many.
    #[must_use]
    #[inline]
    pub fn of(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_MOST {
            return None;
        }
        let mut words = [0_u64; WORDS];
        let (whole, rest) = text.as_chunks::<64>();
        for (word, bytes) in words.iter_mut().zip(whole) {
            *word = mask_of_64(bytes);
        }
        if !rest.is_empty() {
            let mut bytes = [0; 64];
            bytes[..rest.len()].copy_from_slice(rest);
            words[whole.len()] = mask_of_64(&bytes);
        }
        let mut spaces = Self { at: [0; SPACES_MOST + 64], count: 0 };
        for (index, &word) in words[..text.len().div_ceil(64)].iter().enumerate() {
            let found = word.count_ones() as usize;
            let places = &mut spaces.at[spaces.count..spaces.count + 64];
            let base = index as u16 * 64;
            let mut rest = word;
            for place in &mut places[..AT_ONCE] {
                *place = base + rest.trailing_zeros() as u16;
                rest &= rest.wrapping_sub(1);
            }
            if found > AT_ONCE {
                for place in &mut places[AT_ONCE..found] {
                    *place = base + rest.trailing_zeros() as u16;
                    rest &= rest.wrapping_sub(1);
                }
            }
            spaces.count += found;
            if spaces.count > SPACES_MOST {
                return None;
            }
        }
        Some(spaces)
    }

    /// Where the space with this number is; the text's end and beyond have none.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<usize> {
        (index < self.count).then(|| usize::from(self.at[index]))
    }
}

/// Bit `i` tells whether byte `i` is a space.
#[inline]
fn mask_of_64(bytes: &[u8; 64]) -> u64 {
    let (blocks, _) = bytes.as_chunks::<16>();
    blocks.iter().rev().fold(0, |word, block| word << 16 | u64::from(mask(block, b' ')))
}

/// Bit `i` tells whether byte `i` is the wanted one.
#[cfg(target_arch = "x86_64")]
#[inline]
#[allow(unsafe_code)]
#[must_use]
pub fn mask(block: &[u8; 16], wanted: u8) -> u16 {
    // SAFETY: SSE2 is part of x86-64; there is no processor of this kind without it.
    unsafe { mask_by_sse2(block, wanted) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
fn mask_by_sse2(block: &[u8; 16], wanted: u8) -> u16 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let bits = u128::from_le_bytes(*block);
    let bytes = _mm_set_epi64x((bits >> 64) as i64, bits as i64);
    _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted.cast_signed()))).cast_unsigned()
        as u16
}

/// Bit `i` tells whether byte `i` is the wanted one.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
#[must_use]
pub fn mask(block: &[u8; 16], wanted: u8) -> u16 {
    block.iter().enumerate().fold(0, |mask, (at, &byte)| mask | u16::from(byte == wanted) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_index_is_that_of_a_plain_search(text in prop::collection::vec(prop_oneof![5 => 33_u8..127, 1 => Just(b' '), 1 => any::<u8>()], 0..400)) {
            let expected: Vec<usize> = (0..text.len()).filter(|&at| text[at] == b' ').collect();
            match Spaces::of(&text) {
                Some(spaces) => {
                    let found: Vec<usize> = (0..).map_while(|index| spaces.get(index)).collect();
                    prop_assert_eq!(expected, found);
                }
                None => prop_assert!(text.len() > TEXT_MOST || expected.len() > SPACES_MOST),
            }
        }
    }
}
