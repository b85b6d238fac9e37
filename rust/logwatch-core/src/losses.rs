//! What the kernel, journald and rsyslog say they have lost of the lines that ought to be here.
//!
//! Only reports about lines of the kernel count: journald's and imuxsock's limits for services, and the
//! kernel's "callbacks suppressed", are about other messages. The text has to stand behind the tag
//! of who says it, from its start on.
//!
//! Reports are looked for in the lines without a prefix, together with their line feeds:
//!
//! ```text
//! for 2 KiB at a time:
//!     count the line feeds, and see whether any byte and the third one behind it are as in a needle
//!     if so: for each such place, if the needle stands there, read its line
//! ```

use crate::cursor::Cursor;
use crate::header;
use crate::lanes::{Lanes, Pairs, Work};
use crate::line::{LINE_MOST, strip_nuls, strip_return};

/// Who says that something was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The kernel itself.
    Kernel,
    /// `systemd-journald`, which may also speak through the kernel's log.
    Journald,
    /// `rsyslogd`.
    Rsyslog,
}

impl Speaker {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 3] = [Self::Kernel, Self::Journald, Self::Rsyslog];

    /// The name in metrics and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Journald => "journald",
            Self::Rsyslog => "rsyslog",
        }
    }
}

/// The names of daemons in tags. Where that is the name of the process, it is cut to 15 bytes.
const DAEMONS: [(&[u8], Speaker); 3] = [
    (b"systemd-journald", Speaker::Journald),
    (b"systemd-journal", Speaker::Journald),
    (b"rsyslogd", Speaker::Rsyslog),
];

/// rsyslog's inputs for lines of the kernel.
const INPUTS: [&[u8]; 2] = [b"imjournal", b"imklog"];

const DROPPING: &[u8] = b"begin to drop messages due to rate-limiting";

/// A line that says that messages were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who says it.
    pub by: Speaker,
    /// How many messages; 0 where that is not told, or told with more than 64 bits.
    pub messages: u64,
    /// How often it is said: N where the line is a "message repeated N times".
    pub times: u32,
}

/// Reads a line without NUL bytes in front, line feed and carriage return.
#[must_use]
pub fn read(line: &[u8]) -> Option<Report> {
    let (header, speaker) = header::read_tagged(line, take_speaker)?;
    let mut cursor = Cursor { text: line, at: header.place };
    if speaker == Speaker::Kernel {
        header::skip_uptime_and_caller(&mut cursor);
    }
    cursor.skip_spaces();
    let mut times = 1;
    if let Some((repeated, start)) = header::read_wrapper(cursor.rest()) {
        times = repeated;
        cursor.at += start;
    }
    let mut by = speaker;
    let mut inner = cursor;
    if speaker == Speaker::Kernel && take_daemon(&mut inner) == Some(Speaker::Journald) {
        by = Speaker::Journald;
        cursor = inner;
        cursor.skip_spaces();
    }
    let messages = match by {
        Speaker::Kernel => read_kernel(cursor),
        Speaker::Journald => read_journald(cursor),
        Speaker::Rsyslog => read_rsyslog(cursor),
    }?;
    Some(Report { by, messages, times })
}

fn take_speaker(cursor: &mut Cursor<'_>) -> Option<Speaker> {
    if header::take_tag(cursor) { Some(Speaker::Kernel) } else { take_daemon(cursor) }
}

/// `name:`, `name[1]:`, or `name 1 - - ` of RFC 5424. Behind its name rsyslog may put the number of a
/// message: `rsyslogd-2177`.
fn take_daemon(cursor: &mut Cursor<'_>) -> Option<Speaker> {
    DAEMONS.iter().find_map(|(name, speaker)| {
        let mut tag = *cursor;
        if !tag.take(name) || (tag.take(b"-") && !take_digits(&mut tag)) {
            return None;
        }
        let is_whole = if tag.take(b" ") {
            (tag.take(b"-") || take_digits(&mut tag)) && tag.take(b" - - ")
        } else if tag.take(b"[") {
            take_digits(&mut tag) && tag.take(b"]:")
        } else {
            tag.take(b":")
        };
        is_whole.then(|| {
            *cursor = tag;
            *speaker
        })
    })
}

