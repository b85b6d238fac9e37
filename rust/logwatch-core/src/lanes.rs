//! Sixty-four bytes looked at at once, by whatever the processor offers.
//!
//! The only file with `unsafe`: each block asks for instructions that [`Level`] has found at run
//! time. [`Plain`] does the same with nothing but words, runs everywhere, and is what the tests hold
//! the others against.

#![allow(unsafe_code)]

use crate::address;

/// Looks at blocks of bytes; bit `i` of a mask stands for byte `i`.
pub trait Lanes: Copy {
    /// Which bytes are `wanted`.
    fn equal(self, block: &[u8; 64], wanted: u8) -> u64;

    /// Which bytes are spaces or control characters: at most 0x20.
    fn blank(self, block: &[u8; 64]) -> u64;

    /// Which bytes are decimal digits.
    fn digits(self, block: &[u8; 64]) -> u64;

    /// Whether each byte is at least its lowest, and above it by no more than its span.
    fn within(self, block: &[u8; 64], ranges: &Ranges) -> bool;

    /// The decimal numbers at the starts of eight texts; `None` when one of them has no digit or
    /// more than seven, another byte among them, a leading zero, or is above its `most`.
    fn numbers(self, numbers: Numbers, most: &[u64; 8]) -> Option<[u64; 8]>;

    /// The addresses that `%pI4` prints at the starts of two texts, each with its length from 7
    /// to 15.
    fn v4(self, one: (&[u8; 16], usize), other: (&[u8; 16], usize)) -> Option<(u32, u32)>;

    /// The address that `%pI6` prints as the first 39 bytes.
    fn v6(self, text: &[u8; 64]) -> Option<u128>;
}

/// What each byte of a block may be.
#[derive(Clone, Copy, Debug)]
pub struct Ranges {
    lowest: [u8; 64],
    span: [u8; 64],
}

impl Ranges {
    /// Any bytes.
    pub const ANY: Self = Self { lowest: [0; 64], span: [u8::MAX; 64] };

    /// The same, but for a byte that may be from `lowest` to `highest` only.
    #[must_use]
    pub const fn with(mut self, place: usize, lowest: u8, highest: u8) -> Self {
        self.lowest[place] = lowest;
        self.span[place] = highest - lowest;
        self
    }

    /// The same, but for a text at the start.
    #[must_use]
    pub const fn with_text(mut self, text: &[u8]) -> Self {
        let mut place = 0;
        while place < text.len() {
            self = self.with(place, text[place], text[place]);
            place += 1;
        }
        self
    }
}

/// Eight texts that start with a number.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Eight bytes from each text's start, the first one lowest.
    pub words: [u64; 8],
    /// How many of them are the number.
    pub lengths: [u64; 8],
}

impl Numbers {
    /// Eight times the number 0.
    pub const ZEROS: Self = Self { words: [b'0' as u64; 8], lengths: [1; 8] };

    /// Puts a number in its place.
    #[inline(always)]
    pub fn set(&mut self, place: usize, word: u64, length: usize) {
        self.words[place] = word;
        self.lengths[place] = length as u64;
    }

    /// The lengths in a byte each. One that is no length at all makes others too large as well.
    #[inline(always)]
    fn packed_lengths(&self) -> u64 {
        let lengths = self.lengths;
        let two = |at: usize| lengths[at] | lengths[at + 1] << 8;
        (two(0) | two(2) << 16) | (two(4) | two(6) << 16) << 32
    }
}

/// The least number with so many digits and no leading zero; none has no digit.
const LEAST: [u64; 8] = [i32::MAX as u64, 0, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/// Work that is done with the best lanes there are.
pub trait Work {
    /// What it gives.
    type Output;

    /// Does it. Has to be `#[inline(always)]`, or it is compiled for the oldest processor.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// The instructions that the processor has; only what was found there can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Level {
    /// All that this processor has, the fastest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
        {
            levels.push(Self(Instructions::Avx2));
        }
        levels.push(Self(Instructions::Plain));
        levels
    }

    /// The fastest.
    #[must_use]
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Does the work.
    pub fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Instructions::Plain => work.run(Plain),
            // SAFETY: such a level is made only where all these instructions have been found.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { x86::with_avx2(work) },
        }
    }
}

