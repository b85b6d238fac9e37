//! One line, read: header, wrapper, prefix and body together.

use crate::body::{self, Packet};
use crate::header::{self, Header};
use crate::prefix::{Place, Prefixes};
use crate::template::Names;

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
    /// What its specifiers stand for.
    pub names: Names<'a>,
    /// The header's time as written.
    pub stamp: Option<&'a [u8]>,
    /// The packet's fields.
    pub packet: Option<Packet<'a>>,
}

impl<'a> Reading<'a> {
    /// A line without any prefix in place.
    fn without_prefix(kind: Kind, stamp: Option<&'a [u8]>) -> Self {
        Self { kind, count: 0, prefix: None, names: Names::default(), stamp, packet: None }
    }
}

/// A line whose prefix is in place, and where its parts are.
#[derive(Clone, Debug)]
pub(crate) struct Placed<'a> {
    pub reading: Reading<'a>,
    pub header: Header<'a>,
    /// The prefix as the kernel printed it in front of a body, unless the line is a wrapper.
    pub prefix: Option<&'a [u8]>,
}

/// Reads one line without its line feed.
#[must_use]
pub fn read_line<'a>(line: &'a [u8], prefixes: &Prefixes) -> Reading<'a> {
    let line = strip_nuls(line);
    if line.len() > LINE_MOST {
        return Reading::without_prefix(Kind::Other, None);
    }
    let line = strip_return(line);
    match read_in_place(line, prefixes) {
        Ok(placed) => placed.reading,
        Err(stamp) => read_out_of_place(line, stamp, prefixes),
    }
}

/// The line without the carriage return of a file that came from elsewhere.
#[inline]
pub(crate) fn strip_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
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
pub(crate) fn read_in_place<'a>(
    line: &'a [u8],
    prefixes: &Prefixes,
) -> Result<Placed<'a>, Option<&'a [u8]>> {
    let header = header::read(line).ok_or(None)?;
    let mut message = &line[header.place..];
    let mut wrapped = None;
    if let Some((times, start)) = header::read_wrapper(message) {
        message = &message[start..];
        message = message.strip_suffix(b"]").unwrap_or(message);
        wrapped = Some(times);
    }
    let (index, names, body) = match prefixes.place(message) {
        Place::Body { index, names, body } => (index, names, Some(body)),
        Place::Odd(index) => (index, Names::default(), None),
        Place::Nothing => return Err(Some(header.stamp)),
    };
    let packet = body.and_then(|body| body::read(&message[body..]));
    let (kind, count) = match (packet, wrapped) {
        (None, _) => (Kind::Odd, 0),
        (Some(_), None) => (Kind::Packet, 1),
        (Some(_), Some(times)) => (Kind::Repeated, times),
    };
    let stamp = Some(header.stamp);
    let reading = Reading { kind, count, prefix: Some(index), names, stamp, packet };
    let prefix = body.filter(|_| wrapped.is_none()).map(|body| &message[..body]);
    Ok(Placed { reading, header, prefix })
}

/// What a line is that has no prefix in place.
pub(crate) fn read_out_of_place<'a>(
    line: &[u8],
    stamp: Option<&'a [u8]>,
    prefixes: &Prefixes,
) -> Reading<'a> {
    let kind = if prefixes.anywhere(line) { Kind::Forged } else { Kind::Other };
    Reading::without_prefix(kind, stamp)
}
