//! Reports of nodes, merged anew in each round: what was dealt with is forgotten, clocks are set right.

use std::collections::HashSet;

use logwatch_core::evidence::{
    AHEAD_MOST, Evidence, Measure, OVER_AFTER, ReportError, Rule, Source,
};
use logwatch_core::hash::Seed;
use proptest::prelude::*;

use crate::model::{
    Event, NOW, batches, bounds, decided, engine, measured, of, packets, ports, reached, rule, syn,
};

const MINUTE: u64 = 60_000;

fn bytes(evidence: &Evidence) -> Vec<u8> {
    evidence.to_bytes(None, usize::MAX, 0).bytes
}

/// A node that saw these ports tried at a time.
fn node(rules: &[Rule], ports: std::ops::Range<u16>, at: u64) -> Vec<u8> {
    let (plan, classes) = decided(rules);
    let mut node = Evidence::new(plan, Seed::random(), 100, "");
    node.observe_seen(&classes, ports.map(|port| syn(1, port)), at);
    bytes(&node)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_forgotten_does_not_count_and_the_rest_does(
        rules in prop::collection::vec(rule(), 1..5),
        batches in batches(),
        cut in any::<prop::sample::Index>(),
        later in 0_u64..2_000,
    ) {
        let (plan, classes) = decided(&rules);
        let mut evidence = Evidence::new(plan, Seed::random(), 1_000, "worker-1");
        let mut events: Vec<Event> = Vec::new();
        for (at, batch) in &batches {
            events.extend(batch.iter().map(|&seen| Event { at: *at, seen }));
            evidence.observe_seen(&classes, batch.iter().copied(), *at);
        }
        let end = batches.last().map_or(0, |(at, _)| *at);
        let time = batches.get(cut.index(batches.len().max(1))).map_or(0, |(at, _)| at + later);
        let sources: HashSet<_> = events.iter().map(|event| Source::of(event.seen.source)).collect();
        for source in sources {
            let is_there = !evidence.nearness(source, end).is_empty();
            prop_assert_eq!(is_there, evidence.forget_before(source, time));
            for (rule, near) in rules.iter().zip(evidence.nearness(source, end)) {
                let left: Vec<_> = events.iter().copied().filter(|event| event.at > time).collect();
                let most = bounds(rule, &left, source, end).1;
                // The part of the window that the time lies in goes as a whole.
                let is_counted = matches!(rule.measure, Measure::Packets | Measure::Bytes);
                let part = if is_counted { rule.within.div_ceil(60) } else { 0 };
                let begin = end.cast_signed() - rule.within.cast_signed() + part.cast_signed();
                let since = begin.max((time + part).cast_signed());
                let least = measured(rule, &events, source, since, end);
                prop_assert!((least..=most).contains(&near.reached), "{} {least} {most}", near.reached);
            }
            for found in evidence.judge(end).into_iter().filter(|found| found.source == source) {
                prop_assert!(found.found.last > time && found.found.first > time);
            }
        }
    }

    #[test]
    fn clocks_that_are_known_to_be_wrong_change_no_number(
        rules in prop::collection::vec(rule(), 1..4),
        batches in batches(),
        ahead in prop::array::uniform3(-400_000_i64..400_000),
        nodes in prop::collection::vec(0_usize..3, 25),
    ) {
        let (plan, classes) = decided(&rules);
        let new = |name| Evidence::new(plan.clone(), Seed::random(), 1_000, name);
        let mut parts = ["a", "b", "c"].map(new);
        let mut events: Vec<Event> = Vec::new();
        let later = |at: u64| at + 1_000_000;
        for ((at, batch), node) in batches.iter().zip(nodes) {
            let at = later(*at);
            events.extend(batch.iter().map(|&seen| Event { at, seen }));
            let told = at.saturating_add_signed(ahead[node]);
            parts[node].observe_seen(&classes, batch.iter().copied(), told);
        }
        let end = batches.last().map_or(0, |(at, _)| later(*at));
        let mut merged = new("merged");
        for (part, ahead) in parts.iter().zip(ahead) {
            prop_assert_eq!(Ok(ahead), merged.merge_report(&bytes(part), "node", ahead, end));
        }
        let sources: HashSet<_> = events.iter().map(|event| Source::of(event.seen.source)).collect();
        for source in sources {
            for (rule, near) in rules.iter().zip(merged.nearness(source, end)) {
                let most = bounds(rule, &events, source, end).1;
                // The oldest sixtieth is missed, and as much by moving buckets.
                let is_counted = matches!(rule.measure, Measure::Packets | Measure::Bytes);
                let part = if is_counted { 2 * rule.within.div_ceil(60) } else { 0 };
                let since = end.cast_signed() - rule.within.cast_signed() + part.cast_signed();
                let least = measured(rule, &events, source, since, end);
                prop_assert!((least..=most).contains(&near.reached), "{} {least} {most}", near.reached);
            }
        }
    }
}

