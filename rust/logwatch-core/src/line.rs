//! One line, read: header, wrapper, prefix and body together.

use crate::body::{self, Packet};
use crate::header;
use crate::prefix::{Place, Prefixes};
use crate::quick;

/// A longer line is never looked into: the kernel's own lines have less than 2 KiB.
pub const LINE_MOST: usize = 65_536;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet.
    Packet,
    /// A packet in "message repeated N times: [ ... ]".
    Repeated,
    /// The prefix is in place, but source and destination can't be read.
    Odd,
    /// The prefix and a body stand where the kernel does not put them.
    Forged,
    /// Anything else.
    Other,
}

impl Kind {
    /// All kinds, in the order in which they are counted.
    pub const ALL: [Self; 5] = [Self::Packet, Self::Repeated, Self::Odd, Self::Forged, Self::Other];

    /// The name in metrics and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Packet => "packet",
            Self::Repeated => "repeated",
            Self::Odd => "odd",
            Self::Forged => "forged",
            Self::Other => "other",
        }
    }
}

/// A line, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// What the line is.
    pub kind: Kind,
    /// Packets that it adds.
    pub count: u32,
    /// Index of the prefix that is in place.
    pub prefix: Option<usize>,
    /// The header's time as written.
    pub stamp: Option<&'a [u8]>,
    /// The packet's fields.
    pub packet: Option<Packet<'a>>,
}

impl<'a> Reading<'a> {
    /// A line whose prefix is in place; without a packet it is odd and adds nothing.
    #[inline]
    fn new(
        kind: Kind,
        count: u32,
        prefix: usize,
        stamp: Option<&'a [u8]>,
        packet: Option<Packet<'a>>,
    ) -> Self {
        let (kind, count) = if packet.is_some() { (kind, count) } else { (Kind::Odd, 0) };
        Self { kind, count, prefix: Some(prefix), stamp, packet }
    }
}

/// Reads one line without its line feed.
#[must_use]
pub fn read_line<'a>(line: &'a [u8], prefixes: &Prefixes) -> Reading<'a> {
    let line = strip_nuls(line);
    if line.len() > LINE_MOST {
        return Reading { kind: Kind::Other, count: 0, prefix: None, stamp: None, packet: None };
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    read_in_place(line, prefixes).unwrap_or_else(|stamp| {
        let kind = if prefixes.anywhere(line) { Kind::Forged } else { Kind::Other };
        Reading { kind, count: 0, prefix: None, stamp, packet: None }
    })
}

/// The line without the NUL bytes that a crash or a truncation can leave in front of it.
#[must_use]
#[inline]
pub fn strip_nuls(line: &[u8]) -> &[u8] {
    if line.first() == Some(&0) {
        let nuls = line.iter().take_while(|&&byte| byte == 0).count();
        &line[nuls..]
    } else {
        line
    }
}

/// Reads a line whose prefix is in place; otherwise returns the stamp, if there is a header.
///
/// The line has been stripped of NUL bytes and of the carriage return.
///
/// # Errors
///
/// The stamp of a line whose prefix is not in place.
#[inline]
pub fn read_in_place<'a>(
    line: &'a [u8],
    prefixes: &Prefixes,
) -> Result<Reading<'a>, Option<&'a [u8]>> {
    let header = header::read(line).ok_or(None)?;
    let stamp = Some(header.stamp);
    let mut message = &line[header.place..];
    let mut count = 1;
    let mut kind = Kind::Packet;
    if message.first() == Some(&b'm')
        && let Some((times, start)) = header::read_wrapper(message)
    {
        message = &message[start..];
        message = message.strip_suffix(b"]").unwrap_or(message);
        count = times;
        kind = Kind::Repeated;
    }
    let (prefix, packet) = match prefixes.place(message) {
        Place::Body { index, body } => (index, read_body(&message[body..])),
        Place::Odd(index) => (index, None),
        Place::Nothing => return Err(stamp),
    };
    Ok(Reading::new(kind, count, prefix, stamp, packet))
}

#[inline(always)]
fn read_body(text: &[u8]) -> Option<Packet<'_>> {
    quick::read(text).or_else(|| body::read(text))
}
