//! What always holds of a bounded family, whatever is counted and whenever it is settled.

use std::collections::BTreeMap;

use logwatch_core::series::{Key, OTHER, Saved, Series, Sum, labels, push_label};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Add { key: u8, packets: u64, bytes: u64 },
    AddOther { packets: u64 },
    Wait(i32),
    Settle,
    TouchAll,
}

fn step() -> impl Strategy<Value = Step> {
    let packets = prop_oneof![0..12_u64, Just(u64::MAX)];
    prop_oneof![
        12 => (0..12_u8, packets, any::<u64>())
            .prop_map(|(key, packets, bytes)| Step::Add { key, packets, bytes }),
        1 => (0..3_u64).prop_map(|packets| Step::AddOther { packets }),
        3 => prop_oneof![0..2_000_i32, Just(-1_000)].prop_map(Step::Wait),
        2 => Just(Step::Settle),
        1 => Just(Step::TouchAll),
    ]
}

fn key(labels: &[&str]) -> Key {
    let mut key = Key::new();
    for label in labels {
        push_label(&mut key, label);
    }
    key
}

/// What somebody sees who writes down every change: by key, `other` among them.
type Shown = BTreeMap<Key, Sum>;

fn write_down(shown: &mut Shown, series: &Series) {
    for (key, saved) in series.changes() {
        match saved {
            Some(saved) => shown.insert(key.to_vec(), saved.sum),
            None => shown.remove(key),
        };
    }
}

fn total(shown: &Shown) -> Sum {
    let mut total = Sum::default();
    for &sum in shown.values() {
        total.add(sum);
    }
    total
}

proptest! {
    #[test]
    fn sums_are_exact_places_bounded_and_nothing_shrinks(
        capacity in 0..7_usize,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut series = Series::new(capacity, []);
        let (mut counted, mut now) = (Sum::default(), 1.7e9);
        let (mut shown, mut settled) = (Shown::new(), Shown::new());
        for step in steps {
            match step {
                Step::Add { key: number, packets, bytes } => {
                    let sum = Sum { packets: packets.into(), bytes: bytes.into() };
                    series.add(&key(&[&number.to_string()]), sum, now);
                    counted.add(sum);
                }
                Step::AddOther { packets } => {
                    let sum = Sum { packets: packets.into(), bytes: 0 };
                    series.add_other(sum);
                    counted.add(sum);
                }
                Step::Wait(seconds) => now += f64::from(seconds),
                Step::Settle => series.settle(),
                Step::TouchAll => series.touch_all(),
            }
            let mut next = shown.clone();
            write_down(&mut next, &series);
            prop_assert_eq!(counted, total(&next));
            prop_assert!(next.keys().filter(|&key| key != OTHER).count() <= capacity);
            for (key, sum) in &next {
                let before = settled.get(key).copied().unwrap_or_default();
                prop_assert!(sum.packets >= before.packets && sum.bytes >= before.bytes);
            }
            if !series.changed() {
                prop_assert_eq!(&shown, &next);
            }
            if matches!(step, Step::Settle) {
                prop_assert!(!series.changed());
                prop_assert_eq!(0, series.changes().count());
                settled.clone_from(&next);
            }
            shown = next;
        }
    }

    #[test]
    fn the_same_calls_give_the_same_changes_in_the_same_order(
        capacity in 0..7_usize,
        // Eight keys, as many candidates as are never forgotten.
        steps in prop::collection::vec((0..8_u8, 0..12_u8, 0..600_u16), 0..200),
    ) {
        let run = || {
            let mut series = Series::new(capacity, []);
            let mut now = 1.7e9;
            for &(number, packets, seconds) in &steps {
                now += f64::from(seconds);
                let sum = Sum { packets: packets.into(), bytes: 60 };
                series.add(&key(&[&number.to_string()]), sum, now);
            }
            series.changes().map(|(key, saved)| (key.to_vec(), saved)).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn a_key_gives_its_labels_back(several in prop::collection::vec(".{0,5}", 0..5)) {
        let several: Vec<&str> = several.iter().map(String::as_str).collect();
        let key = key(&several);
        let back: Vec<&[u8]> = labels(&key).collect();
        prop_assert_eq!(several.iter().map(|label| label.as_bytes()).collect::<Vec<_>>(), back);
    }
}

#[test]
fn of_series_idle_for_the_same_time_the_first_admitted_leaves() {
    let sum = Sum { packets: 20, bytes: 1200 };
    let mut series = Series::new(3, []);
    for name in ["b", "c", "a"] {
        series.add(&key(&[name]), sum, 1.7e9);
    }
    series.settle();
    series.add(&key(&["d"]), sum, 1.7e9 + 900.0);
    let gone = |series: &Series| {
        let gone = series.changes().filter(|(_, saved)| saved.is_none());
        gone.map(|(key, _)| key.to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(vec![key(&["b"])], gone(&series));
    let saved = ["b", "c", "a"].map(|name| (key(&[name]), Saved { sum, used: 1.7e9 }));
    assert_eq!(vec![key(&["b"]), key(&["c"])], gone(&Series::new(1, saved)));
}
