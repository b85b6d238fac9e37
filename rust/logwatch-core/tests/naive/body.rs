//! The kernel's text from `IN=` on, word by word.
//!
//! Each word counts only with the space behind it. The order is the kernel's; the first word out of
//! order ends the reading, and what was read before it stands.

use logwatch_core::address::Address;
use logwatch_core::body::{Flags, Packet};
use logwatch_core::protocol::Protocol;

use super::header::{number, split_at_space};

const INTERFACE_MOST: usize = 15;
const PROTOCOLS: [(&[u8], Protocol); 7] = [
    (b"TCP", 6),
    (b"UDP", 17),
    (b"UDPLITE", 136),
    (b"ICMP", 1),
    (b"ICMPv6", 58),
    (b"AH", 51),
    (b"ESP", 50),
];
const FLAGS: [&[u8]; 9] = [b"AE", b"CWR", b"ECE", b"URG", b"ACK", b"PSH", b"RST", b"SYN", b"FIN"];

/// What is left of the text.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// The next word, if it is whole and starts with `key`: what follows the key.
    fn value(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        let (word, rest) = split_at_space(self.0)?;
        let value = word.strip_prefix(key)?;
        self.0 = rest;
        Some(value)
    }

    /// Whether this is the next word; steps over it.
    fn is(&mut self, word: &[u8]) -> bool {
        match split_at_space(self.0) {
            Some((next, rest)) if next == word => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Whether the text goes on like this, be the word whole or not; steps over nothing.
    fn begins(&self, text: &[u8]) -> bool {
        self.0.starts_with(text)
    }

    fn interface(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        self.value(key).filter(|name| name.len() <= INTERFACE_MOST)
    }

    fn number(&mut self, key: &[u8]) -> Option<u32> {
        number(self.value(key)?)
    }

    fn short(&mut self, key: &[u8]) -> Option<u16> {
        u16::try_from(self.number(key)?).ok()
    }

    fn byte(&mut self, key: &[u8]) -> Option<u8> {
        u8::try_from(self.number(key)?).ok()
    }

    /// Digits of `alphabet`, `least` to `most` of them.
    fn digits(&mut self, key: &[u8], alphabet: &[u8], least: usize, most: usize) -> Option<()> {
        let digits = self.value(key)?;
        let is_right = (least..=most).contains(&digits.len())
            && digits.iter().all(|digit| alphabet.contains(digit));
        is_right.then_some(())
    }
}

const UPPER: &[u8] = b"0123456789ABCDEF";
const LOWER: &[u8] = b"0123456789abcdef";

/// `None` when source and destination can't both be read.
pub fn read(text: &[u8]) -> Option<Packet<'_>> {
    let mut words = Words(text);
    let interface = words.interface(b"IN=")?;
    let out_interface = words.interface(b"OUT=")?;
    skip_link_layer(&mut words)?;
    let source = address(words.value(b"SRC=")?)?;
    let destination = address(words.value(b"DST=")?)?;
    let mut packet = Packet {
        interface,
        out_interface,
        source,
        destination,
        length: None,
        protocol: None,
        source_port: None,
        port: None,
        flags: None,
        icmp_type: None,
        icmp_code: None,
    };
    // Where they stop at a deviation, the packet has what was read before it.
    match (source, destination) {
        (Address::V4(_), Address::V4(_)) => read_v4(&mut words, &mut packet),
        (Address::V6(_), Address::V6(_)) => read_v6(&mut words, &mut packet),
        _ => return None,
    };
    Some(packet)
}

/// PHYSIN, PHYSOUT, and MAC in one of its two forms.
fn skip_link_layer(words: &mut Words<'_>) -> Option<()> {
    for key in [&b"PHYSIN="[..], b"PHYSOUT="] {
        if words.begins(key) {
            words.interface(key)?;
        }
    }
    if words.begins(b"MACSRC=") {
        words.value(b"MACSRC=")?;
        words.value(b"MACDST=")?;
        if words.begins(b"VPROTO=") {
            words.value(b"VPROTO=")?;
            words.value(b"VID=")?;
        }
        words.value(b"MACPROTO=")?;
    } else if words.begins(b"MAC=") {
        words.value(b"MAC=")?;
        if words.begins(b"TUNNEL=") {
            words.value(b"TUNNEL=")?;
        }
    }
    Some(())
}

