//! The lines of a storm, read without a loop over bytes.
//!
//! Most lines of a storm are alike: the second they were written in, one of a few prefixes, then a
//! body that is exactly as the kernel writes most of them. This reader takes only those, and only
//! what is counted of them:
//!
//! ```text
//! the header is like the last one: the same stamp, a host    compared as a whole, digits and host
//! as long, "kernel:", an uptime as long                       by class
//! the prefix is one that has been seen                          compared as a whole
//! IN= OUT= MAC= SRC= DST= LEN=                                  by the mask of blanks: where a
//! TOS= PREC= TTL= ID= [DF] PROTO=, TC= HOPLIMIT= FLOWLBL=       field ends, the next key has
//! SPT= DPT= WINDOW= RES= flags                                  to stand
//! the line feed
//! ```
//!
//! A mask tells the blanks of 64 bytes at once, so that where a field ends is known without a jump
//! that depends on its length. For anything else, and for whatever looks strange, the answer is
//! `None` and the plain reader decides. Invariant: where there is an answer, counting it is counting
//! what the plain reader reads.

use crate::body::Shape;
use crate::class::{Interface, Transport};
use crate::lanes::{Lanes, Numbers, Ranges};
use crate::memory::{Memory, PREFIX_MOST};
use crate::protocol;

/// The source and destination of a packet.
pub(crate) enum Addresses {
    V4(u32, u32),
    V6(u128, u128),
}

/// A line that holds one packet.
pub(crate) struct Sight {
    /// Unix seconds of its stamp.
    pub seconds: u32,
    pub policy: u16,
    pub interface: Interface,
    pub forwarded: bool,
    pub addresses: Addresses,
    /// Outer LEN.
    pub bytes: u32,
    pub transport: Transport,
    /// 0 where the transport has none.
    pub port: u16,
}

/// The mask without its lowest bit.
#[inline(always)]
fn without_lowest(mask: u64) -> u64 {
    mask & mask.wrapping_sub(1)
}

/// Number of the mask's lowest bit; 64 without any.
#[inline(always)]
fn lowest(mask: u64) -> usize {
    mask.trailing_zeros() as usize
}

/// What the reader sees of the text: no usual line is longer.
pub(crate) const SPAN: usize = 768;
/// What it sees from one place on: more than a block, so that no place needs a check.
const WINDOW: usize = 160;
/// Places in it are taken modulo this; one bit more than a place in the first block has.
const PLACES: usize = 128;

/// A line and what follows it.
#[derive(Clone, Copy)]
struct Text<'a>(&'a [u8; SPAN]);

impl<'a> Text<'a> {
    #[inline(always)]
    fn window(self, at: usize) -> Option<Window<'a>> {
        if at > SPAN - WINDOW {
            return None;
        }
        self.0[at..].first_chunk().map(Window)
    }
}

/// A part of it. A wrong place in it is found by what does not stand there.
#[derive(Clone, Copy)]
struct Window<'a>(&'a [u8; WINDOW]);

impl<'a> Window<'a> {
    #[inline(always)]
    fn bytes<const N: usize>(self, at: usize) -> &'a [u8; N] {
        const { assert!(N <= WINDOW - PLACES) };
        self.0[at % PLACES..].first_chunk().expect("no more than the window has")
    }

    #[inline(always)]
    fn block(self) -> &'a [u8; 64] {
        self.0.first_chunk().expect("no more than the window has")
    }

    #[inline(always)]
    fn word(self, at: usize) -> u64 {
        u64::from_le_bytes(*self.bytes(at))
    }

    #[inline(always)]
    fn has<const N: usize>(self, at: usize, wanted: &[u8; N]) -> bool {
        self.bytes(at) == wanted
    }
}

const SERVICE: &[u8; 24] = b" TOS=0x00 PREC=0x00 TTL=";
/// Where any hexadecimal digit may stand.
const SERVICE_DIGITS: [usize; 4] = [7, 8, 17, 18];
/// Usual values have no letters.
const SERVICE_RANGES: Ranges = {
    let mut ranges = Ranges::ANY.with_text(SERVICE);
    let mut at = 0;
    while at < SERVICE_DIGITS.len() {
        ranges.set(SERVICE_DIGITS[at], b'0', b'9');
        at += 1;
    }
    ranges
};

/// Whether `text` is [`SERVICE`] with any digits.
#[cold]
fn has_letters(text: &[u8; 64]) -> bool {
    SERVICE.iter().enumerate().all(|(at, &byte)| {
        if SERVICE_DIGITS.contains(&at) {
            matches!(text[at], b'0'..=b'9' | b'A'..=b'F')
        } else {
            text[at] == byte
        }
    })
}

