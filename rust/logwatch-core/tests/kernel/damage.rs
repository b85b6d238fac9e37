//! What happens to a line on its way, and what somebody may do to it.

use super::Choices;

/// What a reader may take for something else.
const PIECES: [&[u8]; 64] = [
    b" ",
    b"  ",
    b"\t",
    b"=",
    b"[",
    b"]",
    b"] ",
    b"\0",
    b"\r",
    b"\n",
    b"\x0b",
    b"\x85",
    b"\xa0",
    b"\xff",
    b"0",
    b"00",
    b"9",
    b"IN=",
    b"IN= OUT= ",
    b"OUT=",
    b"PHYSIN=a ",
    b"PHYSOUT=",
    b"MAC= ",
    b"MACSRC=x ",
    b"TUNNEL=1.2.3.4->5.6.7.8 ",
    b"SRC=",
    b"SRC=1.2.3.4 ",
    b"DST=",
    b"LEN=",
    b"LEN=0060 ",
    b"PROTO=",
    b"PROTO=TCP ",
    b"PROTO=6 ",
    b"SPT=1 ",
    b"DPT=2 ",
    b"DPT=4=108 ",
    b"DPT=22.LEN=108 ",
    b"SEQ=1 ",
    b"ACK=2 ",
    b"ACK ",
    b"SYN ",
    b"URGP=",
    b"TYPE=3 ",
    b"CODE=0 ",
    b"CE ",
    b"DF ",
    b"MF ",
    b"FRAG:0 ",
    b"ID:0000abcd ",
    b"OPT ( ",
    b") ",
    b"OPT (",
    b"AH SPI=0x1 ",
    b"ESP SPI=0x1 ",
    b"INCOMPLETE ",
    b"INCOMPLETE [8 bytes] ",
    b"TRUNCATED",
    b"ARP HTYPE=1 ",
    b"kernel: ",
    b"kernel - - - ",
    b"message repeated 2 times: [",
    b"calico-packet: ",
    b"calico-packet: IN=",
    b"[ 1.000000] ",
];

/// Numbers at the limits of every field, and just behind them.
pub const NUMBERS: [&[u8]; 12] = [
    b"0",
    b"255",
    b"256",
    b"8191",
    b"65535",
    b"65536",
    b"4294967295",
    b"4294967296",
    b"00",
    b"022",
    b"99999999999",
    b"",
];

/// Damages `line` once; `other` is another line, that may run into it.
pub fn once(choices: &mut Choices, line: &mut Vec<u8>, other: &[u8]) {
    let place = choices.below(line.len() + 1);
    match choices.below(9) {
        0 => line.truncate(place),
        1 => {
            line.truncate(place);
            line.extend(&other[choices.below(other.len() + 1)..]);
        }
        2 => {
            if let Some(byte) = line.get_mut(place) {
                *byte ^= 1 << choices.below(8);
            }
        }
        3 => {
            line.splice(place..place, choices.pick(&PIECES).iter().copied());
        }
        4 => {
            let end = (place + 1 + choices.below(20)).min(line.len());
            line.drain(place..end);
        }
        5 => {
            let end = (place + 1 + choices.below(20)).min(line.len());
            let doubled = line[place..end].to_vec();
            line.splice(place..place, doubled);
        }
        6 => {
            let word = word_at(line, place);
            let piece = choices.pick(&PIECES);
            line.splice(word, piece.iter().copied());
        }
        7 => {
            let number = number_behind(line, place);
            line.splice(number, choices.pick(&NUMBERS).iter().copied());
        }
        _ => {
            let word = word_at(line, place);
            let doubled = [&line[word.clone()], b" "].concat();
            line.splice(word.start..word.start, doubled);
        }
    }
}

/// The word in which `place` lies, without spaces.
fn word_at(line: &[u8], place: usize) -> std::ops::Range<usize> {
    let start = line[..place].iter().rposition(|&byte| byte == b' ').map_or(0, |at| at + 1);
    let end =
        line[place..].iter().position(|&byte| byte == b' ').map_or(line.len(), |at| place + at);
    start..end
}

/// The next number behind `place`.
fn number_behind(line: &[u8], place: usize) -> std::ops::Range<usize> {
    let digits = |from: usize, wanted: bool| {
        let found = line[from..].iter().position(|byte| byte.is_ascii_digit() == wanted);
        found.map_or(line.len(), |at| from + at)
    };
    let start = digits(place, true);
    start..digits(start, false)
}
