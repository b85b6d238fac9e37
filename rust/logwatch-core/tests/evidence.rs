//! The evidence engine, held against a model that keeps every event.

mod model;

use std::collections::HashSet;

use logwatch_core::address::Address;
use logwatch_core::evidence::{
    Condition, Evidence, Measure, Near, Networks, Plan, PlanError, Rule, Seen, Source, Verdict,
};
use logwatch_core::hash::Seed;
use logwatch_core::prefix::Prefixes;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::{Limits, Summary};
use logwatch_core::time::{Clock, utc};
use model::{Event, address, batches, bounds, condition, decided, holds, rule, seen};
use proptest::prelude::*;

/// 2026-11-24T12:00:00Z
const NOW: u64 = 1_795_521_600_000;

fn packets(threshold: u64, within: u64) -> Rule {
    Rule { measure: Measure::Packets, threshold, within, condition: Condition::True }
}

fn ports(threshold: u64, within: u64) -> Rule {
    Rule { measure: Measure::Ports, ..packets(threshold, within) }
}

fn engine(rules: &[Rule], capacity: usize) -> Evidence {
    Evidence::new(Plan::new(rules).expect("usable rules"), Seed::random(), capacity, "worker-1")
}

/// A SYN over IPv4.
fn syn(source: u32, port: u16) -> Seen {
    let source = Address::V4(source);
    Seen { source, destination: None, port: Some(port), class: 0, packets: 1, bytes: 60 }
}

fn of(source: u32) -> Source {
    Source::of(Address::V4(source))
}