#[test]
fn a_sketch_forgets_by_twelfths_and_the_set_of_a_shorter_window_exactly() {
    let rules = [ports(2_000, 12 * MINUTE), ports(100, MINUTE)];
    let (plan, classes) = decided(&rules);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    let start = NOW / (12 * MINUTE) * 12 * MINUTE;
    for minute in 0..12 {
        let ports = minute * 100..(minute + 1) * 100;
        let at = start + u64::from(minute) * MINUTE;
        evidence.observe_seen(&classes, ports.map(|port| syn(1, port)), at);
    }
    let end = start + 11 * MINUTE + 59_999;
    evidence.observe_seen(&classes, (0..40).map(|port| syn(1, port)), end);
    // Of the part that is cut only the exact set knows the rest.
    for (minute, long, short) in [(0, 1_140, 140), (10, 140, 140), (11, 0, 40)] {
        let mut cut = evidence.clone();
        assert!(cut.forget_before(of(1), start + minute * MINUTE + 10));
        let numbers = reached(&cut.nearness(of(1), end));
        assert!(numbers[0].abs_diff(long) <= long / 4, "{} is not about {long}", numbers[0]);
        assert_eq!(short, numbers[1]);
    }
    assert!(!evidence.forget_before(of(2), NOW));
}

#[test]
fn a_report_is_of_the_node_that_sent_it() {
    let rules = [Rule { measure: Measure::Nodes, ..packets(3, MINUTE) }];
    let mut merged = engine(&rules, 10);
    for (name, expected) in [("a", 1), ("b", 2), ("b", 2), ("c", 3)] {
        assert_eq!(Ok(0), merged.merge_report(&node(&rules, 0..1, NOW), name, 0, NOW));
        assert_eq!(vec![expected], reached(&merged.nearness(of(1), NOW)));
    }
    let mut many = engine(&rules, 10);
    for number in 0..400 {
        let report = node(&rules, 0..1, NOW);
        many.merge_report(&report, &number.to_string(), 0, NOW).expect("a report");
    }
    let mut merged = engine(&rules, 10);
    merged.merge_report(&bytes(&many), "liar", 0, NOW).expect("a report");
    assert_eq!(vec![1], reached(&merged.nearness(of(1), NOW)), "it can't speak for others");
}

#[test]
fn a_clock_that_is_ahead_hides_nothing_of_what_others_saw() {
    let rules = [ports(15, MINUTE)];
    let ahead = NOW + AHEAD_MOST;
    let mut merged = engine(&rules, 10);
    merged.merge_report(&node(&rules, 0..14, NOW), "right", 0, NOW).expect("a report");
    assert_eq!(Ok(300_000), merged.merge_report(&node(&rules, 14..15, ahead), "ahead", 0, NOW));
    assert_eq!(1, merged.judge(NOW).len());
    assert_eq!(Ok(300_000), merged.merge_report(&node(&rules, 0..1, ahead), "known", 300_000, NOW));
    assert_eq!(
        Err(ReportError::Ahead(300_001)),
        merged.merge_report(&node(&rules, 0..1, ahead + 1), "wrong", 0, NOW)
    );
}

