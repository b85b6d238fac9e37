//! How the last lines of a storm looked: their headers and prefixes, to be compared as a whole.

use crate::fast::SPAN;
use crate::header::Header;
use crate::lanes::{Lanes, Ranges};

/// Longest header that is remembered.
const HEADER_MOST: usize = 128;
/// Headers that are remembered: of hosts whose names differ in length, in a file of many hosts.
const LAYOUTS: usize = 4;
/// Prefixes that are remembered; each has one place, by its last bytes.
const PREFIX_PLACES: usize = 64;

/// What the lines before have shown. It is wrong for no line: what is remembered is compared.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    layouts: [Layout; LAYOUTS],
    /// The layout of the last line.
    current: usize,
    /// The next one to be forgotten.
    oldest: usize,
    prefixes: Vec<Prefix>,
}

/// How a header looked, in one or two blocks of 64 bytes.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// The same bytes, but digits in a second's fraction and in the uptime, and no blank in the host.
    ranges: [Ranges; 2],
    /// Bytes up to the kernel's text; 0 when there is none.
    length: usize,
    host: usize,
    seconds: u32,
}

impl Layout {
    const NONE: Self = Self { ranges: [Ranges::ANY; 2], length: 0, host: 0, seconds: 0 };
}

#[derive(Clone, Copy, Debug)]
struct Prefix {
    /// Its text and `IN=`.
    ranges: Ranges,
    /// Bytes in front of `IN=`; as many as no prefix has mark a free place.
    length: usize,
    policy: u16,
}

impl Default for Memory {
    fn default() -> Self {
        let free = Prefix { ranges: Ranges::ANY, length: usize::MAX, policy: 0 };
        Self {
            layouts: [Layout::NONE; LAYOUTS],
            current: 0,
            oldest: 0,
            prefixes: vec![free; PREFIX_PLACES],
        }
    }
}

impl Memory {
    /// Remembers the header of a line, and what its stamp meant.
    pub(crate) fn see_header(&mut self, line: &[u8], header: &Header<'_>, seconds: u32) {
        let length = header.place;
        if length > HEADER_MOST {
            return;
        }
        let mut layout = Layout { length, host: header.host.start, seconds, ..Layout::NONE };
        let stamp_end = header.place_of_stamp + header.stamp.len();
        let point = line[..stamp_end].iter().position(|&byte| byte == b'.').unwrap_or(stamp_end);
        for (at, &byte) in line[..length].iter().enumerate() {
            let is_fraction = (point + 1..stamp_end).contains(&at)
                && line[point + 1..=at].iter().all(u8::is_ascii_digit);
            let (lowest, highest) = if header.host.contains(&at) {
                (b'!', u8::MAX)
            } else if byte.is_ascii_digit() && (is_fraction || at > header.host.end) {
                (b'0', b'9')
            } else {
                (byte, byte)
            };
            layout.ranges[at / 64].set(at % 64, lowest, highest);
        }
        // The stamp of a layout grows old: its successor takes its place.
        let matches = |known: &Layout| known.length == length && known.host == layout.host;
        let place = self.layouts.iter().position(matches).unwrap_or_else(|| {
            self.oldest = (self.oldest + 1) % LAYOUTS;
            self.oldest
        });
        self.layouts[place] = layout;
        self.current = place;
    }

    /// Where the kernel's text starts in a line whose header is remembered, and the line's time.
    #[inline(always)]
    pub(crate) fn header<L: Lanes>(&mut self, lanes: L, text: &[u8; SPAN]) -> Option<(usize, u32)> {
        self.layout(lanes, text).map(|layout| (layout.length, layout.seconds))
    }

    /// The number of the policy whose prefix is the first `length` bytes of `block`, with `IN=`
    /// behind them, if it is remembered; `last` are the eight bytes in front of `IN=`.
    #[inline(always)]
    pub(crate) fn policy<L: Lanes>(
        &self,
        lanes: L,
        block: &[u8; 64],
        length: usize,
        last: u64,
    ) -> Option<u16> {
        let prefix = &self.prefixes[place_of_prefix(last, length)];
        (prefix.length == length && lanes.within(block, &prefix.ranges)).then_some(prefix.policy)
    }

    /// The layout of a line, if it is one of those remembered.
    #[inline(always)]
    fn layout<L: Lanes>(&mut self, lanes: L, text: &[u8; SPAN]) -> Option<&Layout> {
        if !self.layouts[self.current % LAYOUTS].fits(lanes, text) {
            self.current = self.layouts.iter().position(|layout| layout.fits(lanes, text))?;
        }
        Some(&self.layouts[self.current % LAYOUTS])
    }

    /// Remembers the text in front of `IN=`, and the number of its policy.
    pub(crate) fn see_prefix(&mut self, text: &[u8], policy: u16) {
        let Some(last) = text.last_chunk() else { return };
        if text.len() < PREFIX_MOST {
            let place = place_of_prefix(u64::from_le_bytes(*last), text.len());
            let ranges = Ranges::ANY.with_text(&[text, b"IN="].concat());
            self.prefixes[place] = Prefix { ranges, length: text.len(), policy };
        }
    }
}

impl Layout {
    #[inline(always)]
    fn fits<L: Lanes>(&self, lanes: L, text: &[u8; SPAN]) -> bool {
        let blocks = text.as_chunks::<64>().0;
        lanes.within(&blocks[0], &self.ranges[0])
            && (self.length <= 64 || lanes.within(&blocks[1], &self.ranges[1]))
            // Without a host the tag stands in its place.
            && text[self.host % HEADER_MOST..].first_chunk() != Some(b"kernel:")
            && self.length != 0
    }
}

/// A longer prefix is left to the plain reader: its `=` has to be among 64 bytes.
pub(crate) const PREFIX_MOST: usize = 61;

/// Any function of a prefix's last eight bytes and its length.
#[inline(always)]
fn place_of_prefix(last: u64, length: usize) -> usize {
    let mixed = (last ^ length as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 58) as usize % PREFIX_PLACES
}
