//! The body of a LOG line: from `IN=` to the last field that counts.
//!
//! Strictly in the order of the kernel's `net/netfilter/nf_log_syslog.c`: reading stops at the first
//! deviation, and what was read before it stands. A field counts only when the space that the kernel
//! writes behind it is there, since nothing else tells a whole value from a cut one.

use crate::address::Address;
use crate::cursor::Cursor;
use crate::protocol::{self, Protocol};

/// Longest interface name (`IFNAMSIZ` without its NUL).
pub(crate) const INTERFACE_MOST: usize = 15;

/// TCP flags by name, in the order in which the kernel prints them.
pub const FLAGS: [(&[u8], &str); 9] = [
    (b"AE ", "ae"),
    (b"CWR ", "cwr"),
    (b"ECE ", "ece"),
    (b"URG ", "urg"),
    (b"ACK ", "ack"),
    (b"PSH ", "psh"),
    (b"RST ", "rst"),
    (b"SYN ", "syn"),
    (b"FIN ", "fin"),
];

/// The set of TCP flags of a segment; bit `i` is `FLAGS[i]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    const URG: u16 = 1 << 3;
    pub(crate) const ACK: u16 = 1 << 4;
    const PSH: u16 = 1 << 5;
    pub(crate) const RST: u16 = 1 << 6;
    pub(crate) const SYN: u16 = 1 << 7;
    const FIN: u16 = 1 << 8;
    const XMAS: u16 = Self::FIN | Self::PSH | Self::URG;

    /// The flags' names in the kernel's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        FLAGS
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, flag)| flag.1)
    }
}

/// What a TCP segment is to a detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Not TCP.
    None,
    /// SYN without ACK or RST: somebody opens a connection.
    Syn,
    /// ACK or RST: part of a connection or the answer to somebody, no sign of a scan.
    Reply,
    /// FIN alone, as nmap's FIN scan sends it.
    Fin,
    /// No flag at all, as its NULL scan does.
    Null,
    /// FIN, PSH and URG, as its Xmas scan does.
    Xmas,
    /// Other flags, or flags that are not known.
    Other,
}

impl Shape {
    fn of(protocol: Option<Protocol>, flags: Option<Flags>) -> Self {
        match (protocol, flags) {
            (Some(protocol::TCP), Some(Flags(bits))) => {
                if bits & (Flags::ACK | Flags::RST) != 0 {
                    Self::Reply
                } else if bits & Flags::SYN != 0 {
                    Self::Syn
                } else {
                    match bits {
                        Flags::FIN => Self::Fin,
                        0 => Self::Null,
                        Flags::XMAS => Self::Xmas,
                        _ => Self::Other,
                    }
                }
            }
            (Some(protocol::TCP), None) => Self::Other,
            _ => Self::None,
        }
    }

    /// The name used in rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Syn => "syn",
            Self::Reply => "reply",
            Self::Fin => "fin",
            Self::Null => "null",
            Self::Xmas => "xmas",
            Self::Other => "other",
        }
    }
}

/// The fields of one packet; what was cut or not written is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Value of `IN=`, at most 15 bytes, empty for a packet that left this host.
    pub interface: &'a [u8],
    /// Value of `OUT=`.
    pub out_interface: &'a [u8],
    /// Outer source address.
    pub source: Address,
    /// Outer destination address, of the same family.
    pub destination: Address,
    /// Outer LEN in bytes.
    pub length: Option<u32>,
    /// IP protocol number.
    pub protocol: Option<Protocol>,
    /// Source port (TCP, UDP, UDPLITE).
    pub source_port: Option<u16>,
    /// Destination port.
    pub port: Option<u16>,
    /// TCP flags; `None` unless all of them were there.
    pub flags: Option<Flags>,
    /// ICMP type.
    pub icmp_type: Option<u8>,
    /// ICMP code.
    pub icmp_code: Option<u8>,
}

impl Packet<'_> {
    /// What this packet is to a detector.
    #[must_use]
    #[inline]
    pub fn shape(&self) -> Shape {
        Shape::of(self.protocol, self.flags)
    }
}

