//! What judging costs beside scanning: `cargo run --release --example evidence -- FILE [LINES]`.
//!
//! Counts the file in batches of 1,000 and of 50,000 lines, as one that arrives at 50,000 lines a
//! second, and takes each batch into evidence for two usual rules. Prints nanoseconds a line of
//! both, the least of five passes, and who was found.

use std::env;
use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use logwatch_core::evidence::{Condition, Evidence, Measure, Plan, Rule, Verdict};
use logwatch_core::hash::Seed;
use logwatch_core::prefix::Prefixes;
use logwatch_core::protocol;
use logwatch_core::scanner::{Scanner, Settings};
use logwatch_core::summary::Limits;
use logwatch_core::time::{Clock, utc};

const PREFIXES: [&str; 3] = ["calico-packet", "calico-packet-nodeports", "calico-packet-lb"];
/// 2026-11-24T12:00:00Z
const NOW: i64 = 1_795_521_600;
const LINES_A_SECOND: u64 = 50_000;
/// As the agent's default.
const CAPACITY: usize = 10_000;
const PASSES: usize = 5;

fn rules() -> Vec<Rule> {
    let tcp = Condition::Protocol(protocol::TCP);
    vec![
        Rule {
            measure: Measure::Packets,
            threshold: 100,
            within: 600_000,
            condition: Condition::True,
        },
        Rule {
            measure: Measure::Ports,
            threshold: 15,
            within: 60_000,
            condition: Condition::And(vec![tcp, Condition::Syn]),
        },
    ]
}

/// Whole lines, so many at a time.
fn batches(text: &[u8], lines: usize) -> Vec<&[u8]> {
    let mut batches = Vec::new();
    let (mut start, mut count) = (0, 0);
    for feed in memchr::memchr_iter(b'\n', text) {
        count += 1;
        if count == lines {
            batches.push(&text[start..=feed]);
            (start, count) = (feed + 1, 0);
        }
    }
    batches
}

#[derive(Debug)]
struct Pass {
    scanning: Duration,
    judging: Duration,
    rows: usize,
    found: usize,
    evidence: Evidence,
}

fn pass(batches: &[&[u8]], lines: u64, capacity: usize) -> Result<Pass, Box<dyn Error>> {
    let settings = Settings {
        prefixes: Prefixes::new(&PREFIXES)?,
        limits: Limits { bytes: 16 << 20, destinations: false },
        slice_seconds: 0,
        late_seconds: 0,
    };
    let mut scanner = Scanner::new(settings, Clock::new(utc, NOW), Seed::random());
    let evidence = Evidence::new(Plan::new(&rules())?, Seed::random(), capacity, "worker-1");
    let (scanning, judging) = (Duration::ZERO, Duration::ZERO);
    let mut pass = Pass { scanning, judging, rows: 0, found: 0, evidence };
    let mut at = NOW.unsigned_abs() * 1_000;
    for batch in batches {
        let start = Instant::now();
        scanner.feed(batch);
        let mut summary = scanner.drain();
        summary.settle();
        pass.scanning += start.elapsed();
        let verdicts: Vec<_> = summary
            .policies()
            .map(|policy| Verdict {
                name: PREFIXES[usize::from(policy.prefix)].into(),
                denied: true,
            })
            .collect();
        let start = Instant::now();
        let fulfilled = pass.evidence.observe(&summary, &verdicts, at);
        for each in &fulfilled {
            pass.evidence.restart(each.source);
        }
        pass.judging += start.elapsed();
        pass.rows += summary.rows().count();
        pass.found += fulfilled.len();
        at += lines * 1_000 / LINES_A_SECOND;
    }
    Ok(pass)
}

#[allow(clippy::cast_precision_loss)]
fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("which file?")?;
    let most: usize = env::args().nth(2).map_or(Ok(usize::MAX), |lines| lines.parse())?;
    let text = fs::read(path)?;
    for lines in [1_000, 50_000] {
        let batches = batches(&text, lines);
        let batches = &batches[..batches.len().min(most / lines)];
        let count = (batches.len() * lines) as f64;
        for capacity in [CAPACITY, 10 * CAPACITY] {
            let mut least: Option<Pass> = None;
            for _ in 0..PASSES {
                let pass = pass(batches, lines as u64, capacity)?;
                if least.as_ref().is_none_or(|least| pass.judging < least.judging) {
                    least = Some(pass);
                }
            }
            let Some(pass) = least else { continue };
            let (scanning, judging) =
                (pass.scanning.as_nanos() as f64, pass.judging.as_nanos() as f64);
            println!(
                "batches of {lines}, capacity {capacity}: scanning {:.1} ns, judging {:.1} ns a line ({:.0} %), \
                 {:.2} rows a line, {} times fulfilled, {} sources, {} evictions, {} rows refused",
                scanning / count,
                judging / count,
                100.0 * judging / scanning,
                pass.rows as f64 / count,
                pass.found,
                pass.evidence.len(),
                pass.evidence.evictions(),
                pass.evidence.refused(),
            );
        }
    }
    Ok(())
}
