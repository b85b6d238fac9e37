//! The log prefixes that are looked for, in every spelling in which the kernel may print them.

use std::fmt;

use memchr::memmem;

use crate::class::PREFIXES_MOST;

/// iptables prints at most this many characters of a prefix (`struct xt_log_info`).
const IPTABLES_MOST: usize = 29;
/// nftables prints at most this many (`NF_LOG_PREFIXLEN`).
const NFTABLES_MOST: usize = 127;

/// Why a prefix can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixError {
    /// There is none, so that no line would count.
    Missing,
    /// The text at this index is empty, so that every kernel line would count.
    Empty(usize),
    /// The text at this index holds a line feed or a NUL byte, which no line holds.
    Unprintable(usize),
    /// There are more than can be told apart.
    TooMany(usize),
}

impl fmt::Display for PrefixError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => {
                formatter.write_str("there is no prefix: name at least one, such as calico-packet")
            }
            Self::Empty(index) => {
                write!(formatter, "prefix {index} is empty: it would match every kernel line")
            }
            Self::Unprintable(index) => {
                write!(formatter, "prefix {index} holds a line feed or a NUL byte")
            }
            Self::TooMany(count) => write!(
                formatter,
                "{count} prefixes are more than the {PREFIXES_MOST} that can be told apart"
            ),
        }
    }
}

impl std::error::Error for PrefixError {}

/// Where a message stands to the prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Prefix `index` is there and the body starts at `body`.
    Body {
        /// Index of the prefix.
        index: usize,
        /// Where `IN=` starts.
        body: usize,
    },
    /// Prefix `index` is there, but no body follows it.
    Odd(usize),
    /// None of them.
    Nothing,
}

/// The start of a message, as words to be compared without a call.
type Words = [u64; 4];
/// Bytes in them.
const WORDS_LENGTH: usize = 32;

/// A spelling with "IN=", to be found at the start of messages.
#[derive(Clone, Debug)]
struct Spelling {
    text: Vec<u8>,
    index: usize,
    words: Words,
    /// All ones in the bytes that the spelling has.
    masks: Words,
}

impl Spelling {
    fn new(text: Vec<u8>, index: usize) -> Self {
        let mut bytes = [0; WORDS_LENGTH];
        let mut kept = [0; WORDS_LENGTH];
        for (at, &byte) in text.iter().take(WORDS_LENGTH).enumerate() {
            bytes[at] = byte;
            kept[at] = 0xFF;
        }
        Self { text, index, words: words_of(&bytes), masks: words_of(&kept) }
    }

    fn place(&self) -> Place {
        Place::Body { index: self.index, body: self.text.len() - b"IN=".len() }
    }
}

#[inline]
fn words_of(bytes: &[u8; WORDS_LENGTH]) -> Words {
    let (words, _) = bytes.as_chunks::<8>();
    [0, 1, 2, 3].map(|at| u64::from_ne_bytes(words[at]))
}

/// The configured prefixes.
#[derive(Clone, Debug)]
pub struct Prefixes {
    /// The longest first, so that the first that fits is right.
    spellings: Vec<Spelling>,
    /// Whether all of them fit into words.
    is_short: bool,
    /// (the shortest that the kernel prints of it, prefix), the longest first.
    stems: Vec<(Vec<u8>, usize)>,
    /// Finds any stem: each line that holds a prefix holds one of these.
    finders: Vec<memmem::Finder<'static>>,
    /// Finds the spellings, for forged lines.
    forged: Vec<memmem::Finder<'static>>,
    count: usize,
}

