//! What others say they have lost, read word by word.

use logwatch_core::losses::{Report, Speaker};

use super::header;

/// Reads a line without NUL bytes in front, line feed and carriage return.
pub fn read(line: &[u8]) -> Option<Report> {
    let (_, places) = header::places_of_tag(line)?;
    let (tag, text) = places.into_iter().find_map(split_at_tag)?;
    let (times, text) = header::unwrap_repeated(text).unwrap_or((1, text));
    let (by, text) = match (tag, split_at_tag(text)) {
        (Speaker::Kernel, Some((Speaker::Journald, inner))) => (Speaker::Journald, inner),
        _ => (tag, text),
    };
    let messages = match by {
        Speaker::Kernel => cut(text),
        Speaker::Journald => missed(text),
        Speaker::Rsyslog => rate_limited(text),
    }?;
    Some(Report { by, messages, times })
}

/// Whose tag stands at the start, and the text behind it.
fn split_at_tag(text: &[u8]) -> Option<(Speaker, &[u8])> {
    if let Some(rest) = header::skip_tag(text) {
        return Some((Speaker::Kernel, header::skip_uptime_and_caller(rest)));
    }
    let names: [(&[u8], Speaker); 3] = [
        (b"systemd-journald", Speaker::Journald),
        (b"systemd-journal", Speaker::Journald),
        (b"rsyslogd", Speaker::Rsyslog),
    ];
    names.into_iter().find_map(|(name, speaker)| {
        let rest = text.strip_prefix(name)?;
        let rest = behind_number(b"-", rest).unwrap_or(rest);
        let ends = [
            rest.strip_prefix(b":"),
            rest.strip_prefix(b" - - - "),
            behind_number(b"[", rest).and_then(|rest| rest.strip_prefix(b"]:")),
            behind_number(b" ", rest).and_then(|rest| rest.strip_prefix(b" - - ")),
        ];
        let rest = ends.into_iter().flatten().next()?;
        Some((speaker, header::skip_spaces(rest)))
    })
}

/// What stands behind `open` and a number.
fn behind_number<'a>(open: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    let digits = text.strip_prefix(open)?;
    let behind = header::skip_digits(digits);
    (behind.len() < digits.len()).then_some(behind)
}

fn cut(text: &[u8]) -> Option<u64> {
    let words: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
    let is_said = |words: &[&[u8]]| match words {
        [b"please", b"increase", last, ..] => last.starts_with(b"S_SIZE"),
        _ => false,
    };
    (is_said(&words) || is_said(&words[1..])).then_some(0)
}

fn missed(text: &[u8]) -> Option<u64> {
    if text.starts_with(b"/dev/kmsg buffer overrun, some messages lost") {
        return Some(0);
    }
    let (number, rest) = header::split_at_space(text.strip_prefix(b"Missed ")?)?;
    if rest.starts_with(b"kernel messages") { decimal(number) } else { None }
}

fn rate_limited(text: &[u8]) -> Option<u64> {
    const BEGIN: &[u8] = b"begin to drop messages due to rate-limiting";
    let rest = text.strip_prefix(b"imjournal").or_else(|| text.strip_prefix(b"imklog"))?;
    if let Some(rest) = rest.strip_prefix(b" from <") {
        let says = |place: usize| {
            rest[place..].strip_prefix(b">: ").is_some_and(|rest| rest.starts_with(BEGIN))
        };
        return (0..rest.len()).any(says).then_some(0);
    }
    let rest = rest.strip_prefix(b": ")?;
    if rest.starts_with(BEGIN) {
        return Some(0);
    }
    let (number, rest) = header::split_at_space(rest)?;
    if rest.starts_with(b"messages lost due to rate-limiting") { decimal(number) } else { None }
}

/// 0 for a number above 64 bits.
fn decimal(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    (is_number && !has_leading_zero).then(|| text.parse().unwrap_or(0))
}
