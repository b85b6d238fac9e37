//! The lines of a storm, read without a loop over bytes.
//!
//! Most lines of a storm are alike: the second they were written in, one of a few prefixes, then a
//! body that is exactly as the kernel writes most of them. This reader takes only those, and only
//! what is counted of them:
//!
//! ```text
//! the header is like the last one: the same stamp, a host      compared as a whole, digits and host
//! as long, "kernel:", an uptime as long                         by class
//! prefix and interface, up to "OUT=", have been seen            compared as a whole
//! MAC= SRC= DST= LEN=                                           by the mask of spaces: where a
//! TOS= PREC= TTL= ID= [DF] PROTO=, TC= HOPLIMIT= FLOWLBL=       field ends, the next key has
//! SPT= DPT= WINDOW= RES= flags                                  to stand
//! the line feed                                                 looked for ahead of all that
//! ```
//!
//! A mask tells the spaces of 64 bytes at once, so that where a field ends is known without a jump
//! that depends on its length. For anything else, and for whatever looks strange, the answer is
//! `None` and the plain reader decides. Invariant: where there is an answer, counting it is counting
//! what the plain reader reads.

use crate::lanes::{Lanes, Numbers};
use crate::memory::Memory;
use crate::openings::{Carrier, Manner, Marks, OPENING_MOST};

/// The source and destination of a packet.
pub(crate) enum Addresses {
    V4(u32, u32),
    V6(u128, u128),
}

/// A line that holds one packet.
pub(crate) struct Sight {
    /// Bytes of the line with its line feed.
    pub line: usize,
    /// Unix seconds of its stamp.
    pub seconds: u32,
    /// Number of its class.
    pub class: u16,
    pub addresses: Addresses,
    /// Outer LEN.
    pub bytes: u32,
    /// 0 where the class has none.
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

/// What the reader sees of the text.
pub(crate) const SPAN: usize = LINE_MOST + WINDOW;
/// No line that it takes is longer.
const LINE_MOST: usize = 512;
/// What it sees from one place on: more than a block, so that no place needs a check.
const WINDOW: usize = 160;
/// Places in a window are taken modulo this; one bit more than a place in the first block has.
const PLACES: usize = 128;
/// No line that it takes is shorter, mostly: from here on behind the header its end is looked for.
const BODY_LEAST: usize = 128;

/// A line and what follows it. Places are taken modulo the longest line, without a check: they only
/// grow from one field to the next, and where the last one is not in the line, nothing is believed.
#[derive(Clone, Copy)]
struct Text<'a>(&'a [u8; SPAN]);

impl<'a> Text<'a> {
    #[inline(always)]
    fn window(self, at: usize) -> Window<'a> {
        Window(self.0[at % LINE_MOST..].first_chunk().expect("no more than the span has"))
    }

    /// The first line feed from a place on, if it is near enough for a line.
    #[inline(always)]
    fn feed<L: Lanes>(self, lanes: L, from: usize) -> Option<usize> {
        let mut at = from;
        while at < LINE_MOST {
            let feeds = lanes.equal(self.window(at).block(), b'\n');
            if feeds != 0 {
                return Some(at + lowest(feeds));
            }
            at += 64;
        }
        None
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

    #[inline(always)]
    fn opening(self) -> &'a [u8; OPENING_MOST] {
        self.0.first_chunk().expect("no more than the window has")
    }

    /// Where the spaces of the first block are.
    #[inline(always)]
    fn spaces<L: Lanes>(self, lanes: L) -> u64 {
        lanes.equal(self.block(), b' ')
    }
}

const SERVICE: &[u8; 24] = b" TOS=0x00 PREC=0x00 TTL=";
/// Where any hexadecimal digit may stand.
const SERVICE_DIGITS: [usize; 4] = [7, 8, 17, 18];