/// Asks the processor to have `place` at hand soon.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch reads nothing that the program sees.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _: &T = place;
}

/// Words of eight bytes, on any processor.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

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
    fn blank(self, block: &[u8; 64]) -> u64 {
        Self::mask(block, |word| !(((word & !HIGHS) + ONES * (0x7F - 0x20)) | word))
    }

    #[inline(always)]
    fn digits(self, block: &[u8; 64]) -> u64 {
        Self::mask(block, |word| {
            let digits = word ^ (ONES * u64::from(b'0'));
            !(((digits & !HIGHS) + ONES * (0x7F - 9)) | digits)
        })
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

/// How the digits of an IPv4 address lie in its text.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Pattern {
    /// Where each octet's hundreds, tens and ones are, after a byte of nothing; 0x80 for none.
    places: [u8; 16],
    /// The least value of an octet with so many digits, or it has a leading zero.
    least: [u32; 4],
    /// Bits of the three dots and of the end; 0 where there is no such pattern.
    ends: u32,
}

impl Pattern {
    const BITS: u32 = 8;
    /// Sends each of the 81 patterns to a place of its own; found by trying.
    const FACTOR: u32 = 0xA9A2_122D;

    #[inline(always)]
    const fn place(ends: u32) -> usize {
        (ends.wrapping_mul(Self::FACTOR) >> (32 - Self::BITS)) as usize
    }
}

