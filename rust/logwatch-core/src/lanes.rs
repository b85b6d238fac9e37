//! Sixty-four bytes looked at at once, by whatever the processor offers.
//!
//! [`Plain`] needs nothing but words, runs everywhere, and is what the tests hold the others against.

mod plain;
#[cfg(target_arch = "x86_64")]
mod x86;

use plain::Plain;

/// Bytes that the processor fetches at once.
#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;

/// Looks at blocks of bytes; bit `i` of a mask stands for byte `i`.
pub trait Lanes: Copy {
    /// Which bytes are `wanted`.
    fn equal(self, block: &[u8; 64], wanted: u8) -> u64;

    /// Which bytes are those of another block.
    fn same(self, block: &[u8; 64], other: &[u8; 64]) -> u64;

    /// Which bytes are spaces or control characters: at most 0x20.
    fn blank(self, block: &[u8; 64]) -> u64;

    /// Counts the line feeds in fewer than 256 blocks, and tells whether one of the pairs is there: its
    /// first byte in a block of `blocks`, the other one at the same place in that of `behind`. Some
    /// other bytes may be taken for a pair, but no pair is missed.
    fn survey(self, blocks: &[[u8; 64]], behind: &[[u8; 64]], pairs: &Pairs) -> (u64, bool);

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

    /// From now on the byte at `place` may be from `lowest` to `highest` only.
    pub const fn set(&mut self, place: usize, lowest: u8, highest: u8) {
        self.lowest[place] = lowest;
        self.span[place] = highest - lowest;
    }
}

/// Pairs of bytes that are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Pairs {
    /// The pairs themselves.
    pub exact: [(u8, u8); 2],
    /// The first byte of the pair whose other one has these four lowest bits; 0xFF where there is none.
    first: [u8; 16],
}

impl Pairs {
    /// Takes two pairs of ASCII whose other bytes differ in the lowest four bits.
    ///
    /// # Panics
    ///
    /// When they do not.
    #[must_use]
    pub const fn new(exact: [(u8, u8); 2]) -> Self {
        let mut first = [0xFF; 16];
        let places = [(exact[0].1 % 16) as usize, (exact[1].1 % 16) as usize];
        assert!(places[0] != places[1], "one place for two pairs");
        first[places[0]] = exact[0].0;
        first[places[1]] = exact[1].0;
        Self { exact, first }
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
    Avx2(x86::Detected),
}

impl Level {
    /// All that this processor has, the fastest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        levels.extend(x86::Detected::new().map(|avx2| Self(Instructions::Avx2(avx2))));
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
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(avx2) => avx2.run(work),
        }
    }
}

/// Asks the processor to have `place` at hand soon, where it can be asked.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(std::ptr::from_ref(place));
    #[cfg(not(target_arch = "x86_64"))]
    let _: &T = place;
}

/// The same for neighbours: each line of memory that they lie in.
#[inline(always)]
pub fn prefetch_all<T>(places: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        let start = places.as_ptr().cast::<u8>();
        let end = start.wrapping_add(size_of_val(places));
        let mut line = start.wrapping_sub(start.addr() % LINE_BYTES);
        while line < end {
            x86::prefetch(line);
            line = line.wrapping_add(LINE_BYTES);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _: &[T] = places;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;
    use proptest::prelude::*;

    /// What all lanes say of a block.
    #[derive(Debug, PartialEq)]
    struct Seen {
        equal: u64,
        same: u64,
        blank: u64,
        survey: (u64, bool),
        within: bool,
        numbers: Option<[u64; 8]>,
        v4: Vec<Option<(u32, u32)>>,
        v6: Option<u128>,
    }

    struct Look<'a>(&'a [u8; 64], &'a [u8; 64]);

    const PAIRS: Pairs = Pairs::new([(b'=', b'<'), (b'_', b'b')]);

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
                same: lanes.same(self.0, self.1),
                blank: lanes.blank(self.0),
                survey: lanes.survey(&[*self.0; 9], &[*self.1; 9], &PAIRS),
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
        let mut ranges = Ranges::ANY;
        for (at, byte) in block.iter().enumerate() {
            ranges.set(at, byte.saturating_sub(3), byte.saturating_add(2));
        }
        ranges
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
        prop_oneof![3 => any::<u8>(), 1 => Just(b'='), 1 => Just(b'\n'), 2 => 0x1E_u8..0x3C, 1 => 0x5E_u8..0x69]
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
                prop_assert_eq!(mask(&|at| whole[at] == second[at]), seen.same);
                prop_assert_eq!(mask(&|at| whole[at] <= b' '), seen.blank);
                let feeds = mask(&|at| whole[at] == b'\n').count_ones();
                prop_assert_eq!(9 * u64::from(feeds), seen.survey.0);
                let has_pair = (0..64).any(|at| PAIRS.exact.contains(&(whole[at], second[at])));
                prop_assert!(seen.survey.1 || !has_pair);
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