fn take_digits(cursor: &mut Cursor<'_>) -> bool {
    let digits = header::digits(cursor.rest());
    cursor.at += digits;
    digits > 0
}

/// Behind the kernel's tag: 0 where it says that the end of a LOG line did not fit. In front it puts
/// the name of its module.
fn read_kernel(mut cursor: Cursor<'_>) -> Option<u64> {
    const CUT: &[u8] = b"please increase S_SIZE";
    (cursor.take(CUT) || (cursor.take_word().is_some() && cursor.take(CUT))).then_some(0)
}

/// Behind the tag of journald: how many messages were lost, 0 for an unknown number.
fn read_journald(mut cursor: Cursor<'_>) -> Option<u64> {
    if cursor.take(b"/dev/kmsg buffer overrun, some messages lost") {
        return Some(0);
    }
    if !cursor.take(b"Missed ") {
        return None;
    }
    let messages = take_number(&mut cursor)?;
    cursor.take(b" kernel messages").then_some(messages)
}

/// The same for rsyslog. The name of a program in `<>` can be anything, a number of lost messages
/// as well: behind it none is believed.
fn read_rsyslog(mut cursor: Cursor<'_>) -> Option<u64> {
    if !INPUTS.iter().any(|input| cursor.take(input)) {
        return None;
    }
    if cursor.take(b" from <") {
        let dropping = [b">: ", DROPPING].concat();
        return memchr::memmem::find(cursor.rest(), &dropping).map(|_| 0);
    }
    if !cursor.take(b": ") {
        return None;
    }
    if cursor.take(DROPPING) {
        return Some(0);
    }
    let messages = take_number(&mut cursor)?;
    cursor.take(b" messages lost due to rate-limiting").then_some(messages)
}

/// A decimal number without leading zeros; 0 for one above 64 bits.
fn take_number(cursor: &mut Cursor<'_>) -> Option<u64> {
    let digits = &cursor.rest()[..header::digits(cursor.rest())];
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    cursor.at += digits.len();
    let next = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    Some(digits.iter().try_fold(0, next).unwrap_or(0))
}

/// What one of them has said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Sum of the messages whose number is known.
    pub messages: u64,
    /// How often something was said, also without a number.
    pub reports: u64,
}

/// What was not read, as far as anybody says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// In the order of [`Speaker::ALL`].
    pub by: [Lost; 3],
    /// Lines longer than [`LINE_MOST`], which were not looked into.
    pub overlong_lines: u64,
}

impl Losses {
    /// Adds everything that another one holds.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.by.iter_mut().zip(other.by) {
            mine.messages = mine.messages.saturating_add(theirs.messages);
            mine.reports = mine.reports.saturating_add(theirs.reports);
        }
        self.overlong_lines = self.overlong_lines.saturating_add(other.overlong_lines);
    }

    /// Sees a line that is [`crate::line::Kind::Other`], without its line feed.
    pub fn see(&mut self, line: &[u8]) {
        let line = strip_nuls(line);
        if line.len() > LINE_MOST {
            self.overlong_lines = self.overlong_lines.saturating_add(1);
        } else if let Some(report) = read(strip_return(line)) {
            let lost = &mut self.by[report.by as usize];
            let times = u64::from(report.times);
            lost.messages = lost.messages.saturating_add(report.messages.saturating_mul(times));
            lost.reports = lost.reports.saturating_add(times);
        }
    }

    /// Sees those of many whole lines that are too long. What is shorter has a line feed in every
    /// [`LINE_MOST`] bytes and one.
    pub(crate) fn see_overlong(&mut self, lines: &[u8]) {
        let mut at = 0;
        while lines.len() - at > LINE_MOST + 1 {
            let ahead = &lines[at..=at + LINE_MOST];
            if let Some(feed) = memchr::memrchr(b'\n', ahead) {
                at += feed + 1;
                continue;
            }
            let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |feed| at + feed);
            if strip_nuls(&lines[at..end]).len() > LINE_MOST {
                self.overlong_lines = self.overlong_lines.saturating_add(1);
            }
            at = (end + 1).min(lines.len());
        }
    }
}