/// Numbers by rule.
fn reached(near: &[Near]) -> Vec<u64> {
    near.iter().map(|near| near.reached).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_holds_where_a_naive_reader_says_so(condition in condition(), seen in seen()) {
        let rules = [Rule { condition, ..packets(1, 60_000) }];
        let (plan, classes) = decided(&rules);
        let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
        let found = evidence.observe_seen(&classes, [seen].into_iter(), NOW);
        prop_assert_eq!(holds(&rules[0].condition, &seen) == Some(true), !found.is_empty());
    }

    #[test]
    fn networks_hold_what_one_of_them_holds(
        networks in prop::collection::vec((any::<bool>(), any::<u128>(), 0_u8..140), 0..6),
        bits in any::<u128>(),
        shared in 0_u8..129,
    ) {
        let address = |v6, bits: u128| if v6 { Address::V6(bits) } else { Address::V4((bits >> 96) as u32) };
        let listed: Vec<_> = networks.iter().map(|&(v6, bits, length)| (address(v6, bits), length)).collect();
        let set = Networks::new(&listed);
        // Any address, and one that begins like a network.
        let begin = networks.first().map_or(0, |network| network.1);
        let host = u128::MAX.checked_shr(shared.into()).unwrap_or(0);
        for (v6, bits) in [(false, bits), (true, bits), (false, begin ^ bits & host), (true, begin ^ bits & host)] {
            let expected = networks.iter().any(|&(of_v6, network, length)| {
                let width = if v6 { 128 } else { 32 };
                let differ = (network ^ bits).leading_zeros();
                of_v6 == v6 && differ >= u32::from(length.min(width))
            });
            prop_assert_eq!(expected, set.contain(address(v6, bits)), "{:?} {:?}", listed, address(v6, bits));
        }
    }

    #[test]
    fn who_fulfils_a_rule_is_told_with_a_number_that_is_right(
        rules in prop::collection::vec(rule(), 1..5),
        batches in batches(),
        restarts in any::<bool>(),
    ) {
        let (plan, classes) = decided(&rules);
        let mut evidence = Evidence::new(plan, Seed::random(), 1_000, "worker-1");
        let mut events: Vec<Event> = Vec::new();
        for (at, batch) in batches {
            events.extend(batch.iter().map(|&seen| Event { at, seen }));
            let found = evidence.observe_seen(&classes, batch.iter().copied(), at);
            let told: HashSet<_> = found.iter().map(|each| each.source).collect();
            prop_assert_eq!(told.len(), found.len(), "a source is told of once");
            let order: Vec<_> = batch.iter().map(|seen| Source::of(seen.source)).collect();
            let place = |source| order.iter().position(|each| *each == source);
            prop_assert!(found.iter().all(|each| place(each.source).is_some()));
            for seen in &batch {
                let source = Source::of(seen.source);
                let must = rules.iter().find(|rule| {
                    let counts = match rule.measure {
                        Measure::Ports => seen.port.is_some(),
                        Measure::Destinations => seen.destination.is_some(),
                        _ => true,
                    };
                    counts
                        && holds(&rule.condition, seen) == Some(true)
                        && bounds(rule, &events, source, at).0 >= rule.threshold
                });
                prop_assert!(must.is_none() || told.contains(&source), "{:?} is missed: {:?}", source, must);
            }
            for each in &found {
                let rule = &rules[each.rule];
                let (least, most) = bounds(rule, &events, each.source, at);
                prop_assert!((least..=most).contains(&each.reached), "{} not in {least}..={most}", each.reached);
                prop_assert!(each.reached >= rule.threshold);
                for earlier in &rules[..each.rule] {
                    prop_assert!(bounds(earlier, &events, each.source, at).0 < earlier.threshold);
                }
                let as_packets = Rule { measure: Measure::Packets, ..rule.clone() };
                let (least, most) = bounds(&as_packets, &events, each.source, at);
                prop_assert!((least..=most).contains(&each.found.packets));
                prop_assert!(each.found.first + rule.within > at && each.found.first <= at);
                prop_assert_eq!(at, each.found.last);
            }
            for source in order.iter().filter(|source| !told.contains(source)) {
                let near = evidence.nearness(*source, at);
                for (rule, near) in rules.iter().zip(near) {
                    let (least, most) = bounds(rule, &events, *source, at);
                    prop_assert!((least..=most).contains(&near.reached));
                }
            }
            if restarts {
                for each in &found {
                    prop_assert!(evidence.restart(each.source));
                    events.retain(|event| Source::of(event.seen.source) != each.source);
                }
            }
        }
    }

    #[test]
    fn batches_in_any_order_never_add_up_to_more_than_some_window_held(
        rules in prop::collection::vec(rule(), 1..4),
        batches in batches().prop_shuffle(),
    ) {
        let (plan, classes) = decided(&rules);
        let mut evidence = Evidence::new(plan, Seed::random(), 1_000, "worker-1");
        let mut events: Vec<Event> = Vec::new();
        for (at, batch) in batches {
            events.extend(batch.iter().map(|&seen| Event { at, seen }));
            for each in evidence.observe_seen(&classes, batch.into_iter(), at) {
                let rule = &rules[each.rule];
                let held = events.iter().map(|event| bounds(rule, &events, each.source, event.at).1);
                prop_assert!(held.max().unwrap_or(0) >= each.reached);
            }
        }
    }

    #[test]
    fn merged_nodes_decide_like_one_that_saw_it_all(
        rules in prop::collection::vec(rule(), 1..5),
        batches in batches(),
        nodes in prop::collection::vec(0_usize..3, 25),
    ) {
        let rules: Vec<_> = rules.into_iter().filter(|rule| rule.measure != Measure::Nodes).collect();
        let (plan, classes) = decided(&rules);
        let new = |name| Evidence::new(plan.clone(), Seed::random(), 1_000, name);
        let mut one = new("all");
        let mut parts = ["a", "b", "c"].map(new);
        let mut end = 0;
        let mut sources = HashSet::new();
        for ((at, batch), node) in batches.iter().zip(nodes) {
            one.observe_seen(&classes, batch.iter().copied(), *at);
            parts[node].observe_seen(&classes, batch.iter().copied(), *at);
            sources.extend(batch.iter().map(|seen| Source::of(seen.source)));
            end = *at;
        }
        let mut merged = new("merged");
        for part in &parts {
            let excerpt = part.to_bytes(None, usize::MAX);
            prop_assert_eq!((part.len(), 0), (excerpt.sources, excerpt.cut));
            prop_assert_eq!(Ok(part.len()), merged.merge_bytes(&excerpt.bytes));
        }
        prop_assert_eq!(one.len(), merged.len());
        for source in sources {
            prop_assert_eq!(one.nearness(source, end), merged.nearness(source, end));
        }
        prop_assert_eq!(one.judge(end), merged.judge(end));
        let excerpt = merged.to_bytes(None, usize::MAX);
        let mut again = new("again");
        again.merge_bytes(&excerpt.bytes).expect("own bytes");
        prop_assert_eq!(excerpt, again.to_bytes(None, usize::MAX));
    }

    #[test]
    fn damaged_bytes_are_an_error_or_evidence_and_change_nothing_before(
        batches in batches(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
    ) {
        let (plan, classes) = decided(&[packets(3, 60_000), ports(3, 60_000)]);
        let mut evidence = Evidence::new(plan.clone(), Seed::random(), 100, "worker-1");
        for (at, batch) in batches {
            evidence.observe_seen(&classes, batch.into_iter(), at);
        }
        let mut bytes = evidence.to_bytes(None, usize::MAX).bytes;
        for (place, byte) in damages {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(bytes.len() - end.index(bytes.len()) / 8);
        let mut other = Evidence::new(plan, Seed::random(), 100, "worker-2");
        if other.merge_bytes(&bytes).is_err() {
            prop_assert!(other.is_empty());
        }
    }
}

#[allow(clippy::cast_precision_loss)]
#[test]
fn a_wide_scan_is_counted_within_the_error_of_the_sketch() {
    let within = 120_000;
    let rules = [Rule { measure: Measure::Destinations, ..packets(100_000, within) }];
    let (plan, classes) = decided(&rules);
    for wide in [256_u32, 1_000, 10_000, 60_000] {
        let mut parts = [0, 1].map(|_| Evidence::new(plan.clone(), Seed::random(), 10, ""));
        let mut at = NOW;
        for number in 0..wide {
            at = NOW + u64::from(number) * (within - 1) / u64::from(wide);
            for (node, part) in (0..).zip(&mut parts) {
                let destination = Address::V4((number + node * wide / 2).wrapping_mul(0x9E37_79B1));
                let seen = Seen { destination: Some(destination), ..syn(1, 22) };
                part.observe_seen(&classes, [seen].into_iter(), at);
            }
        }
        let near = |expected: f64, found: u64, slack: f64| {
            let off = (found as f64 - expected) / expected;
            assert!((-0.33 - slack..=0.33).contains(&off), "{expected}: {found}");
        };
        let alone = reached(&parts[0].nearness(of(1), at))[0];
        // The oldest twelfth of the window may be missing.
        near(f64::from(wide), alone, 1.0 / 12.0);
        if wide == 256 {
            assert_eq!(256, alone, "so many are exact");
        }
        let bytes = parts[1].to_bytes(None, usize::MAX).bytes;
        parts[0].merge_bytes(&bytes).expect("own bytes");
        near(1.5 * f64::from(wide), reached(&parts[0].nearness(of(1), at))[0], 1.0 / 12.0);
        assert_eq!(vec![0], reached(&parts[0].nearness(of(1), at + within)), "the window is over");
    }
}

#[test]
fn a_sketch_is_left_after_a_silent_window() {
    let rules = [ports(15, 60_000)];
    let (plan, classes) = decided(&rules);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    evidence.observe_seen(&classes, (0..2_000).map(|port| syn(1, port)), NOW);
    assert!(reached(&evidence.nearness(of(1), NOW))[0] > 1_000);
    evidence.observe_seen(&classes, (0..7).map(|port| syn(1, port)), NOW + 60_000);
    assert_eq!(vec![7], reached(&evidence.nearness(of(1), NOW + 60_000)));
}

/// The second in which a scanner that tries so many ports a second is found in a flood.
fn found_in_a_flood(flood: u32, ports_a_second: u16) -> Option<u64> {
    let (plan, classes) = decided(&[packets(100, 600_000), ports(15, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10_000, "");
    let mut next = 1_u32;
    let mut flooded = |count| {
        let numbers = next..next + count;
        next += count;
        numbers.map(|number| syn(number.wrapping_mul(0x9E37_79B1), 80)).collect::<Vec<_>>()
    };
    evidence.observe_seen(&classes, flooded(flood / 2).into_iter(), NOW);
    for second in 0..20 {
        let mut rows = flooded(flood / 40);
        let first = second as u16 * ports_a_second;
        for port in first..first + ports_a_second {
            let place = rows.len() / 2;
            rows.insert(place, syn(0x0A00_0001, port));
        }
        let found = evidence.observe_seen(&classes, rows.into_iter(), NOW + second * 1_000);
        assert!(evidence.len() <= 10_000);
        if found.iter().any(|each| each.source == of(0x0A00_0001)) {
            assert!(flood == 0 || evidence.refused() > 500_000);
            return Some(second);
        }
    }
    None
}

#[test]
fn a_flood_of_a_million_sources_does_not_hide_a_scanner() {
    for ports_a_second in [2, 4, 16] {
        let alone = found_in_a_flood(0, ports_a_second);
        assert_eq!(alone, found_in_a_flood(1_000_000, ports_a_second));
        assert_eq!(Some(14 / u64::from(ports_a_second)), alone);
    }
    // Its first packet is only remembered in the filter.
    assert_eq!(Some(14), found_in_a_flood(0, 1));
    assert_eq!(Some(15), found_in_a_flood(1_000_000, 1));
}

#[test]
fn a_near_offender_keeps_its_place() {
    let (plan, classes) = decided(&[ports(15, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 100, "");
    evidence.observe_seen(&classes, (0..14).map(|port| syn(7, port)), NOW);
    for round in 0..50 {
        let flood = (1_000..2_000).map(|number| syn(number, 80));
        evidence.observe_seen(&classes, flood, NOW + round);
    }
    assert!(evidence.evictions() > 10_000);
    assert_eq!(100, evidence.len());
    assert_eq!(vec![14], reached(&evidence.nearness(of(7), NOW + 50)));
}

#[test]
fn the_evidence_lists_the_latest_within_the_rules_window() {
    let (plan, classes) = decided(&[packets(30, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    let row = |port, number, class| Seen {
        class,
        destination: Some(address(false, number)),
        ..syn(0xCB00_7107, port)
    };
    evidence.observe_seen(&classes, [row(9, 200, 0)].into_iter(), NOW - 60_000);
    for number in 0..30_u16 {
        let seen = row(100 + number, number as u8, if number < 3 { 6 } else { 0 });
        let found = evidence.observe_seen(&classes, [seen].into_iter(), NOW + u64::from(number));
        assert_eq!(number == 29, !found.is_empty());
        for each in found {
            assert_eq!("203.0.113.7", each.source.to_string());
            assert_eq!(30, each.found.packets);
            assert_eq!((110..130).collect::<Vec<u16>>(), each.found.ports);
            assert_eq!(
                (22..30).map(|n| address(false, n)).collect::<Vec<_>>(),
                each.found.destinations
            );
            assert_eq!((NOW, NOW + 29), (each.found.first, each.found.last));
            assert_eq!(vec!["syn", "udp"], each.found.shapes.names().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_source_of_ipv6_is_its_network() {
    let (plan, classes) = decided(&[packets(4, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    let rows = (0..4).map(|host| Seen {
        source: Address::V6(0x2001_0db8 << 96 | 5 << 64 | host << 20),
        class: 12,
        ..syn(0, 22)
    });
    let found = evidence.observe_seen(&classes, rows, NOW);
    assert_eq!(
        vec!["2001:db8:0:5::/64"],
        found.iter().map(|each| each.source.to_string()).collect::<Vec<_>>()
    );
    assert!(evidence.nearness(of(5), NOW).is_empty(), "0.0.0.5 is somebody else");
}

#[test]
fn a_quiet_source_is_not_told_of_until_then_and_counts_on() {
    let (plan, classes) = decided(&[packets(2, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    let told = |evidence: &mut Evidence, at| {
        let found = evidence.observe_seen(&classes, [syn(1, 22)].into_iter(), at);
        found.first().map(|each| each.reached)
    };
    assert_eq!(None, told(&mut evidence, NOW));
    assert_eq!(Some(2), told(&mut evidence, NOW + 1_000));
    assert_eq!(Some(3), told(&mut evidence, NOW + 2_000), "nothing was decided");
    assert!(evidence.quiet(of(1), NOW + 10_000));
    assert_eq!(None, told(&mut evidence, NOW + 3_000));
    assert_eq!(
        Vec::<Source>::new(),
        evidence.judge(NOW + 3_000).iter().map(|each| each.source).collect::<Vec<_>>()
    );
    assert_eq!(Some(5), told(&mut evidence, NOW + 10_000));
    assert!(evidence.quiet(of(1), NOW + 20_000));
    assert!(evidence.quiet(of(1), 0));
    assert_eq!(Some(6), told(&mut evidence, NOW + 11_000), "a time that is over ends it");
    assert!(evidence.quiet(of(1), NOW + 20_000));
    assert!(evidence.restart(of(1)));
    assert_eq!(None, told(&mut evidence, NOW + 12_000));
    assert_eq!(Some(2), told(&mut evidence, NOW + 13_000), "so does a new start");
    assert!(!evidence.quiet(of(2), NOW) && !evidence.restart(of(2)));
}

#[test]
fn what_a_wrong_clock_has_written_is_forgotten() {
    let (plan, classes) = decided(&[packets(3, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    evidence.observe_seen(&classes, [syn(1, 22), syn(2, 22)].into_iter(), NOW);
    evidence.observe_seen(&classes, [syn(2, 22)].into_iter(), NOW + 86_400_000);
    evidence.forget_after(NOW);
    assert_eq!(1, evidence.len());
    assert_eq!(vec![1], reached(&evidence.nearness(of(1), NOW)));
    assert!(evidence.nearness(of(2), NOW).is_empty());
    let found = evidence.observe_seen(&classes, (0..3).map(|_| syn(2, 22)), NOW + 1);
    assert_eq!(vec![3], found.iter().map(|each| each.reached).collect::<Vec<_>>());
}

#[test]
fn the_most_interesting_come_first_and_fit_into_the_size() {
    let (plan, classes) = decided(&[ports(15, 60_000), packets(1_000, 60_000)]);
    let mut evidence = Evidence::new(plan.clone(), Seed::random(), 1_000, "");
    let rows =
        (1..=12_u32).flat_map(|source| (0..source).map(move |port| syn(source, port as u16)));
    evidence.observe_seen(&classes, rows, NOW);
    let top = evidence.top(3, NOW);
    assert_eq!(vec![of(12), of(11), of(10)], top.iter().map(|each| each.0).collect::<Vec<_>>());
    assert_eq!((0, 12, 15), (top[0].1.rule, top[0].1.reached, top[0].1.threshold));
    let whole = evidence.to_bytes(None, usize::MAX).bytes.len();
    for size in 0..whole + 10 {
        let excerpt = evidence.to_bytes(None, size);
        assert_eq!(12, excerpt.sources + excerpt.cut);
        assert!(excerpt.sources == 0 || excerpt.bytes.len() <= size);
        let mut other = Evidence::new(plan.clone(), Seed::random(), 1_000, "");
        assert_eq!(Ok(excerpt.sources), other.merge_bytes(&excerpt.bytes));
        for place in 0..excerpt.sources as u32 {
            assert!(!other.nearness(of(12 - place), NOW).is_empty());
        }
    }
    let some = evidence.to_bytes(Some(&[of(3), of(5), of(99)]), usize::MAX);
    assert_eq!((2, 0), (some.sources, some.cut));
}

#[test]
fn one_port_on_each_of_many_nodes_is_one_offender() {
    let rules = [Rule { measure: Measure::Nodes, ..packets(3, 60_000) }];
    let (plan, classes) = decided(&rules);
    let mut merged = Evidence::new(plan.clone(), Seed::random(), 10, "merged");
    for (number, node) in ["a", "b", "b", "c"].into_iter().enumerate() {
        let mut evidence = Evidence::new(plan.clone(), Seed::random(), 10, node);
        evidence.observe_seen(&classes, [syn(1, 22)].into_iter(), NOW);
        merged.merge_bytes(&evidence.to_bytes(None, usize::MAX).bytes).expect("own bytes");
        assert_eq!(number == 3, !merged.judge(NOW).is_empty());
    }
}

#[test]
fn nodes_with_other_rules_share_those_that_are_alike() {
    let tcp = Condition::Protocol(6);
    let shared = Rule { condition: tcp.clone(), ..packets(3, 60_000) };
    let (plan, classes) = decided(&[ports(5, 30_000), shared.clone()]);
    let mut theirs = Evidence::new(plan, Seed::random(), 10, "");
    theirs.observe_seen(&classes, (0..4).map(|port| syn(1, port)), NOW);
    let other = Condition::Not(Box::new(tcp));
    let mut mine =
        engine(&[Rule { condition: other, ..shared.clone() }, shared, ports(5, 30_001)], 10);
    mine.merge_bytes(&theirs.to_bytes(None, usize::MAX).bytes).expect("own bytes");
    assert_eq!(vec![0, 4, 0], reached(&mine.nearness(of(1), NOW)));
}

#[test]
fn rules_that_no_window_can_hold_are_refused() {
    let refusal = |rule| Plan::new(&[packets(1, 1_000), rule]).map(|_| ());
    assert_eq!(Err(PlanError::Threshold(1)), refusal(packets(0, 1_000)));
    assert_eq!(Err(PlanError::Within(1)), refusal(packets(1, 999)));
    assert_eq!(Err(PlanError::Within(1)), refusal(packets(1, 7 * 86_400_000 + 1)));
    assert_eq!(Ok(()), refusal(packets(1, 7 * 86_400_000)));
    let many: Vec<_> = (1..=33).map(|number| packets(number, 1_000)).collect();
    assert_eq!(Err(PlanError::TooMany(33)), Plan::new(&many).map(|_| ()));
    let bytes = |number: u64| Rule { measure: Measure::Bytes, ..packets(1, 1_000 + number) };
    assert!(Plan::new(&(0..32_u64).map(bytes).collect::<Vec<_>>()).is_ok());
}

#[test]
fn a_forged_number_of_packets_overflows_nothing() {
    let (plan, classes) = decided(&[packets(u64::MAX, 60_000), packets(1 << 40, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    for second in 0..200 {
        let seen = Seen { packets: u64::MAX, bytes: u64::MAX, ..syn(1, 22) };
        let found = evidence.observe_seen(&classes, [seen].into_iter(), NOW + second * 1_000);
        assert_eq!(vec![1], found.iter().map(|each| each.rule).collect::<Vec<_>>());
    }
    let mut other = Evidence::new(evidence.plan().clone(), Seed::random(), 10, "");
    for _ in 0..3 {
        other.merge_bytes(&evidence.to_bytes(None, usize::MAX).bytes).expect("own bytes");
    }
    evidence.observe_seen(&classes, [syn(1, 22)].into_iter(), u64::MAX);
    assert_eq!(vec![1, 1], reached(&evidence.nearness(of(1), u64::MAX)));
}

const HEADER: &str = "Nov 24 12:00:00 worker-1 kernel: [1.000000] ";

fn summary(lines: &[String]) -> Summary {
    let settings = Settings {
        prefixes: Prefixes::new(&["calico-packet %p", "logged"]).expect("usable prefixes"),
        limits: Limits { bytes: 1 << 20, destinations: true },
        slice_seconds: 0,
    };
    let clock = Clock::new(utc, (NOW / 1_000).cast_signed());
    let mut scanner = Scanner::new(settings, clock, Seed::random());
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

#[test]
fn pairs_count_only_where_all_rows_of_the_source_do() {
    let to =
        |length| Condition::Destination(Networks::new(&[(address_of("198.51.100.0"), length)]));
    let destinations =
        |condition| Rule { measure: Measure::Destinations, condition, ..packets(1, 60_000) };
    let rules = [
        destinations(Condition::True),
        destinations(Condition::Syn),
        destinations(Condition::And(vec![to(29), Condition::Syn])),
        destinations(Condition::Or(vec![to(29), Condition::Syn])),
        destinations(Condition::Ports(vec![22..=22])),
    ];
    let syns: Vec<_> = (0..10).map(|n| line("calico-packet deny", n, 22, "SYN")).collect();
    let found = |lines: &[String]| {
        let summary = summary(lines);
        let mut evidence = engine(&rules, 10);
        let found = evidence.observe(&summary, &verdicts(&summary), NOW);
        let destinations = found.first().map_or(0, |each| each.found.destinations.len());
        (reached(&evidence.nearness(of(0xCB00_7107), NOW)), destinations)
    };
    assert_eq!((vec![10, 10, 8, 0, 10], 8), found(&syns));
    let mixed = [&syns[..], &[line("calico-packet deny", 77, 23, "ACK")]].concat();
    assert_eq!((vec![11, 0, 0, 0, 0], 8), found(&mixed));
    let logged = [&syns[..], &[line("logged", 77, 22, "SYN")]].concat();
    assert_eq!((vec![0, 0, 0, 0, 0], 0), found(&logged));
}

fn address_of(text: &str) -> Address {
    Address::V4(text.parse::<std::net::Ipv4Addr>().expect("an address").into())
}
