//! The usual bodies, read without a loop over bytes.
//!
//! A body that is exactly as the kernel writes most of them: one input device with its MAC header,
//! IPv4 or IPv6 without extensions, TCP, UDP or ICMP. For anything else, and for whatever looks
//! strange, the answer is `None` and the plain reader in [`crate::body`] decides. Invariant: where
//! there is an answer, it is the plain reader's.

use crate::address::Address;
use crate::body::{Flags, INTERFACE_MOST, Packet};
use crate::protocol;
use crate::spaces::{self, Spaces};

/// The fields of a body, by number.
struct Fields<'a> {
    text: &'a [u8],
    spaces: Spaces,
    /// Number of the next field.
    next: usize,
    /// Where it starts.
    start: usize,
}

impl<'a> Fields<'a> {
    /// The eight bytes at the start of the next field.
    #[inline(always)]
    fn head(&self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.text.get(self.start..)?.first_chunk()?))
    }

    /// Moves past the next field if it starts with `key`; returns where its value starts and ends.
    #[inline(always)]
    fn take<const N: usize>(&mut self, key: &[u8; N]) -> Option<(usize, usize)> {
        if self.text.get(self.start..)?.first_chunk::<N>()? != key {
            return None;
        }
        let end = self.spaces.get(self.next)?;
        let start = self.start + N;
        self.next += 1;
        self.start = end + 1;
        // A key with a space in it would reach beyond its field.
        (start <= end).then_some((start, end))
    }

    #[inline(always)]
    fn interface<const N: usize>(&mut self, key: &[u8; N]) -> Option<&'a [u8]> {
        let (start, end) = self.take(key)?;
        (end - start <= INTERFACE_MOST).then(|| &self.text[start..end])
    }

    #[inline(always)]
    fn number<const N: usize>(&mut self, key: &[u8; N], most: u32) -> Option<u32> {
        let (start, end) = self.take(key)?;
        number(self.text, start, end).filter(|&value| value <= most)
    }

    #[inline(always)]
    fn address<const N: usize>(&mut self, key: &[u8; N]) -> Option<Address> {
        let (start, end) = self.take(key)?;
        if end - start == 39 {
            let text = self.text.get(start..end)?.first_chunk()?;
            return v6(text).map(Address::V6);
        }
        v4(self.text, start, end).map(Address::V4)
    }
}

/// Reads a usual body that starts with `IN=`.
#[must_use]
#[inline(always)]
pub fn read(text: &[u8]) -> Option<Packet<'_>> {
    let spaces = Spaces::of(text)?;
    let mut fields = Fields { text, spaces, next: 0, start: 0 };
    let interface = fields.interface(b"IN=")?;
    let out_interface = fields.interface(b"OUT=")?;
    fields.take(b"MAC=")?;
    let source = fields.address(b"SRC=")?;
    let destination = fields.address(b"DST=")?;
    let length = fields.number(b"LEN=", u32::MAX)?;
    match (source, destination) {
        (Address::V4(_), Address::V4(_)) => skip_v4(&mut fields)?,
        (Address::V6(_), Address::V6(_)) => skip_v6(&mut fields)?,
        _ => return None,
    }
    let mut packet = Packet {
        interface,
        out_interface,
        source,
        destination,
        length: Some(length),
        protocol: None,
        source_port: None,
        port: None,
        flags: None,
        icmp_type: None,
        icmp_code: None,
    };
    let head = fields.text.get(fields.start..)?;
    if head.starts_with(b"PROTO=TCP ") {
        fields.take(b"PROTO=")?;
        packet.protocol = Some(protocol::TCP);
        ports(&mut fields, &mut packet)?;
        fields.number(b"WINDOW=", u32::from(u16::MAX))?;
        let (start, end) = fields.take(b"RES=0x")?;
        if end - start != 2 || !fields.text[start..end].iter().all(|&byte| is_hex(byte, b'a')) {
            return None;
        }
        packet.flags = Some(flags(&mut fields)?);
    } else if head.starts_with(b"PROTO=UDP ") {
        fields.take(b"PROTO=")?;
        packet.protocol = Some(protocol::UDP);
        ports(&mut fields, &mut packet)?;
    } else if head.starts_with(b"PROTO=ICMP") {
        let (start, end) = fields.take(b"PROTO=")?;
        packet.protocol = match &fields.text[start..end] {
            b"ICMP" => Some(protocol::ICMP),
            b"ICMPv6" => Some(protocol::ICMPV6),
            _ => return None,
        };
        packet.icmp_type = Some(fields.number(b"TYPE=", u32::from(u8::MAX))? as u8);
        packet.icmp_code = Some(fields.number(b"CODE=", u32::from(u8::MAX))? as u8);
    } else {
        return None;
    }
    Some(packet)
}

