//! The fast reader and scanner against naive ones: on the kernel's lines, whole and damaged.

mod checks;
mod kernel;
mod naive;

use std::fs;
use std::path::{Path, PathBuf};

use logwatch_core::lanes::Level;
use logwatch_core::line::{self, Kind, LINE_MOST};
use logwatch_core::prefix::Prefixes;
use proptest::collection::vec;
use proptest::prelude::*;

use self::checks::SETS;
use self::kernel::{Choices, damage};

/// The choice of prefixes, and what makes lines for them.
fn choices() -> impl Strategy<Value = (u8, Vec<u16>)> {
    (0..SETS.len() as u8, vec(any::<u16>(), 0..160))
}

fn kernel_line(choice: u8, numbers: Vec<u16>) -> Vec<u8> {
    kernel::line(&mut Choices::new(numbers), SETS[usize::from(choice)])
}

/// A line, whole or damaged up to four times.
fn any_line(choice: u8, numbers: Vec<u16>, other: &[u8]) -> Vec<u8> {
    let mut choices = Choices::new(numbers);
    let damages = choices.below(5);
    let mut line = kernel::line(&mut choices, SETS[usize::from(choice)]);
    for _ in 0..damages {
        damage::once(&mut choices, &mut line, other);
    }
    line
}

/// The repository's recorded lines without their line feeds, `step` apart.
fn recorded_lines(step: usize) -> Vec<Vec<u8>> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut lines = Vec::new();
    for file in files_below(&cases).iter().filter(|file| file.ends_with("lines.log")) {
        let text = fs::read(file).expect("a file that was listed");
        lines.extend(text.split(|&byte| byte == b'\n').step_by(step).map(<[u8]>::to_vec));
    }
    assert!(lines.len() * step > 1_000, "the fixtures are missing");
    lines
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

fn assert_read_alike(line: &[u8]) {
    for choice in 0..SETS.len() as u8 {
        checks::same_reading(choice, line);
    }
}

/// Ends of lines that have fooled readers, with the port and the source port that are read.
const TRAPS: [(&str, Option<u16>, Option<u16>); 25] = [
    ("PROTO=TCP SPT=1 DPT=22 ", Some(22), Some(1)),
    ("PROTO=TCP SPT=1 DPT=22", None, Some(1)),
    ("PROTO=TCP SPT=1 DPT=4=108 ", None, Some(1)),
    ("PROTO=UDP SPT=1 DPT=22.LEN=108 ", None, Some(1)),
    ("PROTO=UDP SPT=1 DPT=53 LEN=40 LEN=41 ", Some(53), Some(1)),
    ("PROTO=TCP SPT=65535 DPT=65536 ", None, Some(65_535)),
    ("PROTO=TCP SPT=65536 DPT=22 ", None, None),
    ("PROTO=TCP SPT=01 DPT=22 ", None, None),
    ("PROTO=TCP SPT=0 DPT=022 ", None, Some(0)),
    ("PROTO=TCP  SPT=1 DPT=22 ", None, None),
    ("PROTO=TCP\tSPT=1 DPT=22 ", None, None),
    ("PROTO=TCP SPT=1 DPT=4294967318 ", None, Some(1)),
    ("PROTO=TCP SPT= DPT=22 ", None, None),
    ("PROTO=TCP DPT=22 SPT=1 ", None, None),
    ("PROTO=TCP INCOMPLETE [8 bytes] SPT=1 DPT=22 ", None, None),
    ("PROTO=256 SPT=1 DPT=22 ", None, None),
    ("PROTO=6 SPT=1 DPT=22 ", None, None),
    ("PROTO=ICMP TYPE=8 CODE=0 ID=22 SEQ=1 ", None, None),
    (
        "PROTO=ICMP TYPE=3 CODE=3 [SRC=1.2.3.4 DST=5.6.7.8 LEN=60 TOS=0x00 PREC=0x00 TTL=1 ID=2 \
      PROTO=TCP SPT=1 DPT=22 ] ",
        None,
        None,
    ),
    (
        "PROTO=ICMP TYPE=3 CODE=4 [SRC=1.2.3.4 DST=5.6.7.8 LEN=60 TOS=0x00 PREC=0x00 TTL=1 ID=2 \
      PROTO=TCP INCOMPLETE [8 bytes] ] MTU=1400 ",
        None,
        None,
    ),
    ("FRAG:185 PROTO=TCP ", None, None),
    ("OPT (94040000) PROTO=TCP SPT=1 DPT=22 ", Some(22), Some(1)),
    ("OPT (TRUNCATED) PROTO=TCP SPT=1 DPT=22 ", None, None),
    ("TRUNCATED", None, None),
    ("UID=0 GID=0 PROTO=TCP SPT=1 DPT=22 ", None, None),
];

