//! Single behaviours: floods, restarts, clocks, what is listed.

use logwatch_core::address::Address;
use logwatch_core::evidence::{Evidence, Measure, Plan, PlanError, Rule, Seen, Source};
use logwatch_core::hash::Seed;

use crate::model::{NOW, address, decided, of, packets, ports, reached, syn};

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
                let destination = Address::V4((number + node * wide).wrapping_mul(0x9E37_79B1));
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
        let bytes = parts[1].to_bytes(None, usize::MAX, 0).bytes;
        parts[0].merge_bytes(&bytes).expect("own bytes");
        near(2.0 * f64::from(wide), reached(&parts[0].nearness(of(1), at))[0], 1.0 / 12.0);
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

#[test]
fn a_short_window_stays_exact_while_a_long_one_is_estimated() {
    let rules = [ports(15, 60_000), ports(5_000, 86_400_000), ports(30, 3_600_000)];
    let (plan, classes) = decided(&rules);
    let new = || Evidence::new(plan.clone(), Seed::random(), 10, "");
    let (mut alone, mut halves) = (new(), [new(), new()]);
    let mut at = NOW;
    // Three ports a minute, for hours.
    for port in 0..1_500_u16 {
        at = NOW + u64::from(port) * 20_000;
        alone.observe_seen(&classes, [syn(1, port)].into_iter(), at);
        halves[usize::from(port % 2)].observe_seen(&classes, [syn(1, port)].into_iter(), at);
        let [minute, day, hour] = reached(&alone.nearness(of(1), at))[..] else { panic!() };
        let seen = u64::from(port) + 1;
        assert_eq!((seen.min(3), seen.min(180)), (minute, hour));
        assert!(seen <= 256 && day == seen || day.abs_diff(seen) < seen / 3, "{day} of {seen}");
    }
    let found = alone.observe_seen(&classes, (0..20).map(|port| syn(1, port)), at);
    assert_eq!(
        vec![(0, 23)],
        found.iter().map(|each| (each.rule, each.reached)).collect::<Vec<_>>()
    );
    assert_eq!(20, found[0].found.ports.len());
    let mut merged = new();
    for half in &mut halves {
        half.observe_seen(&classes, (0..20).map(|port| syn(1, port)), at);
        merged.merge_bytes(&half.to_bytes(None, usize::MAX, 0).bytes).expect("own bytes");
    }
    assert_eq!(reached(&alone.nearness(of(1), at)), reached(&merged.nearness(of(1), at)));
    assert_eq!(found[0].found.ports, merged.judge(at)[0].found.ports);
    let again = alone.observe_seen(&classes, (0..3).map(|port| syn(1, port)), at + 86_400_000);
    assert!(again.is_empty());
    assert_eq!(vec![3, 3, 3], reached(&alone.nearness(of(1), at + 86_400_000)));
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
fn nothing_counts_of_a_source_that_rests() {
    let (plan, classes) = decided(&[packets(2, 60_000), ports(9, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 10, "");
    let mut told = |at, rest: Option<u64>| {
        let found = evidence.observe_seen(&classes, [syn(1, 22), syn(1, 23)].into_iter(), at);
        assert!(rest.is_none_or(|until| evidence.rest(of(1), until)));
        (found.first().map(|each| each.reached), reached(&evidence.nearness(of(1), at)))
    };
    assert_eq!((Some(2), vec![0, 0]), told(NOW, Some(NOW + 10_000)));
    assert_eq!((None, vec![0, 0]), told(NOW + 9_999, None));
    assert_eq!((Some(2), vec![2, 2]), told(NOW + 10_000, None));
    assert_eq!((Some(4), vec![0, 0]), told(NOW + 11_000, Some(NOW + 20_000)));
    assert!(evidence.quiet(of(1), 0));
    let found = evidence.observe_seen(&classes, [syn(1, 22), syn(1, 23)].into_iter(), NOW + 12_000);
    assert_eq!(1, found.len(), "a time that is over ends it");
    assert!(!evidence.rest(of(2), NOW));
}

#[test]
fn a_source_that_rests_keeps_its_place() {
    let (plan, classes) = decided(&[ports(15, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 100, "");
    evidence.observe_seen(&classes, [syn(7, 22)].into_iter(), NOW);
    assert!(evidence.rest(of(7), NOW + 10_000));
    for round in 1..50 {
        let flood = (1_000..2_000).map(|number| syn(number, 80));
        evidence.observe_seen(&classes, flood, NOW + round);
    }
    assert!(evidence.evictions() > 10_000);
    assert_eq!(vec![0], reached(&evidence.nearness(of(7), NOW + 50)));
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
fn rules_that_no_window_can_hold_are_refused() {
    let refusal = |rule| Plan::new(&[packets(1, 1_000), rule]).map(|_| ());
    assert_eq!(Err(PlanError::Threshold(1)), refusal(packets(0, 1_000)));
    assert_eq!(Err(PlanError::Within(1)), refusal(packets(1, 999)));
    assert_eq!(Err(PlanError::Within(1)), refusal(packets(1, 7 * 86_400_000 + 1)));
    assert_eq!(Ok(()), refusal(packets(1, 7 * 86_400_000)));
    let many: Vec<_> = (1..=65).map(|number| packets(number, 1_000)).collect();
    assert_eq!(Err(PlanError::TooMany(65)), Plan::new(&many).map(|_| ()));
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
        other.merge_bytes(&evidence.to_bytes(None, usize::MAX, 0).bytes).expect("own bytes");
    }
    evidence.observe_seen(&classes, [syn(1, 22)].into_iter(), u64::MAX);
    assert_eq!(vec![1, 1], reached(&evidence.nearness(of(1), u64::MAX)));
}

#[test]
fn offenders_are_told_of_in_the_order_of_their_rows() {
    let (plan, classes) = decided(&[packets(2, 60_000)]);
    let mut evidence = Evidence::new(plan, Seed::random(), 1_000, "");
    let order: Vec<u32> = (0..100).map(|number| number * 37 % 100).collect();
    let rows = order.iter().chain(&order).map(|number| syn(*number, 22));
    let found = evidence.observe_seen(&classes, rows, NOW);
    let expected: Vec<_> = order.iter().map(|number| of(*number)).collect();
    assert_eq!(expected, found.iter().map(|each| each.source).collect::<Vec<_>>());
}
