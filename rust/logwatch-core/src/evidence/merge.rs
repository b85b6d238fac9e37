//! Adds the evidence of other nodes, each of which has a clock of its own.

use std::fmt;

use super::engine::{AT_MOST, Evidence};
use super::plan::{Measure, Name};
use super::sketch::{self, Sketch};
use super::table::{Moment, Table};
use super::tally::{quarter, quarter_start};
use super::values::node_value;
use super::window::{bucket, bucket_start};
use super::wire::{DamagedEvidence, Names, Told, Written, read};

/// A node's clock may be ahead by so much, in milliseconds: a report that is from later is no
/// evidence of anything.
pub const AHEAD_MOST: u64 = 300_000;

/// Why the report of a node was not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportError {
    /// It is no evidence.
    Damaged(DamagedEvidence),
    /// Its latest packet lies ahead by so many milliseconds.
    Ahead(u64),
}

impl fmt::Display for ReportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(damaged) => damaged.fmt(formatter),
            Self::Ahead(ahead) => write!(
                formatter,
                "its latest packet is from {} s after now, more than the {} s that a node's clock \
                 may be ahead",
                ahead / 1_000,
                AHEAD_MOST / 1_000
            ),
        }
    }
}

impl std::error::Error for ReportError {}

/// For each of their gauges, which of ours it is. Sets are alike whatever their windows.
fn known(theirs: &[Name], ours: &[Name], is: impl Fn(&Name, &Name) -> bool) -> Vec<Option<usize>> {
    theirs.iter().map(|name| ours.iter().position(|our| is(our, name))).collect()
}

/// Of the gauges that were told of, which of ours each is.
struct Known {
    windows: Vec<Option<usize>>,
    tallies: Vec<Option<usize>>,
    distincts: Vec<Option<usize>>,
}

/// Times of a clock that is ahead, or behind.
#[derive(Clone, Copy)]
struct Clock {
    /// Milliseconds.
    ahead: i64,
}

impl Clock {
    /// When that was by the right clock.
    fn right(self, at: u64) -> u64 {
        at.saturating_add_signed(self.ahead.saturating_neg()).min(AT_MOST)
    }

    /// The sketch as of the right times; a part goes to where its beginning belongs.
    fn right_sketch(self, theirs: &Sketch, within: u64) -> Sketch {
        let mut sketch = Sketch::new();
        for (number, registers) in theirs.parts(theirs.newest()) {
            let start = self.right(sketch::part_start(number, within));
            sketch.merge(sketch::part(start, within), registers);
        }
        sketch
    }
}

impl Told {
    /// Corrects the times of a clock. Amounts go to where the beginning of their part belongs, so that
    /// they are never taken for later than they were.
    fn set_right(&mut self, clock: Clock, written: &Names) {
        self.trail = self.trail.at_other_times(|at| clock.right(at));
        for (buckets, name) in self.windows.iter_mut().zip(&written.windows) {
            let within = name.windows[0];
            for (number, _) in buckets {
                *number = bucket(clock.right(bucket_start(*number, within)), within);
            }
        }
        for (quarters, name) in self.tallies.iter_mut().zip(&written.tallies) {
            let within = name.windows[0];
            for (number, _) in quarters {
                *number = quarter(clock.right(quarter_start(*number, within)), within);
            }
        }
        for told in &mut self.distincts {
            for (_, at) in &mut told.values {
                *at = clock.right(*at);
            }
            for (within, sketch, newest) in &mut told.sketches {
                **sketch = clock.right_sketch(sketch, *within);
                *newest = clock.right(*newest);
            }
        }
    }

    /// Whatever nodes it names, it was this one that saw the source.
    fn set_node(&mut self, node: u64, written: &Names) {
        for (told, name) in self.distincts.iter_mut().zip(&written.distincts) {
            if name.measure != Measure::Nodes as u8 {
                continue;
            }
            let times = told.values.iter().map(|(_, at)| *at);
            let newest = times.chain(told.sketches.iter().map(|(.., newest)| *newest)).max();
            told.sketches.clear();
            told.values = newest.map(|at| (node, at)).into_iter().collect();
        }
    }
}

