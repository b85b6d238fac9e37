//! The scanner as its users see it: on real lines, cut and mixed in every way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use logwatch_core::body;
use logwatch_core::hash::Seed;
use logwatch_core::line::{self, Kind, LINE_MOST};
use logwatch_core::prefix::Prefixes;
use logwatch_core::quick;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};
use proptest::prelude::*;

const PREFIX: &str = "calico-packet";
/// 2026-11-24T12:00:00Z
const NOW: i64 = 1_795_521_600;

fn scanner(flows: usize, slice_seconds: u32) -> Scanner {
    let settings = Settings {
        prefixes: Prefixes::new(&[PREFIX]).expect("a usable prefix"),
        limits: Limits { flows, destinations: true },
        slice_seconds,
    };
    Scanner::new(settings, Clock::new(utc, NOW), Seed::random())
}

/// Everything that a summary tells, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    lines: [u64; 5],
    packets: u64,
    bytes: u64,
    last: u32,
    rows: BTreeMap<String, (u64, u64, u32, u32)>,
    links: BTreeMap<String, (u64, u64)>,
    sources: Vec<String>,
}

fn told(summary: &Summary) -> Told {
    Told {
        lines: summary.lines,
        packets: summary.packets,
        bytes: summary.bytes,
        last: summary.last,
        rows: summary
            .rows()
            .map(|row| {
                let count = row.count;
                (
                    format!("{:?} {:?} {:?}", row.source, row.port, row.class),
                    (count.packets, count.bytes, count.first(), count.last()),
                )
            })
            .collect(),
        links: summary
            .links()
            .map(|(link, packets, bytes)| (format!("{link:?}"), (*packets, *bytes)))
            .collect(),
        sources: summary.sources(0).iter().map(|source| format!("{source:?}")).collect(),
    }
}

fn scan_whole(data: &[u8]) -> Told {
    let mut scanner = scanner(1 << 20, 0);
    assert_eq!(data.len(), scanner.feed(data));
    scanner.finish();
    told(&scanner.drain())
}

/// The recorded lines of all cases, without their line feeds.
fn real_lines() -> Vec<Vec<u8>> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut lines = Vec::new();
    for case in fs::read_dir(cases).expect("the folder of fixtures").flatten() {
        if let Ok(text) = fs::read(case.path().join("lines.log")) {
            lines.extend(text.split(|&byte| byte == b'\n').step_by(3).map(<[u8]>::to_vec));
        }
    }
    assert!(lines.len() > 100, "the fixtures are missing");
    lines
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let real = prop::sample::select(real_lines());
    prop_oneof![
        6 => real.clone(),
        2 => (real.clone(), any::<prop::sample::Index>())
            .prop_map(|(line, at)| line[..at.index(line.len() + 1)].to_vec()),
        1 => (real.clone(), real.clone(), any::<prop::sample::Index>()).prop_map(|(one, other, at)| {
            let at = at.index(one.len().min(other.len()) + 1);
            [&one[..at], &other[at..]].concat()
        }),
        1 => (real.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut line, at, byte)| {
            if !line.is_empty() {
                let at = at.index(line.len());
                line[at] = byte;
            }
            line
        }),
        1 => (1_u32..2_000, real).prop_map(|(times, line)| wrapped(&line, times)),
        1 => prop::collection::vec(any::<u8>(), 0..80),
        1 => (0_usize..40).prop_map(|nuls| vec![0; nuls]),
    ]
}