static PATTERNS: [Pattern; 1 << Pattern::BITS] = {
    let none = Pattern { places: [0x80; 16], least: [0; 4], ends: 0 };
    let mut patterns = [none; 1 << Pattern::BITS];
    let mut number = 0;
    while number < 81 {
        let widths = [number / 27 + 1, number / 9 % 3 + 1, number / 3 % 3 + 1, number % 3 + 1];
        let mut pattern = none;
        let mut end = 0;
        let mut octet = 0;
        while octet < 4 {
            let width = widths[octet];
            end += width;
            let mut digit = 0;
            while digit < width {
                pattern.places[octet * 4 + 3 - digit] = (end - 1 - digit) as u8;
                digit += 1;
            }
            pattern.least[octet] = [0, 0, 10, 100][width];
            pattern.ends |= 1 << end;
            end += 1;
            octet += 1;
        }
        patterns[Pattern::place(pattern.ends)] = pattern;
        number += 1;
    }
    patterns
};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi8, _mm_and_si128, _mm_cmpeq_epi8, _mm_cvtsi32_si128,
        _mm_cvtsi128_si64, _mm_loadu_si128, _mm_maddubs_epi16, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_packus_epi16, _mm_set1_epi8, _mm_set1_epi16, _mm_setr_epi8,
        _mm_shuffle_epi8, _mm_sub_epi8, _mm256_add_epi8, _mm256_add_epi64, _mm256_and_si256,
        _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi32, _mm256_cmpgt_epi64,
        _mm256_cvtepu8_epi64, _mm256_extract_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_mul_epu32,
        _mm256_or_si256, _mm256_permutevar8x32_epi32, _mm256_set_m128i, _mm256_set1_epi8,
        _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi32,
        _mm256_setr_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_sllv_epi64,
        _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi8, _mm256_sub_epi64,
        _mm256_testz_si256, _mm256_xor_si256,
    };

    use super::{LEAST, Lanes, Numbers, PATTERNS, Pattern, Ranges, Work};

    /// Thirty-two bytes at once. Made only inside [`with_avx2`].
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(());

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn with_avx2<W: Work>(work: W) -> W::Output {
        work.run(Avx2(()))
    }

    impl Lanes for Avx2 {
        #[inline(always)]
        fn equal(self, block: &[u8; 64], wanted: u8) -> u64 {
            // SAFETY: an `Avx2` exists only where there are these instructions.
            unsafe { equal_by_avx2(block, wanted) }
        }

        #[inline(always)]
        fn blank(self, block: &[u8; 64]) -> u64 {
            // SAFETY: the same.
            unsafe { blank_by_avx2(block) }
        }

        #[inline(always)]
        fn digits(self, block: &[u8; 64]) -> u64 {
            // SAFETY: the same.
            unsafe { digits_by_avx2(block) }
        }

        #[inline(always)]
        fn within(self, block: &[u8; 64], ranges: &Ranges) -> bool {
            // SAFETY: the same.
            unsafe { within_by_avx2(block, ranges) }
        }

        #[inline(always)]
        fn numbers(self, numbers: Numbers, most: &[u64; 8]) -> Option<[u64; 8]> {
            // SAFETY: the same.
            unsafe { numbers_by_avx2(numbers, most) }
        }

        #[inline(always)]
        fn v4(self, one: (&[u8; 16], usize), other: (&[u8; 16], usize)) -> Option<(u32, u32)> {
            // SAFETY: the same.
            unsafe { v4(one, other) }
        }

        #[inline(always)]
        fn v6(self, text: &[u8; 64]) -> Option<u128> {
            // SAFETY: the same.
            unsafe { v6(text, equal_by_avx2(text, b':')) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn halves(block: &[u8; 64]) -> [__m256i; 2] {
        let (halves, _) = block.as_chunks::<32>();
        // SAFETY: each half has the 32 bytes that are loaded, at any alignment.
        [0, 1].map(|half| unsafe { _mm256_loadu_si256(halves[half].as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask_of([low, high]: [__m256i; 2]) -> u64 {
        let low = _mm256_movemask_epi8(low).cast_unsigned();
        let high = _mm256_movemask_epi8(high).cast_unsigned();
        u64::from(high) << 32 | u64::from(low)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn equal_by_avx2(block: &[u8; 64], wanted: u8) -> u64 {
        let wanted = _mm256_set1_epi8(wanted.cast_signed());
        let [low, high] = halves(block);
        mask_of([_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted)])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn at_most([low, high]: [__m256i; 2], most: u8) -> u64 {
        let most = _mm256_set1_epi8(most.cast_signed());
        mask_of([
            _mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low),
            _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high),
        ])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn blank_by_avx2(block: &[u8; 64]) -> u64 {
        at_most(halves(block), 0x20)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn digits_by_avx2(block: &[u8; 64]) -> u64 {
        let less = _mm256_set1_epi8(b'0'.wrapping_neg().cast_signed());
        let [low, high] = halves(block);
        at_most([_mm256_add_epi8(low, less), _mm256_add_epi8(high, less)], 9)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn within_by_avx2(block: &[u8; 64], ranges: &Ranges) -> bool {
        let above = |bytes, lowest, span| {
            let above = _mm256_sub_epi8(bytes, lowest);
            _mm256_cmpeq_epi8(_mm256_min_epu8(above, span), above)
        };
        let (bytes, lowest) = (halves(block), halves(&ranges.lowest));
        let span = halves(&ranges.span);
        let within = _mm256_and_si256(
            above(bytes[0], lowest[0], span[0]),
            above(bytes[1], lowest[1], span[1]),
        );
        _mm256_movemask_epi8(within) == -1
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn four(words: &[u64; 8], half: usize) -> __m256i {
        let words: &[u64; 4] = &words.as_chunks().0[half];
        // SAFETY: four words of eight bytes are the 32 bytes that are loaded.
        unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn numbers_by_avx2(numbers: Numbers, most: &[u64; 8]) -> Option<[u64; 8]> {
        let (words, _) = numbers.words.as_chunks::<4>();
        let mut result = [0; 8];
        for (half, values) in result.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let lengths = (numbers.packed_lengths() >> (32 * half)) as i32;
            let lengths = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(lengths));
            let shifts = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64::<3>(lengths));
            let less = _mm256_set1_epi8(b'0'.wrapping_neg().cast_signed());
            let [a, b, c, d] = words[half].map(u64::cast_signed);
            let text = _mm256_add_epi8(_mm256_setr_epi64x(a, b, c, d), less);
            let digits = _mm256_sllv_epi64(text, shifts);
            let pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
            let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_0064));
            let sums = _mm256_add_epi64(
                _mm256_mul_epu32(fours, _mm256_set1_epi64x(10_000)),
                _mm256_srli_epi64::<32>(fours),
            );
            // Looked up by the low half of each length; no number needs the high one.
            let low = LEAST.map(|least| least as i32);
            let table =
                _mm256_setr_epi32(low[0], low[1], low[2], low[3], low[4], low[5], low[6], low[7]);
            let least = _mm256_permutevar8x32_epi32(table, lengths);
            let nine = _mm256_set1_epi8(9);
            let in_range = _mm256_cmpeq_epi8(_mm256_min_epu8(digits, nine), digits);
            let low_halves = _mm256_set1_epi64x(0xFFFF_FFFF);
            let wrong = _mm256_or_si256(
                _mm256_and_si256(_mm256_cmpgt_epi32(least, sums), low_halves),
                _mm256_cmpgt_epi64(sums, four(most, half)),
            );
            let wrong = _mm256_or_si256(wrong, _mm256_andnot_si256(_mm256_set1_epi64x(7), lengths));
            let wrong = _mm256_or_si256(wrong, _mm256_andnot_si256(in_range, _mm256_set1_epi8(-1)));
            if _mm256_testz_si256(wrong, wrong) == 0 {
                return None;
            }
            // SAFETY: four words of eight bytes are the 32 bytes that are stored.
            unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), sums) };
        }
        Some(result)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sixteen(text: &[u8; 16]) -> __m128i {
        // SAFETY: the text has the 16 bytes that are loaded, at any alignment.
        unsafe { _mm_loadu_si128(text.as_ptr().cast()) }
    }

    /// The digits are brought to one place by the pattern of the dots, then all eight octets are
    /// added up and compared at once.
    #[inline]
    #[target_feature(enable = "avx2,bmi2")]
    fn v4(one: (&[u8; 16], usize), other: (&[u8; 16], usize)) -> Option<(u32, u32)> {
        let text = _mm256_set_m128i(sixteen(other.0), sixteen(one.0));
        let dots = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(b'.'.cast_signed()));
        let dots = _mm256_movemask_epi8(dots).cast_unsigned();
        let (first, second) = (ends(dots, one.1), ends(dots >> 16, other.1));
        let (low, high) = (&PATTERNS[Pattern::place(first)], &PATTERNS[Pattern::place(second)]);
        if low.ends != first || high.ends != second {
            return None;
        }
        let digits = _mm256_sub_epi8(text, _mm256_set1_epi8(b'0'.cast_signed()));
        let places = _mm256_set_m128i(sixteen(&high.places), sixteen(&low.places));
        let digits = _mm256_shuffle_epi8(digits, places);
        let factors = _mm256_set1_epi32(i32::from_le_bytes([0, 100, 10, 1]));
        let sums = _mm256_maddubs_epi16(digits, factors);
        let octets = _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
        let least = _mm256_set_m128i(four_words(&high.least), four_words(&low.least));
        let all = _mm256_set1_epi8(-1);
        let nine = _mm256_set1_epi8(9);
        let in_range = _mm256_cmpeq_epi8(_mm256_min_epu8(digits, nine), digits);
        let wrong = _mm256_or_si256(
            _mm256_cmpgt_epi32(octets, _mm256_set1_epi32(255)),
            _mm256_cmpgt_epi32(least, octets),
        );
        let wrong = _mm256_or_si256(wrong, _mm256_xor_si256(in_range, all));
        if _mm256_testz_si256(wrong, wrong) == 0 {
            return None;
        }
        let order = _mm256_set1_epi32(i32::from_le_bytes([12, 8, 4, 0]));
        let addresses = _mm256_shuffle_epi8(octets, order);
        let first = _mm256_extract_epi32::<0>(addresses).cast_unsigned();
        let second = _mm256_extract_epi32::<4>(addresses).cast_unsigned();
        Some((first, second))
    }

    /// Bits of an address's dots and of its end.
    #[inline]
    #[target_feature(enable = "avx2,bmi2")]
    fn ends(dots: u32, length: usize) -> u32 {
        let end = 1_u32 << (length & 31);
        dots & end.wrapping_sub(1) | end
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn four_words(words: &[u32; 4]) -> __m128i {
        // SAFETY: four words of four bytes are the 16 bytes that are loaded.
        unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
    }

    /// Bits of the seven colons.
    const COLONS: u64 = 0b100_0010_0001_0000_1000_0100_0010_0001_0000;

    #[inline]
    #[target_feature(enable = "avx2,bmi2")]
    fn v6(text: &[u8; 64], colons: u64) -> Option<u128> {
        if colons & ((1 << 39) - 1) != COLONS {
            return None;
        }
        let (high, high_is_right) =
            four_groups(text[..19].first_chunk()?, text[3..19].first_chunk()?);
        let (low, low_is_right) = four_groups(text[20..].first_chunk()?, text[23..].first_chunk()?);
        (high_is_right && low_is_right).then_some(u128::from(high) << 64 | u128::from(low))
    }

    /// Four groups of four hexadecimal digits with colons between them, 19 bytes: the first 16 and
    /// the last 16 of them.
    #[inline]
    #[target_feature(enable = "avx2,bmi2")]
    fn four_groups(first: &[u8; 16], last: &[u8; 16]) -> (u64, bool) {
        let three = _mm_setr_epi8(0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, -1, -1, -1, -1);
        let fourth = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 12, 13, 14, 15);
        let text = _mm_or_si128(
            _mm_shuffle_epi8(sixteen(first), three),
            _mm_shuffle_epi8(sixteen(last), fourth),
        );
        let is_digit = at_most_16(_mm_sub_epi8(text, _mm_set1_epi8(b'0'.cast_signed())), 9);
        let is_letter = at_most_16(_mm_sub_epi8(text, _mm_set1_epi8(b'a'.cast_signed())), 5);
        let is_right = _mm_movemask_epi8(_mm_or_si128(is_digit, is_letter)) == 0xFFFF;
        let nibbles = _mm_add_epi8(
            _mm_and_si128(text, _mm_set1_epi8(0xF)),
            _mm_and_si128(is_letter, _mm_set1_epi8(9)),
        );
        // Sixteen times the first of each two, and the second.
        let pairs = _mm_maddubs_epi16(nibbles, _mm_set1_epi16(0x0110));
        let bytes = _mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)).cast_unsigned();
        (bytes.swap_bytes(), is_right)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn at_most_16(bytes: __m128i, most: u8) -> __m128i {
        _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(most.cast_signed())), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What all lanes say of a block.
    #[derive(Debug, PartialEq)]
    struct Seen {
        equal: u64,
        blank: u64,
        digits: u64,
        within: bool,
        numbers: Option<[u64; 8]>,
        v4: Vec<Option<(u32, u32)>>,
        v6: Option<u128>,
    }

    struct Look<'a>(&'a [u8; 64], &'a [u8; 64]);

    const MOST: [u64; 8] = [9_999_999, 9_999_999, 255, 65_535, 65_535, 65_535, 65_535, 9_999_999];

    /// Eight texts of eight bytes, each with a number that ends at the first byte that is no digit.
    fn numbers(block: &[u8; 64]) -> Numbers {
        let mut numbers = Numbers::ZEROS;
        for (at, text) in block.as_chunks::<8>().0.iter().enumerate() {
            let length = text.iter().take_while(|byte| **byte > b' ').count();
            numbers.set(at, u64::from_le_bytes(*text), length);
        }
        numbers
    }

    impl Work for Look<'_> {
        type Output = Seen;

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Seen {
            Seen {
                equal: lanes.equal(self.0, b'='),
                blank: lanes.blank(self.0),
                digits: lanes.digits(self.0),
                within: lanes.within(self.0, &ranges(self.1)),
                numbers: lanes.numbers(numbers(self.0), &MOST),
                v4: (7..=15)
                    .flat_map(|length| {
                        let text = self.0.first_chunk().expect("64 bytes");
                        let usual = b"203.0.113.7     ";
                        [
                            lanes.v4((text, length), (usual, 11)),
                            lanes.v4((usual, 11), (text, length)),
                        ]
                    })
                    .collect(),
                v6: lanes.v6(self.0),
            }
        }
    }

    /// Ranges of a few bytes around those of a block.
    fn ranges(block: &[u8; 64]) -> Ranges {
        (0..64).fold(Ranges::ANY, |ranges, at| {
            ranges.with(at, block[at].saturating_sub(3), block[at].saturating_add(2))
        })
    }

    fn padded(text: &str) -> [u8; 64] {
        let mut block = [b' '; 64];
        block[..text.len()].copy_from_slice(text.as_bytes());
        block
    }

    fn look(block: &[u8; 64], other: &[u8; 64]) -> Vec<Seen> {
        Level::available().into_iter().map(|level| level.run(Look(block, other))).collect()
    }

    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![3 => any::<u8>(), 1 => Just(b'='), 2 => 0x1E_u8..0x3C, 1 => 0x5E_u8..0x69]
    }

    proptest! {
        #[test]
        fn all_lanes_see_what_a_look_at_each_byte_sees(
            block in prop::array::uniform32(byte()), rest in prop::array::uniform32(byte()),
            other in prop::array::uniform32(byte()),
        ) {
            let mut whole = [0; 64];
            whole[..32].copy_from_slice(&block);
            whole[32..].copy_from_slice(&rest);
            let second: [u8; 64] = std::array::from_fn(|at| whole[at].wrapping_add(other[at / 2] % 4).wrapping_sub(1));
            let mask = |meant: &dyn Fn(usize) -> bool| {
                (0..64).fold(0_u64, |mask, at| mask | u64::from(meant(at)) << at)
            };
            for seen in look(&whole, &second) {
                prop_assert_eq!(mask(&|at| whole[at] == b'='), seen.equal);
                prop_assert_eq!(mask(&|at| whole[at] <= b' '), seen.blank);
                prop_assert_eq!(mask(&|at| whole[at].is_ascii_digit()), seen.digits);
                let within = |at: usize| {
                    let (least, most) = (second[at].saturating_sub(3), second[at].saturating_add(2));
                    (least..=most).contains(&whole[at])
                };
                prop_assert_eq!((0..64).all(within), seen.within);
            }
        }

        #[test]
        fn all_lanes_read_the_same_numbers(
            texts in prop::array::uniform8(prop_oneof![
                20 => (0_u32..300).prop_map(|number| number.to_string()),
                3 => any::<u16>().prop_map(|number| number.to_string()),
                1 => "[0-9]{0,8}", 1 => "[0-9a/:]{0,8}",
            ]),
        ) {
            let mut block = [b' '; 64];
            let mut expected = Some([0; 8]);
            for (at, text) in texts.iter().enumerate() {
                block[at * 8..at * 8 + text.len()].copy_from_slice(text.as_bytes());
                let value = text.parse::<u64>().ok().filter(|value| {
                    value.to_string() == *text && *value <= MOST[at] && text.len() < 8
                });
                expected = expected.and_then(|mut values| {
                    values[at] = value?;
                    Some(values)
                });
            }
            for seen in look(&block, &block) {
                prop_assert_eq!(expected, seen.numbers);
            }
        }

        #[test]
        fn all_lanes_read_the_same_addresses(
            octets in prop::array::uniform4(prop_oneof!["[0-9]{1,3}", "[0-9a-f./:]{0,4}", (0_u8..=255).prop_map(|octet| octet.to_string())]),
            groups in prop::array::uniform8(prop_oneof![9 => "[0-9a-f]{4}", 1 => "[0-9a-gA-F:/ @`]{4}"]),
        ) {
            for text in [octets.join("."), groups.join(":")] {
                let block = padded(&text[..text.len().min(64)]);
                let seen = look(&block, &block);
                for (at, v4) in seen[0].v4.iter().enumerate() {
                    let bits = address::v4(&block[..at / 2 + 7]);
                    let usual = 0xCB00_7107;
                    let pair = if at % 2 == 0 { (bits, Some(usual)) } else { (Some(usual), bits) };
                    prop_assert_eq!(pair.0.zip(pair.1), *v4);
                }
                prop_assert_eq!(address::v6(&block[..39]), seen[0].v6);
                for other in &seen {
                    prop_assert_eq!(&seen[0], other);
                }
            }
        }
    }
}
