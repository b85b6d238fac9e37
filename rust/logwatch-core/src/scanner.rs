//! A stream of bytes, in pieces of any size, into counts.
//!
//! ```text
//! for each piece:
//!     finish the line that the last piece began
//!     while there are whole lines:
//!         if the last line was a packet's, read the next one at once     (storms: every line is one)
//!         else jump to the next place where a prefix may stand           (quiet logs: few lines are)
//!              count the lines jumped over, read the line found
//!     keep the rest for the next piece
//! ```
//!
//! Invariant: the counts do not depend on how the stream was cut into pieces.

use std::sync::Arc;

use crate::fast;
use crate::hash::Seed;
use crate::lanes::{Lanes, Level, Work};
use crate::line::{self, Kind, LINE_MOST, Placed, Reading};
use crate::memory::Memory;
use crate::prefix::Prefixes;
use crate::summary::{Limits, Summary};
use crate::time::Clock;

/// How a scanner reads.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What marks the lines that count.
    pub prefixes: Prefixes,
    /// Bounds of what is kept.
    pub limits: Limits,
    /// Length in seconds of the slices of time that are counted apart; 0 counts all together. With
    /// slices, a scanner stops in front of a packet of another slice until it is drained.
    pub slice_seconds: u32,
}

/// Counts the packets of one stream.
#[derive(Debug)]
pub struct Scanner {
    prefixes: Arc<Prefixes>,
    slice_seconds: u32,
    clock: Clock,
    level: Level,
    summary: Summary,
    /// Of the summary: policies in it have the summary's numbers.
    memory: Memory,
    /// The unfinished last line without leading NUL bytes; empty when it is too long to be kept.
    partial: Vec<u8>,
    /// Bytes of the stream that belong to the unfinished line, NUL bytes and all.
    pending: u64,
    /// Whether the unfinished line is longer than [`LINE_MOST`].
    overlong: bool,
    /// Slice of the packets counted since the last drain.
    slice: Option<u32>,
}

impl Scanner {
    /// At the start of a stream.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock, seed: Seed) -> Self {
        Self::with_level(settings, clock, seed, Level::best())
    }

    /// The same with other instructions than the best, for tests.
    #[must_use]
    pub fn with_level(settings: Settings, clock: Clock, seed: Seed, level: Level) -> Self {
        Self {
            prefixes: Arc::new(settings.prefixes),
            slice_seconds: settings.slice_seconds,
            clock,
            level,
            memory: Memory::default(),
            summary: Summary::new(seed, settings.limits),
            partial: Vec::new(),
            pending: 0,
            overlong: false,
            slice: None,
        }
    }

    /// Reads on, and returns how many bytes of `data` were taken: all, unless a slice has ended.
    pub fn feed(&mut self, data: &[u8]) -> usize {
        let mut at = 0;
        if self.pending > 0 {
            let Some(end) = memchr::memchr(b'\n', data) else {
                self.keep(data);
                return data.len();
            };
            if !self.finish_line(&data[..end]) {
                return 0;
            }
            at = end + 1;
        }
        if let Some(last) = memchr::memrchr(b'\n', &data[at..]) {
            let lines = &data[at..=at + last];
            let taken = self.scan(lines);
            at += taken;
            if taken < lines.len() {
                return at;
            }
        }
        self.keep(&data[at..]);
        data.len()
    }

    /// Ends the stream: an unfinished last line counts as a line, even where a slice has ended.
    pub fn finish(&mut self) {
        if self.pending > 0 {
            self.slice = None;
            self.finish_line(b"");
        }
    }

    /// Forgets the unfinished last line and returns how many bytes it had.
    pub fn abandon(&mut self) -> u64 {
        self.partial.clear();
        self.overlong = false;
        std::mem::take(&mut self.pending)
    }

    /// Bytes of the unfinished last line.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// What was counted since the last drain.
    pub fn drain(&mut self) -> Summary {
        self.summary.settle();
        self.slice = None;
        self.memory = Memory::default();
        let empty = self.summary.emptied();
        std::mem::replace(&mut self.summary, empty)
    }

    /// Sets the time by which stamps without a year are placed, in Unix seconds.
    pub fn set_now(&mut self, now: i64) {
        self.clock.set_now(now);
    }

    /// Keeps the beginning of a line for the next piece.
    fn keep(&mut self, data: &[u8]) {
        self.pending += data.len() as u64;
        if self.overlong {
            return;
        }
        let data = if self.partial.is_empty() { line::strip_nuls(data) } else { data };
        if self.partial.len() + data.len() > LINE_MOST {
            self.overlong = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(data);
        }
    }

    /// Counts the unfinished line, which ends with `end`; false when its slice has not come yet.
    fn finish_line(&mut self, end: &[u8]) -> bool {
        let kept = self.partial.len();
        if !self.overlong && kept + end.len() <= LINE_MOST {
            self.partial.extend_from_slice(end);
            let line = std::mem::take(&mut self.partial);
            let reading = line::read_line(&line, &self.prefixes);
            let counted = self.count(&reading);
            self.partial = line;
            if !counted {
                self.partial.truncate(kept);
                return false;
            }
        } else {
            // NUL bytes do not lengthen a line that has not begun.
            let line = if kept == 0 && !self.overlong { line::strip_nuls(end) } else { end };
            if self.overlong || kept + line.len() > LINE_MOST {
                self.summary.add_lines(Kind::Other, 1);
            } else {
                let reading = line::read_line(line, &self.prefixes);
                if !self.count(&reading) {
                    return false;
                }
            }
        }
        self.abandon();
        true
    }

    /// Counts whole lines and returns how many bytes were taken.
    fn scan(&mut self, lines: &[u8]) -> usize {
        let prefixes = Arc::clone(&self.prefixes);
        let mut search = prefixes.search(lines);
        let mut at = 0;
        while at < lines.len() {
            // A storm: every line is a packet's.
            at += self.level.run(Storm { scanner: self, lines: &lines[at..] });
            if at == lines.len() {
                break;
            }
            let end = at + line_length(&lines[at..]);
            let text = line::strip_nuls(&lines[at..end]);
            let reading = if text.len() > LINE_MOST {
                line::read_line(text, &prefixes)
            } else {
                let text = line::strip_return(text);
                match line::read_in_place(text, &prefixes) {
                    Ok(placed) => {
                        if !self.count_placed(text, &placed) {
                            return at;
                        }
                        at = end + 1;
                        continue;
                    }
                    Err(stamp) if search.find(at).is_some_and(|hit| hit < end) => {
                        line::read_out_of_place(text, stamp, &prefixes)
                    }
                    Err(_) => {
                        // Quiet: only few lines are a packet's.
                        let next = search.find(at).map_or(lines.len(), |hit| {
                            at + memchr::memrchr(b'\n', &lines[at..hit]).map_or(0, |feed| feed + 1)
                        });
                        self.count_others(&lines[at..next]);
                        at = next;
                        continue;
                    }
                }
            };
            self.count(&reading);
            at = end + 1;
        }
        at
    }

    /// Lines without any prefix.
    fn count_others(&mut self, lines: &[u8]) {
        let count = memchr::memchr_iter(b'\n', lines).count() as u64;
        self.summary.add_lines(Kind::Other, count);
    }

    /// Counts a line; false, and nothing is counted, when it belongs to another slice.
    fn count(&mut self, reading: &Reading<'_>) -> bool {
        self.count_at(reading).is_some()
    }

    /// The same for a line whose prefix is in place, and remembers how it looks.
    fn count_placed(&mut self, line: &[u8], placed: &Placed<'_>) -> bool {
        let Some((seconds, policy)) = self.count_at(&placed.reading) else {
            return false;
        };
        if let (Some(policy), Some(prefix)) = (policy, placed.prefix) {
            self.memory.see_header(line, &placed.header, seconds);
            self.memory.see_prefix(prefix, policy);
        }
        true
    }

    /// Counts a line and returns its time and the number of its policy, unless it belongs to another
    /// slice.
    fn count_at(&mut self, reading: &Reading<'_>) -> Option<(u32, Option<u16>)> {
        let seconds = match (reading.stamp, reading.packet.is_some()) {
            (Some(stamp), true) => u32::try_from(self.clock.seconds(stamp)).unwrap_or(0),
            _ => 0,
        };
        if self.slice_seconds > 0 && reading.packet.is_some() {
            let slice = seconds / self.slice_seconds;
            if self.slice.is_some_and(|current| current != slice) {
                return None;
            }
            self.slice = Some(slice);
        }
        Some((seconds, self.summary.add(reading, seconds)))
    }
}