/// Reads a body that starts with `IN=`; `None` when source and destination can't both be read.
#[must_use]
#[inline]
pub fn read(text: &[u8]) -> Option<Packet<'_>> {
    let mut cursor = Cursor::new(text);
    let interface = take_interface(&mut cursor, b"IN=")?;
    let out_interface = take_interface(&mut cursor, b"OUT=")?;
    skip_link_layer(&mut cursor)?;
    if !cursor.take(b"SRC=") {
        return None;
    }
    let source = cursor.take_address()?;
    if !cursor.take(b"DST=") {
        return None;
    }
    let destination = cursor.take_address()?;
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
    match (source, destination) {
        (Address::V4(_), Address::V4(_)) => read_v4(&mut cursor, &mut packet),
        (Address::V6(_), Address::V6(_)) => read_v6(&mut cursor, &mut packet),
        _ => return None,
    };
    Some(packet)
}

#[inline]
fn take_interface<'a>(cursor: &mut Cursor<'a>, key: &[u8]) -> Option<&'a [u8]> {
    if cursor.take(key) { cursor.take_short_word(INTERFACE_MOST) } else { None }
}

/// PHYSIN, PHYSOUT (`nf_log_dump_packet_common`) and the MAC header (`dump_mac_header`).
#[inline]
fn skip_link_layer(cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.rest().starts_with(b"PHYS") {
        if cursor.take(b"PHYSIN=") {
            cursor.take_short_word(INTERFACE_MOST)?;
        }
        if cursor.take(b"PHYSOUT=") {
            cursor.take_short_word(INTERFACE_MOST)?;
        }
    }
    if cursor.take(b"MAC=") {
        cursor.take_word()?;
        if cursor.take(b"TUNNEL=") {
            cursor.take_word()?;
        }
    } else if cursor.take(b"MACSRC=") {
        cursor.take_word()?;
        take_key_word(cursor, b"MACDST=")?;
        if cursor.take(b"VPROTO=") {
            cursor.take_word()?;
            take_key_word(cursor, b"VID=")?;
        }
        take_key_word(cursor, b"MACPROTO=")?;
    }
    Some(())
}

fn take_key_word(cursor: &mut Cursor<'_>, key: &[u8]) -> Option<()> {
    if cursor.take(key) {
        cursor.take_word()?;
        Some(())
    } else {
        None
    }
}

#[inline]
fn take_key_number(cursor: &mut Cursor<'_>, key: &[u8], most: u32) -> Option<u32> {
    if cursor.take(key) { cursor.take_number(most) } else { None }
}

/// `dump_ipv4_packet` from LEN on.
#[inline]
fn read_v4(cursor: &mut Cursor<'_>, packet: &mut Packet<'_>) -> Option<()> {
    packet.length = take_key_number(cursor, b"LEN=", u32::MAX);
    packet.length?;
    if !cursor.take(b"TOS=0x") {
        return None;
    }
    cursor.take_hex(2, 2, true)?;
    if !cursor.take(b"PREC=0x") {
        return None;
    }
    cursor.take_hex(2, 2, true)?;
    take_key_number(cursor, b"TTL=", u32::from(u8::MAX))?;
    take_key_number(cursor, b"ID=", u32::from(u16::MAX))?;
    if !cursor.rest().starts_with(b"PROTO=") {
        for flag in [b"CE ", b"DF ", b"MF "] {
            cursor.take(flag);
        }
        if cursor.take(b"FRAG:") {
            cursor.take_number(u32::from(u16::MAX))?;
        }
        if cursor.take(b"OPT (") {
            take_option_bytes(cursor)?;
        }
    }
    read_protocol(cursor, packet)
}

/// The hexadecimal bytes of IP options up to and with ") ".
fn take_option_bytes(cursor: &mut Cursor<'_>) -> Option<()> {
    let digits = cursor
        .rest()
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte))
        .count();
    cursor.at += digits;
    cursor.take(b") ").then_some(())
}