/// Where the numbers of a line stand among those that are read together, and how large they may be.
const LENGTH: usize = 0;
const LIFE: usize = 1;
const ID: usize = 2;
const SOURCE_PORT: usize = 3;
const PORT: usize = 4;
const TCP_WINDOW: usize = 5;
const CLASS: usize = 6;
const LABEL: usize = 7;
const MOST: [u64; 8] = [u32::MAX as u64, 255, 65_535, 65_535, 65_535, 65_535, 255, u32::MAX as u64];

/// Reads the line at the start of `text`, which may go on behind it.
#[inline(always)]
pub(crate) fn read<L: Lanes>(lanes: L, text: &[u8; SPAN], memory: &mut Memory) -> Option<Sight> {
    let text = Text(text);
    let (message, seconds) = memory.header(lanes, text.0)?;

    let window = text.window(message)?;
    let length = lowest(lanes.equal(window.block(), b'=')).wrapping_sub(2);
    if length >= PREFIX_MOST {
        return None;
    }
    let last = window.word(length.saturating_sub(8));
    let policy = memory.policy(lanes, window.block(), length, last)?;

    let name = message + length + 3;
    let window = text.window(name)?;
    let blanks = lanes.blank(window.block());
    let interface_length = lowest(blanks);
    let out_end = lowest(without_lowest(blanks));
    let out_length = out_end.wrapping_sub(interface_length + 5);
    if interface_length > 15
        || !window.has(interface_length, b" OUT=")
        || out_length > 15
        || !window.has(out_end, b" MAC=")
    {
        return None;
    }
    let hardware = name + out_end + 5;
    let interface = Interface::at_start(window.bytes(0), interface_length);
    let window = text.window(hardware)?;
    let hardware_length = lowest(lanes.blank(window.block()));
    if !window.has(hardware_length, b" SRC=") {
        return None;
    }
    let source = hardware + hardware_length + 5;
    let sight = Sight {
        seconds,
        policy,
        interface,
        forwarded: out_length > 0,
        addresses: Addresses::V4(0, 0),
        bytes: 0,
        transport: Transport::NONE,
        port: 0,
    };
    let window = text.window(source)?;
    let blanks = lanes.blank(window.block());
    let source_length = lowest(blanks);
    if !window.has(source_length, b" DST=") {
        return None;
    }
    let header = if source_length == 39 {
        read_v6(lanes, text, source)?
    } else {
        read_v4(lanes, text, source, blanks)?
    };
    transport(lanes, text, header, sight)
}

/// What an IP header holds, and where what follows it is.
struct IpHeader {
    addresses: Addresses,
    numbers: Numbers,
    /// A place before " PROTO=".
    start: usize,
    /// Where " PROTO=" has to be, from `start` on.
    protocol: usize,
    /// The blanks behind it, from `start` on.
    blanks: u64,
}

/// IPv4 from the source on; `blanks` are those from there on.
#[inline(always)]
fn read_v4<L: Lanes>(lanes: L, text: Text<'_>, source: usize, blanks: u64) -> Option<IpHeader> {
    let mut numbers = Numbers::ZEROS;
    let window = text.window(source)?;
    let source_length = lowest(blanks);
    let blanks = without_lowest(blanks);
    let destination = source_length + 5;
    let destination_end = lowest(blanks);
    let destination_length = destination_end.wrapping_sub(destination);
    let length_end = lowest(without_lowest(blanks));
    if source_length.wrapping_sub(7) > 8
        || destination_length.wrapping_sub(7) > 8
        || !window.has(destination_end, b" LEN=")
    {
        return None;
    }
    let length = destination_end + 5;
    numbers.set(LENGTH, window.word(length), length_end.wrapping_sub(length));
    let (from, to) = lanes
        .v4((window.bytes(0), source_length), (window.bytes(destination), destination_length))?;
    let addresses = Addresses::V4(from, to);

    let service = source + length_end;
    let window = text.window(service)?;
    if !lanes.within(window.block(), &SERVICE_RANGES) && !has_letters(window.block()) {
        return None;
    }
    let start = service + SERVICE.len();
    let window = text.window(start)?;
    let blanks = lanes.blank(window.block());
    let life_end = lowest(blanks);
    let blanks = without_lowest(blanks);
    let id_end = lowest(blanks);
    let blanks = without_lowest(blanks);
    if !window.has(life_end, b" ID=") {
        return None;
    }
    numbers.set(LIFE, window.word(0), life_end);
    numbers.set(ID, window.word(life_end + 4), id_end.wrapping_sub(life_end + 4));
    let is_unfragmented = window.has(id_end, b" DF ");
    let blanks = if is_unfragmented { without_lowest(blanks) } else { blanks };
    let protocol = id_end + if is_unfragmented { 3 } else { 0 };
    Some(IpHeader { addresses, numbers, start, protocol, blanks })
}