/// Counts lines as long as the fast reader reads them, and returns how many bytes they have.
struct Storm<'a> {
    scanner: &'a mut Scanner,
    /// Whole lines.
    lines: &'a [u8],
}

impl Work for Storm<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> usize {
        let Self { scanner, lines } = self;
        let mut ends = Ends::new();
        let mut at = 0;
        // What is remembered was counted, so that it is of this slice.
        loop {
            ends.find(lanes, lines, at);
            if ends.count == 0 {
                return at;
            }
            for &end in &ends.at[..ends.count] {
                let sight = lines[at..]
                    .first_chunk()
                    .and_then(|text| fast::read(lanes, text, &mut scanner.memory));
                let Some(sight) = sight else { return at };
                scanner.summary.see(&sight);
                at = end as usize + 1;
            }
        }
    }
}

/// Where the next lines end. They are looked for ahead of reading, so that the processor can read
/// several lines at once: where the next one starts does not depend on what this one holds.
struct Ends {
    at: [u32; Self::PLACES],
    count: usize,
    /// Blocks to be looked at the next time: few until reading is known to go on.
    blocks: usize,
}

impl Ends {
    const PLACES: usize = 512;
    /// With those of one block more there is room for all.
    const MOST: usize = 256;
    const BLOCKS_MOST: usize = 64;

    fn new() -> Self {
        Self { at: [0; Self::PLACES], count: 0, blocks: 8 }
    }

    /// Finds the line feeds of the blocks from `start` on.
    #[inline(always)]
    fn find<L: Lanes>(&mut self, lanes: L, text: &[u8], start: usize) {
        let (blocks, _) = text[start..].as_chunks::<64>();
        let mut count = 0;
        let mut base = start as u32;
        for block in &blocks[..self.blocks.min(blocks.len())] {
            let feeds = lanes.equal(block, b'\n');
            // Mostly there is one or none; which of the two, nobody can foresee.
            self.at[count % Self::PLACES] = base + feeds.trailing_zeros();
            let more = feeds & feeds.wrapping_sub(1);
            if more != 0 {
                self.find_all(feeds, base, count);
            }
            count += feeds.count_ones() as usize;
            base += 64;
            if count >= Self::MOST {
                break;
            }
        }
        self.count = count;
        self.blocks = (self.blocks * 2).min(Self::BLOCKS_MOST);
    }

    #[cold]
    fn find_all(&mut self, mut feeds: u64, base: u32, mut count: usize) {
        while feeds != 0 {
            self.at[count] = base + feeds.trailing_zeros();
            count += 1;
            feeds &= feeds - 1;
        }
    }
}

/// Bytes up to the line feed, which is there.
#[inline]
fn line_length(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).unwrap_or(text.len())
}
