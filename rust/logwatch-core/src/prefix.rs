//! The log prefixes that are looked for, in every spelling in which the kernel may print them.

use std::fmt;

use memchr::memmem;

use crate::template::{NFTABLES_MOST, Names, Template};

/// Prefixes that are looked for at once: each costs a comparison where no other fits.
pub const PREFIXES_MOST: usize = 64;

/// What every body starts with. No prefix holds it, since none may hold '='.
const BODY: &[u8] = b"IN=";

/// Why a prefix can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixError {
    /// There is none, so that no line would count.
    Missing,
    /// The text at this index is empty, so that every kernel line would count.
    Empty(usize),
    /// The text at this index holds a byte that no prefix holds: a line feed, NUL, '=' or '['.
    Unprintable(usize),
    /// The text at this index has more specifiers than are told apart.
    Specifiers(usize),
    /// There are more than are looked for at once.
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
                write!(formatter, "prefix {index} holds a line feed, a NUL byte, '=' or '['")
            }
            Self::Specifiers(index) => {
                write!(formatter, "prefix {index} has more than four of %t, %k, %n and %p")
            }
            Self::TooMany(count) => {
                write!(formatter, "{count} prefixes are more than {PREFIXES_MOST}")
            }
        }
    }
}

impl std::error::Error for PrefixError {}

/// Where a message stands to the prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// Prefix `index` is there and the body starts at `body`.
    Body {
        /// Index of the prefix.
        index: usize,
        /// What its specifiers stand for.
        names: Names<'a>,
        /// Where `IN=` starts.
        body: usize,
    },
    /// Prefix `index` is there, but no body follows it.
    Odd(usize),
    /// None of them.
    Nothing,
}

/// The configured prefixes.
#[derive(Clone, Debug)]
pub struct Prefixes {
    /// With their index, those without specifiers first: they say exactly what they mean.
    templates: Vec<(Template, usize)>,
    /// (what a message with the prefix starts with, prefix), the longest first.
    stems: Vec<(Vec<u8>, usize)>,
    /// Finds any stem, or any body where a prefix has no stem: each line that counts holds one.
    finders: Vec<memmem::Finder<'static>>,
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
        let mut templates = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            if text.is_empty() {
                return Err(PrefixError::Empty(index));
            }
            if text.iter().any(|byte| b"\n\0=[".contains(byte)) {
                return Err(PrefixError::Unprintable(index));
            }
            let template = Template::new(text).ok_or(PrefixError::Specifiers(index))?;
            templates.push((template, index));
        }
        templates.sort_by_key(|(template, index)| (!template.is_plain(), *index));
        let mut stems: Vec<(Vec<u8>, usize)> = templates
            .iter()
            .filter_map(|(template, index)| Some((template.stem()?.to_vec(), *index)))
            .collect();
        stems.sort_by_key(|(stem, index)| (std::cmp::Reverse(stem.len()), *index));
        let body = (stems.len() < templates.len()).then_some(BODY);
        let finders = distinct_finders(stems.iter().map(|(stem, _)| &stem[..]).chain(body));
        Ok(Self { templates, stems, finders })
    }

    /// Whether the kernel's text `message` starts with one of them.
    #[must_use]
    pub fn place<'a>(&self, message: &'a [u8]) -> Place<'a> {
        if let Some(body) = find_body(message)
            && let Some((index, names)) = self.owner(&message[..body])
        {
            return Place::Body { index, names, body };
        }
        self.stems
            .iter()
            .find(|(stem, _)| message.starts_with(stem))
            .map_or(Place::Nothing, |(_, index)| Place::Odd(*index))
    }

    /// The prefix that the kernel printed as `text` in front of a body.
    #[must_use]
    pub fn owner<'a>(&self, text: &'a [u8]) -> Option<(usize, Names<'a>)> {
        self.templates.iter().find_map(|(template, index)| Some((*index, template.read(text)?)))
    }

    /// Whether a prefix with a body stands anywhere in `line`. Prefixes without a stem are not
    /// looked for: any text could be one.
    #[must_use]
    pub fn anywhere(&self, line: &[u8]) -> bool {
        let has_stem = |text: &[u8]| self.stems.iter().any(|(stem, _)| text.starts_with(stem));
        if !self.stems.iter().any(|(stem, _)| memmem::find(line, stem).is_some()) {
            return false;
        }
        let mut first = 0;
        memmem::find_iter(line, BODY).any(|body| {
            let from = first.max(body.saturating_sub(NFTABLES_MOST));
            first = body + 1;
            let text = &line[from..body];
            let starts = self
                .templates
                .iter()
                .fold(0, |starts, (template, _)| starts | template.starts(text));
            (0..text.len()).any(|at| starts >> at & 1 == 1 && has_stem(&line[from + at..]))
        })
    }

    /// Starts a search for the lines of `text` that may hold a prefix.
    #[must_use]
    pub fn search<'a>(&'a self, text: &'a [u8]) -> Search<'a> {
        Search { prefixes: self, text, next: vec![None; self.finders.len()] }
    }
}

/// Where the body behind a prefix starts: at the first `IN=`, if a prefix can be that long.
fn find_body(message: &[u8]) -> Option<usize> {
    memmem::find(&message[..message.len().min(NFTABLES_MOST + BODY.len())], BODY)
}

fn distinct_finders<'a>(needles: impl Iterator<Item = &'a [u8]>) -> Vec<memmem::Finder<'static>> {
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
