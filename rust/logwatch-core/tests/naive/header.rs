//! What syslog writes in front of the kernel's text.

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const HOST_MOST: usize = 255;

/// The stamp, and the kernel's text; `None` when the kernel did not write this line.
pub fn read(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (stamp, places) = places_of_tag(line)?;
    let message = places.into_iter().find_map(skip_tag)?;
    Some((stamp, skip_uptime_and_caller(message)))
}

/// The stamp, and the texts that start where a tag may stand: behind the stamp, or behind a host.
pub fn places_of_tag(line: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let line = skip_priority(line);
    let line = line.strip_prefix(b"1 ").unwrap_or(line);
    let length = rfc3339_length(line).or_else(|| traditional_length(line))?;
    let (stamp, rest) = line.split_at(length);
    let rest = rest.strip_prefix(b" ")?;
    let mut places = vec![rest];
    if let Some((host, rest)) = split_at_space(rest)
        && !host.is_empty()
        && host.len() <= HOST_MOST
    {
        places.push(rest);
    }
    Some((stamp, places))
}

/// N and the inner text of "message repeated N times: [ ... ]", whose "]" may have been cut off.
pub fn unwrap_repeated(message: &[u8]) -> Option<(u32, &[u8])> {
    let rest = message.strip_prefix(b"message repeated ")?;
    let (times, rest) = split_at_space(rest)?;
    let inner = rest.strip_prefix(b"times: [")?;
    let times = number(times).filter(|&times| times > 0)?;
    let inner = skip_uptime_and_caller(inner);
    Some((times, inner.strip_suffix(b"]").unwrap_or(inner)))
}

/// A decimal number as `%u` prints it, of 32 bits.
pub fn number(text: &[u8]) -> Option<u32> {
    let has_leading_zero = text.len() > 1 && text[0] == b'0';
    if text.is_empty() || text.len() > 10 || has_leading_zero || !text.iter().all(is_digit) {
        return None;
    }
    let value = text.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    u32::try_from(value).ok()
}

/// What stands in front of the first space, and what stands behind it.
pub fn split_at_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|&byte| byte == b' ')?;
    Some((&text[..place], &text[place + 1..]))
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as `Iterator::all` hands it over
fn is_digit(byte: &u8) -> bool {
    byte.is_ascii_digit()
}

fn skip_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else { return line };
    let behind = skip_digits(rest);
    match ((rest.len() - behind.len()), behind.strip_prefix(b">")) {
        (1..=3, Some(behind)) => behind,
        _ => line,
    }
}

pub fn skip_tag(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"kernel:").or_else(|| text.strip_prefix(b"kernel - - - "))
}

/// Each may be missing, and any number of spaces may follow each.
pub fn skip_uptime_and_caller(message: &[u8]) -> &[u8] {
    let message = skip_spaces(message);
    let message = skip_uptime(message).map_or(message, skip_spaces);
    skip_caller(message).map_or(message, skip_spaces)
}

/// "[   12.345678]"
fn skip_uptime(text: &[u8]) -> Option<&[u8]> {
    let seconds = skip_spaces(text.strip_prefix(b"[")?);
    let point = skip_digits(seconds);
    let fraction = point.strip_prefix(b".")?;
    let end = skip_digits(fraction);
    let widths = (seconds.len() - point.len(), fraction.len() - end.len());
    if matches!(widths, (1.., 6)) { end.strip_prefix(b"]") } else { None }
}

/// "[    C3]" or "[ T1234]"
fn skip_caller(text: &[u8]) -> Option<&[u8]> {
    let inner = skip_spaces(text.strip_prefix(b"[")?);
    let number = inner.strip_prefix(b"C").or_else(|| inner.strip_prefix(b"T"))?;
    let end = skip_digits(number);
    if end.len() < number.len() { end.strip_prefix(b"]") } else { None }
}

pub fn skip_spaces(mut text: &[u8]) -> &[u8] {
    while let Some(behind) = text.strip_prefix(b" ") {
        text = behind;
    }
    text
}

pub fn skip_digits(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| is_digit(byte)).count()..]
}

/// Whether `text` starts like `shape`, in which each 0 stands for any digit.
fn looks_like(text: &[u8], shape: &[u8]) -> bool {
    text.len() >= shape.len()
        && shape.iter().zip(text).all(|(&wanted, &byte)| {
            if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted }
        })
}

/// The number that the two digits at `place` are.
fn two(text: &[u8], place: usize) -> u8 {
    (text[place] - b'0') * 10 + (text[place + 1] - b'0')
}

