//! The syslog header in front of the kernel's text: stamp, host, kernel tag, uptime and caller.

use std::ops::Range;

use crate::cursor::{self, Cursor};
use crate::time::MONTHS;

/// Longest host name that is believed (RFC 5424 allows 255 characters).
const HOST_MOST: usize = 255;

/// What stands in front of the kernel's own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The time as written, well-formed.
    pub stamp: &'a [u8],
    /// Where it starts.
    pub place_of_stamp: usize,
    /// Where the host stands, which may be missing.
    pub host: Range<usize>,
    /// Where the kernel's text starts, behind the tag and whatever uptime and caller there are.
    pub place: usize,
}

/// Reads the header of a line that the kernel wrote, or finds that it did not write it.
#[must_use]
#[inline]
pub fn read(line: &[u8]) -> Option<Header<'_>> {
    let (mut header, ()) = read_tagged(line, |cursor| take_tag(cursor).then_some(()))?;
    let mut cursor = Cursor { text: line, at: header.place };
    skip_uptime_and_caller(&mut cursor);
    header.place = cursor.at;
    Some(header)
}

/// Reads a header whose tag `take_tag` takes, and returns what that gives. The text starts right
/// behind the tag.
#[inline]
pub(crate) fn read_tagged<T>(
    line: &[u8],
    take_tag: impl Fn(&mut Cursor<'_>) -> Option<T>,
) -> Option<(Header<'_>, T)> {
    let (mut cursor, stamp) = read_stamp(line)?;
    let place_of_stamp = cursor.at - stamp.len();
    if !cursor.take(b" ") {
        return None;
    }
    let mut host = cursor.at..cursor.at;
    let tag = if let Some(tag) = take_tag(&mut cursor) {
        tag
    } else {
        let length = memchr::memchr(b' ', cursor.rest())?;
        if length == 0 || length > HOST_MOST {
            return None;
        }
        host.end += length;
        cursor.at += length + 1;
        take_tag(&mut cursor)?
    };
    Some((Header { stamp, place_of_stamp, host, place: cursor.at }, tag))
}

/// The stamp of a line, whoever wrote it, and the place behind it.
#[inline]
pub(crate) fn read_stamp(line: &[u8]) -> Option<(Cursor<'_>, &[u8])> {
    let mut cursor = Cursor::new(line);
    if line.first() == Some(&b'<') {
        take_priority(&mut cursor);
    }
    cursor.take(b"1 ");
    let start = cursor.at;
    let length = stamp_length(cursor.rest())?;
    cursor.at += length;
    Some((cursor, &line[start..start + length]))
}

/// "kernel:", or "kernel - - - " of RFC 5424.
#[inline]
pub(crate) fn take_tag(cursor: &mut Cursor<'_>) -> bool {
    cursor.take(b"kernel:") || cursor.take(b"kernel - - - ")
}

/// "<5>"; leaves the place where it was if it is none.
fn take_priority(cursor: &mut Cursor<'_>) {
    let digits = cursor.rest()[1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=3).contains(&digits) && cursor.rest().get(digits + 1) == Some(&b'>') {
        cursor.at += digits + 2;
    }
}

/// `[%5lu.%06lu]` and, with `CONFIG_PRINTK_CALLER`, `[%6s]` of a processor or a thread.
#[inline]
pub fn skip_uptime_and_caller(cursor: &mut Cursor<'_>) {
    cursor.skip_spaces();
    if cursor.rest().first() != Some(&b'[') {
        return;
    }
    if let Some(end) = uptime_length(cursor.rest()) {
        cursor.at += end;
        cursor.skip_spaces();
    }
    if let Some(end) = caller_length(cursor.rest()) {
        cursor.at += end;
        cursor.skip_spaces();
    }
}

#[inline]
fn uptime_length(text: &[u8]) -> Option<usize> {
    let mut at = bracket_and_spaces(text)?;
    let seconds = digits(&text[at..]);
    at += seconds;
    if seconds == 0 || text.get(at) != Some(&b'.') || digits(&text[at + 1..]) != 6 {
        return None;
    }
    at += 7;
    (text.get(at) == Some(&b']')).then_some(at + 1)
}

fn caller_length(text: &[u8]) -> Option<usize> {
    let mut at = bracket_and_spaces(text)?;
    if !matches!(text.get(at), Some(b'C' | b'T')) {
        return None;
    }
    let number = digits(&text[at + 1..]);
    at += 1 + number;
    (number > 0 && text.get(at) == Some(&b']')).then_some(at + 1)
}

#[inline]
fn bracket_and_spaces(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'[') {
        return None;
    }
    Some(1 + text[1..].iter().take_while(|&&byte| byte == b' ').count())
}

