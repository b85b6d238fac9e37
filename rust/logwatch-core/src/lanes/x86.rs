//! The lanes of AVX2.
//!
//! The only file with `unsafe`: each block asks for instructions that were found at run time, or
//! loads what a reference has.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T0, _mm_add_epi8, _mm_add_epi64, _mm_and_si128, _mm_cmpeq_epi8,
    _mm_cvtsi32_si128, _mm_cvtsi128_si64, _mm_extract_epi64, _mm_loadu_si128, _mm_maddubs_epi16,
    _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_packus_epi16, _mm_prefetch, _mm_set1_epi8,
    _mm_set1_epi16, _mm_setr_epi8, _mm_shuffle_epi8, _mm_sub_epi8, _mm256_add_epi8,
    _mm256_add_epi64, _mm256_and_si256, _mm256_andnot_si256, _mm256_castsi256_si128,
    _mm256_cmpeq_epi8, _mm256_cmpgt_epi32, _mm256_cmpgt_epi64, _mm256_cvtepu8_epi64,
    _mm256_extract_epi32, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_mul_epu32, _mm256_or_si256,
    _mm256_permutevar8x32_epi32, _mm256_sad_epu8, _mm256_set_m128i, _mm256_set1_epi8,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi32,
    _mm256_setr_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_sllv_epi64,
    _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi8, _mm256_sub_epi64, _mm256_testz_si256,
    _mm256_xor_si256,
};

use super::{LEAST, Lanes, Numbers, Pairs, Ranges, Work};

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

/// Tells that the processor has all that [`Avx2`] asks for; made only where that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detected(());

impl Detected {
    pub(super) fn new() -> Option<Self> {
        let is_there = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        is_there.then_some(Self(()))
    }

    #[allow(clippy::unused_self)] // having one is the proof
    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: a `Detected` is made only where all these instructions have been found.
        unsafe { with_avx2(work) }
    }
}

/// Asks the processor to have `place` at hand soon; there need not be anything.
#[inline(always)]
pub(super) fn prefetch<T>(place: *const T) {
    // SAFETY: SSE is part of x86-64, and a prefetch reads nothing that the program sees.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
}

/// Thirty-two bytes at once. Made only inside [`with_avx2`].
#[derive(Clone, Copy)]
struct Avx2(());

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run(Avx2(()))
}

impl Lanes for Avx2 {
    #[inline(always)]
    fn equal(self, block: &[u8; 64], wanted: u8) -> u64 {
        // SAFETY: an `Avx2` exists only where there are these instructions.
        unsafe { equal_by_avx2(block, wanted) }
    }

    #[inline(always)]
    fn same(self, block: &[u8; 64], other: &[u8; 64]) -> u64 {
        // SAFETY: the same.
        unsafe { same_by_avx2(block, other) }
    }

    #[inline(always)]
    fn blank(self, block: &[u8; 64]) -> u64 {
        // SAFETY: the same.
        unsafe { blank_by_avx2(block) }
    }

    #[inline(always)]
    fn survey(self, blocks: &[[u8; 64]], behind: &[[u8; 64]], pairs: &Pairs) -> (u64, bool) {
        // SAFETY: the same.
        unsafe { survey_by_avx2(blocks, behind, pairs) }
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
fn same_by_avx2(block: &[u8; 64], other: &[u8; 64]) -> u64 {
    let ([low, high], [other_low, other_high]) = (halves(block), halves(other));
    mask_of([_mm256_cmpeq_epi8(low, other_low), _mm256_cmpeq_epi8(high, other_high)])
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
fn survey_by_avx2(blocks: &[[u8; 64]], behind: &[[u8; 64]], pairs: &Pairs) -> (u64, bool) {
    let zeros = _mm256_set1_epi8(0);
    let feed = _mm256_set1_epi8(b'\n'.cast_signed());
    // SAFETY: the table has the 16 bytes that are loaded, at any alignment.
    let first = unsafe { _mm_loadu_si128(pairs.first.as_ptr().cast()) };
    let first = _mm256_set_m128i(first, first);
    let mut feeds = [zeros; 2];
    let mut found = zeros;
    for (block, behind) in blocks.iter().zip(behind) {
        let (bytes, others) = (halves(block), halves(behind));
        for half in 0..2 {
            feeds[half] = _mm256_sub_epi8(feeds[half], _mm256_cmpeq_epi8(bytes[half], feed));
            // Which byte would make a pair with the other one is looked up by its lowest bits.
            let wanted = _mm256_shuffle_epi8(first, others[half]);
            found = _mm256_or_si256(found, _mm256_cmpeq_epi8(bytes[half], wanted));
        }
    }
    let sums = _mm256_add_epi64(_mm256_sad_epu8(feeds[0], zeros), _mm256_sad_epu8(feeds[1], zeros));
    let [low, high] = [_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)];
    let sums = _mm_add_epi64(low, high);
    let count = _mm_cvtsi128_si64(sums) + _mm_extract_epi64(sums, 1);
    (count.cast_unsigned(), _mm256_movemask_epi8(found) != 0)
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
    let within =
        _mm256_and_si256(above(bytes[0], lowest[0], span[0]), above(bytes[1], lowest[1], span[1]));
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
    let (high, high_is_right) = four_groups(text[..19].first_chunk()?, text[3..19].first_chunk()?);
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
