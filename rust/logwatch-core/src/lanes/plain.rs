//! Words of eight bytes: the lanes that every processor has.

use super::{LEAST, Lanes, Numbers, Pairs, Ranges};
use crate::address;

/// Words of eight bytes, on any processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES * 0x80;

impl Plain {
    /// A mask from a function that sets the high bit of each byte that is meant.
    #[inline(always)]
    fn mask(block: &[u8; 64], meant: impl Fn(u64) -> u64) -> u64 {
        let (words, _) = block.as_chunks::<8>();
        words.iter().rev().fold(0, |mask, word| {
            let highs = meant(u64::from_le_bytes(*word)) & HIGHS;
            // Each of the eight bits is moved to its place in the highest byte.
            mask << 8 | (highs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
        })
    }

    /// The high bit of each byte that is not zero, and of some others nothing.
    #[inline(always)]
    fn zeros(word: u64) -> u64 {
        !(((word & !HIGHS) + !HIGHS) | word)
    }
}

impl Lanes for Plain {
    #[inline(always)]
    fn equal(self, block: &[u8; 64], wanted: u8) -> u64 {
        Self::mask(block, |word| Self::zeros(word ^ (ONES * u64::from(wanted))))
    }

    #[inline(always)]
    fn same(self, block: &[u8; 64], other: &[u8; 64]) -> u64 {
        let (mut differences, (words, _)) = ([0; 64], other.as_chunks::<8>());
        for (at, (word, other)) in block.as_chunks::<8>().0.iter().zip(words).enumerate() {
            let difference = u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other);
            differences[at * 8..][..8].copy_from_slice(&difference.to_le_bytes());
        }
        Self::mask(&differences, Self::zeros)
    }

    #[inline(always)]
    fn blank(self, block: &[u8; 64]) -> u64 {
        Self::mask(block, |word| !(((word & !HIGHS) + ONES * (0x7F - 0x20)) | word))
    }

    #[inline(always)]
    fn survey(self, blocks: &[[u8; 64]], behind: &[[u8; 64]], pairs: &Pairs) -> (u64, bool) {
        let feeds = memchr::memchr_iter(b'\n', blocks.as_flattened()).count() as u64;
        let (words, _) = blocks.as_flattened().as_chunks::<8>();
        let (others, _) = behind.as_flattened().as_chunks::<8>();
        let mut found = 0;
        for (word, other) in words.iter().zip(others) {
            let (word, other) = (u64::from_le_bytes(*word), u64::from_le_bytes(*other));
            for (byte, behind) in pairs.exact {
                found |= Self::zeros(word ^ (ONES * u64::from(byte)))
                    & Self::zeros(other ^ (ONES * u64::from(behind)));
            }
        }
        (feeds, found & HIGHS != 0)
    }

    #[inline(always)]
    fn within(self, block: &[u8; 64], ranges: &Ranges) -> bool {
        (0..64).all(|at| block[at].wrapping_sub(ranges.lowest[at]) <= ranges.span[at])
    }

    #[inline(always)]
    fn numbers(self, numbers: Numbers, most: &[u64; 8]) -> Option<[u64; 8]> {
        let mut values = [0; 8];
        for (at, value) in values.iter_mut().enumerate() {
            let length = numbers.lengths[at] as usize;
            if length.wrapping_sub(1) >= 7 {
                return None;
            }
            let digits = (numbers.words[at] ^ (ONES * u64::from(b'0'))) << (64 - 8 * length);
            let strange = (((digits & !HIGHS) + ONES * (0x7F - 9)) | digits) & HIGHS;
            // Neighbouring digits, pairs and fours are added up by a multiplication each.
            let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF;
            let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
            *value = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
            if strange != 0 || *value < LEAST[length] || *value > most[at] {
                return None;
            }
        }
        Some(values)
    }

    #[inline(always)]
    fn v4(self, one: (&[u8; 16], usize), other: (&[u8; 16], usize)) -> Option<(u32, u32)> {
        Some((address::v4(&one.0[..one.1])?, address::v4(&other.0[..other.1])?))
    }

    #[inline(always)]
    fn v6(self, text: &[u8; 64]) -> Option<u128> {
        address::v6(&text[..39])
    }
}