impl Prefixes {
    /// Takes the texts as configured, without the ": " that Calico adds.
    ///
    /// # Errors
    ///
    /// When one of them could not be told from any other text.
    pub fn new<T: AsRef<[u8]>>(texts: &[T]) -> Result<Self, PrefixError> {
        if texts.is_empty() {
            return Err(PrefixError::Missing);
        }
        if texts.len() > PREFIXES_MOST {
            return Err(PrefixError::TooMany(texts.len()));
        }
        let mut spellings: Vec<(Vec<u8>, usize)> = Vec::new();
        let mut stems: Vec<(Vec<u8>, usize)> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            if text.is_empty() {
                return Err(PrefixError::Empty(index));
            }
            if text.contains(&b'\n') || text.contains(&0) {
                return Err(PrefixError::Unprintable(index));
            }
            let colon = [text, b": "].concat();
            for base in [&colon[..], text] {
                for most in [usize::MAX, IPTABLES_MOST, NFTABLES_MOST] {
                    let spelling = [&base[..base.len().min(most)], b"IN="].concat();
                    if !spellings.contains(&(spelling.clone(), index)) {
                        spellings.push((spelling, index));
                    }
                }
            }
            stems.push((text[..text.len().min(IPTABLES_MOST)].to_vec(), index));
        }
        spellings.sort_by_key(|(spelling, index)| (std::cmp::Reverse(spelling.len()), *index));
        stems.sort_by_key(|(stem, index)| (std::cmp::Reverse(stem.len()), *index));
        let finders = distinct_finders(stems.iter().map(|(stem, _)| stem));
        let forged = distinct_finders(spellings.iter().map(|(spelling, _)| spelling));
        let spellings: Vec<Spelling> =
            spellings.into_iter().map(|(text, index)| Spelling::new(text, index)).collect();
        let is_short = spellings.iter().all(|spelling| spelling.text.len() <= WORDS_LENGTH);
        Ok(Self { spellings, is_short, stems, finders, forged, count: texts.len() })
    }

    /// How many prefixes there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the kernel's text `message` starts with one of them.
    #[must_use]
    #[inline]
    pub fn place(&self, message: &[u8]) -> Place {
        let found = match message.first_chunk() {
            Some(start) if self.is_short => self.find_short(&words_of(start)),
            _ => self.spellings.iter().find(|spelling| message.starts_with(&spelling.text)),
        };
        if let Some(spelling) = found {
            return spelling.place();
        }
        for (stem, index) in &self.stems {
            if message.starts_with(stem) {
                return Place::Odd(*index);
            }
        }
        Place::Nothing
    }

    /// The first spelling that starts a message. All are compared, whichever fits: which one it is
    /// can't be foreseen where several prefixes are in use, and a wrong guess costs more.
    #[inline]
    fn find_short(&self, message: &Words) -> Option<&Spelling> {
        let mut found = usize::MAX;
        for (number, spelling) in self.spellings.iter().enumerate().rev() {
            let difference = (0..4).fold(0, |difference, at| {
                difference | (message[at] & spelling.masks[at]) ^ spelling.words[at]
            });
            found = if difference == 0 { number } else { found };
        }
        self.spellings.get(found)
    }

    /// Whether a prefix with a body stands anywhere in `line`.
    #[must_use]
    pub fn anywhere(&self, line: &[u8]) -> bool {
        self.forged.iter().any(|finder| finder.find(line).is_some())
    }

    /// Starts a search for the lines of `text` that may hold a prefix.
    #[must_use]
    pub fn search<'a>(&'a self, text: &'a [u8]) -> Search<'a> {
        Search { prefixes: self, text, next: vec![None; self.finders.len()] }
    }
}

fn distinct_finders<'a>(
    needles: impl Iterator<Item = &'a Vec<u8>>,
) -> Vec<memmem::Finder<'static>> {
    let mut seen: Vec<&[u8]> = Vec::new();
    for needle in needles {
        // A needle that holds another is found by it.
        if !seen.iter().any(|shorter| memmem::find(needle, shorter).is_some()) {
            seen.retain(|longer| memmem::find(longer, needle).is_none());
            seen.push(needle);
        }
    }
    seen.iter().map(|needle| memmem::Finder::new(needle).into_owned()).collect()
}

/// A search that goes on from place to place, and remembers how far each needle has looked.
pub struct Search<'a> {
    prefixes: &'a Prefixes,
    text: &'a [u8],
    /// Per needle: where it stands next, if that is known to be at or behind the last place asked for.
    next: Vec<Option<usize>>,
}

impl Search<'_> {
    /// The first byte at or after `from` at which a prefix may stand; `None` when there is none.
    pub fn find(&mut self, from: usize) -> Option<usize> {
        let mut first = usize::MAX;
        for (finder, next) in self.prefixes.finders.iter().zip(&mut self.next) {
            let at = match *next {
                Some(at) if at >= from => at,
                _ => {
                    let at =
                        finder.find(&self.text[from..]).map_or(usize::MAX, |offset| from + offset);
                    *next = Some(at);
                    at
                }
            };
            first = first.min(at);
        }
        (first != usize::MAX).then_some(first)
    }
}
