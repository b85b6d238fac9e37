//! Slices of time: where the clocks of several hosts disagree in one log.

use logwatch_core::hash::Seed;
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};
use proptest::prelude::*;

/// 2026-11-24T12:00:00Z
const NOW: i64 = 1_795_521_600;

fn line(second: u32) -> String {
    format!(
        "2026-11-24T11:{:02}:{:02}Z worker-1 kernel: calico-packet: IN=eth1 OUT= MAC= \
         SRC=203.0.113.7 DST=198.51.100.9 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1 \
         DPT=22 \n",
        second / 60,
        second % 60,
    )
}

/// A packet whose stamp means no time.
fn undated() -> String {
    line(0).replacen("2026-11-24", "1960-11-24", 1)
}

/// The packets of each batch, in slices of so many seconds, with its latest second.
fn slices(slice_seconds: u32, late_seconds: u32, text: &str) -> Vec<(u64, Option<i64>)> {
    let settings = Settings {
        prefixes: Prefixes::new(&["calico-packet"]).expect("a usable prefix"),
        limits: Limits { bytes: 1 << 20, destinations: true },
        slice_seconds,
        late_seconds,
    };
    let mut scanner = Scanner::new(settings, Clock::new(utc, NOW), Seed::random());
    let mut found = Vec::new();
    let mut told = |summary: &Summary| {
        let total = summary.total();
        let last = i64::from(total.last());
        found.push((total.packets, (last > 0).then_some(last - (NOW - 3_600))));
    };
    let mut at = 0;
    while at < text.len() {
        at += scanner.feed(&text.as_bytes()[at..]);
        if at < text.len() {
            told(&scanner.drain());
        }
    }
    told(&scanner.drain());
    found
}

fn lines(seconds: &[u32]) -> String {
    seconds.iter().map(|second| line(*second)).collect()
}

#[test]
fn a_packet_that_is_a_little_late_counts_in_the_running_slice() {
    let text = lines(&[100, 95, 100, 90, 101, 92, 101]);
    assert_eq!(vec![(4, Some(100)), (3, Some(101))], slices(1, 10, &text));
    assert_eq!(7, slices(1, 0, &text).len());
    assert_eq!(5, slices(1, 8, &text).len(), "by more than so many seconds it is another slice");
    let started_late = lines(&[100, 101, 91, 99]);
    assert_eq!(vec![(1, Some(100)), (3, Some(101))], slices(1, 10, &started_late));
}

#[test]
fn a_clock_that_was_set_back_begins_slices_of_its_own() {
    let text = lines(&[1_000, 1_001, 500, 500, 501]);
    let expected = [(1, 1_000), (1, 1_001), (2, 500), (1, 501)];
    assert_eq!(expected.map(|(count, last)| (count, Some(last))).to_vec(), slices(1, 60, &text));
}

#[test]
fn a_packet_without_a_time_counts_with_those_before_it() {
    let text = [undated(), line(100), undated(), line(101), undated()].concat();
    assert_eq!(vec![(1, None), (2, Some(100)), (2, Some(101))], slices(1, 60, &text));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn late_packets_are_counted_as_a_naive_reader_does(
        seconds in prop::collection::vec(0_u32..200, 1..40),
        slice_seconds in 1_u32..12,
        late_seconds in 1_u32..80,
    ) {
        let mut expected: Vec<(u32, u64)> = Vec::new();
        for second in &seconds {
            let stamp = (NOW - 3_600) as u32 + second;
            let own = stamp / slice_seconds;
            let joins = expected.last().is_some_and(|(slice, _)| {
                own == *slice || own < *slice && stamp + late_seconds >= slice * slice_seconds
            });
            match expected.last_mut() {
                Some((_, packets)) if joins => *packets += 1,
                _ => expected.push((own, 1)),
            }
        }
        let found = slices(slice_seconds, late_seconds, &lines(&seconds));
        let packets = |all: &[(u32, u64)]| all.iter().map(|each| each.1).collect::<Vec<_>>();
        prop_assert_eq!(packets(&expected), found.iter().map(|each| each.0).collect::<Vec<_>>());
    }
}
