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

use crate::hash::Seed;
use crate::line::{self, Kind, LINE_MOST, Reading};
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
    summary: Summary,
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
        Self {
            prefixes: Arc::new(settings.prefixes),
            slice_seconds: settings.slice_seconds,
            clock,
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
        let mut storm = true;
        while at < lines.len() {
            if storm {
                let end = at + line_length(&lines[at..]);
                let text = line::strip_nuls(&lines[at..end]);
                if text.len() <= LINE_MOST {
                    let text = text.strip_suffix(b"\r").unwrap_or(text);
                    if let Ok(reading) = line::read_in_place(text, &prefixes) {
                        if !self.count(&reading) {
                            return at;
                        }
                        at = end + 1;
                        continue;
                    }
                }
            }
            let Some(hit) = search.find(at) else {
                self.count_others(&lines[at..]);
                return lines.len();
            };
            let start =
                memchr::memrchr(b'\n', &lines[at..hit]).map_or(at, |offset| at + offset + 1);
            self.count_others(&lines[at..start]);
            let end = hit + line_length(&lines[hit..]);
            let reading = line::read_line(&lines[start..end], &prefixes);
            if !self.count(&reading) {
                return start;
            }
            storm = reading.prefix.is_some();
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
    #[inline]
    fn count(&mut self, reading: &Reading<'_>) -> bool {
        let seconds = match (reading.stamp, reading.packet.is_some()) {
            (Some(stamp), true) => u32::try_from(self.clock.seconds(stamp)).unwrap_or(0),
            _ => 0,
        };
        if self.slice_seconds > 0 && reading.packet.is_some() {
            let slice = seconds / self.slice_seconds;
            if self.slice.is_some_and(|current| current != slice) {
                return false;
            }
            self.slice = Some(slice);
        }
        self.summary.add(reading, seconds);
        true
    }
}

/// Bytes up to the line feed, which is there.
#[inline]
fn line_length(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).unwrap_or(text.len())
}
