//! What judging costs beside scanning: `cargo run --release --example evidence -- FILE [LINES]`.
//!
//! Counts the file in batches of 2,500 and of 50,000 lines, as one that arrives at 50,000 lines a
//! second, and takes each batch into evidence for the default rules. Prints nanoseconds a line of
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
/// As the agent's default.
const BANS_MOST: usize = 256;
const PASSES: usize = 5;

/// As those that come with the agent.
fn rules() -> Vec<Rule> {
    let tcp = Condition::Protocol(protocol::TCP);
    let asking = Condition::And(vec![tcp, Condition::Not(Box::new(Condition::Reply))]);
    let rule = |measure, threshold, within, condition: &Condition| Rule {
        measure,
        threshold,
        within,
        condition: condition.clone(),
    };
    vec![
        rule(Measure::Ports, 15, 60_000, &asking),
        rule(Measure::Packets, 1_500, 600_000, &asking),
        rule(Measure::Destinations, 10, 600_000, &asking),
        rule(Measure::Ports, 30, 86_400_000, &asking),
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
    banned: usize,
    told: usize,
    evidence: Evidence,
}

fn pass(batches: &[&[u8]], lines: u64, capacity: usize) -> Result<Pass, Box<dyn Error>> {
    let settings = Settings {
        prefixes: Prefixes::new(&PREFIXES)?,
        limits: Limits { bytes: 16 << 20, destinations: true },
        slice_seconds: 0,
        late_seconds: 0,
    };
    let mut scanner = Scanner::new(settings, Clock::new(utc, NOW), Seed::random());
    let evidence = Evidence::new(Plan::new(&rules())?, Seed::random(), capacity, "worker-1");
    let (scanning, judging) = (Duration::ZERO, Duration::ZERO);
    let mut pass = Pass { scanning, judging, rows: 0, banned: 0, told: 0, evidence };
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
        // As the agent does: who is banned rests, who can't be is told of once in a window.
        for each in &fulfilled {
            if pass.banned < BANS_MOST {
                pass.evidence.rest(each.source, at + 60_000);
                pass.banned += 1;
            } else {
                pass.evidence.quiet(each.source, at + 60_000);
            }
        }
        pass.judging += start.elapsed();
        pass.rows += summary.rows().count();
        pass.told += fulfilled.len();
        at += lines * 1_000 / LINES_A_SECOND;
    }
    Ok(pass)
}

#[allow(clippy::cast_precision_loss)]
fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("which file?")?;
    let most: usize = env::args().nth(2).map_or(Ok(usize::MAX), |lines| lines.parse())?;
    let text = fs::read(path)?;
    for lines in [2_500, 50_000] {
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
                pass.told,
                pass.evidence.len(),
                pass.evidence.evictions(),
                pass.evidence.refused(),
            );
        }
    }
    Ok(())
}