/// `dump_ipv6_packet` from LEN on.
#[inline]
fn read_v6(cursor: &mut Cursor<'_>, packet: &mut Packet<'_>) -> Option<()> {
    packet.length = take_key_number(cursor, b"LEN=", u32::MAX);
    packet.length?;
    take_key_number(cursor, b"TC=", u32::from(u8::MAX))?;
    take_key_number(cursor, b"HOPLIMIT=", u32::from(u8::MAX))?;
    take_key_number(cursor, b"FLOWLBL=", u32::MAX)?;
    while !cursor.rest().starts_with(b"PROTO=") {
        if cursor.take(b"OPT ( ") {
            take_extension(cursor)?;
            if !cursor.take(b") ") {
                return None;
            }
        } else if !take_extension(cursor)? {
            return None;
        }
    }
    read_protocol(cursor, packet)
}

/// One extension header: `Some(false)` where there is none, `None` where it deviates.
fn take_extension(cursor: &mut Cursor<'_>) -> Option<bool> {
    if cursor.take(b"FRAG:") {
        cursor.take_number(u32::from(u16::MAX))?;
        cursor.take(b"INCOMPLETE ");
        if !cursor.take(b"ID:") {
            return None;
        }
        cursor.take_hex(8, 8, false)?;
    } else if cursor.take(b"AH SPI=0x") || cursor.take(b"ESP SPI=0x") {
        cursor.take_hex(1, 8, false)?;
    } else {
        return Some(false);
    }
    Some(true)
}

/// From PROTO on, the same for both families.
#[inline]
fn read_protocol(cursor: &mut Cursor<'_>, packet: &mut Packet<'_>) -> Option<()> {
    if !cursor.take(b"PROTO=") {
        return None;
    }
    if cursor.take(b"TCP ") {
        packet.protocol = Some(protocol::TCP);
        return read_tcp(cursor, packet);
    }
    for (name, number) in protocol::PRINTED {
        if cursor.take(name) {
            packet.protocol = Some(number);
            match number {
                protocol::UDP | protocol::UDPLITE => read_ports(cursor, packet)?,
                protocol::ICMP | protocol::ICMPV6 => read_icmp(cursor, packet)?,
                _ => {}
            }
            return Some(());
        }
    }
    let number = cursor.take_number(u32::from(u8::MAX))?;
    packet.protocol = Some(number as u8);
    Some(())
}

#[inline]
fn read_ports(cursor: &mut Cursor<'_>, packet: &mut Packet<'_>) -> Option<()> {
    let most = u32::from(u16::MAX);
    packet.source_port = Some(take_key_number(cursor, b"SPT=", most)? as u16);
    packet.port = Some(take_key_number(cursor, b"DPT=", most)? as u16);
    Some(())
}

fn read_icmp(cursor: &mut Cursor<'_>, packet: &mut Packet<'_>) -> Option<()> {
    let most = u32::from(u8::MAX);
    packet.icmp_type = Some(take_key_number(cursor, b"TYPE=", most)? as u8);
    packet.icmp_code = Some(take_key_number(cursor, b"CODE=", most)? as u8);
    Some(())
}

/// `nf_log_dump_tcp_header`. Flags count only when all of them are there, that is, with `URGP=`
/// behind them: `ACK SYN` cut after its first word would be another packet.
#[inline]
fn read_tcp(cursor: &mut Cursor<'_>, packet: &mut Packet<'_>) -> Option<()> {
    read_ports(cursor, packet)?;
    if cursor.take(b"SEQ=") {
        cursor.take_number(u32::MAX)?;
        take_key_number(cursor, b"ACK=", u32::MAX)?;
    }
    take_key_number(cursor, b"WINDOW=", u32::from(u16::MAX))?;
    if !cursor.take(b"RES=0x") {
        return None;
    }
    cursor.take_hex(2, 2, false)?;
    if cursor.take(b"SYN URGP=") {
        packet.flags = Some(Flags(Flags::SYN));
        return Some(());
    }
    let mut flags = 0;
    for (bit, (text, _)) in FLAGS.iter().enumerate() {
        if cursor.take(text) {
            flags |= 1 << bit;
        }
    }
    if cursor.take(b"URGP=") {
        packet.flags = Some(Flags(flags));
    }
    Some(())
}