/// Every report holds one of these; with the place of the first byte of its pair. A header costs ten
/// times as much as what tells these from other talk of messages.
const NEEDLES: [(&[u8], usize); 4] = [
    (b"messages lost", 0),
    (b"messages due to rate-limiting", 0),
    (b"kernel messages", 7),
    (b"increase S_SIZE", 10),
];
/// A byte of each needle and the third one behind it: of all that are that far apart in all, the pairs
/// that stand least often in other lines, once in some thousand bytes.
const PAIRS: Pairs = Pairs::new([(b'm', b's'), (b'_', b'Z')]);
const DISTANCE: usize = 3;

const BLOCK: usize = 64;
/// Blocks that are looked at before a pair in them is gone after.
const BLOCKS: usize = 32;

/// Whole lines without a prefix: counts them, and sees the reports among them.
pub(crate) struct Quiet<'a> {
    pub lines: &'a [u8],
    pub losses: &'a mut Losses,
}

impl Work for Quiet<'_> {
    /// How many lines.
    type Output = u64;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> u64 {
        let Self { lines, losses } = self;
        let Some(last) = lines.len().checked_sub(BLOCK + DISTANCE) else {
            lines.split(|&byte| byte == b'\n').for_each(|line| losses.see(line));
            return feeds_in(lines);
        };
        let mut seen = Seen { lines, losses, end: 0 };
        let mut feeds = 0;
        let mut at = 0;
        while at <= last {
            let length = ((lines.len() - at - DISTANCE) / BLOCK).min(BLOCKS) * BLOCK;
            let [here, behind] = blocks(lines, at, length);
            let (count, has_pair) = lanes.survey(here, behind, &PAIRS);
            feeds += count;
            if has_pair {
                seen.needles(lanes, at, length);
            }
            at += length;
        }
        // The rest is looked at with what is in front of it, as the last whole block.
        seen.needles(lanes, last, BLOCK);
        let [here, _] = blocks(lines, last, BLOCK);
        let rest = lanes.equal(&here[0], b'\n').checked_shr((at - last) as u32).unwrap_or(0);
        feeds + u64::from(rest.count_ones()) + feeds_in(&lines[last + BLOCK..])
    }
}

fn feeds_in(text: &[u8]) -> u64 {
    text.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}

/// `length` bytes from a place on and behind it, whole blocks, and as many from the pair's other
/// byte on.
#[inline(always)]
fn blocks(text: &[u8], at: usize, length: usize) -> [&[[u8; BLOCK]]; 2] {
    [at, at + DISTANCE].map(|from| text[from..from + length].as_chunks().0)
}

/// Which lines have been looked into.
struct Seen<'a> {
    lines: &'a [u8],
    losses: &'a mut Losses,
    /// All lines before this place.
    end: usize,
}

impl Seen<'_> {
    /// Sees the lines in which a needle's pair stands, in `length` bytes from `at` on.
    #[inline(always)]
    fn needles<L: Lanes>(&mut self, lanes: L, at: usize, length: usize) {
        let [here, behind] = blocks(self.lines, at, length);
        for (number, (here, behind)) in here.iter().zip(behind).enumerate() {
            let mut pairs = PAIRS.exact.iter().fold(0, |pairs, &(one, other)| {
                pairs | lanes.equal(here, one) & lanes.equal(behind, other)
            });
            while pairs != 0 {
                self.place(at + number * BLOCK + pairs.trailing_zeros() as usize);
                pairs &= pairs - 1;
            }
        }
    }

    /// Sees the line around `place`, if a needle stands there and the line has not been seen.
    #[inline(never)]
    fn place(&mut self, place: usize) {
        let is_needle = NEEDLES.iter().any(|&(needle, in_needle)| {
            place.checked_sub(in_needle).is_some_and(|at| self.lines[at..].starts_with(needle))
        });
        if !is_needle || place < self.end {
            return;
        }
        let start = memchr::memrchr(b'\n', &self.lines[..place]).map_or(0, |feed| feed + 1);
        let length = memchr::memchr(b'\n', &self.lines[place..]);
        self.end = length.map_or(self.lines.len(), |length| place + length);
        // An overlong line is counted where all are counted by their length.
        let line = strip_nuls(&self.lines[start..self.end]);
        if line.len() <= LINE_MOST {
            self.losses.see(line);
        }
    }
}
