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
use crate::header;
use crate::lanes::{Lanes, Level, Work};
use crate::line::{self, Kind, LINE_MOST, Placed, Reading};
use crate::losses::Quiet;
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
    /// With slices: a packet counts in the running one also when its stamp lies before that, by at
    /// most so many seconds, or means no time. So several hosts' clocks may disagree in one log.
    pub late_seconds: u32,
}

/// Counts the packets of one stream.
#[derive(Debug)]
pub struct Scanner {
    prefixes: Arc<Prefixes>,
    slice_seconds: u32,
    late_seconds: u32,
    clock: Clock,
    level: Level,
    summary: Summary,
    /// Of the summary: classes in it have the summary's numbers.
    memory: Memory,
    tail: Tail,
    /// The unfinished last line without leading NUL bytes; empty when it is too long to be kept.
    partial: Vec<u8>,
    /// Bytes of the stream that belong to the unfinished line, NUL bytes and all.
    pending: u64,
    /// Whether the unfinished line is longer than [`LINE_MOST`].
    overlong: bool,
    /// Slice of the packets counted since the last drain.
    slice: Option<u32>,
    /// Slice of the last packet counted.
    last_slice: Option<u32>,
    /// Seconds from which on and before which packets count.
    window: Option<(u32, u32)>,
    /// Bytes of packets' lines that a summary keeps.
    samples_most: usize,
    /// Stamp of the last line counted, or of one before it if that has none; empty if none had.
    stamp: Vec<u8>,
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
            late_seconds: settings.late_seconds,
            clock,
            level,
            memory: Memory::default(),
            tail: Tail::default(),
            summary: Summary::new(seed, settings.limits),
            partial: Vec::new(),
            pending: 0,
            overlong: false,
            slice: None,
            last_slice: None,
            window: None,
            samples_most: 0,
            stamp: Vec::new(),
        }
    }

    /// From now on keeps the text of packets' lines in each summary, up to so many bytes: that of the
    /// first ones.
    pub fn keep_samples(&mut self, bytes: usize) {
        self.samples_most = bytes;
    }

    /// From now on counts packets over time as well.
    pub fn keep_timeline(&mut self) {
        self.summary.timeline.get_or_insert_default();
    }

    /// From now on counts packets only from the second `since` on and before `until`, which are Unix
    /// seconds; a line with another one, or with one without a time, holds none.
    pub fn keep_between(&mut self, since: u32, until: u32) {
        self.window = Some((since, until));
        self.memory.forget();
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
            self.see_stamp(&lines[..taken]);
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
        self.memory.forget();
        if !self.summary.samples.is_empty() {
            self.summary.prefixes = Some(Arc::clone(&self.prefixes));
        }
        let empty = self.summary.emptied();
        std::mem::replace(&mut self.summary, empty)
    }

    /// Sets the time by which stamps without a year are placed, in Unix seconds.
    pub fn set_now(&mut self, now: i64) {
        self.clock.set_now(now);
    }

    /// When the last line counted was written, in Unix seconds, by its stamp or that of the last one
    /// before it which has one.
    pub fn last_stamp(&mut self) -> Option<i64> {
        (!self.stamp.is_empty()).then(|| self.clock.seconds(&self.stamp))
    }

    fn see_stamp(&mut self, lines: &[u8]) {
        let mut end = lines.len();
        let mut starts = memchr::memrchr_iter(b'\n', lines).map(|feed| feed + 1).chain([0]);
        let stamp = starts.find_map(|start| {
            let line = line::strip_nuls(&lines[start..end]);
            end = start;
            header::read_stamp(line)
        });
        if let Some((_, stamp)) = stamp {
            self.stamp.clear();
            self.stamp.extend_from_slice(stamp);
        }
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
            let counted = self.count_line(&line);
            if counted {
                self.see_stamp(&line);
            }
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
                self.summary.losses.overlong_lines += 1;
            } else if self.count_line(line) {
                self.see_stamp(line);
            } else {
                return false;
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
            let taken = self.level.run(Storm { scanner: self, lines: &lines[at..] });
            self.keep_lines(&lines[at..at + taken]);
            at += taken;
            if at == lines.len() {
                break;
            }
            // Quiet: only few lines hold a prefix.
            let Some(hit) = search.find(at) else {
                self.count_others(&lines[at..]);
                break;
            };
            let start = memchr::memrchr(b'\n', &lines[at..hit]).map_or(at, |feed| at + feed + 1);
            if start > at {
                self.count_others(&lines[at..start]);
                at = start;
                continue;
            }
            let end = hit + line_length(&lines[hit..]);
            if !self.read(&lines[at..end], &prefixes) {
                return at;
            }
            at = end + 1;
        }
        lines.len()
    }

    /// Counts a line that holds a prefix; false when its slice has not come yet.
    fn read(&mut self, line: &[u8], prefixes: &Prefixes) -> bool {
        let text = line::strip_nuls(line);
        if text.len() > LINE_MOST {
            return self.count(&line::read_line(text, prefixes), text);
        }
        let text = line::strip_return(text);
        match line::read_in_place(text, prefixes) {
            Ok(placed) => self.count_placed(text, &placed),
            Err(stamp) => self.count(&line::read_out_of_place(text, stamp, prefixes), text),
        }
    }

    /// Lines without any prefix.
    fn count_others(&mut self, lines: &[u8]) {
        let losses = &mut self.summary.losses;
        losses.see_overlong(lines);
        let count = self.level.run(Quiet { lines, losses });
        self.summary.add_lines(Kind::Other, count);
    }

    fn count_line(&mut self, line: &[u8]) -> bool {
        let prefixes = Arc::clone(&self.prefixes);
        self.count(&line::read_line(line, &prefixes), line)
    }

    /// Keeps lines of packets, as many as there is room for.
    fn keep_lines(&mut self, lines: &[u8]) {
        let room = self.samples_most.saturating_sub(self.summary.samples.len());
        let lines = &lines[..lines.len().min(room)];
        let whole = memchr::memrchr(b'\n', lines).map_or(0, |feed| feed + 1);
        self.summary.samples.extend_from_slice(&lines[..whole]);
    }

    fn keep_line(&mut self, line: &[u8], reading: &Reading<'_>) {
        let length = self.summary.samples.len() + line.len() + 1;
        if reading.packet.is_some() && length <= self.samples_most {
            self.summary.samples.extend_from_slice(line);
            self.summary.samples.push(b'\n');
        }
    }

    /// Counts a line; false, and nothing is counted, when it belongs to another slice.
    fn count(&mut self, reading: &Reading<'_>, line: &[u8]) -> bool {
        if reading.kind == Kind::Other {
            self.summary.losses.see(line);
        }
        let is_counted = self.count_at(reading).is_some();
        if is_counted {
            self.keep_line(line, reading);
        }
        is_counted
    }

    /// The same for a line whose prefix is in place, and remembers how it looks.
    fn count_placed(&mut self, line: &[u8], placed: &Placed<'_>) -> bool {
        let Some((seconds, class)) = self.count_at(&placed.reading) else {
            return false;
        };
        self.keep_line(line, &placed.reading);
        if let (Some(class), Some(packet), Some(prefix)) =
            (class, &placed.reading.packet, placed.prefix)
        {
            self.memory.see_header(line, &placed.header, seconds);
            self.memory.openings.see(&line[placed.header.place..], prefix, packet, class);
        }
        true
    }

    /// Counts a line and returns its time and the number of its class, unless it belongs to another
    /// slice.
    fn count_at(&mut self, reading: &Reading<'_>) -> Option<(u32, Option<u16>)> {
        let seconds = match (reading.stamp, reading.packet.is_some()) {
            (Some(stamp), true) => u32::try_from(self.clock.seconds(stamp)).unwrap_or(0),
            _ => 0,
        };
        if let (Some((since, until)), true) = (self.window, reading.packet.is_some())
            && (seconds == 0 || seconds < since || seconds >= until)
        {
            // Without a class it is not remembered either, so that the fast reader takes none of its
            // second.
            self.summary.add_lines(Kind::Other, 1);
            return Some((seconds, None));
        }
        if self.slice_seconds > 0 && reading.packet.is_some() {
            let slice = self.slice_of(seconds);
            if self.slice.is_some_and(|current| current != slice) {
                return None;
            }
            self.slice = Some(slice);
            self.last_slice = Some(slice);
        }
        Some((seconds, self.summary.add(reading, seconds)))
    }

    /// The slice that a packet counts in.
    fn slice_of(&self, seconds: u32) -> u32 {
        let own = seconds / self.slice_seconds;
        match self.last_slice {
            Some(last) if self.late_seconds > 0 => {
                let late = (last * self.slice_seconds).saturating_sub(seconds);
                if seconds == 0 || own < last && late <= self.late_seconds { last } else { own }
            }
            _ => own,
        }
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
        let Self { scanner: Scanner { memory, summary, tail, .. }, lines } = self;
        let (mut text, mut start) = (lines, 0);
        let mut at = 0;
        // What is remembered was counted, so that it is of this slice.
        loop {
            let Some(span) = text[at..].first_chunk() else {
                start += at;
                if start == lines.len() {
                    return start;
                }
                text = tail.fill(&lines[start..]);
                at = 0;
                continue;
            };
            let Some(sight) = fast::read(lanes, span, memory) else { return start + at };
            summary.see(&sight);
            at += sight.line;
            if start + at == lines.len() {
                return lines.len();
            }
        }
    }
}

/// The last lines of a piece, with room behind them, so that the fast reader can look at them.
#[derive(Debug)]
struct Tail(Box<[u8; 2 * fast::SPAN]>);

impl Default for Tail {
    fn default() -> Self {
        Self(Box::new([0; 2 * fast::SPAN]))
    }
}

impl Tail {
    /// Takes less than a span.
    fn fill(&mut self, lines: &[u8]) -> &[u8] {
        let (text, room) = self.0.split_at_mut(lines.len());
        text.copy_from_slice(lines);
        // A line feed in it would end a line.
        room[..fast::SPAN].fill(0);
        &self.0[..]
    }
}

/// Bytes up to the line feed, which is there.
#[inline]
fn line_length(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).unwrap_or(text.len())
}
