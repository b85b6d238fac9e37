//! Any rules and batches, against the model.

use std::collections::HashSet;

use logwatch_core::address::Address;
use logwatch_core::evidence::{Evidence, Measure, Networks, Rule, Source};
use logwatch_core::hash::Seed;
use proptest::prelude::*;

use crate::model::{
    Event, NOW, batches, bounds, bounds_missing, condition, decided, holds, packets, rule, seen,
};

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
                let is_counted = rules.iter().any(|other| {
                    let same = (other.within, &other.condition) == (rule.within, &rule.condition);
                    same && other.measure == Measure::Packets
                });
                let parts = if is_counted { 60 } else { 4 };
                let (least, most) = bounds_missing(parts, &as_packets, &events, each.source, at);
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
}