#[inline]
pub(crate) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Length of the stamp at the start of `text`, if it is well-formed.
#[inline]
fn stamp_length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'0'..=b'9' => rfc3339_length(text),
        b'A'..=b'S' => traditional_length(text),
        _ => None,
    }
}

/// "Nov  5 07:08:09"; some systems write one space only in front of a day below ten, and
/// `journalctl -o short-precise` a fraction.
#[inline]
fn traditional_length(text: &[u8]) -> Option<usize> {
    let month = text.get(..3)?;
    if !MONTHS.iter().any(|name| *name == month) || text.get(3) != Some(&b' ') {
        return None;
    }
    let mut at = 4;
    let (day, width) = match (text.get(at)?, text.get(at + 1)?) {
        (b' ', digit @ b'0'..=b'9') => (digit - b'0', 2),
        (ten @ b'0'..=b'9', digit @ b'0'..=b'9') => ((ten - b'0') * 10 + (digit - b'0'), 2),
        (digit @ b'0'..=b'9', b' ') => (digit - b'0', 1),
        _ => return None,
    };
    at += width;
    if !(1..=31).contains(&day)
        || text.get(at) != Some(&b' ')
        || !is_time(text.get(at + 1..at + 9)?)
    {
        return None;
    }
    at += 9;
    Some(at + fraction_length(&text[at..])?)
}

/// "2026-11-22T07:08:09.123456+00:00"; `journalctl -o short-iso` writes "+0000" before systemd 255.
#[inline]
fn rfc3339_length(text: &[u8]) -> Option<usize> {
    let day = text.get(..11)?;
    if two(day)? > 99
        || two(&day[2..])? > 99
        || day[4] != b'-'
        || !(1..=12).contains(&two(&day[5..])?)
        || day[7] != b'-'
        || !(1..=31).contains(&two(&day[8..])?)
        || day[10] != b'T'
        || !is_time(text.get(11..19)?)
    {
        return None;
    }
    let at = 19 + fraction_length(&text[19..])?;
    match text.get(at)? {
        b'Z' => Some(at + 1),
        b'+' | b'-' => {
            let minutes = at + 3 + usize::from(text.get(at + 3) == Some(&b':'));
            let is_zone = two(&text[at + 1..])? <= 23 && two(text.get(minutes..)?)? <= 59;
            is_zone.then_some(minutes + 2)
        }
        _ => None,
    }
}

/// ".123456", or nothing; `None` if it is no fraction of a second.
#[inline]
fn fraction_length(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'.') {
        return Some(0);
    }
    let fraction = digits(&text[1..]);
    (1..=9).contains(&fraction).then_some(1 + fraction)
}

/// "07:08:09", a leap second included.
#[inline]
fn is_time(text: &[u8]) -> bool {
    matches!(
        (two(text), text[2], two(&text[3..]), text[5], two(&text[6..])),
        (Some(0..=23), b':', Some(0..=59), b':', Some(0..=60))
    )
}