impl Table {
    /// Adds what was told of a source; its place, if there is one.
    fn merge(&mut self, told: &Told, known: &Known, at: u64) -> Option<usize> {
        let source = told.trail.source();
        let hash = self.hash(source);
        let place = if let Some(place) = self.find(source, hash) {
            self.trail_mut(place).merge(&told.trail);
            place
        } else {
            let now = Moment::new(&self.plan, at.max(told.trail.last));
            let place = self.admit(source, hash, &now, true)?;
            *self.trail_mut(place) = told.trail.clone();
            place
        };
        for (buckets, gauge) in told.windows.iter().zip(&known.windows) {
            let Some(gauge) = *gauge else { continue };
            for (bucket, amount) in buckets {
                self.window_mut(place, gauge).1.add(*bucket, *amount);
            }
        }
        for (quarters, gauge) in told.tallies.iter().zip(&known.tallies) {
            let Some(gauge) = *gauge else { continue };
            for (quarter, packets) in quarters {
                self.tally_mut(place, gauge).add(*quarter, *packets);
            }
        }
        for (told, gauge) in told.distincts.iter().zip(&known.distincts) {
            let Some(gauge) = *gauge else { continue };
            let (plan, distinct) = self.distinct_mut(place, gauge);
            let bounds = plan.distincts[gauge].bounds();
            for (within, sketch, newest) in &told.sketches {
                if let Ok(window) = bounds.windows.binary_search(within) {
                    distinct.merge_sketch(sketch, *newest, bounds, window);
                }
            }
            for (value, at) in &told.values {
                distinct.see(*value, *at, bounds);
            }
        }
        Some(place)
    }
}

impl Evidence {
    /// Adds the evidence of another node; afterwards [`Self::judge`] decides as if this one had seen
    /// what both saw. Returns how many sources there were. Packets that are merged twice count twice.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else; nothing is merged then.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<usize, DamagedEvidence> {
        let written = read(bytes)?;
        self.merge(&written);
        Ok(written.sources.len())
    }

    /// Adds the report of a node whose clock is ahead by `ahead` milliseconds, or behind, as far as is
    /// known; its times are corrected. If its latest packet would still lie after `now`, it is ahead by
    /// more than that. Returns by how much. The node is this one, whatever name it counted by.
    ///
    /// # Errors
    ///
    /// When the bytes are no evidence, or when the clock is ahead by much more than is known; nothing
    /// is merged then.
    pub fn merge_report(
        &mut self,
        bytes: &[u8],
        node: &str,
        ahead: i64,
        now: u64,
    ) -> Result<i64, ReportError> {
        let mut written = read(bytes).map_err(ReportError::Damaged)?;
        let clock = Clock { ahead };
        let latest = written.sources.iter().map(|told| clock.right(told.trail.last)).max();
        let beyond = latest.map_or(0, |latest| latest.saturating_sub(now));
        if beyond > AHEAD_MOST {
            return Err(ReportError::Ahead(beyond));
        }
        let clock = Clock { ahead: ahead.saturating_add_unsigned(beyond) };
        let node = node_value(node);
        for told in &mut written.sources {
            if clock.ahead != 0 {
                told.set_right(clock, &written.names);
            }
            told.set_node(node, &written.names);
        }
        self.merge(&written);
        Ok(clock.ahead)
    }

    fn merge(&mut self, written: &Written) {
        let plan = &self.table.plan;
        let known = Known {
            windows: known(&written.names.windows, &plan.window_names(), Name::eq),
            tallies: known(&written.names.tallies, &plan.tally_names(), Name::eq),
            distincts: known(&written.names.distincts, &plan.distinct_names(), Name::counts_alike),
        };
        self.table.begin_batch();
        for told in &written.sources {
            self.newest = self.newest.max(told.trail.last);
            let place = self.table.merge(told, &known, self.newest);
            let silence = self.silences.remove(&told.trail.source());
            if let (Some(place), Some(silence)) = (place, silence) {
                self.table.trail_mut(place).silence(silence);
            }
        }
    }
}