#[inline(always)]
fn skip_v4(fields: &mut Fields<'_>) -> Option<()> {
    let octets: &[u8; 19] = fields.text.get(fields.start..)?.first_chunk()?;
    let is_usual = octets.starts_with(b"TOS=0x")
        && is_hex(octets[6], b'A')
        && is_hex(octets[7], b'A')
        && octets[8..].starts_with(b" PREC=0x")
        && is_hex(octets[16], b'A')
        && is_hex(octets[17], b'A')
        && octets[18] == b' ';
    if !is_usual {
        return None;
    }
    fields.next += 2;
    fields.start += octets.len();
    fields.number(b"TTL=", u32::from(u8::MAX))?;
    fields.number(b"ID=", u32::from(u16::MAX))?;
    let is_unfragmented = fields.head()? & 0xFF_FFFF == u64::from_le_bytes(*b"DF \0\0\0\0\0");
    fields.next += usize::from(is_unfragmented);
    fields.start += usize::from(is_unfragmented) * 3;
    Some(())
}

#[inline(always)]
fn skip_v6(fields: &mut Fields<'_>) -> Option<()> {
    fields.number(b"TC=", u32::from(u8::MAX))?;
    fields.number(b"HOPLIMIT=", u32::from(u8::MAX))?;
    fields.number(b"FLOWLBL=", u32::MAX)?;
    Some(())
}

#[inline(always)]
fn ports(fields: &mut Fields<'_>, packet: &mut Packet<'_>) -> Option<()> {
    packet.source_port = Some(fields.number(b"SPT=", u32::from(u16::MAX))? as u16);
    packet.port = Some(fields.number(b"DPT=", u32::from(u16::MAX))? as u16);
    Some(())
}

/// The flags of an opening segment or of a usual answer, with URGP behind them.
#[inline(always)]
fn flags(fields: &mut Fields<'_>) -> Option<Flags> {
    let rest = fields.text.get(fields.start..)?;
    let (flags, length) = if rest.starts_with(b"SYN ") {
        (Flags::SYN, 4)
    } else if rest.starts_with(b"ACK RST ") {
        (Flags::ACK | Flags::RST, 8)
    } else if rest.starts_with(b"ACK ") {
        (Flags::ACK, 4)
    } else if rest.starts_with(b"RST ") {
        (Flags::RST, 4)
    } else {
        return None;
    };
    rest[length..].starts_with(b"URGP=").then_some(Flags(flags))
}

#[inline]
fn is_hex(byte: u8, first_letter: u8) -> bool {
    byte.is_ascii_digit() || byte.wrapping_sub(first_letter) < 6
}