/// Whether `text` is [`SERVICE`] with any digits.
#[cold]
fn is_service(text: &[u8; 24]) -> bool {
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
    // Found ahead of what the line holds, so that the processor can begin with the next one.
    let mut end = text.feed(lanes, message + BODY_LEAST)?;

    let window = text.window(message);
    let marks = marks(lanes, window)?;
    let numbers = memory.openings.find(lanes, window.opening(), marks)?;
    let out = message + marks.length();
    let window = text.window(out);
    // The only values of which any bytes are taken, so that no other blank may be in them.
    let blanks = lanes.blank(window.block());
    let out_length = lowest(blanks);
    let hardware_end = lowest(without_lowest(blanks));
    if out_length > 15
        || !window.has(out_length, b" MAC=")
        || hardware_end == 64
        || !window.has(hardware_end, b" SRC=")
    {
        return None;
    }
    let source = out + hardware_end + 5;
    let spaces = text.window(source).spaces(lanes);
    let is_v6 = lowest(spaces) == 39;
    let header =
        if is_v6 { read_v6(lanes, text, source)? } else { read_v4(lanes, text, source, spaces)? };
    let IpHeader { addresses, numbers: mut values, start, protocol, spaces } = header;
    let (carrier, last) = carrier(lanes, text, (start, protocol, spaces), is_v6, &mut values)?;
    let values = lanes.numbers(values, &MOST)?;
    if last < message + BODY_LEAST {
        end = text.feed(lanes, last)?;
    }
    let class = numbers[Manner { carrier, forwarded: out_length > 0, v6: is_v6 }.place()];
    if last > end || class == 0 {
        return None;
    }
    Some(Sight {
        line: end + 1,
        seconds,
        class,
        addresses,
        bytes: values[LENGTH] as u32,
        port: values[PORT] as u16,
    })
}

/// Where an opening has its two `=`.
#[inline(always)]
fn marks<L: Lanes>(lanes: L, window: Window<'_>) -> Option<Marks> {
    let first = lanes.equal(window.block(), b'=');
    let second = without_lowest(first);
    if second != 0 {
        return Some(Marks([lowest(first), lowest(second)]));
    }
    let next = lanes.equal(window.0[64..].first_chunk()?, b'=');
    marks_of_long(u128::from(next) << 64 | u128::from(first))
}

#[cold]
fn marks_of_long(first: u128) -> Option<Marks> {
    let second = first & first.wrapping_sub(1);
    let place = |mask: u128| mask.trailing_zeros() as usize;
    (second != 0).then(|| Marks([place(first), place(second)]))
}

/// What an IP header holds, and where what follows it is.
struct IpHeader {
    addresses: Addresses,
    numbers: Numbers,
    /// A place before " PROTO=".
    start: usize,
    /// Where " PROTO=" has to be, from `start` on.
    protocol: usize,
    /// The spaces behind it, from `start` on.
    spaces: u64,
}

/// IPv4 from the source on; `spaces` are those from there on.
#[inline(always)]
fn read_v4<L: Lanes>(lanes: L, text: Text<'_>, source: usize, spaces: u64) -> Option<IpHeader> {
    let mut numbers = Numbers::ZEROS;
    let window = text.window(source);
    let source_length = lowest(spaces);
    let spaces = without_lowest(spaces);
    let destination = source_length + 5;
    let destination_end = lowest(spaces);
    let destination_length = destination_end.wrapping_sub(destination);
    let length_end = lowest(without_lowest(spaces));
    if source_length.wrapping_sub(7) > 8
        || !window.has(source_length + 1, b"DST=")
        || destination_length.wrapping_sub(7) > 8
        || !window.has(destination_end + 1, b"LEN=")
    {
        return None;
    }
    let length = destination_end + 5;
    numbers.set(LENGTH, window.word(length), length_end.wrapping_sub(length));
    let (from, to) = lanes
        .v4((window.bytes(0), source_length), (window.bytes(destination), destination_length))?;
    let addresses = Addresses::V4(from, to);

    let service = source + length_end;
    let window = text.window(service);
    if !window.has(0, SERVICE) && !is_service(window.bytes(0)) {
        return None;
    }
    let start = service + SERVICE.len();
    let window = text.window(start);
    let spaces = window.spaces(lanes);
    let life_end = lowest(spaces);
    let spaces = without_lowest(spaces);
    let id_end = lowest(spaces);
    let spaces = without_lowest(spaces);
    if !window.has(life_end, b" ID=") {
        return None;
    }
    numbers.set(LIFE, window.word(0), life_end);
    numbers.set(ID, window.word(life_end + 4), id_end.wrapping_sub(life_end + 4));
    let is_unfragmented = window.has(id_end, b" DF ");
    let spaces = if is_unfragmented { without_lowest(spaces) } else { spaces };
    let protocol = id_end + if is_unfragmented { 3 } else { 0 };
    Some(IpHeader { addresses, numbers, start, protocol, spaces })
}