/// The line as rsyslog reports that it was repeated.
fn wrapped(line: &[u8], times: u32) -> Vec<u8> {
    let tag = b"kernel:";
    match line.windows(tag.len()).position(|window| window == tag) {
        Some(at) => {
            let (header, message) = line.split_at(at + tag.len());
            [header, format!(" message repeated {times} times: [").as_bytes(), message, b"]"]
                .concat()
        }
        None => line.to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn counts_do_not_depend_on_how_the_stream_is_cut(
        lines in prop::collection::vec(any_line(), 0..40),
        ends_with_feed in any::<bool>(),
        pieces in prop::collection::vec(1_usize..400, 1..60),
    ) {
        let mut data = lines.join(&b'\n');
        if ends_with_feed {
            data.push(b'\n');
        }
        let expected = scan_whole(&data);
        let mut scanner = scanner(1 << 20, 0);
        let mut rest = &data[..];
        for piece in pieces.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*piece));
            prop_assert_eq!(now.len(), scanner.feed(now));
            rest = later;
        }
        scanner.finish();
        prop_assert_eq!(expected, told(&scanner.drain()));
    }

    #[test]
    fn the_scanner_counts_what_reading_line_by_line_finds(lines in prop::collection::vec(any_line(), 0..40)) {
        let prefixes = Prefixes::new(&[PREFIX]).expect("a usable prefix");
        let data = lines.join(&b'\n');
        let mut kinds = [0_u64; 5];
        let (mut packets, mut bytes) = (0, 0);
        let whole: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
        for (index, text) in whole.iter().enumerate() {
            // What follows the last line feed is a line only if there is something.
            if index + 1 == whole.len() && text.is_empty() {
                break;
            }
            let reading = line::read_line(text, &prefixes);
            kinds[reading.kind as usize] += 1;
            packets += u64::from(reading.count);
            bytes += u64::from(reading.count)
                * u64::from(reading.packet.and_then(|packet| packet.length).unwrap_or(0));
        }
        let found = scan_whole(&data);
        prop_assert_eq!((kinds, packets, bytes), (found.lines, found.packets, found.bytes));
    }

    #[test]
    fn the_quick_reader_never_contradicts_the_plain_one(line in any_line()) {
        for start in line.windows(3).enumerate().filter(|(_, text)| text == b"IN=").map(|found| found.0) {
            let body = &line[start..];
            if let Some(packet) = quick::read(body) {
                prop_assert_eq!(Some(packet), body::read(body));
            }
        }
    }

    #[test]
    fn slices_lose_nothing(lines in prop::collection::vec(any_line(), 0..40), piece in 1_usize..600) {
        let data = lines.join(&b'\n');
        let expected = scan_whole(&data);
        let mut scanner = scanner(1 << 20, 10);
        let mut merged = scanner.drain();
        for piece in data.chunks(piece) {
            let mut at = 0;
            while at < piece.len() {
                at += scanner.feed(&piece[at..]);
                if at < piece.len() {
                    let slice = scanner.drain();
                    let times: Vec<u32> = slice.rows().map(|row| row.count.last() / 10).collect();
                    prop_assert!(times.iter().all(|&time| time == times[0]), "{:?}", times);
                    merged.merge(slice);
                }
            }
        }
        merged.merge(scanner.drain());
        scanner.finish();
        merged.merge(scanner.drain());
        prop_assert_eq!(expected, told(&merged));
    }

    #[test]
    fn a_cut_never_makes_another_packet(line in prop::sample::select(real_lines())) {
        let prefixes = Prefixes::new(&[PREFIX]).expect("a usable prefix");
        let Some(whole) = line::read_line(&line, &prefixes).packet else { return Ok(()) };
        for end in 0..line.len() {
            let Some(cut) = line::read_line(&line[..end], &prefixes).packet else { continue };
            prop_assert_eq!((whole.source, whole.destination), (cut.source, cut.destination));
            prop_assert!(cut.port.is_none() || cut.port == whole.port);
            prop_assert!(cut.source_port.is_none() || cut.source_port == whole.source_port);
            prop_assert!(cut.length.is_none() || cut.length == whole.length);
            prop_assert!(cut.protocol.is_none() || cut.protocol == whole.protocol);
            prop_assert!(cut.flags.is_none() || cut.flags == whole.flags);
        }
    }
}

#[test]
fn a_real_line_is_read_the_same_at_every_alignment() {
    let lines = real_lines();
    for line in lines.iter().step_by(7) {
        let expected = scan_whole(&[line, &b"\n"[..]].concat());
        for shift in 0..=64_u64 {
            let data = [&vec![b'\n'; shift as usize], &line[..], b"\n"].concat();
            let mut found = scan_whole(&data);
            found.lines[Kind::Other as usize] -= shift;
            assert_eq!(expected, found);
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_other_however_it_comes() {
    let packet =
        b"Nov 22 07:08:09 worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.7 \
        DST=198.51.100.9 LEN=60 ";
    let longest = [&packet[..], &vec![b'x'; LINE_MOST - packet.len()], b"\n"].concat();
    let too_long = [&packet[..], &vec![b'x'; LINE_MOST + 1 - packet.len()], b"\n"].concat();
    for (text, kind) in [(&longest, Kind::Packet), (&too_long, Kind::Other)] {
        for piece in [7, 1_000, LINE_MOST - 1, LINE_MOST, LINE_MOST + 1, 1 << 20] {
            let mut scanner = scanner(1 << 10, 0);
            // A hole of NUL bytes in front of a line does not make it longer.
            for piece in [&vec![0; 2 * LINE_MOST], &text[..], b"after\n"].concat().chunks(piece) {
                scanner.feed(piece);
            }
            assert_eq!(0, scanner.pending());
            let lines = scanner.drain().lines;
            assert_eq!(2, lines.iter().sum::<u64>(), "in pieces of {piece}");
            assert!(lines[kind as usize] > 0, "in pieces of {piece}: {lines:?}");
        }
    }
}

#[test]
fn what_finds_no_room_is_counted_without_its_source() {
    let mut scanner = scanner(10, 0);
    for source in 0..200 {
        let line = format!(
            "Nov 22 07:08:09 worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=203.0.113.{source} \
             DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1 DPT=22 \n"
        );
        scanner.feed(line.as_bytes());
    }
    let summary = scanner.drain();
    let packets: u64 = summary.rows().map(|row| row.count.packets).sum();
    assert_eq!((200, 200, 200 * 60), (summary.packets, packets, summary.bytes));
    assert_eq!(10, summary.rows().filter(|row| row.source.is_some()).count());
    assert_eq!(1, summary.rows().filter(|row| row.source.is_none()).count());
}

#[test]
fn an_unfinished_line_can_be_forgotten() {
    let mut scanner = scanner(10, 0);
    scanner.feed(b"one\ntwo");
    assert_eq!(3, scanner.pending());
    assert_eq!(3, scanner.abandon());
    scanner.feed(b"three\n");
    scanner.finish();
    assert_eq!([0, 0, 0, 0, 2], scanner.drain().lines);
}

#[test]
fn the_quick_reader_reads_most_real_packets() {
    let prefixes = Prefixes::new(&[PREFIX]).expect("a usable prefix");
    let (mut quickly, mut all) = (0, 0);
    for line in real_lines() {
        let Some(_) = line::read_line(&line, &prefixes).packet else { continue };
        let start = line.windows(3).position(|text| text == b"IN=").expect("a body");
        all += 1;
        quickly += u32::from(quick::read(&line[start..]).is_some());
    }
    assert!(quickly * 2 > all, "{quickly} of {all}");
}