/// "07:08:09", leap second included.
fn is_clock(text: &[u8]) -> bool {
    looks_like(text, b"00:00:00") && two(text, 0) <= 23 && two(text, 3) <= 59 && two(text, 6) <= 60
}

/// "Nov 22 07:08:09"; a day below ten is padded with a space or a zero, or not at all.
fn traditional_length(line: &[u8]) -> Option<usize> {
    if !MONTHS.iter().any(|month| line.starts_with(month)) {
        return None;
    }
    let day = &line[3..];
    let (number, width) = if looks_like(day, b" 00 ") {
        (two(day, 1), 4)
    } else if looks_like(day, b"  0 ") {
        (day[2] - b'0', 4)
    } else if looks_like(day, b" 0 ") {
        (day[1] - b'0', 3)
    } else {
        return None;
    };
    if !(1..=31).contains(&number) || !is_clock(&day[width..]) {
        return None;
    }
    let rest = skip_fraction(&day[width + 8..])?;
    Some(line.len() - rest.len())
}

/// "2026-11-22T07:08:09.123456+00:00"
fn rfc3339_length(line: &[u8]) -> Option<usize> {
    if !looks_like(line, b"0000-00-00T00:00:00")
        || !(1..=12).contains(&two(line, 5))
        || !(1..=31).contains(&two(line, 8))
        || !is_clock(&line[11..])
    {
        return None;
    }
    let zone = skip_fraction(&line[19..])?;
    let looks_like_one_of = |plus, minus| looks_like(zone, plus) || looks_like(zone, minus);
    let zone_length = if zone.first() == Some(&b'Z') {
        1
    } else if looks_like_one_of(b"+00:00", b"-00:00") && two(zone, 1) <= 23 && two(zone, 4) <= 59 {
        6
    } else if looks_like_one_of(b"+0000", b"-0000") && two(zone, 1) <= 23 && two(zone, 3) <= 59 {
        5
    } else {
        return None;
    };
    Some(line.len() - zone.len() + zone_length)
}

/// What follows a fraction of one to nine digits, or no fraction.
fn skip_fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(fraction) = text.strip_prefix(b".") else { return Some(text) };
    let rest = skip_digits(fraction);
    (1..=9).contains(&(fraction.len() - rest.len())).then_some(rest)
}

/// Unix seconds of a well-formed stamp. One without a year is of the year that brings it nearest
/// to `now` (zone: UTC), and of none (0) on February 29 without a leap year near.
pub fn seconds(stamp: &[u8], now: i64) -> i64 {
    let clock_in = |text: &[u8]| {
        i64::from(two(text, 0)) * 3_600 + i64::from(two(text, 3)) * 60 + i64::from(two(text, 6))
    };
    if let Some(month) = MONTHS.iter().position(|month| stamp.starts_with(month)) {
        let stamp = stamp.split(|&byte| byte == b'.').next().unwrap_or(stamp);
        let (date, clock) = stamp.split_at(stamp.len() - 8);
        let day = date[3..].iter().filter(|byte| is_digit(byte));
        let day = day.fold(0, |day, digit| day * 10 + i64::from(digit - b'0'));
        let this_year = 1970 + now / 31_556_952;
        return (this_year - 1..=this_year + 1)
            .filter(|&year| (month, day) != (1, 29) || is_leap(year))
            .map(|year| days(year, month, day) * 86_400 + clock_in(clock))
            .min_by_key(|moment| (moment - now).abs())
            .unwrap_or(0);
    }
    let year = i64::from(two(stamp, 0)) * 100 + i64::from(two(stamp, 2));
    let month = usize::from(two(stamp, 5)) - 1;
    let moment = days(year, month, i64::from(two(stamp, 8))) * 86_400 + clock_in(&stamp[11..]);
    if stamp.ends_with(b"Z") {
        return moment;
    }
    let start = stamp.iter().rposition(|byte| b"+-".contains(byte)).unwrap_or(0);
    let zone = &stamp[start..];
    let offset = i64::from(two(zone, 1)) * 3_600 + i64::from(two(zone, zone.len() - 2)) * 60;
    if zone[0] == b'-' { moment + offset } else { moment - offset }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Days from 1970 to a day of a month (from 0), which may lie behind the month's end.
fn days(year: i64, month: usize, day: i64) -> i64 {
    let before = |year: i64| {
        // Of the year 0, a leap year, all days have passed when the year 1 begins.
        if year == 0 {
            0
        } else {
            year * 365 + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 + 1
        }
    };
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    before(year) - before(1970) + lengths[..month].iter().sum::<i64>() + day - 1
}