/// IPv6 without extension headers from the source on.
#[inline(always)]
fn read_v6<L: Lanes>(lanes: L, text: Text<'_>, source: usize) -> Option<IpHeader> {
    let mut numbers = Numbers::ZEROS;
    let window = text.window(source);
    let (from, to) = (window.block(), window.0[44..].first_chunk()?);
    if !window.has(39, b" DST=") || !window.has(44 + 39, b" LEN=") {
        return None;
    }
    let addresses = Addresses::V6(lanes.v6(from)?, lanes.v6(to)?);
    // At most 8, 3, 3 and 7 digits.
    let start = source + 44 + 39 + 5;
    let window = text.window(start);
    let spaces = window.spaces(lanes);
    let length_end = lowest(spaces);
    let spaces = without_lowest(spaces);
    let class_end = lowest(spaces);
    let spaces = without_lowest(spaces);
    let life_end = lowest(spaces);
    let label_end = lowest(without_lowest(spaces));
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
    let spaces = without_lowest(text.window(start).spaces(lanes));
    Some(IpHeader { addresses, numbers, start, protocol: 0, spaces })
}

/// What the packet was sent by, from " PROTO=" on, and the place behind the last byte that was read.
#[inline(always)]
fn carrier<L: Lanes>(
    lanes: L,
    text: Text<'_>,
    (start, protocol, spaces): (usize, usize, u64),
    is_v6: bool,
    numbers: &mut Numbers,
) -> Option<(Carrier, usize)> {
    let window = text.window(start);
    if !window.has(protocol, b" PROTO=") {
        return None;
    }
    let name = protocol + 7;
    if window.has(name, b"TCP SPT=") {
        let end = ports(window, name + 8, spaces, numbers)?;
        tcp(lanes, text, start + end, numbers)
    } else if window.has(name, b"UDP SPT=") {
        let end = ports(window, name + 8, spaces, numbers)?;
        (end < 64).then_some((Carrier::Udp, start + end))
    } else if !is_v6 && window.has(name, b"ICMP ") {
        Some((Carrier::Icmp, start + name + 4))
    } else if is_v6 && window.has(name, b"ICMPv6 ") {
        Some((Carrier::Icmp, start + name + 6))
    } else {
        None
    }
}

/// Takes both ports, of which the source's starts at `source`; returns where the other's ends.
#[inline(always)]
fn ports(window: Window<'_>, source: usize, spaces: u64, numbers: &mut Numbers) -> Option<usize> {
    let spaces = without_lowest(spaces);
    let source_end = lowest(spaces);
    let end = lowest(without_lowest(spaces));
    if !window.has(source_end + 1, b"DPT=") {
        return None;
    }
    numbers.set(SOURCE_PORT, window.word(source), source_end.wrapping_sub(source));
    numbers.set(PORT, window.word(source_end + 5), end.wrapping_sub(source_end + 5));
    Some(end)
}

/// The shape of a TCP segment, from behind its destination port on.
#[inline(always)]
fn tcp<L: Lanes>(
    lanes: L,
    text: Text<'_>,
    start: usize,
    numbers: &mut Numbers,
) -> Option<(Carrier, usize)> {
    let window = text.window(start);
    let value = 8;
    let end = lowest(without_lowest(window.spaces(lanes)));
    // Reserved bits of the segment's header: none, unless somebody experiments.
    if !window.has(0, b" WINDOW=") || !window.has(end + 1, b"RES=0x00") {
        return None;
    }
    numbers.set(TCP_WINDOW, window.word(value), end.wrapping_sub(value));
    let flags = end + 9;
    let carrier = if window.has(flags, b" SYN URGP=") {
        Carrier::Syn
    } else if window.has(flags, b" ACK RST URGP=")
        || window.has(flags, b" ACK URGP=")
        || window.has(flags, b" RST URGP=")
        || window.has(flags, b" ACK PSH URGP=")
        || window.has(flags, b" ACK FIN URGP=")
    {
        Carrier::Reply
    } else {
        return None;
    };
    Some((carrier, start + flags + 10))
}
