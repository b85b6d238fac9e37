//! The headers of earlier lines: neighbours mostly start alike.
//!
//! Between the second of the stamp and the kernel's text, the headers of one host differ only in the
//! digits of the fraction and of the uptime. Such a header is learned from a line that the plain
//! reader has read; another line that fits it, byte by byte or digit by digit, means the same.
//! Invariant: where there is an answer, it is the plain reader's.
//!
//! Digits may change only where any digits are right: not in a stamp's second, which has a range.

use crate::header::Header;
use crate::prefix::Start;

/// Headers that are remembered, at places that their hosts' names choose.
const TEMPLATES: usize = 64;
/// Longest header behind the second, in bytes.
const LENGTH_MOST: usize = 96;
const WORDS: usize = LENGTH_MOST / 8;

const ZEROS: u64 = 0x3030_3030_3030_3030;

#[derive(Clone, Copy, Debug)]
struct Template {
    /// Length of the stamp, which starts the line.
    stamp: usize,
    /// Where the kernel's text starts.
    place: usize,
    /// Length of the part of the stamp that has to be the last one seen.
    second: usize,
    /// Words of the text that are compared; 0 for a place that was never used.
    used: usize,
    text: [u64; WORDS],
    /// All ones in bytes that have to be the same.
    same: [u64; WORDS],
    /// All ones in bytes that have to be digits.
    digits: [u64; WORDS],
}

impl Template {
    const NONE: Self = Self {
        stamp: 0,
        place: 0,
        second: 0,
        used: 0,
        text: [0; WORDS],
        same: [0; WORDS],
        digits: [0; WORDS],
    };

    #[inline]
    fn fits(&self, words: &[[u8; 8]]) -> bool {
        let mut wrong = 0;
        let learned = self.text.iter().zip(&self.same).zip(&self.digits);
        for (bytes, ((text, same), kept)) in words.iter().zip(learned).take(self.used) {
            let word = u64::from_le_bytes(*bytes);
            let digits = (word ^ ZEROS) & kept;
            wrong |= (word ^ text) & same;
            wrong |= (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
            if wrong != 0 {
                return false;
            }
        }
        self.used > 0
    }
}

/// The headers that one stream has shown lately.
#[derive(Clone, Debug)]
pub struct Templates {
    /// The second of the last stamp that was read.
    second: Start,
    /// `TEMPLATES` of them.
    known: Vec<Template>,
}

impl Default for Templates {
    fn default() -> Self {
        Self { second: Start::new(Vec::new()), known: vec![Template::NONE; TEMPLATES] }
    }
}

impl Templates {
    /// The header of a line that starts like one that was learned.
    #[inline]
    #[must_use]
    pub fn find<'a>(&self, line: &'a [u8]) -> Option<Header<'a>> {
        if !self.second.is_start_of(line) {
            return None;
        }
        let second = self.second.len();
        let text = line.get(second..)?.first_chunk::<LENGTH_MOST>()?;
        let template = &self.known[slot(second, text)];
        if template.second != second || !template.fits(text.as_chunks::<8>().0) {
            return None;
        }
        // Behind the learned header an uptime or a caller may still come.
        if matches!(line[template.place], b' ' | b'[') {
            return None;
        }
        Some(Header { stamp: &line[..template.stamp], place: template.place, uptime: 0..0 })
    }

    /// Learns the header of a line, as the plain reader has read it.
    #[inline(never)]
    pub fn learn(&mut self, line: &[u8], header: &Header<'_>) {
        let stamp = header.stamp.len();
        // "2026-11-22T07:08:09" has a fraction and a zone behind it, "Nov 22 07:08:09" has not.
        let second = if line[0].is_ascii_digit() { 19 } else { stamp };
        if !line.starts_with(header.stamp) || header.place - second > LENGTH_MOST {
            return;
        }
        let Some(text) = line[second..].first_chunk() else { return };
        if !self.second.is(&line[..second]) {
            self.second = Start::new(line[..second].to_vec());
        }
        if self.find(line).is_some() {
            return;
        }
        let mut template = Template { stamp, place: header.place, second, ..Template::NONE };
        template.used = (header.place - second).div_ceil(8);
        let fraction_end = line[second..stamp]
            .iter()
            .position(|&byte| byte != b'.' && !byte.is_ascii_digit())
            .map_or(second, |length| second + length);
        for (index, &byte) in line[second..header.place].iter().enumerate() {
            let at = second + index;
            let may_change =
                byte.is_ascii_digit() && (at < fraction_end || header.uptime.contains(&at));
            let (word, shift) = (index / 8, index % 8 * 8);
            template.text[word] |= u64::from(byte) << shift;
            let kept = if may_change { &mut template.digits } else { &mut template.same };
            kept[word] |= 0xFF << shift;
        }
        self.known[slot(second, text)] = template;
    }
}

/// The place of a header, by what is usually the host's name.
#[inline]
fn slot(second: usize, text: &[u8; LENGTH_MOST]) -> usize {
    // Behind the fraction and the zone, where there are such.
    let start = if second == 19 { 13 } else { 0 };
    let (words, _) = text[start..start + 16].as_chunks::<8>();
    let mixed = (u64::from_le_bytes(words[0]).rotate_left(29) ^ u64::from_le_bytes(words[1]))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 58) as usize % TEMPLATES
}
