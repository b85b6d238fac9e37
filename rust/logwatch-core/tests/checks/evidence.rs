//! What the fuzz target of merged evidence checks.

use logwatch_core::evidence::{Condition, Evidence, Measure, Plan, Rule, Verdict};

use super::{Input, NOW, damage, seed, small_scanner};

/// Fewer than the sources of a long stream.
const CAPACITY: usize = 8;

fn nothing() -> Evidence {
    let rule =
        |measure, threshold, within, condition| Rule { measure, threshold, within, condition };
    let rules = [
        rule(Measure::Packets, 3, 600_000, Condition::True),
        rule(Measure::Bytes, 500, 1_000, Condition::True),
        rule(Measure::Ports, 2, 60_000, Condition::Syn),
        rule(Measure::Ports, 3, 1_000, Condition::Syn),
        rule(Measure::Destinations, 2_000, 60_000, Condition::True),
        rule(Measure::Nodes, 2, 86_400_000, Condition::Not(Box::new(Condition::Reply))),
    ];
    Evidence::new(Plan::new(&rules).expect("usable rules"), seed(), CAPACITY, "worker-1")
}

/// How many bytes of evidence are damaged, three bytes for each (where, and by what), then the
/// stream that it is made of; or, from 128 on, bytes instead of evidence. Merging them never
/// panics, and what was merged is written as it was.
pub fn merged(data: &[u8]) {
    let (damages, stream) = match Input::of(data) {
        None => return,
        Some(Input::Bytes(bytes)) => {
            merge(bytes);
            return;
        }
        Some(Input::Damaged { damages, stream }) => (damages, stream),
    };
    let mut scanner = small_scanner();
    let mut evidence = nothing();
    for (piece, second) in stream.chunks(512).zip(0..) {
        scanner.feed(piece);
        let mut summary = scanner.drain();
        summary.settle();
        let verdict = Verdict { name: "deny".into(), denied: true };
        let verdicts = vec![verdict; summary.policies().count()];
        evidence.observe(&summary, &verdicts, (NOW.unsigned_abs() + second) * 1_000);
    }
    assert!(evidence.len() <= CAPACITY);
    let mut bytes = evidence.to_bytes(None, usize::MAX, 0).bytes;
    assert!(merge(&bytes), "what was just written");
    if damages.is_empty() {
        return;
    }
    damage(&mut bytes, damages);
    merge(&bytes);
}

fn read_again(evidence: &Evidence) -> Evidence {
    let written = evidence.to_bytes(None, usize::MAX, 0);
    let mut again = nothing();
    assert_eq!(Ok(written.sources), again.merge_bytes(&written.bytes));
    assert_eq!(0, written.cut);
    again
}

/// Whether the bytes were taken.
fn merge(bytes: &[u8]) -> bool {
    let mut merged = nothing();
    if merged.merge_bytes(bytes).is_err() {
        assert!(merged.is_empty(), "some of it was merged");
        return false;
    }
    assert!(merged.len() <= CAPACITY);
    // Where the latest is left out, since nothing of it counts, the next are written as of an
    // earlier time: only what was read again is written as it was.
    let again = read_again(&merged);
    let written = again.to_bytes(None, usize::MAX, 0);
    assert_eq!(again.len(), written.sources, "nothing is over by then");
    let mut again = read_again(&again);
    assert_eq!(written, again.to_bytes(None, usize::MAX, 0), "not a fixed point");
    // What was believed can be judged.
    for at in [0, NOW.unsigned_abs() * 1_000, u64::MAX] {
        assert!(merged.judge(at).len() <= merged.top(usize::MAX, at).len());
    }
    again.forget_after(0);
    for ahead in [0, i64::MIN, i64::MAX, 250_000, -250_000] {
        let mut report = nothing();
        for now in [NOW.unsigned_abs() * 1_000, u64::MAX] {
            let sources: Vec<_> = merged.top(3, now).iter().map(|(source, _)| *source).collect();
            if report.merge_report(bytes, "worker-2", ahead, now).is_ok() {
                for source in sources {
                    report.forget_before(source, now);
                }
                assert!(report.judge(0).len() <= CAPACITY);
                report.note_near_misses(now);
                report.forget_all();
            }
            assert!(report.is_empty());
        }
    }
    true
}
