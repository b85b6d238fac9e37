//! Addresses as the kernel prints them, and as people write them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::cursor::{self, Cursor};

/// An IPv4 or IPv6 address, as a number in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// 203.0.113.7 is `0xCB00_7107`.
    V4(u32),
    /// `2001:db8::1` is `0x20010DB8 << 96 | 1`.
    V6(u128),
}

impl Address {
    /// Whether it is IPv6.
    #[must_use]
    #[inline]
    pub fn is_v6(self) -> bool {
        matches!(self, Self::V6(_))
    }
}

impl fmt::Display for Address {
    /// The canonical text: dotted decimal, or RFC 5952.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(bits) => Ipv4Addr::from(bits).fmt(formatter),
            Self::V6(bits) => Ipv6Addr::from(bits).fmt(formatter),
        }
    }
}

impl Cursor<'_> {
    /// An address as `%pI4` or `%pI6` print it, and the space behind it.
    #[inline]
    pub fn take_address(&mut self) -> Option<Address> {
        // The fifth byte of `%pI6` is always ':', that of `%pI4` never.
        if self.text.get(self.at + 4) == Some(&b':') {
            self.take_v6().map(Address::V6)
        } else {
            self.take_v4().map(Address::V4)
        }
    }

    /// `%pI4`, and the space behind it.
    #[inline]
    fn take_v4(&mut self) -> Option<u32> {
        let word = self.rest().iter().take(V4_MOST + 1).position(|&byte| byte == b' ')?;
        let bits = v4(&self.rest()[..word])?;
        self.at += word + 1;
        Some(bits)
    }

    /// `%pI6`, and the space behind it.
    #[inline]
    fn take_v6(&mut self) -> Option<u128> {
        let text = self.text.get(self.at..self.at + V6_LENGTH + 1)?;
        let bits = v6(&text[..V6_LENGTH]).filter(|_| text[V6_LENGTH] == b' ')?;
        self.at += V6_LENGTH + 1;
        Some(bits)
    }
}

/// Longest text of an IPv4 address.
const V4_MOST: usize = 15;
/// Bytes of `%pI6`.
const V6_LENGTH: usize = 39;

/// The number of what `%pI4` prints: dotted decimal without leading zeros.
pub(crate) fn v4(text: &[u8]) -> Option<u32> {
    let mut bits = 0;
    let mut octets = 0;
    for octet in text.split(|&byte| byte == b'.') {
        let (value, length) = cursor::decimal(octet)?;
        if length != octet.len() || value > 255 {
            return None;
        }
        bits = bits << 8 | value as u32;
        octets += 1;
    }
    (octets == 4).then_some(bits)
}

/// The number of what `%pI6` prints: eight groups of exactly four lower-case hexadecimal digits,
/// never "::".
pub(crate) fn v6(text: &[u8]) -> Option<u128> {
    let mut bits = 0;
    let mut groups = 0;
    for group in text.split(|&byte| byte == b':') {
        if group.len() != 4 {
            return None;
        }
        for &byte in group {
            let nibble = HEX[usize::from(byte)];
            if nibble & 0x80 != 0 {
                return None;
            }
            bits = bits << 4 | u128::from(nibble);
        }
        groups += 1;
    }
    (groups == 8).then_some(bits)
}

/// The value of a lower-case hexadecimal digit, 0x80 for any other byte.
static HEX: [u8; 256] = {
    let mut table = [0x80; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Cursor::new(text.as_bytes()).take_address().map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_taken_only_whole_and_canonical() {
        assert_eq!(Some("203.0.113.7".into()), read("203.0.113.7 "));
        assert_eq!(Some("0.0.0.0".into()), read("0.0.0.0 DST="));
        assert_eq!(Some("255.255.255.255".into()), read("255.255.255.255 "));
        for bad in [
            "203.0.113.7",
            "203.0.113.256 ",
            "203.0.113.07 ",
            "203.0.113 ",
            "1.2.3.4.5 ",
            "1..2.3 ",
            " ",
            "",
        ] {
            assert_eq!(None, read(bad), "{bad:?}");
        }
        assert_eq!(Some("2001:db8::1".into()), read("2001:0db8:0000:0000:0000:0000:0000:0001 "));
        assert_eq!(Some("::".into()), read("0000:0000:0000:0000:0000:0000:0000:0000 "));
        for bad in [
            "2001:0db8:0000:0000:0000:0000:0000:0001",
            "2001:0DB8:0000:0000:0000:0000:0000:0001 ",
            "2001:db8::1 ",
            "2001:0db8:0000:0000:0000:0000:0000:001 ",
        ] {
            assert_eq!(None, read(bad), "{bad:?}");
        }
    }
}
