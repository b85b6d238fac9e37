//! Rows and pairs of summaries, made of lines.

use logwatch_core::address::Address;
use logwatch_core::evidence::{Condition, Measure, Networks, Rule, Verdict};
use logwatch_core::hash::Seed;
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};

use crate::model::{NOW, engine, of, packets, ports, reached};

const HEADER: &str = "Nov 24 12:00:00 worker-1 kernel: [1.000000] ";

fn scanner() -> Scanner {
    let settings = Settings {
        prefixes: Prefixes::new(&["calico-packet %p", "logged"]).expect("usable prefixes"),
        limits: Limits { bytes: 1 << 20, destinations: true },
        slice_seconds: 0,
        late_seconds: 0,
    };
    let clock = Clock::new(utc, (NOW / 1_000).cast_signed());
    Scanner::new(settings, clock, Seed::random())
}

fn summary(lines: &[String]) -> Summary {
    let mut scanner = scanner();
    for line in lines {
        assert_eq!(line.len() + 1, scanner.feed(format!("{line}\n").as_bytes()));
    }
    let mut summary = scanner.drain();
    summary.settle();
    assert_eq!(lines.len() as u64, summary.total().packets);
    summary
}

fn line(prefix: &str, destination: u8, port: u16, flag: &str) -> String {
    format!(
        "{HEADER}{prefix}: IN=eth0 OUT= MAC= SRC=203.0.113.7 DST=198.51.100.{destination} LEN=60 TOS=0x00 \
         PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=4000 DPT={port} WINDOW=1 RES=0x00 {flag} URGP=0 "
    )
}

fn verdicts(summary: &Summary) -> Vec<Verdict> {
    let policies = summary.policies();
    let verdict = |prefix| Verdict { name: format!("policy-{prefix}"), denied: prefix == 0 };
    policies.map(|policy| verdict(policy.prefix)).collect()
}

#[test]
fn rows_of_a_summary_count_where_their_policy_denies() {
    let summary = summary(&[
        line("calico-packet deny", 1, 22, "SYN"),
        line("calico-packet deny", 1, 23, "SYN"),
        line("calico-packet deny", 1, 24, "ACK"),
        line("logged", 1, 25, "SYN"),
    ]);
    let named = Condition::And(vec![Condition::Policy("policy-0".into()), Condition::Syn]);
    let rules = [Rule { condition: named, ..ports(2, 60_000) }, packets(3, 60_000)];
    let mut evidence = engine(&rules, 10);
    let found = evidence.observe(&summary, &verdicts(&summary), NOW);
    assert_eq!(1, found.len());
    assert_eq!((0, 2), (found[0].rule, found[0].reached));
    assert_eq!(vec![2, 3], reached(&evidence.nearness(of(0xCB00_7107), NOW)));
    let mut blind = engine(&rules, 10);
    assert!(blind.observe(&summary, &[], NOW).is_empty());
    assert!(blind.is_empty(), "a policy without a verdict does not count");
}

fn destination_rules() -> [Rule; 5] {
    let to =
        |length| Condition::Destination(Networks::new(&[(address_of("198.51.100.0"), length)]));
    let destinations =
        |condition| Rule { measure: Measure::Destinations, condition, ..packets(1, 60_000) };
    [
        destinations(Condition::True),
        destinations(Condition::Syn),
        destinations(Condition::And(vec![to(29), Condition::Syn])),
        destinations(Condition::Or(vec![to(29), Condition::Syn])),
        destinations(Condition::Ports(vec![22..=22])),
    ]
}

/// The numbers of the source by rule, and how many destinations are listed.
fn destinations_of(summary: &Summary) -> (Vec<u64>, usize) {
    let mut evidence = engine(&destination_rules(), 10);
    let found = evidence.observe(summary, &verdicts(summary), NOW);
    let destinations = found.first().map_or(0, |each| each.found.destinations.len());
    (reached(&evidence.nearness(of(0xCB00_7107), NOW)), destinations)
}

