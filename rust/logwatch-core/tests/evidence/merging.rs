//! The evidence of several nodes as bytes.

use std::collections::HashSet;

use logwatch_core::evidence::{Condition, Evidence, Fulfilled, Measure, Rule, Source};
use logwatch_core::hash::Seed;
use proptest::prelude::*;

use crate::model::{NOW, batches, decided, engine, of, packets, ports, reached, rule, syn};

/// What is there after it was written and read.
fn again(evidence: &Evidence, mut nothing: Evidence) -> Evidence {
    nothing.merge_bytes(&evidence.to_bytes(None, usize::MAX, 0).bytes).expect("own bytes");
    nothing
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
        let mut is_some_left_out = false;
        for part in &parts {
            let excerpt = part.to_bytes(None, usize::MAX, 0);
            prop_assert_eq!(0, excerpt.cut);
            is_some_left_out |= excerpt.sources < part.len();
            prop_assert_eq!(Ok(excerpt.sources), merged.merge_bytes(&excerpt.bytes));
        }
        for source in sources {
            // Who is over in all windows is written by no node.
            let numbers = |evidence: &Evidence| {
                let mut reached = reached(&evidence.nearness(source, end));
                reached.resize(rules.len(), 0);
                reached
            };
            prop_assert_eq!(numbers(&one), numbers(&merged));
        }
        let (of_one, of_all) = (one.judge(end), merged.judge(end));
        if is_some_left_out {
            // What such a source did long ago is not listed beside what it did now.
            let number = |each: &Fulfilled| (each.source, each.rule, each.reached);
            let numbers = |all: &[Fulfilled]| all.iter().map(number).collect::<HashSet<_>>();
            prop_assert_eq!(numbers(&of_one), numbers(&of_all));
        } else {
            prop_assert_eq!(of_one, of_all);
        }
        let again = again(&merged, new("again"));
        let excerpt = again.to_bytes(None, usize::MAX, 0);
        let third = self::again(&again, new("third"));
        prop_assert_eq!(excerpt, third.to_bytes(None, usize::MAX, 0));
    }

    #[test]
    fn parts_tell_together_what_the_whole_tells(
        rules in prop::collection::vec(rule(), 1..5),
        batches in batches(),
        count in 1_usize..5,
    ) {
        let (plan, classes) = decided(&rules);
        let mut evidence = Evidence::new(plan.clone(), Seed::random(), 1_000, "worker-1");
        for (at, batch) in batches {
            evidence.observe_seen(&classes, batch.into_iter(), at);
        }
        let mut merged = Evidence::new(plan.clone(), Seed::random(), 1_000, "worker-1");
        let (mut next, mut sources) = (Some(0), 0);
        while let Some(first) = next {
            let (part, following) = evidence.part_to_bytes(first, count, usize::MAX, 0);
            prop_assert_eq!(0, part.cut);
            prop_assert_eq!(Ok(part.sources), merged.merge_bytes(&part.bytes));
            sources += part.sources;
            next = following;
        }
        let whole = evidence.to_bytes(None, usize::MAX, 0);
        prop_assert_eq!(whole.sources, sources);
        let one = again(&evidence, Evidence::new(plan, Seed::random(), 1_000, "worker-1"));
        prop_assert_eq!(
            one.to_bytes(None, usize::MAX, 0),
            merged.to_bytes(None, usize::MAX, 0)
        );
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
        let mut bytes = evidence.to_bytes(None, usize::MAX, 0).bytes;
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
    let whole = evidence.to_bytes(None, usize::MAX, 0).bytes.len();
    for size in 0..whole + 10 {
        let excerpt = evidence.to_bytes(None, size, 0);
        assert_eq!(12, excerpt.sources + excerpt.cut);
        assert!(excerpt.sources == 0 || excerpt.bytes.len() <= size);
        let mut other = Evidence::new(plan.clone(), Seed::random(), 1_000, "");
        assert_eq!(Ok(excerpt.sources), other.merge_bytes(&excerpt.bytes));
        for place in 0..excerpt.sources as u32 {
            assert!(!other.nearness(of(12 - place), NOW).is_empty());
        }
    }
    let some = evidence.to_bytes(Some(&[of(3), of(5), of(99)]), usize::MAX, 0);
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
        merged.merge_bytes(&evidence.to_bytes(None, usize::MAX, 0).bytes).expect("own bytes");
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
    mine.merge_bytes(&theirs.to_bytes(None, usize::MAX, 0).bytes).expect("own bytes");
    // The condition of the first is another one; sets of other windows know the same values.
    assert_eq!(vec![0, 4, 4], reached(&mine.nearness(of(1), NOW)));
}