/// Eight ASCII zeros.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The decimal number in `text[start..end]`, at most eight digits.
///
/// The eight bytes that end with it are taken as one word; what stands in front of it becomes
/// zeros; neighbouring digits, pairs and fours are then added up by three multiplications.
#[inline(always)]
fn number(text: &[u8], start: usize, end: usize) -> Option<u32> {
    let length = end - start;
    if length.wrapping_sub(1) >= 8 {
        return None;
    }
    let word = u64::from_le_bytes(*text.get(..end)?.last_chunk()?);
    let kept = u64::MAX << (64 - 8 * length);
    let digits = (word ^ ZEROS) & kept;
    let is_decimal =
        (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 == 0;
    // No leading zero, except in "0" itself.
    let is_canonical = length == 1 || text[start] != b'0';
    if !is_decimal || !is_canonical {
        return None;
    }
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    Some((fours.wrapping_mul(10_000 << 32 | 1) >> 32) as u32)
}

/// The dotted decimal in `text[start..end]`.
///
/// The dots are found by comparing the sixteen bytes that end with it at once; each octet is then
/// the last one to three of the four bytes in front of its dot.
#[inline(always)]
fn v4(text: &[u8], start: usize, end: usize) -> Option<u32> {
    let length = end - start;
    if !(7..=15).contains(&length) {
        return None;
    }
    let dots = u32::from(spaces::mask(text.get(..end)?.last_chunk()?, b'.')) >> (16 - length);
    let second = dots & dots.wrapping_sub(1);
    let third = second & second.wrapping_sub(1);
    // Three dots, and no fourth.
    if third == 0 || third & (third - 1) != 0 {
        return None;
    }
    let ends = [dots, second, third].map(|dots| start + dots.trailing_zeros() as usize);
    let (one, bad_one) = octet(text, start, ends[0])?;
    let (two, bad_two) = octet(text, ends[0] + 1, ends[1])?;
    let (three, bad_three) = octet(text, ends[1] + 1, ends[2])?;
    let (four, bad_four) = octet(text, ends[2] + 1, end)?;
    let is_right = !(bad_one | bad_two | bad_three | bad_four) && (one | two | three | four) < 256;
    is_right.then_some(one << 24 | two << 16 | three << 8 | four)
}

/// The number in `text[start..end]`, and whether it is anything but one to three digits without a
/// leading zero.
#[inline(always)]
fn octet(text: &[u8], start: usize, end: usize) -> Option<(u32, bool)> {
    let width = end - start;
    if width.wrapping_sub(1) >= 3 {
        return None;
    }
    let word = u32::from_le_bytes(*text.get(..end)?.last_chunk()?);
    let digits = (word ^ 0x3030_3030) & u32::MAX << (32 - 8 * width);
    let bad_digits = (digits | digits.wrapping_add(0x7676_7676)) & 0x8080_8080;
    let leading_zero = width > 1 && text[start] == b'0';
    let value = (digits >> 24) + (digits >> 16 & 0xFF) * 10 + (digits >> 8 & 0xFF) * 100;
    Some((value, bad_digits != 0 || leading_zero))
}

/// Eight groups of four lower-case hexadecimal digits, two groups at a time.
#[inline]
fn v6(text: &[u8; 39]) -> Option<u128> {
    const ONES: u64 = u64::MAX / 255;
    let mut bits = 0;
    let mut is_right = true;
    for pair in 0..4 {
        let at = pair * 10;
        let first = u32::from_le_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]);
        let second = u32::from_le_bytes([text[at + 5], text[at + 6], text[at + 7], text[at + 8]]);
        is_right &= text[at + 4] == b':' && (pair == 3 || text[at + 9] == b':');
        let word = u64::from(second) << 32 | u64::from(first);
        // 'a' to 'f' have bit 6 and a low nibble from 1.
        let letters = word >> 6 & ONES;
        let nibbles = (word & (ONES * 15)) + letters * 9;
        // Whatever was not a digit is written differently when it is written anew.
        let again = nibbles + ONES * 0x30 + ((nibbles + ONES * 6) >> 4 & ONES) * 39;
        is_right &= again == word && nibbles & (ONES * 0xF0) == 0;
        let bytes = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF;
        let halves = (bytes << 8 | bytes >> 16) & 0x0000_FFFF_0000_FFFF;
        bits = bits << 32 | u128::from((halves as u32) << 16 | (halves >> 32) as u32);
    }
    is_right.then_some(bits)
}
