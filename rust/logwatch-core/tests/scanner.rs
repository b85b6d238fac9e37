//! The scanner as its users see it: on real lines, cut and mixed in every way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use logwatch_core::hash::Seed;
use logwatch_core::lanes::Level;
use logwatch_core::line::{self, Kind, LINE_MOST};
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};
use logwatch_core::views::Views;
use proptest::prelude::*;

const PREFIX: &str = "calico-packet";
/// 2026-11-24T12:00:00Z
const NOW: i64 = 1_795_521_600;

/// Bytes enough for all flows of any test.
const LARGE: usize = 1 << 24;

fn settings(bytes: usize, slice_seconds: u32) -> Settings {
    let prefixes = Prefixes::new(&[PREFIX]).expect("a usable prefix");
    Settings {
        prefixes,
        limits: Limits { bytes, destinations: true },
        slice_seconds,
        late_seconds: 0,
    }
}

fn scanner(bytes: usize, slice_seconds: u32) -> Scanner {
    let clock = Clock::new(utc, NOW);
    let mut scanner = Scanner::new(settings(bytes, slice_seconds), clock, Seed::random());
    scanner.keep_timeline();
    scanner
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
    flows: Vec<String>,
    sources: Vec<String>,
    ports: Vec<String>,
    timeline: Option<(u32, BTreeMap<String, u64>)>,
}

fn told(summary: &Summary) -> Told {
    let total = summary.total();
    let policies: Vec<_> = summary.policies().collect();
    let views = Views::new(summary);
    Told {
        lines: summary.lines,
        packets: total.packets,
        bytes: total.bytes,
        last: total.last(),
        rows: summary
            .rows()
            .map(|row| {
                let (class, count) = (row.class, row.count);
                let policy = policies[usize::from(class.policy)];
                let class = (class.interface, class.transport, class.forwarded, class.v6);
                (
                    format!("{:?} {:?} {policy:?} {class:?}", row.source, row.port),
                    (count.packets, count.bytes, count.first(), count.last()),
                )
            })
            .collect(),
        links: summary
            .links()
            .iter()
            .map(|(link, packets, bytes)| {
                let policy = policies[usize::from(link.policy)];
                let link = (policy, link.interface, link.protocol, link.v6);
                (format!("{link:?}"), (*packets, *bytes))
            })
            .collect(),
        flows: views.flows(0).iter().map(|flow| format!("{flow:?}")).collect(),
        sources: views.sources(0).iter().map(|source| format!("{source:?}")).collect(),
        ports: views.ports(0).iter().map(|port| format!("{port:?}")).collect(),
        timeline: summary.timeline.as_ref().map(|timeline| {
            let cell = |(start, policy, packets)| {
                (format!("{start} {:?}", policies[usize::from(policy)]), packets)
            };
            (timeline.width(), timeline.cells().map(cell).collect())
        }),
    }
}