#[test]
fn each_row_knows_where_its_packets_went() {
    let syns: Vec<_> = (0..10).map(|n| line("calico-packet deny", n, 22, "SYN")).collect();
    let found = |lines: &[String]| destinations_of(&summary(lines));
    assert_eq!((vec![10, 10, 8, 10, 10], 8), found(&syns));
    let mixed = [&syns[..], &[line("calico-packet deny", 77, 23, "ACK")]].concat();
    assert_eq!((vec![11, 10, 8, 10, 10], 8), found(&mixed));
    let near = [&mixed[..], &[line("calico-packet deny", 3, 23, "ACK")]].concat();
    assert_eq!((vec![11, 10, 8, 10, 10], 8), found(&near));
    let logged = [&syns[..], &[line("logged", 77, 22, "SYN")]].concat();
    assert_eq!((vec![10, 10, 8, 10, 10], 8), found(&logged));
}

#[test]
fn pairs_count_only_where_all_rows_of_the_source_do() {
    // A merged summary knows pairs, but not of which rows they are.
    let merged = |lines: &[String]| {
        let counted = summary(lines);
        let mut merged = counted.emptied();
        merged.merge(&counted);
        destinations_of(&merged)
    };
    let syns: Vec<_> = (0..10).map(|n| line("calico-packet deny", n, 22, "SYN")).collect();
    assert_eq!((vec![10, 10, 8, 0, 10], 8), merged(&syns));
    let mixed = [&syns[..], &[line("calico-packet deny", 77, 23, "ACK")]].concat();
    assert_eq!((vec![11, 0, 0, 0, 0], 8), merged(&mixed));
    let logged = [&syns[..], &[line("logged", 77, 22, "SYN")]].concat();
    assert_eq!((vec![0, 0, 0, 0, 0], 0), merged(&logged));
}

#[test]
fn destinations_beyond_what_rows_can_tell_come_by_pairs() {
    let lines: Vec<_> = (0..6_000_u32)
        .map(|n| {
            line("calico-packet deny", 0, 22, "SYN")
                .replace("DST=198.51.100.0", &format!("DST=198.51.{}.{}", n / 250, n % 250 + 1))
        })
        .collect();
    let (reached, listed) = destinations_of(&summary(&lines));
    assert!((4_500..7_500).contains(&reached[0]), "{reached:?}");
    assert_eq!(8, listed);
}

fn address_of(text: &str) -> Address {
    Address::V4(text.parse::<std::net::Ipv4Addr>().expect("an address").into())
}

#[test]
fn a_summary_keeps_the_first_whole_lines_of_packets() {
    let packets: Vec<_> =
        (0..40).map(|n| line("calico-packet deny", n, 22, "SYN") + "\n").collect();
    let other = "Nov 24 12:00:00 worker-1 systemd[1]: Started Session 7 of user root.\n";
    let stream = packets.join(other);
    let kept = |bytes: usize, piece: usize| {
        let mut scanner = scanner();
        scanner.keep_samples(bytes);
        for piece in stream.as_bytes().chunks(piece) {
            scanner.feed(piece);
        }
        let samples = scanner.drain().samples;
        assert!(scanner.drain().samples.is_empty());
        String::from_utf8(samples).expect("as it was written")
    };
    for piece in [1, 100, 1_000, stream.len()] {
        assert_eq!(packets.concat(), kept(1 << 20, piece));
        let length = packets[0].len();
        assert_eq!(packets[..2].concat(), kept(3 * length - 1, piece));
        assert_eq!("", kept(0, piece));
    }
    let storm = packets.concat();
    let mut scanner = scanner();
    scanner.keep_samples(1_000);
    scanner.feed(storm.as_bytes());
    assert_eq!(storm[..scanner.drain().samples.len()].lines().count(), 1_000 / packets[0].len());
}