#[inline]
fn two(text: &[u8]) -> Option<u8> {
    let (tens, ones) = (text.first()?.wrapping_sub(b'0'), text.get(1)?.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

/// The N of rsyslog's "message repeated N times: [" and where the repeated text starts.
#[must_use]
pub fn read_wrapper(message: &[u8]) -> Option<(u32, usize)> {
    let mut cursor = Cursor::new(message);
    if !cursor.take(b"message repeated ") {
        return None;
    }
    let (times, length) = cursor::decimal(cursor.rest())?;
    cursor.at += length;
    if times == 0 || times > u64::from(u32::MAX) || !cursor.take(b" times: [") {
        return None;
    }
    skip_uptime_and_caller(&mut cursor);
    Some((times as u32, cursor.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &str) -> Option<&str> {
        read(line.as_bytes()).map(|header| &line[header.place..])
    }

    #[test]
    fn every_form_of_header_leads_to_the_same_text() {
        for line in [
            "Nov  5 07:08:09 worker-1 kernel: [   12.345678] calico-packet: IN=",
            "Nov 5 07:08:09 worker-1 kernel: [   12.345678] calico-packet: IN=",
            "Nov 22 07:08:09 worker-1 kernel: calico-packet: IN=",
            "Nov 22 07:08:09 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09.123456+00:00 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09Z worker-1 kernel: [123456.789012] calico-packet: IN=",
            "2026-11-22T07:08:09+0100 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09.123456-0930 worker-1 kernel: calico-packet: IN=",
            "Nov 22 07:08:09.123456 worker-1 kernel: calico-packet: IN=",
            "<5>1 2026-11-22T07:08:09.123456+02:00 worker-1 kernel - - - [1154069.463446] calico-packet: IN=",
            "1 2026-11-22T07:08:09.123456-02:00 worker-1 kernel - - - calico-packet: IN=",
            "<5>Nov 22 07:08:09 worker-1 kernel: [   12.345678][    C3] calico-packet: IN=",
            "2026-11-22T07:08:09.123456+00:00 worker-1 kernel: [    C3] calico-packet: IN=",
            "2026-11-22T07:08:09.123456+00:00 worker-1 kernel: [ T1234] calico-packet: IN=",
        ] {
            assert_eq!(Some("calico-packet: IN="), place(line), "{line}");
        }
    }

    #[test]
    fn what_the_kernel_does_not_write_is_no_header() {
        for line in [
            "",
            "kernel: calico-packet: IN=",
            "Nov 32 07:08:09 worker-1 kernel: calico-packet: IN=",
            "Nov 00 07:08:09 worker-1 kernel: calico-packet: IN=",
            "Nov 22 24:08:09 worker-1 kernel: calico-packet: IN=",
            "nov 22 07:08:09 worker-1 kernel: calico-packet: IN=",
            "Nov 22 07:08:09 worker-1 sshd: kernel: calico-packet: IN=",
            "Nov 22 07:08:09 worker-1 extra kernel: calico-packet: IN=",
            "Nov 22 07:08:09  kernel: calico-packet: IN=",
            "2026-13-22T07:08:09Z worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09. worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09+01 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09+010 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09+01000 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09+2400 worker-1 kernel: calico-packet: IN=",
            "2026-11-22T07:08:09+0160 worker-1 kernel: calico-packet: IN=",
            "Nov 22 07:08:09. worker-1 kernel: calico-packet: IN=",
            "Nov 22 07:08:09.1234567890 worker-1 kernel: calico-packet: IN=",
            "[   12.345678] calico-packet: IN=",
        ] {
            assert_eq!(None, place(line), "{line}");
        }
    }

    #[test]
    fn a_wrapper_tells_how_often() {
        assert_eq!(Some((3, 28)), read_wrapper(b"message repeated 3 times: [ calico"));
        assert_eq!(Some((9999, 31)), read_wrapper(b"message repeated 9999 times: [ calico"));
        for bad in [
            "message repeated 0 times: [ x",
            "message repeated 03 times: [",
            "message repeated -1 times: [",
            "message repeated 4294967296 times: [",
            "message repeated 3 times:",
        ] {
            assert_eq!(None, read_wrapper(bad.as_bytes()), "{bad}");
        }
    }
}
