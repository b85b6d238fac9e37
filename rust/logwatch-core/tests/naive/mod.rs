//! A second reader of the same language, for tests only: slow, without tricks, and sharing nothing
//! with the crate but the types of its results.
//!
//! It is meant to be compared by eye with `docs/decisions.md` and the kernel's `nf_log_syslog.c`.

pub mod body;
pub mod counts;
pub mod header;
pub mod losses;
pub mod prefix;

use logwatch_core::line::{Kind, Reading};
use logwatch_core::template::Names;

use self::prefix::Prefix;

/// Longer lines are not looked into.
const LINE_MOST: usize = 65_536;

/// Reads one line without its line feed.
pub fn read_line<'a>(line: &'a [u8], prefixes: &[Prefix]) -> Reading<'a> {
    let mut line = line;
    while let Some(behind) = line.strip_prefix(b"\0") {
        line = behind;
    }
    let nothing = Reading {
        kind: Kind::Other,
        count: 0,
        prefix: None,
        names: Names::default(),
        stamp: None,
        packet: None,
    };
    if line.len() > LINE_MOST {
        return nothing;
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);

    let header = header::read(line);
    let stamp = header.map(|(stamp, _)| stamp);
    let in_place = header.and_then(|(_, message)| read_message(message, prefixes));
    match in_place {
        Some(reading) => Reading { stamp, ..reading },
        None if prefix::stands_anywhere(line, prefixes) => {
            Reading { kind: Kind::Forged, stamp, ..nothing }
        }
        None => Reading { stamp, ..nothing },
    }
}

/// Reads what the kernel wrote; `None` when no prefix is in place.
fn read_message<'a>(message: &'a [u8], prefixes: &[Prefix]) -> Option<Reading<'a>> {
    let (kind, count, message) = match header::unwrap_repeated(message) {
        Some((times, inner)) => (Kind::Repeated, times, inner),
        None => (Kind::Packet, 1, message),
    };
    let odd = Reading {
        kind: Kind::Odd,
        count: 0,
        prefix: None,
        names: Names::default(),
        stamp: None,
        packet: None,
    };
    if let Some((text, body)) = prefix::split_at_body(message)
        && let Some((index, names)) = prefix::owner(text, prefixes)
    {
        let odd = Reading { prefix: Some(index), names, ..odd };
        return Some(match body::read(body) {
            Some(packet) => Reading { kind, count, packet: Some(packet), ..odd },
            None => odd,
        });
    }
    let index = prefix::longest_stem(message, prefixes)?;
    Some(Reading { prefix: Some(index), ..odd })
}
