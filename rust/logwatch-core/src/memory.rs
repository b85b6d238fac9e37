//! How the last lines of a storm looked: their headers and openings, to be compared as a whole.

use crate::fast::SPAN;
use crate::header::Header;
use crate::lanes::{Lanes, Ranges};
use crate::openings::Openings;

/// Longest header that is remembered.
const HEADER_MOST: usize = 128;
/// Headers that are remembered: of hosts whose names differ in length, in a file of many hosts.
const LAYOUTS: usize = 4;

/// What the lines before have shown. It is wrong for no line: what is remembered is compared.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    layouts: [Layout; LAYOUTS],
    /// The layout of the last line.
    current: usize,
    /// The next one to be forgotten.
    oldest: usize,
    pub openings: Openings,
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

impl Default for Memory {
    fn default() -> Self {
        Self {
            layouts: [Layout::NONE; LAYOUTS],
            current: 0,
            oldest: 0,
            openings: Openings::default(),
        }
    }
}

impl Memory {
    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        self.layouts = [Layout::NONE; LAYOUTS];
        self.openings.forget();
    }

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

    /// The layout of a line, if it is one of those remembered.
    #[inline(always)]
    fn layout<L: Lanes>(&mut self, lanes: L, text: &[u8; SPAN]) -> Option<&Layout> {
        if !self.layouts[self.current % LAYOUTS].fits(lanes, text) {
            self.current = self.layouts.iter().position(|layout| layout.fits(lanes, text))?;
        }
        Some(&self.layouts[self.current % LAYOUTS])
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
