//! Who came near to a rule, against the model, and what is kept of them.

use std::collections::HashMap;

use logwatch_core::evidence::{ClassPlan, Evidence, Measure, Rule, Source};
use logwatch_core::hash::Seed;
use proptest::prelude::*;

use crate::model::{Event, NOW, batches, bounds, decided, holds, of, packets, ports, rule, syn};

/// (source, rule, reached, milliseconds since [`NOW`])
type Told = (Source, usize, u64, u64);

fn told(evidence: &Evidence) -> Vec<Told> {
    let all = evidence.near_misses().into_iter();
    all.map(|miss| (miss.source, miss.near.rule, miss.near.reached, miss.at - NOW)).collect()
}

/// An engine that keeps so many near misses, and how its rules decide the classes.
fn keeping(most: usize, rules: &[Rule]) -> (Evidence, Vec<ClassPlan>) {
    let (plan, classes) = decided(rules);
    let mut evidence = Evidence::new(plan, Seed::random(), 10_000, "worker-1");
    evidence.keep_near_misses(most);
    (evidence, classes)
}

#[test]
fn the_nearest_approach_is_kept_when_the_window_has_passed() {
    let (mut evidence, classes) = keeping(10, &[packets(10, 60_000), ports(4, 60_000)]);
    let mut see = |source, count: u16, after| {
        let rows = (0..count).map(|_| syn(source, 22));
        evidence.observe_seen(&classes, rows, NOW + after);
    };
    see(1, 7, 0);
    see(2, 9, 0);
    see(1, 2, 1_000);
    see(1, 1, 200_000);
    see(3, 1, 200_000);
    assert_eq!(
        vec![(of(2), 0, 9, 0), (of(1), 0, 9, 1_000), (of(3), 1, 1, 200_000)],
        told(&evidence),
        "one port of four is nearer than one packet of ten"
    );
}

#[test]
fn who_fulfils_a_rule_is_no_near_miss() {
    let (mut evidence, classes) = keeping(10, &[packets(10, 60_000)]);
    let rows = |count: u16| (0..count).map(|_| syn(1, 22));
    evidence.observe_seen(&classes, rows(9), NOW);
    assert_eq!(vec![(of(1), 0, 9, 0)], told(&evidence));
    assert_eq!(1, evidence.observe_seen(&classes, rows(1), NOW + 1).len());
    assert_eq!(Vec::<Told>::new(), told(&evidence));
    evidence.quiet(of(1), NOW + 1_000_000);
    evidence.observe_seen(&classes, rows(1), NOW + 2);
    assert_eq!(Vec::<Told>::new(), told(&evidence), "quiet, but still beyond the rule");
}

#[test]
fn of_many_the_nearest_are_kept() {
    let (mut evidence, classes) = keeping(5, &[packets(1_000, 60_000)]);
    for number in 0..999_u32 {
        let number = (number * 617) % 999 + 1;
        let rows = (0..number).map(|_| syn(number, 22));
        assert!(evidence.observe_seen(&classes, rows, NOW).is_empty());
    }
    let expected: Vec<Told> =
        (995..1_000_u32).rev().map(|number| (of(number), 0, u64::from(number), 0)).collect();
    assert_eq!(expected, told(&evidence));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn near_misses_are_right_and_none_nearer_is_left_out(
        rules in prop::collection::vec(rule(), 1..5),
        batches in batches(),
    ) {
        let (mut evidence, classes) = keeping(1_000, &rules);
        let mut events: Vec<Event> = Vec::new();
        let mut offenders: HashMap<Source, u64> = HashMap::new();
        let mut least_shares: Vec<(Source, f64)> = Vec::new();
        for (at, batch) in batches {
            events.extend(batch.iter().map(|&seen| Event { at, seen }));
            let found = evidence.observe_seen(&classes, batch.iter().copied(), at);
            offenders.extend(found.iter().map(|each| (each.source, at)));
            for seen in &batch {
                for rule in &rules {
                    let counts = match rule.measure {
                        Measure::Ports => seen.port.is_some(),
                        Measure::Destinations => seen.destination.is_some(),
                        _ => true,
                    };
                    if counts && holds(&rule.condition, seen) == Some(true) {
                        let source = Source::of(seen.source);
                        least_shares.push((source, share(rule, bounds(rule, &events, source, at).0)));
                    }
                }
            }
        }
        let misses = evidence.near_misses();
        for miss in &misses {
            prop_assert!(offenders.get(&miss.source).is_none_or(|last| *last < miss.at));
            let rule = &rules[miss.near.rule];
            prop_assert_eq!(rule.threshold, miss.near.threshold);
            prop_assert!(miss.near.reached < rule.threshold);
            let past: Vec<_> = events.iter().copied().filter(|event| event.at <= miss.at).collect();
            let (least, most) = bounds(rule, &past, miss.source, miss.at);
            prop_assert!((least..=most).contains(&miss.near.reached));
        }
        for (source, least) in least_shares.into_iter().filter(|each| !offenders.contains_key(&each.0)) {
            let miss = misses.iter().find(|miss| miss.source == source);
            let kept = miss.map_or(0.0, |miss| share(&rules[miss.near.rule], miss.near.reached));
            prop_assert!(kept >= least, "{source} reached {least}, not {kept}");
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn share(rule: &Rule, reached: u64) -> f64 {
    reached as f64 / rule.threshold as f64
}