/// `%pI4` or `%pI6`.
fn address(text: &[u8]) -> Option<Address> {
    let text = str::from_utf8(text).ok()?;
    if text.contains('.') {
        let octets =
            text.split('.').map(|octet| number(octet.as_bytes()).filter(|&octet| octet <= 255));
        let bits = octets.clone().try_fold(0, |bits: u32, octet| Some(bits << 8 | octet?))?;
        return (octets.count() == 4).then_some(Address::V4(bits));
    }
    let groups = text.split(':').map(|group| {
        let is_right = group.len() == 4 && group.bytes().all(|digit| LOWER.contains(&digit));
        u16::from_str_radix(group, 16).ok().filter(|_| is_right)
    });
    let bits =
        groups.clone().try_fold(0, |bits: u128, group| Some(bits << 16 | u128::from(group?)))?;
    (groups.count() == 8).then_some(Address::V6(bits))
}

fn read_v4(words: &mut Words<'_>, packet: &mut Packet<'_>) -> Option<()> {
    packet.length = words.number(b"LEN=");
    packet.length?;
    words.digits(b"TOS=0x", UPPER, 2, 2)?;
    words.digits(b"PREC=0x", UPPER, 2, 2)?;
    words.byte(b"TTL=")?;
    words.short(b"ID=")?;
    for flag in [b"CE", b"DF", b"MF"] {
        words.is(flag);
    }
    if words.begins(b"FRAG:") {
        words.short(b"FRAG:")?;
    }
    if words.is(b"OPT") {
        let bytes = words.value(b"(")?.strip_suffix(b")")?;
        if !bytes.iter().all(|digit| UPPER.contains(digit)) {
            return None;
        }
    }
    read_transport(words, packet)
}

fn read_v6(words: &mut Words<'_>, packet: &mut Packet<'_>) -> Option<()> {
    packet.length = words.number(b"LEN=");
    packet.length?;
    words.byte(b"TC=")?;
    words.byte(b"HOPLIMIT=")?;
    words.number(b"FLOWLBL=")?;
    while !words.begins(b"PROTO=") {
        let in_brackets = words.is(b"OPT");
        if in_brackets && !words.is(b"(") {
            return None;
        }
        let is_empty = in_brackets && words.begins(b")");
        if !is_empty {
            skip_extension(words)?;
        }
        if in_brackets && !words.is(b")") {
            return None;
        }
    }
    read_transport(words, packet)
}

fn skip_extension(words: &mut Words<'_>) -> Option<()> {
    if words.begins(b"FRAG:") {
        words.short(b"FRAG:")?;
        words.is(b"INCOMPLETE");
        return words.digits(b"ID:", LOWER, 8, 8);
    }
    if words.is(b"AH") || words.is(b"ESP") {
        return words.digits(b"SPI=0x", LOWER, 1, 8);
    }
    None
}

fn read_transport(words: &mut Words<'_>, packet: &mut Packet<'_>) -> Option<()> {
    let name = words.value(b"PROTO=")?;
    let named = PROTOCOLS.iter().find(|(printed, _)| *printed == name);
    packet.protocol = match named {
        Some((_, number)) => Some(*number),
        None => number(name).and_then(|number| u8::try_from(number).ok()),
    };
    match name {
        b"TCP" => {
            read_ports(words, packet)?;
            packet.flags = Some(read_flags(words)?);
        }
        b"UDP" | b"UDPLITE" => read_ports(words, packet)?,
        b"ICMP" | b"ICMPv6" => {
            packet.icmp_type = Some(words.byte(b"TYPE=")?);
            packet.icmp_code = Some(words.byte(b"CODE=")?);
        }
        _ => {}
    }
    Some(())
}

fn read_ports(words: &mut Words<'_>, packet: &mut Packet<'_>) -> Option<()> {
    packet.source_port = Some(words.short(b"SPT=")?);
    packet.port = Some(words.short(b"DPT=")?);
    Some(())
}

/// The flags count when `URGP=` stands behind them: none was cut off.
fn read_flags(words: &mut Words<'_>) -> Option<Flags> {
    if words.begins(b"SEQ=") {
        words.number(b"SEQ=")?;
        words.number(b"ACK=")?;
    }
    words.short(b"WINDOW=")?;
    words.digits(b"RES=0x", LOWER, 2, 2)?;
    let mut flags = 0;
    for (bit, flag) in FLAGS.iter().enumerate() {
        if words.is(flag) {
            flags |= 1 << bit;
        }
    }
    words.begins(b"URGP=").then_some(Flags(flags))
}