#[test]
fn what_has_fooled_readers_is_read_right() {
    let prefixes = Prefixes::new(&["calico-packet"]).expect("a usable prefix");
    let head = "Nov 22 07:08:09 worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.7 \
                DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 ";
    for (end, port, source_port) in TRAPS {
        let line = format!("{head}{end}");
        let reading = line::read_line(line.as_bytes(), &prefixes);
        let packet = reading.packet.expect("a packet");
        assert_eq!((port, source_port), (packet.port, packet.source_port), "{end:?}");
        assert_eq!((Kind::Packet, 1), (reading.kind, reading.count), "{end:?}");
        assert_read_alike(line.as_bytes());
    }
}

#[test]
fn a_key_is_no_other_key_and_a_flag_no_key() {
    let prefixes = Prefixes::new(&["calico-packet"]).expect("a usable prefix");
    for (text, is_packet) in [
        ("MACSRC=1.2.3.4 DST=5.6.7.8 ", false),
        ("MACSRC=a MACDST=b MACPROTO=0800 SRC=1.2.3.4 DST=5.6.7.8 ", true),
        (
            "MACSRC=a MACDST=b MACPROTO=0806 ARP HTYPE=1 PTYPE=0x0800 OPCODE=2 MACSRC=a IPSRC=1.2.3.4 ",
            false,
        ),
        ("MAC=a TUNNEL=1.2.3.4->5.6.7.8 SRC=1.2.3.4 DST=5.6.7.8 ", true),
        ("TUNNEL=1.2.3.4->5.6.7.8 SRC=1.2.3.4 DST=5.6.7.8 ", false),
        ("MAC= SRC=1.2.3.256 DST=5.6.7.8 ", false),
        ("MAC= SRC=1.2.3.4 DST=5.6.7.8", false),
    ] {
        let line = format!("Nov 22 07:08:09 kernel: calico-packet: IN=a OUT= {text}");
        let reading = line::read_line(line.as_bytes(), &prefixes);
        assert_eq!(is_packet, reading.packet.is_some(), "{text:?}");
        assert_read_alike(line.as_bytes());
    }
    let flags = |text: &str| {
        let line = format!(
            "Nov 22 07:08:09 kernel: calico-packet: IN=a OUT= SRC=1.2.3.4 DST=5.6.7.8 LEN=60 \
             TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1 DPT=2 {text}"
        );
        assert_read_alike(line.as_bytes());
        let reading = line::read_line(line.as_bytes(), &prefixes);
        let flags = reading.packet.expect("a packet").flags;
        flags.map(|flags| flags.names().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(Some("ack".into()), flags("SEQ=1 ACK=2 WINDOW=3 RES=0x00 ACK URGP=0 "));
    assert_eq!(Some(String::new()), flags("SEQ=1 ACK=2 WINDOW=3 RES=0x00 URGP=0 "));
    assert_eq!(Some("ack".into()), flags("WINDOW=3 RES=0x00 ACK URGP="));
    assert_eq!(None, flags("WINDOW=3 RES=0x00 ACK URGP"));
    assert_eq!(None, flags("WINDOW=3 RES=0x00 SYN ACK URGP=0 "), "not the kernel's order");
}

#[test]
fn a_repetition_adds_as_many_as_it_says() {
    let prefixes = Prefixes::new(&["calico-packet"]).expect("a usable prefix");
    for (times, kind, count) in [
        ("1", Kind::Repeated, 1),
        ("2", Kind::Repeated, 2),
        ("4294967295", Kind::Repeated, u32::MAX),
        ("4294967296", Kind::Forged, 0),
        ("0", Kind::Forged, 0),
        ("02", Kind::Forged, 0),
    ] {
        let line = format!(
            "Nov 22 07:08:09 kernel: message repeated {times} times: \
             [ calico-packet: IN=a OUT= SRC=1.2.3.4 DST=5.6.7.8 ]"
        );
        let reading = line::read_line(line.as_bytes(), &prefixes);
        assert_eq!((kind, count), (reading.kind, reading.count), "{times}");
        assert_read_alike(line.as_bytes());
    }
}

#[test]
fn recorded_lines_are_read_alike_at_every_alignment() {
    for line in recorded_lines(1) {
        checks::same_reading(0, &line);
        // Behind the line stands what could complete it, if somebody read too far.
        let mut buffer = vec![b'7'; 64];
        buffer.extend(&line);
        buffer.extend(b"7 DPT=22 WINDOW=0 RES=0x00 SYN URGP=0 ");
        for shift in 0..=64 {
            let place = 64 - shift;
            buffer.copy_within(64..64 + line.len(), place);
            checks::same_reading(0, &buffer[place..place + line.len()]);
            buffer.copy_within(place..place + line.len(), 64);
        }
    }
}

#[test]
fn recorded_lines_are_read_alike_at_every_cut() {
    for line in recorded_lines(37) {
        for end in 0..line.len() {
            checks::same_reading(0, &line[..end]);
            checks::same_reading(0, &line[end..]);
        }
    }
}

#[test]
fn a_line_is_read_up_to_the_limit_and_not_beyond() {
    let packet =
        b"Nov 22 07:08:09 kernel: calico-packet: IN=a OUT= SRC=1.2.3.4 DST=5.6.7.8 LEN=60 ";
    for length in LINE_MOST - 2..=LINE_MOST + 2 {
        for end in [&b""[..], b"\r"] {
            let mut line = packet.to_vec();
            line.resize(length - end.len(), b'x');
            line.extend(end);
            checks::same_reading(0, &line);
            checks::same_reading(0, &[&[0; 9], &line[..]].concat());
            let stream = [&line[..], b"\n\0\0", &line, b"\n", packet].concat();
            for size in [1_000, LINE_MOST - 1, LINE_MOST, LINE_MOST + 1, 1 << 20] {
                checks::same_counts(0, Level::best(), &stream, std::iter::repeat(size));
            }
        }
    }
}

/// One line of each form that the fast reader takes.
const USUAL: [&str; 6] = [
    "IN=eth1 OUT= MAC=02:00:00:00:00:01 SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 \
     TTL=64 ID=1 DF PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0 ",
    "IN=cali527b0801ecb OUT=eth0 MAC= SRC=1.2.3.4 DST=255.255.255.255 LEN=40 TOS=0x10 PREC=0xC0 \
     TTL=1 ID=65535 PROTO=TCP SPT=1 DPT=65535 WINDOW=0 RES=0x00 ACK RST URGP=0 ",
    "IN=eth1 OUT= MAC=02:00:00:00:00:01 SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 \
     TTL=64 ID=1 PROTO=UDP SPT=40000 DPT=53 LEN=40 ",
    "IN=eth1 OUT= MAC=02:00:00:00:00:01 SRC=203.0.113.7 DST=198.51.100.9 LEN=84 TOS=0x00 PREC=0x00 \
     TTL=64 ID=1 PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=1 ",
    "IN=eth1 OUT= MAC=02:00:00:00:00:01 SRC=2001:0db8:0000:0000:0000:0000:0000:0001 \
     DST=2001:0db8:0000:0000:0000:ffff:cb00:7109 LEN=80 TC=0 HOPLIMIT=64 FLOWLBL=1048575 PROTO=TCP \
     SPT=40000 DPT=443 WINDOW=64800 RES=0x00 ACK URGP=0 ",
    "IN=eth1 OUT= MAC= SRC=fe80:0000:0000:0000:0000:0000:0000:0001 \
     DST=2001:0db8:0000:0000:0000:0000:0000:0002 LEN=104 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=ICMPv6 \
     TYPE=128 CODE=0 ID=7 SEQ=1 ",
];

/// A storm of `line`, in which one line after another is a variant of it.
fn assert_storm_counted_alike(
    choice: u8,
    line: &[u8],
    variants: impl IntoIterator<Item = Vec<u8>>,
) {
    let mut stream = [line, b"\n", line, b"\n"].concat();
    for variant in variants {
        stream.extend([&variant[..], b"\n", line, b"\n"].concat());
    }
    // The fast reader looks only at lines behind which there is room.
    stream.extend([b'.'; 1_024]);
    stream.push(b'\n');
    for &level in checks::levels() {
        checks::same_counts(choice, level, &stream, []);
    }
}

#[test]
fn a_storm_whose_lines_differ_in_a_number_is_counted_alike() {
    for body in USUAL {
        let line = format!("Nov 22 07:08:09 worker-1 kernel: [   12.345678] calico-packet: {body}");
        let line = line.as_bytes();
        let mut start = 0;
        while start < line.len() {
            let digits = line[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let variants = damage::NUMBERS
                .iter()
                .map(|number| [&line[..start], number, &line[start + digits..]].concat());
            if digits > 0 {
                assert_storm_counted_alike(0, line, variants);
            }
            start += digits.max(1);
        }
    }
}

#[test]
fn a_storm_whose_lines_differ_in_a_byte_is_counted_alike() {
    for body in USUAL {
        let line = format!("2026-11-22T07:08:09.123+00:00 worker-1 kernel: calico-packet: {body}");
        let line = line.as_bytes();
        for place in 0..line.len() {
            let others = *b" =09afAFgG:./\t\r\0\xff";
            let replaced =
                others.map(|byte| [&line[..place], &[byte], &line[place + 1..]].concat());
            let inserted = others.map(|byte| [&line[..place], &[byte], &line[place..]].concat());
            let dropped = [&line[..place], &line[place + 1..]].concat();
            let cut = line[..place].to_vec();
            assert_storm_counted_alike(
                0,
                line,
                replaced.into_iter().chain(inserted).chain([dropped, cut]),
            );
        }
    }
}

/// Inputs on which a fuzz target has once failed: `fuzz/regressions/TARGET/`.
#[test]
fn what_has_once_failed_is_read_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/regressions");
    let mut replayed = 0;
    let targets = [
        ("line", checks::line as fn(&[u8])),
        ("chunks", checks::chunks),
        ("summary", checks::summary),
        ("evidence", checks::evidence::merged),
    ];
    for (target, check) in targets {
        let folder = folder.join(target);
        // No folder: it has never failed.
        for file in folder.is_dir().then(|| files_below(&folder)).into_iter().flatten() {
            check(&fs::read(&file).expect("a file that was listed"));
            replayed += 1;
        }
    }
    assert!(replayed > 2, "the inputs are missing");
}

proptest! {
    // `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn the_kernels_lines_are_read_alike((choice, numbers) in choices()) {
        checks::same_reading(choice, &kernel_line(choice, numbers));
    }

    #[test]
    fn a_line_of_the_kernel_is_a_packet_wherever_it_has_addresses((choice, numbers) in choices()) {
        let line = kernel_line(choice, numbers);
        let reading = line::read_line(&line, &Prefixes::new(SETS[usize::from(choice)]).expect("usable"));
        let has_addresses = line.windows(5).any(|text| text == b" DST=");
        let counts = !line.windows(9).any(|text| {
            [&b"ated 0 ti"[..], b"ted 02 ti", b"967296 ti"].contains(&text)
        });
        prop_assert_eq!(has_addresses && counts, reading.packet.is_some(), "{}", String::from_utf8_lossy(&line));
    }

    #[test]
    fn a_line_is_read_alike_wherever_it_is_cut((choice, numbers) in choices()) {
        let line = kernel_line(choice, numbers);
        for end in 0..line.len() {
            checks::same_reading(choice, &line[..end]);
        }
    }

    #[test]
    fn two_lines_that_ran_into_each_other_are_read_alike(
        (choice, numbers) in choices(),
        (_, others) in choices(),
        places in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let (one, other) = (kernel_line(choice, numbers), kernel_line(choice, others));
        let (end, start) = (places.0.index(one.len() + 1), places.1.index(other.len() + 1));
        checks::same_reading(choice, &[&one[..end], &other[start..]].concat());
    }

    #[test]
    fn damaged_lines_are_read_alike((choice, numbers) in choices(), (_, others) in choices()) {
        let other = kernel_line(choice, others);
        checks::same_reading(choice, &any_line(choice, numbers, &other));
    }

    #[test]
    fn any_bytes_are_read_alike(choice in 0..SETS.len() as u8, line in vec(any::<u8>(), 0..300)) {
        checks::same_reading(choice, &line);
    }

    #[test]
    fn a_stream_is_counted_alike_however_it_is_cut(
        choice in 0..SETS.len() as u8,
        lines in vec((vec(any::<u16>(), 0..160), 0_usize..40), 0..12),
        ends_with_feed in any::<bool>(),
        sizes in vec(1_usize..700, 1..40),
    ) {
        let mut stream = Vec::new();
        let mut last = Vec::new();
        for (numbers, form) in lines {
            let line = any_line(choice, numbers, &last);
            match form {
                0 => stream.extend(vec![b'x'; LINE_MOST]),
                1 => stream.extend([0; 700]),
                2 => stream.extend(b"\n\n"),
                3 => stream.extend(b"Nov 22 07:08:09 worker-1 systemd[1]: Started.\n"),
                _ => {}
            }
            stream.extend(&line);
            stream.extend(if form == 4 { &b"\r\n"[..] } else { b"\n" });
            last = line;
        }
        if !ends_with_feed {
            stream.pop();
        }
        for &level in checks::levels() {
            checks::same_counts(choice, level, &stream, sizes.iter().copied().cycle());
            checks::same_counts(choice, level, &stream, []);
        }
    }

    #[test]
    fn a_storm_of_nearly_the_same_line_is_counted_alike(
        (choice, numbers) in choices(),
        damages in vec(vec(any::<u16>(), 1..12), 1..24),
    ) {
        let first = kernel_line(choice, numbers);
        let variants = damages.into_iter().map(|damage| {
            let mut line = first.clone();
            damage::once(&mut Choices::new(damage), &mut line, &first);
            line
        });
        assert_storm_counted_alike(choice, &first, variants);
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
}
