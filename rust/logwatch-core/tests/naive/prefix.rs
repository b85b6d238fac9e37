//! Configured prefixes and what the kernel makes of them.
//!
//! The printed prefix is what stands in front of the first `IN=`. It belongs to a configured one if
//! it is that text with ": " behind it, that text alone, or as many bytes of the first as iptables
//! (29) or nftables (127) keep.

use logwatch_core::template::Names;

const IPTABLES_MOST: usize = 29;
const NFTABLES_MOST: usize = 127;
const STEM_LEAST: usize = 3;

enum Piece {
    Literal(u8),
    /// The letter behind the '%'.
    Specifier(u8),
}

/// One configured prefix.
pub struct Prefix {
    pieces: Vec<Piece>,
    /// The same with the ": " that Calico adds.
    with_colon: Vec<Piece>,
    /// What every message with this prefix starts with; empty if that would be too short.
    stem: Vec<u8>,
}

impl Prefix {
    pub fn new(text: &str) -> Self {
        let pieces = pieces(text.as_bytes());
        let beginning: Vec<u8> = pieces
            .iter()
            .map_while(|piece| match piece {
                Piece::Literal(byte) => Some(*byte),
                Piece::Specifier(_) => None,
            })
            .collect();
        let is_template = beginning.len() < pieces.len();
        let stem = if is_template && beginning.len() < STEM_LEAST {
            Vec::new()
        } else {
            beginning[..beginning.len().min(IPTABLES_MOST)].to_vec()
        };
        Self { pieces, with_colon: self::pieces(format!("{text}: ").as_bytes()), stem }
    }

    fn is_template(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Specifier(_)))
    }

    fn read<'a>(&self, printed: &'a [u8]) -> Option<Names<'a>> {
        let is_cut = printed.len() == IPTABLES_MOST || printed.len() == NFTABLES_MOST;
        if printed.len() > NFTABLES_MOST {
            return None;
        }
        fit(&self.with_colon, printed, false)
            .or_else(|| fit(&self.pieces, printed, false))
            .or_else(|| if is_cut { fit(&self.with_colon, printed, true) } else { None })
    }
}

fn pieces(text: &[u8]) -> Vec<Piece> {
    match text {
        [] => Vec::new(),
        [b'%', letter @ (b't' | b'k' | b'n' | b'p'), rest @ ..] => {
            [vec![Piece::Specifier(*letter)], pieces(rest)].into_iter().flatten().collect()
        }
        [byte, rest @ ..] => {
            [vec![Piece::Literal(*byte)], pieces(rest)].into_iter().flatten().collect()
        }
    }
}

/// Fits `pieces` to all of `text`, or, where the kernel cut it, all of `text` to a beginning of
/// them. Names are as short as they can be, the first of them first.
fn fit<'a>(pieces: &[Piece], text: &'a [u8], is_cut: bool) -> Option<Names<'a>> {
    match pieces {
        _ if text.is_empty() && is_cut => Some(Names::default()),
        [] => text.is_empty().then(Names::default),
        [Piece::Literal(byte), rest @ ..] => match text {
            [first, text @ ..] if first == byte => fit(rest, text, is_cut),
            _ => None,
        },
        [Piece::Specifier(letter), rest @ ..] => {
            for length in 1..=text.len() {
                let (name, behind) = text.split_at(length);
                if !is_allowed(text[length - 1]) {
                    return None;
                }
                if is_name(*letter, name, is_cut && behind.is_empty())
                    && let Some(names) = fit(rest, behind, is_cut)
                {
                    return Some(with_name(*letter, name, names));
                }
            }
            None
        }
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)
}

/// A name, or behind %p two of them with a slash between, of which the kernel may have cut off the
/// second.
fn is_name(letter: u8, text: &[u8], is_cut: bool) -> bool {
    match split_at_slash(text) {
        None => true,
        Some((namespace, name)) => {
            letter == b'p'
                && !namespace.is_empty()
                && !name.contains(&b'/')
                && (is_cut || !name.is_empty())
        }
    }
}

/// `behind` with the name of this specifier, which stands in front of all of them.
fn with_name<'a>(letter: u8, name: &'a [u8], mut behind: Names<'a>) -> Names<'a> {
    match (letter, split_at_slash(name)) {
        (b't', _) => behind.tier = Some(name),
        (b'k', _) => behind.kind = Some(name),
        (b'p', Some((namespace, name))) => {
            behind.namespace = Some(namespace);
            if !name.is_empty() {
                behind.policy = Some(name);
            }
        }
        _ => behind.policy = Some(name),
    }
    behind
}

fn split_at_slash(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|&byte| byte == b'/')?;
    Some((&text[..place], &text[place + 1..]))
}

/// The printed prefix, and the body from the first `IN=` on, if that is where one can be.
pub fn split_at_body(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let place = message.windows(3).take(NFTABLES_MOST + 1).position(|text| text == b"IN=")?;
    Some(message.split_at(place))
}

/// Whose text the kernel printed: first those without specifiers are asked, then the templates.
pub fn owner<'a>(printed: &'a [u8], prefixes: &[Prefix]) -> Option<(usize, Names<'a>)> {
    let numbered = || prefixes.iter().enumerate();
    let plain = numbered().filter(|(_, prefix)| !prefix.is_template());
    let templates = numbered().filter(|(_, prefix)| prefix.is_template());
    plain.chain(templates).find_map(|(index, prefix)| Some((index, prefix.read(printed)?)))
}

/// The prefix with the longest stem that `message` starts with; of equal ones the first.
pub fn longest_stem(message: &[u8], prefixes: &[Prefix]) -> Option<usize> {
    let starts = |prefix: &Prefix| !prefix.stem.is_empty() && message.starts_with(&prefix.stem);
    let found = prefixes.iter().enumerate().filter(|(_, prefix)| starts(prefix));
    Some(found.rev().max_by_key(|(_, prefix)| prefix.stem.len())?.0)
}

/// Whether a stem stands anywhere, with a whole prefix and `IN=` from there on.
pub fn stands_anywhere(line: &[u8], prefixes: &[Prefix]) -> bool {
    (0..line.len()).any(|place| {
        let text = &line[place..];
        longest_stem(text, prefixes).is_some()
            && split_at_body(text).is_some_and(|(printed, _)| owner(printed, prefixes).is_some())
    })
}