/// IPv6 without extension headers from the source on.
#[inline(always)]
fn read_v6<L: Lanes>(lanes: L, text: Text<'_>, source: usize) -> Option<IpHeader> {
    let mut numbers = Numbers::ZEROS;
    let window = text.window(source)?;
    let (from, to) = (window.block(), window.0[44..].first_chunk()?);
    if !window.has(44 + 39, b" LEN=") {
        return None;
    }
    let addresses = Addresses::V6(lanes.v6(from)?, lanes.v6(to)?);
    // At most 8, 3, 3 and 7 digits.
    let start = source + 44 + 39 + 5;
    let window = text.window(start)?;
    let blanks = lanes.blank(window.block());
    let length_end = lowest(blanks);
    let blanks = without_lowest(blanks);
    let class_end = lowest(blanks);
    let blanks = without_lowest(blanks);
    let life_end = lowest(blanks);
    let label_end = lowest(without_lowest(blanks));
    if !window.has(length_end, b" TC=")
        || !window.has(class_end, b" HOPLIMIT=")
        || !window.has(life_end, b" FLOWLBL=")
    {
        return None;
    }
    numbers.set(LENGTH, window.word(0), length_end);
    numbers.set(CLASS, window.word(length_end + 4), class_end.wrapping_sub(length_end + 4));
    numbers.set(LIFE, window.word(class_end + 10), life_end.wrapping_sub(class_end + 10));
    numbers.set(LABEL, window.word(life_end + 9), label_end.wrapping_sub(life_end + 9));
    let start = start + label_end;
    let blanks = without_lowest(lanes.blank(text.window(start)?.block()));
    Some(IpHeader { addresses, numbers, start, protocol: 0, blanks })
}

/// From " PROTO=" on.
#[inline(always)]
fn transport<L: Lanes>(
    lanes: L,
    text: Text<'_>,
    header: IpHeader,
    mut sight: Sight,
) -> Option<Sight> {
    let IpHeader { addresses, mut numbers, start, protocol, blanks } = header;
    sight.addresses = addresses;
    let window = text.window(start)?;
    if !window.has(protocol, b" PROTO=") {
        return None;
    }
    let name = protocol + 7;
    if window.has(name, b"TCP SPT=") {
        let end = ports(window, name + 8, blanks, &mut numbers)?;
        sight.transport = Transport::tcp(tcp(lanes, text.window(start + end)?, &mut numbers)?);
    } else if window.has(name, b"UDP SPT=") {
        let end = ports(window, name + 8, blanks, &mut numbers)?;
        if !window.has(end, b" ") {
            return None;
        }
        sight.transport = Transport::UDP;
    } else if window.has(name, b"ICMP ") {
        sight.transport = Transport::plain(protocol::ICMP);
    } else if window.has(name, b"ICMPv6 ") {
        sight.transport = Transport::plain(protocol::ICMPV6);
    } else {
        return None;
    }
    let values = lanes.numbers(numbers, &MOST)?;
    sight.bytes = values[LENGTH] as u32;
    sight.port = values[PORT] as u16;
    Some(sight)
}

/// Takes both ports, of which the source's starts at `source`; returns where the other's ends.
#[inline(always)]
fn ports(window: Window<'_>, source: usize, blanks: u64, numbers: &mut Numbers) -> Option<usize> {
    let blanks = without_lowest(blanks);
    let source_end = lowest(blanks);
    let end = lowest(without_lowest(blanks));
    if !window.has(source_end, b" DPT=") {
        return None;
    }
    numbers.set(SOURCE_PORT, window.word(source), source_end.wrapping_sub(source));
    numbers.set(PORT, window.word(source_end + 5), end.wrapping_sub(source_end + 5));
    Some(end)
}

/// The shape of a TCP segment, from behind its destination port on.
#[inline(always)]
fn tcp<L: Lanes>(lanes: L, window: Window<'_>, numbers: &mut Numbers) -> Option<Shape> {
    let value = 8;
    let end = lowest(without_lowest(lanes.blank(window.block())));
    // Reserved bits of the segment's header: none, unless somebody experiments.
    if !window.has(0, b" WINDOW=") || !window.has(end, b" RES=0x00 ") {
        return None;
    }
    numbers.set(TCP_WINDOW, window.word(value), end.wrapping_sub(value));
    let flags = end + 10;
    let shape = if window.has(flags, b"SYN URGP=") {
        Shape::Syn
    } else if window.has(flags, b"ACK RST URGP=")
        || window.has(flags, b"ACK URGP=")
        || window.has(flags, b"RST URGP=")
    {
        Shape::Reply
    } else {
        return None;
    };
    Some(shape)
}
