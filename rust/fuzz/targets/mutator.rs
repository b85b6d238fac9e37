//! Changes whole words: most lines that libFuzzer makes from bytes stop being lines early.

/// What may stand in a line: keys, whole fields, values at the limits, marks.
const WORDS: [&[u8]; 60] = [
    b"IN=",
    b"OUT=",
    b"PHYSIN=a",
    b"PHYSOUT=b",
    b"MAC=",
    b"MACSRC=a",
    b"MACDST=b",
    b"MACPROTO=0800",
    b"VPROTO=8100",
    b"VID=1",
    b"TUNNEL=1.2.3.4->5.6.7.8",
    b"SRC=1.2.3.4",
    b"DST=255.255.255.255",
    b"SRC=2001:0db8:0000:0000:0000:0000:0000:0001",
    b"DST=0000:0000:0000:0000:0000:ffff:0102:0304",
    b"LEN=4294967295",
    b"TOS=0x00",
    b"PREC=0xC0",
    b"TTL=255",
    b"ID=65535",
    b"CE",
    b"DF",
    b"MF",
    b"FRAG:185",
    b"OPT (0AFF)",
    b"OPT ( ) ",
    b"OPT (TRUNCATED)",
    b"TC=0",
    b"HOPLIMIT=64",
    b"FLOWLBL=1048575",
    b"INCOMPLETE",
    b"INCOMPLETE [8 bytes]",
    b"ID:0000abcd",
    b"AH SPI=0x1",
    b"ESP SPI=0x1f",
    b"PROTO=TCP",
    b"PROTO=UDP",
    b"PROTO=UDPLITE",
    b"PROTO=ICMP TYPE=3 CODE=4",
    b"PROTO=ICMPv6",
    b"PROTO=132",
    b"SPT=0",
    b"DPT=65535",
    b"SEQ=1 ACK=2",
    b"WINDOW=1",
    b"RES=0x00",
    b"ACK",
    b"SYN",
    b"RST",
    b"URGP=0",
    b"TRUNCATED",
    b"[SRC=1.2.3.4",
    b"]",
    b"message repeated 2 times: [",
    b"calico-packet: IN=",
    b"kernel:",
    b"kernel: netfilter please increase S_SIZE",
    b"systemd-journald[1]: Missed 9 kernel messages",
    b"rsyslogd: imklog: 9 messages lost due to rate-limiting",
    b"imjournal from <a:b>: begin to drop messages due to rate-limiting",
];

/// Numbers at the limits of the fields, and just behind them.
const NUMBERS: [&[u8]; 12] = [
    b"0",
    b"00",
    b"1",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"99999999",
    b"100000000",
    b"4294967295",
    b"4294967296",
    b"01",
];

/// Changes `data[..size]` and returns its new size, at most `most`.
pub fn mutate(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut state = seed | 1;
    let mut below = |end: usize| {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % end.max(1)
    };
    // A byte or two in front of the text choose what is checked.
    if below(2) == 0 || size < 4 {
        return libfuzzer_sys::fuzzer_mutate(data, size, most);
    }
    let place = 2 + below(size - 2);
    let word = word_at(&data[..size], place);
    match below(7) {
        0 => put(data, size, most, word, WORDS[below(WORDS.len())]),
        1 => put(data, size, most, word.start..word.start, WORDS[below(WORDS.len())]),
        2 => {
            let end = (word.end + 1).min(size);
            put(data, size, most, word.start..end, b"")
        }
        3 => {
            let number = number_behind(&data[..size], place);
            put(data, size, most, number, NUMBERS[below(NUMBERS.len())])
        }
        4 => put(data, size, most, word.end..word.end, b" "),
        5 => {
            // A storm is made of lines that are nearly the same.
            let line = line_at(&data[..size], place);
            let length = line.len();
            if length == 0 || size + length + 1 > most.min(data.len()) {
                return size;
            }
            data.copy_within(line.start..size, line.end + 1);
            data[line.end] = b'\n';
            size + length + 1
        }
        _ => place,
    }
}

/// Puts `text` in the place of `old`, if there is room.
fn put(
    data: &mut [u8],
    size: usize,
    most: usize,
    old: std::ops::Range<usize>,
    text: &[u8],
) -> usize {
    let behind = old.start + text.len();
    let new_size = size - old.len() + text.len();
    if new_size > most.min(data.len()) {
        return size;
    }
    data.copy_within(old.end..size, behind);
    data[old.start..behind].copy_from_slice(text);
    new_size
}

fn word_at(data: &[u8], place: usize) -> std::ops::Range<usize> {
    let is_end = |byte: &u8| *byte == b' ' || *byte == b'\n';
    let start = data[2..place].iter().rposition(is_end).map_or(2, |at| at + 3);
    let end = data[place..].iter().position(is_end).map_or(data.len(), |at| place + at);
    start..end
}

fn line_at(data: &[u8], place: usize) -> std::ops::Range<usize> {
    let is_feed = |byte: &u8| *byte == b'\n';
    let start = data[2..place].iter().rposition(is_feed).map_or(2, |at| at + 3);
    let end = data[place..].iter().position(is_feed).map_or(data.len(), |at| place + at);
    start..end
}

fn number_behind(data: &[u8], place: usize) -> std::ops::Range<usize> {
    let next = |from: usize, wanted: bool| {
        let found = data[from..].iter().position(|byte| byte.is_ascii_digit() == wanted);
        found.map_or(data.len(), |at| from + at)
    };
    let start = next(place, true);
    start..next(start, false)
}
