//! A place in a text that moves only over what it recognises.
//!
//! Every `take_*` either moves past the whole thing and returns it, or leaves the place where it was.

/// A text and the place up to which it has been read.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    /// The whole text.
    pub text: &'a [u8],
    /// Everything before this byte has been read; never above `text.len()`.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte of `text`.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// What has not been read yet.
    #[must_use]
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Moves past `literal`.
    #[inline]
    pub fn take(&mut self, literal: &[u8]) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    /// Moves past any number of spaces.
    #[inline]
    pub fn skip_spaces(&mut self) {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    /// A word of any length, even none, and the space behind it.
    #[inline]
    pub fn take_word(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let end = memchr::memchr(b' ', rest)?;
        self.at += end + 1;
        Some(&rest[..end])
    }

    /// A word of at most `most` bytes and the space behind it.
    #[inline]
    pub fn take_short_word(&mut self, most: usize) -> Option<&'a [u8]> {
        let rest = self.rest();
        let end = rest.iter().take(most + 1).position(|&byte| byte == b' ')?;
        self.at += end + 1;
        Some(&rest[..end])
    }

    /// A decimal number from 0 to `most`, without leading zeros, and the space behind it.
    ///
    /// The kernel writes a space after every field, so that a number without one may be cut and is
    /// not taken.
    #[inline]
    pub fn take_number(&mut self, most: u32) -> Option<u32> {
        let (value, end) = decimal(self.rest())?;
        if value > u64::from(most) || self.text.get(self.at + end) != Some(&b' ') {
            return None;
        }
        self.at += end + 1;
        Some(value as u32)
    }

    /// `least` to `most` hexadecimal digits, lower or upper case as asked, and the space behind them.
    #[inline]
    pub fn take_hex(&mut self, least: usize, most: usize, upper: bool) -> Option<()> {
        let rest = self.rest();
        let digits = rest
            .iter()
            .take(most + 1)
            .take_while(|&&byte| {
                byte.is_ascii_digit()
                    || if upper {
                        (b'A'..=b'F').contains(&byte)
                    } else {
                        (b'a'..=b'f').contains(&byte)
                    }
            })
            .count();
        if digits < least || digits > most || rest.get(digits) != Some(&b' ') {
            return None;
        }
        self.at += digits + 1;
        Some(())
    }
}

/// The decimal number at the start of `text` and how many digits it has.
///
/// At most ten digits, no leading zero except in "0" itself.
#[inline]
pub(crate) fn decimal(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    let mut end = 0;
    while let Some(digit) = text.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|&d| d < 10) {
        if end == 10 {
            return None;
        }
        value = value * 10 + u64::from(digit);
        end += 1;
    }
    if end == 0 || (text[0] == b'0' && end > 1) {
        return None;
    }
    Some((value, end))
}