#[test]
fn who_is_quiet_stays_so_while_all_is_merged_anew() {
    let rules = [ports(3, MINUTE)];
    let mut merged = engine(&rules, 3);
    let round = |merged: &mut Evidence, at: u64| {
        merged.forget_all();
        assert!(merged.is_empty());
        merged.merge_report(&node(&rules, 0..5, at), "a", 0, at).expect("a report");
        merged.judge(0).len()
    };
    assert_eq!(1, round(&mut merged, NOW));
    assert!(merged.quiet(of(1), NOW + MINUTE));
    assert_eq!(0, round(&mut merged, NOW));
    assert!(merged.is_quiet(of(1), NOW));
    merged.forget_all();
    assert!(merged.is_quiet(of(1), NOW + MINUTE - 1));
    assert!(!merged.is_quiet(of(1), NOW + MINUTE));
    assert_eq!(0, round(&mut merged, NOW + MINUTE - 1));
    assert!(merged.forget_before(of(1), NOW + MINUTE));
    assert_eq!(0, round(&mut merged, NOW + MINUTE - 1), "what is forgotten is quiet all the same");
    assert_eq!(1, round(&mut merged, NOW + MINUTE));
    assert!(merged.quiet(of(1), NOW + 9 * MINUTE));
    merged.forget_all();
    assert!(!merged.restart(of(1)), "it has no trail");
    assert_eq!(1, round(&mut merged, NOW + MINUTE));
}

#[test]
fn a_full_table_takes_who_is_seen_by_more_nodes() {
    let rules = [Rule { measure: Measure::Nodes, ..packets(50, MINUTE) }];
    let (plan, classes) = decided(&rules);
    let mut merged = engine(&rules, 200);
    for node in 0..100 {
        let mut evidence = Evidence::new(plan.clone(), Seed::random(), 1_000, "");
        let once = (0..50).map(|number| syn(1_000 + node * 50 + number, 22));
        evidence.observe_seen(&classes, once.chain([syn(1, 22)]), NOW);
        merged.merge_report(&bytes(&evidence), &node.to_string(), 0, NOW).expect("a report");
        assert!(merged.len() <= 200);
    }
    assert_eq!(vec![of(1)], merged.judge(NOW).iter().map(|each| each.source).collect::<Vec<_>>());
}

/// The sources that fit beside each other into a report of a flood that came once each.
fn kept(sources: impl Iterator<Item = u32>, salt: u64) -> HashSet<u32> {
    let (plan, classes) = decided(&[ports(15, MINUTE)]);
    let mut node = Evidence::new(plan.clone(), Seed::random(), 10_000, "");
    let sources: Vec<_> = sources.collect();
    for (second, source) in sources.iter().enumerate() {
        node.observe_seen(&classes, [syn(*source, 22)].into_iter(), NOW + second as u64);
    }
    let mut merged = Evidence::new(plan, Seed::random(), 10_000, "");
    merged.merge_bytes(&node.to_bytes(None, 4_000, salt).bytes).expect("own bytes");
    sources.into_iter().filter(|source| !merged.nearness(of(*source), NOW).is_empty()).collect()
}

#[test]
fn which_of_those_equally_near_are_kept_is_up_to_the_salt_alone() {
    let one = kept(0..2_000, 7);
    let other = kept((1_000..3_000).rev(), 7);
    let common = |source: &&u32| (1_000..2_000).contains(*source);
    let (few, more): (HashSet<_>, HashSet<_>) =
        (one.iter().filter(common).collect(), other.iter().filter(common).collect());
    assert!(few.len() > 40);
    let least = few.len().min(more.len());
    assert!(few.intersection(&more).count() * 10 > least * 8, "cut at about the same hash");
    let salted = kept(0..2_000, 8);
    assert!(one.intersection(&salted).count() * 4 < one.len(), "nobody always wins");
}

#[test]
fn what_is_over_in_all_windows_is_left_out() {
    let rules = [ports(15, MINUTE), packets(100, 10 * MINUTE)];
    let (plan, classes) = decided(&rules);
    let mut evidence = Evidence::new(plan, Seed::random(), 100, "");
    evidence.observe_seen(&classes, [syn(1, 22)].into_iter(), NOW);
    let last = NOW + 10 * MINUTE + OVER_AFTER;
    for (at, expected) in [(last - MINUTE, 2), (last, 1)] {
        evidence.observe_seen(&classes, [syn(2, 22)].into_iter(), at);
        let excerpt = evidence.to_bytes(None, usize::MAX, 0);
        assert_eq!((expected, 0), (excerpt.sources, excerpt.cut));
    }
}