fn scan_whole(data: &[u8]) -> Told {
    let mut scanner = scanner(LARGE, 0);
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

/// A line such as storms are made of, mostly unharmed, of one second and a few hosts; with its line
/// feed.
fn storm_line() -> impl Strategy<Value = Vec<u8>> {
    let messages: Vec<Vec<u8>> = real_lines()
        .into_iter()
        .filter_map(|line| {
            let at = line.windows(PREFIX.len()).position(|text| text == PREFIX.as_bytes())?;
            Some(line[at..].to_vec())
        })
        .collect();
    let headers = prop::sample::select(vec![
        "Nov 22 07:08:09 worker-1 kernel: [158271.044316] ",
        "Nov 22 07:08:09 worker-2 kernel: [158271.044317] ",
        "Nov 22 07:08:09 worker-2 kernel: [    1.044317] ",
        "Nov 22 07:08:09 worker-10 kernel: [158271.044317] ",
        "Nov 22 07:08:09 worker-1 kernel: ",
        "2026-11-22T07:08:09.123456+00:00 ip-10-0-0-1.example.org kernel: ",
        "<5>1 2026-11-22T07:08:09.023456+02:00 worker-1 kernel - - - [1154069.463446] ",
        "2026-11-22T07:08:09.000000+00:00 a-host-whose-header-does-not-fit-into-64-bytes kernel: [158271.044316][    C3] ",
    ]);
    let line = (headers, prop::sample::select(messages))
        .prop_map(|(header, message)| [header.as_bytes(), &message].concat());
    prop_oneof![
        20 => line.clone(),
        1 => (line.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut line, at, byte)| {
            let at = at.index(line.len());
            line[at] = byte;
            line
        }),
        1 => (line.clone(), any::<prop::sample::Index>(), 0_usize..3).prop_map(|(mut line, at, which)| {
            let at = at.index(line.len());
            match which {
                0 => line.truncate(at),
                1 => line.insert(at, line[at]),
                _ => drop(line.remove(at)),
            }
            line
        }),
        1 => any_line(),
    ]
    .prop_map(|mut line| {
        line.push(b'\n');
        line
    })
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
        let mut scanner = scanner(LARGE, 0);
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
    fn all_processors_count_what_the_plain_reader_reads(lines in prop::collection::vec(storm_line(), 0..200)) {
        let data = lines.concat();
        // The first line that a scanner sees is the plain reader's.
        let mut expected = scanner(LARGE, 0).drain();
        for line in &lines {
            let mut scanner = scanner(LARGE, 0);
            scanner.feed(line);
            expected.merge(&scanner.drain());
        }
        for level in Level::available() {
            let clock = Clock::new(utc, NOW);
            let mut scanner = Scanner::with_level(settings(LARGE, 0), clock, Seed::random(), level);
            scanner.keep_timeline();
            scanner.feed(&data);
            prop_assert_eq!(told(&expected), told(&scanner.drain()), "{:?}", level);
        }
    }

    #[test]
    fn a_summary_is_the_same_after_a_way_as_bytes(lines in prop::collection::vec(storm_line(), 0..60)) {
        let mut scanner = scanner(LARGE, 0);
        scanner.feed(&lines.concat());
        let summary = scanner.drain();
        let bytes = summary.to_bytes();
        let limits = Limits { bytes: LARGE, destinations: true };
        let again = Summary::from_bytes(Seed::random(), limits, &bytes).expect("a summary");
        prop_assert_eq!(told(&summary), told(&again));
        prop_assert_eq!(&bytes, &again.to_bytes());
        for end in 0..bytes.len() {
            prop_assert!(Summary::from_bytes(Seed::random(), limits, &bytes[..end]).is_err());
        }
    }

    #[test]
    fn a_window_counts_the_packets_in_it_alone(
        lines in prop::collection::vec((storm_line(), 0_u32..10), 0..60),
        since in 0_u32..10,
        length in 0_u32..10,
    ) {
        let prefixes = Prefixes::new(&[PREFIX]).expect("a usable prefix");
        let mut clock = Clock::new(utc, NOW);
        let from = 1_795_331_280 + since; // 07:08:00
        let mut is_within = |line: &[u8]| {
            let reading = line::read_line(&line[..line.len() - 1], &prefixes);
            let seconds = reading.stamp.map(|stamp| clock.seconds(stamp));
            seconds.is_some_and(|seconds| {
                (i64::from(from)..i64::from(from + length)).contains(&seconds)
            })
        };
        let at_second = |(line, second): (Vec<u8>, u32)| {
            let text = line.windows(8).position(|text| text == b"07:08:09");
            let mut line = line;
            if let Some(at) = text {
                line[at + 7] = b'0' + second as u8;
            }
            line
        };
        let lines: Vec<Vec<u8>> = lines.into_iter().map(at_second).collect();
        let expected: Vec<Vec<u8>> = lines.iter().filter(|line| is_within(line)).cloned().collect();
        let mut windowed = scanner(LARGE, 0);
        windowed.keep_between(from, from + length);
        windowed.feed(&lines.concat());
        let mut found = told(&windowed.drain());
        let expected = scan_whole(&expected.concat());
        let count = |lines: [u64; 5]| lines.iter().sum::<u64>();
        let all = count(scan_whole(&lines.concat()).lines);
        prop_assert_eq!(all, count(found.lines), "every line is counted as one");
        found.lines = expected.lines;
        prop_assert_eq!(expected, found);
    }

    #[test]
    fn slices_lose_nothing(lines in prop::collection::vec(any_line(), 0..40), piece in 1_usize..600) {
        let data = lines.join(&b'\n');
        let expected = scan_whole(&data);
        let mut scanner = scanner(LARGE, 10);
        let mut merged = scanner.drain();
        for piece in data.chunks(piece) {
            let mut at = 0;
            while at < piece.len() {
                at += scanner.feed(&piece[at..]);
                if at < piece.len() {
                    let slice = scanner.drain();
                    let times: Vec<u32> = slice.rows().map(|row| row.count.last() / 10).collect();
                    prop_assert!(times.iter().all(|&time| time == times[0]), "{:?}", times);
                    merged.merge(&slice);
                }
            }
        }
        merged.merge(&scanner.drain());
        scanner.finish();
        merged.merge(&scanner.drain());
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

/// More than the fast reader remembers, some of them too long for it, again and again.
#[test]
fn every_interface_of_many_is_told_apart() {
    let long =
        "calico-packet-of-a-policy-with-a-name-as-long-as-nftables-lets-a-prefix-be-and-so-on";
    let mut lines = Vec::new();
    for _ in 0..3 {
        for number in 0..700_u32 {
            let out = if number % 3 == 0 { format!("cali{number}") } else { String::new() };
            let prefix = [PREFIX, long][number as usize % 2];
            let pad = "-".repeat(number as usize % 36 / 2 * 2);
            lines.push(format!(
                "Nov 22 07:08:09 worker-1 kernel: [158271.044316] {prefix}{pad}: IN=cali{number:05} OUT={out} \
                 MAC=08:00:27:d5:62:3e:08:00:27:d5:62:3f:08:00 SRC=192.0.2.4 DST=192.0.2.10 LEN=60 \
                 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=42962 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0 \n"
            ));
        }
    }
    let mut prefixes: Vec<String> = Vec::new();
    for prefix in [PREFIX, long] {
        prefixes.extend((0..18).map(|pad| format!("{prefix}{}", "-".repeat(pad * 2))));
    }
    let settings =
        || Settings { prefixes: Prefixes::new(&prefixes).expect("usable"), ..settings(LARGE, 0) };
    let clock = || Clock::new(utc, NOW);
    let mut expected = Scanner::new(settings(), clock(), Seed::random()).drain();
    for line in &lines {
        let mut scanner = Scanner::new(settings(), clock(), Seed::random());
        scanner.feed(line.as_bytes());
        expected.merge(&scanner.drain());
    }
    assert_eq!(expected.lines[0], 2_100);
    for level in Level::available() {
        let mut scanner = Scanner::with_level(settings(), clock(), Seed::random(), level);
        scanner.feed(lines.concat().as_bytes());
        assert_eq!(told(&expected), told(&scanner.drain()), "{level:?}");
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
            let mut scanner = scanner(LARGE, 0);
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
    let mut scanner = scanner(0, 0);
    for source in 0..1_000 {
        let line = format!(
            "Nov 22 07:08:09 worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= SRC=203.0.{}.{} \
             DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1 DPT=22 \n",
            source / 256,
            source % 256,
        );
        scanner.feed(line.as_bytes());
    }
    let summary = scanner.drain();
    let total = summary.total();
    assert_eq!((1_000, 60_000), (total.packets, total.bytes));
    assert_eq!(192, summary.rows().filter(|row| row.source.is_some()).count());
    let rest: Vec<u64> =
        summary.rows().filter(|row| row.source.is_none()).map(|row| row.count.packets).collect();
    assert_eq!(vec![808], rest);
}

#[test]
fn an_unfinished_line_can_be_forgotten() {
    let mut scanner = scanner(0, 0);
    scanner.feed(b"one\ntwo");
    assert_eq!(3, scanner.pending());
    assert_eq!(3, scanner.abandon());
    scanner.feed(b"three\n");
    scanner.finish();
    assert_eq!([0, 0, 0, 0, 2], scanner.drain().lines);
}

#[test]
fn the_stamp_of_the_last_line_that_has_one_is_known() {
    let noon = NOW - 2 * 86_400;
    let lines = "Nov 22 12:00:00 w app: one\n2026-11-22T12:00:01Z w app: two\n\0Nov 22 12:00:02 w \
                 kernel: calico-packet: IN=\nno stamp\n\nNov 22 12:00:03 w app: unfini";
    for piece in [1, 7, 27, 1_000] {
        let mut scanner = scanner(0, 0);
        assert_eq!(None, scanner.last_stamp());
        for piece in lines.as_bytes().chunks(piece) {
            scanner.feed(piece);
        }
        assert_eq!(Some(noon + 2), scanner.last_stamp(), "in pieces of {piece}");
        scanner.drain();
        scanner.finish();
        assert_eq!(Some(noon + 3), scanner.last_stamp());
    }
}
