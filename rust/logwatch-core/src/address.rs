//! Addresses as the kernel prints them, and as people write them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::cursor::Cursor;

/// An IPv4 or IPv6 address, as a number in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// 203.0.113.7 is `0xCB00_7107`.
    V4(u32),
    /// `2001:db8::1` is `0x20010DB8 << 96 | 1`.
    V6(u128),
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

    /// `%pI4`: dotted decimal without leading zeros.
    #[inline]
    fn take_v4(&mut self) -> Option<u32> {
        let text = self.rest();
        let mut bits = 0_u32;
        let mut at = 0;
        for group in 0..4 {
            let first = digit(text, at)?;
            let mut value = u32::from(first);
            at += 1;
            if first != 0
                && let Some(second) = digit(text, at)
            {
                value = value * 10 + u32::from(second);
                at += 1;
                if let Some(third) = digit(text, at) {
                    value = value * 10 + u32::from(third);
                    at += 1;
                }
            }
            let end = if group == 3 { b' ' } else { b'.' };
            if value > 255 || text.get(at) != Some(&end) {
                return None;
            }
            at += 1;
            bits = bits << 8 | value;
        }
        self.at += at;
        Some(bits)
    }

    /// `%pI6`: eight groups of exactly four lower-case hexadecimal digits, never "::".
    #[inline]
    fn take_v6(&mut self) -> Option<u128> {
        const LENGTH: usize = 39;
        let text = self.text.get(self.at..self.at + LENGTH + 1)?;
        if text[LENGTH] != b' ' {
            return None;
        }
        let mut bits = 0_u128;
        for group in 0..8 {
            let digits = &text[group * 5..group * 5 + 5];
            if group < 7 && digits[4] != b':' {
                return None;
            }
            let mut value = 0_u16;
            let mut bad = 0_u8;
            for &byte in &digits[..4] {
                let nibble = HEX[usize::from(byte)];
                bad |= nibble;
                value = value << 4 | u16::from(nibble & 15);
            }
            if bad & 0x80 != 0 {
                return None;
            }
            bits = bits << 16 | u128::from(value);
        }
        self.at += LENGTH + 1;
        Some(bits)
    }
}

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u8> {
    text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&value| value < 10)
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
